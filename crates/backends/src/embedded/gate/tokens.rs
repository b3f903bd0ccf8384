//! What may be under way at once: the model of `lua/tokens.lua`.

use std::collections::{BTreeMap, HashMap};

use domain::ports::{Acquired, ConcurrencyUsage, Obeyed};
use domain::{Attempt, BuyerId, ConcurrencyRules, JobId, Refusal, Timestamp};

/// Whole hours that the statistics look back, the present one included.
const HOURS: i64 = 24;

const GLOBAL: &str = "global";

/// Rules, tokens and statistics, shared by all sales.
pub(super) struct Tokens {
    /// The change that the rules are from; `None` until somebody says.
    version: Option<i64>,
    rules: ConcurrencyRules,
    /// By dimension and name: token → when it expires, in unix seconds.
    sets: HashMap<String, HashMap<String, i64>>,
    /// By hour since 1970.
    counted: BTreeMap<i64, BTreeMap<String, u64>>,
}

impl Default for Tokens {
    fn default() -> Self {
        let rules = ConcurrencyRules::default();
        Self { version: None, rules, sets: HashMap::new(), counted: BTreeMap::new() }
    }
}

impl Tokens {
    /// See `Concurrency::obey`.
    pub(super) fn obey(&mut self, version: i64, rules: &ConcurrencyRules, force: bool) -> Obeyed {
        match self.version {
            Some(known) if known > version && !force => return Obeyed::Newer(known),
            Some(known) if known == version && self.rules == *rules => return Obeyed::Kept,
            _ => {}
        }
        self.version = Some(version);
        self.rules = rules.clone();
        let rules = &self.rules;
        self.sets.retain(|name, _| name.starts_with("account:") || max(rules, name) > 0);
        Obeyed::Written
    }

    /// A token in each limited dimension, or in none. A job whose reservation was lost may have its place still.
    pub(super) fn take(&mut self, attempt: &Attempt, now: Timestamp) -> Result<(), Refusal> {
        let (channel, buyer) = (of_channel(&attempt.channel), of_buyer(&attempt.buyer));
        let sets = [(GLOBAL.to_owned(), Refusal::AllBusy), (channel, Refusal::ChannelBusy)];
        let own = (buyer, Refusal::BuyerBusy { max: self.rules.account_max });
        let limited: Vec<_> = sets.into_iter().chain([own]).filter(|(name, _)| max(&self.rules, name) > 0).collect();
        let token = attempt.job.to_string();
        for (name, refusal) in &limited {
            let is_full = self.live(name, now) >= u64::from(max(&self.rules, name));
            if is_full && !self.sets.get(name).is_some_and(|tokens| tokens.contains_key(&token)) {
                return Err(refusal.clone());
            }
        }
        for (name, _) in &limited {
            self.put(name, token.clone(), now);
        }
        if !limited.is_empty() {
            self.note("acquired:total".to_owned(), now);
            if self.rules.platform_max.contains_key(&attempt.channel) {
                self.note(format!("acquired:platform:{}", attempt.channel), now);
            }
        }
        Ok(())
    }

    /// A job is settled. Its record does not know its channel.
    pub(super) fn give_back(&mut self, job: JobId, buyer: Option<&BuyerId>, now: Timestamp) {
        let token = job.to_string();
        // By name, and not through all sets: there is one for each buyer.
        let channels = self.rules.platform_max.keys().map(|channel| of_channel(channel));
        let names = [GLOBAL.to_owned()].into_iter().chain(channels).chain(buyer.map(of_buyer));
        let mut removed = false;
        for name in names.collect::<Vec<_>>() {
            let Some(tokens) = self.sets.get_mut(&name) else { continue };
            removed |= tokens.remove(&token).is_some();
            if tokens.is_empty() {
                self.sets.remove(&name);
            }
        }
        if removed {
            self.note("released:total".to_owned(), now);
        }
    }

    /// See `Concurrency::acquire`.
    pub(super) fn acquire(&mut self, task: &str, token: &str, now: Timestamp) -> Acquired {
        let Some(most) = self.rules.task_max(task) else { return Acquired::Unlimited };
        let name = of_task(task);
        if self.live(&name, now) >= u64::from(most) {
            return Acquired::Busy;
        }
        self.put(&name, token.to_owned(), now);
        self.note("acquired:total".to_owned(), now);
        self.note(format!("acquired:{name}"), now);
        Acquired::Taken
    }

    /// See `Concurrency::renew`.
    pub(super) fn renew(&mut self, task: &str, token: &str, now: Timestamp) {
        if self.rules.task_max(task).is_some() {
            self.put(&of_task(task), token.to_owned(), now);
        }
    }

    /// See `Concurrency::release`.
    pub(super) fn release(&mut self, task: &str, token: &str, now: Timestamp) {
        if self.sets.get_mut(&of_task(task)).and_then(|tokens| tokens.remove(token)).is_some() {
            self.note("released:total".to_owned(), now);
        }
    }

    /// See `Concurrency::usage`.
    pub(super) fn usage(&mut self, now: Timestamp) -> ConcurrencyUsage {
        let rules = self.rules.clone();
        let limited = |name: &String| max(&rules, name) > 0;
        let global = Some(GLOBAL.to_owned()).filter(limited).map(|name| self.live(&name, now));
        let mut usage = ConcurrencyUsage { global, ..ConcurrencyUsage::default() };
        for channel in rules.platform_max.keys().filter(|channel| limited(&of_channel(channel))) {
            usage.platforms.insert(channel.clone(), self.live(&of_channel(channel), now));
        }
        for task in rules.task_type_max.keys().filter(|task| limited(&of_task(task))) {
            usage.task_types.insert(task.clone(), self.live(&of_task(task), now));
        }
        usage
    }

    /// See `Concurrency::stats`.
    pub(super) fn stats(&self, now: Timestamp) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for (field, count) in self.counted.range(hour(now) - HOURS + 1..).flat_map(|(_, counted)| counted) {
            *sums.entry(field.clone()).or_default() += count;
        }
        sums
    }

    /// Live tokens of a set; what has expired is removed.
    fn live(&mut self, name: &str, now: Timestamp) -> u64 {
        let Some(tokens) = self.sets.get_mut(name) else { return 0 };
        tokens.retain(|_, expiry| *expiry > now.timestamp());
        let live = tokens.len() as u64;
        if live == 0 {
            self.sets.remove(name);
        }
        live
    }

    fn put(&mut self, name: &str, token: String, now: Timestamp) {
        let expiry = now.timestamp() + i64::from(self.rules.timeout);
        self.sets.entry(name.to_owned()).or_default().insert(token, expiry);
    }

    fn note(&mut self, field: String, now: Timestamp) {
        let hour = hour(now);
        self.counted.retain(|at, _| *at > hour - HOURS);
        *self.counted.entry(hour).or_default().entry(field).or_default() += 1;
    }
}

/// What a set may hold; 0: no such limit.
fn max(rules: &ConcurrencyRules, name: &str) -> u32 {
    if !rules.enabled {
        return 0;
    }
    match name.split_once(':') {
        Some(("platform", channel)) => rules.platform_max.get(channel).copied().unwrap_or(0),
        Some(("task_type", task)) => rules.task_type_max.get(task).copied().unwrap_or(0),
        Some(_) => rules.account_max,
        None => rules.global_max,
    }
}

fn of_channel(channel: &str) -> String {
    format!("platform:{channel}")
}

fn of_task(task: &str) -> String {
    format!("task_type:{task}")
}

fn of_buyer(buyer: &BuyerId) -> String {
    format!("account:{buyer}")
}

fn hour(now: Timestamp) -> i64 {
    now.timestamp().div_euclid(3_600)
}
