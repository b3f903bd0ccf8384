//! The operator's rules, counted in Redis for all gateways together. While Redis is away each gateway enforces them
//! alone: limits fail open, admission does not.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use control::Fallback;
use domain::ports::{Outage, SharedLimit, SharedLimits};
use governor::Quota;

use super::callers::Callers;
use super::document::{Rule, RuleAction, RuleSubject};
use super::local::{Keyed, WhenFull};
use crate::address::Origin;
use crate::load::Shed;
use crate::problem::Problem;

/// What a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A sale token.
    Token,
    /// To buy.
    Order,
    /// To know how something stands.
    Status,
}

impl Action {
    /// The action behind the route with this pattern.
    pub fn of_route(pattern: Option<&str>) -> Self {
        match pattern {
            Some("/api/v1/sales/{sale}/tokens") => Self::Token,
            Some("/api/v1/sales/{sale}/orders") => Self::Order,
            _ => Self::Status,
        }
    }
}

/// Whose request it is. What is not known is not limited.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller<'a> {
    /// Of a request that has shown nothing valid. Whoever has shown a token, a login or a job is not held up by their
    /// address: many people share one.
    pub origin: Option<Origin>,
    /// The buyer that the token, the login or the job names.
    pub buyer: Option<&'a str>,
    /// The sale that is asked about.
    pub sale: Option<&'a str>,
    /// The sales channel that the token or the login names.
    pub channel: Option<&'a str>,
}

impl Caller<'_> {
    fn subject(&self, subject: RuleSubject) -> Option<String> {
        let named = |name: Option<&str>| name.filter(|name| !name.is_empty()).map(str::to_owned);
        match subject {
            RuleSubject::Ip => self.origin.map(|origin| origin.to_string()),
            RuleSubject::Buyer => named(self.buyer),
            RuleSubject::Sale => named(self.sale),
            RuleSubject::Channel => named(self.channel),
        }
    }
}

/// Every rule that is obeyed.
pub struct Shared {
    store: Arc<dyn SharedLimits>,
    rules: ArcSwap<Rules>,
    fallback: Fallback,
    callers: Arc<Callers>,
}

#[derive(Default)]
struct Rules {
    all: Vec<Arc<Active>>,
    by_action: [Vec<Arc<Active>>; 3],
}

/// A rule, and what this process counts for it while it is alone.
struct Active {
    rule: Rule,
    alone: Keyed,
}

/// A rule that applies to a request, and the subject it is applied to.
struct Applied<'r> {
    active: &'r Active,
    subject: String,
    /// What the subject is remembered by in this process; the same as for its local limits.
    hash: u64,
}

impl Shared {
    pub(super) fn new(store: Arc<dyn SharedLimits>, rules: &[Rule], callers: Arc<Callers>) -> Self {
        let fallback = Fallback::new("limits", "each gateway enforces the shared rules alone");
        let shared = Self { store, rules: ArcSwap::default(), fallback, callers };
        shared.set(rules);
        shared
    }

    /// Other rules from now on. One that is the same keeps what this process has counted for it.
    pub(super) fn set(&self, rules: &[Rule]) {
        let known = self.rules.load();
        let active = |rule: &Rule| match known.all.iter().find(|active| active.rule == *rule) {
            Some(same) => same.clone(),
            None => Arc::new(Active { rule: rule.clone(), alone: alone(rule) }),
        };
        let all: Vec<_> = rules.iter().map(active).collect();
        let of = |action: RuleAction| {
            let applies = |active: &&Arc<Active>| [action, RuleAction::Any].contains(&active.rule.action);
            all.iter().filter(applies).cloned().collect()
        };
        let by_action = [of(RuleAction::Token), of(RuleAction::Order), of(RuleAction::Status)];
        self.rules.store(Arc::new(Rules { all, by_action }));
    }

    /// Is there any rule at all?
    pub fn is_empty(&self) -> bool {
        self.rules.load().all.is_empty()
    }

    /// Is there any rule about it? Without one nothing is asked.
    pub fn concerns(&self, action: Action) -> bool {
        !self.rules.load().by_action[action as usize].is_empty()
    }

    /// Counts one request against every rule that applies to it, or against none; an error when it is one too many.
    pub async fn check(&self, action: Action, caller: Caller<'_>) -> Result<(), Problem> {
        if !self.concerns(action) {
            return Ok(());
        }
        let rules = self.rules.load_full();
        let applied: Vec<Applied<'_>> =
            rules.by_action[action as usize].iter().filter_map(|active| self.apply(active, &caller)).collect();
        if applied.is_empty() {
            return Ok(());
        }
        let limits: Vec<SharedLimit> = applied.iter().map(Applied::limit).collect();
        let waits = match self.store.spend(&limits).await {
            Ok(spent) => {
                self.fallback.not_needed();
                spent.waits
            }
            Err(outage) => self.alone(&applied, &outage),
        };
        self.answer(&applied, &waits)
    }

    fn apply<'r>(&self, active: &'r Active, caller: &Caller<'_>) -> Option<Applied<'r>> {
        let subject = caller.subject(active.rule.subject)?;
        let hash = match active.rule.subject {
            RuleSubject::Ip => self.callers.hash(caller.origin?),
            RuleSubject::Buyer | RuleSubject::Sale | RuleSubject::Channel => self.callers.hash(subject.as_str()),
        };
        Some(Applied { active, subject, hash })
    }

    /// What this process allows without the others. A request that one rule refuses may count against another.
    fn alone(&self, applied: &[Applied<'_>], outage: &Outage) -> Vec<Duration> {
        self.fallback.taken(outage);
        let wait = |one: &Applied<'_>| one.active.alone.check(one.hash).err();
        applied.iter().map(|one| wait(one).unwrap_or_default()).collect()
    }

    /// The caller's own limits come first: what is theirs is said to be theirs. To wait for all of them is the wait.
    fn answer(&self, applied: &[Applied<'_>], waits: &[Duration]) -> Result<(), Problem> {
        let refused = || applied.iter().zip(waits).filter(|(_, wait)| !wait.is_zero());
        let Some(longest) = refused().map(|(_, wait)| *wait).max() else { return Ok(()) };
        let own = refused().filter(|(one, _)| one.active.rule.subject.is_one_caller()).max_by_key(|(_, wait)| **wait);
        Err(match own {
            Some((Applied { active, hash, .. }, _)) => {
                self.callers.note(*hash);
                let Rule { name, limit, window_seconds, .. } = &active.rule;
                Problem::over_limit(name, limit.get(), window_seconds.get(), longest)
            }
            None => {
                Shed::Group.count();
                Problem::group_over_limit(longest)
            }
        })
    }

    /// Forgets who was counted alone; answers how many are remembered.
    pub(super) fn forget(&self) -> usize {
        let rules = self.rules.load();
        let kept = |active: &Arc<Active>| {
            active.alone.forget();
            active.alone.keys()
        };
        rules.all.iter().map(kept).sum()
    }
}

impl Applied<'_> {
    fn limit(&self) -> SharedLimit {
        let Rule { name, action, subject, algorithm, limit, window_seconds } = &self.active.rule;
        SharedLimit {
            key: format!("{name}:{}:{}:{}", action.as_str(), subject.as_str(), self.subject),
            algorithm: (*algorithm).into(),
            limit: limit.get(),
            window: Duration::from_secs(u64::from(window_seconds.get())),
        }
    }
}

fn alone(rule: &Rule) -> Keyed {
    let window = Duration::from_secs(u64::from(rule.window_seconds.get()));
    let period = (window / rule.limit.get()).max(Duration::from_nanos(1));
    let burst = rule.limit;
    let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN)).allow_burst(burst);
    let when_full = if rule.subject == RuleSubject::Ip { WhenFull::Share } else { WhenFull::LetIn };
    Keyed::new(quota, when_full)
}
