//! Rate limits, in two tiers. A limit never decides about a unit; it only keeps one caller from taking the time of all
//! others, and a group from taking more than its share.
//!
//! [`local`] is this process alone: one limit for each kind of request, always there, memory bounded whatever callers
//! send. [`shared`] are the operator's rules, counted in Redis for all gateways together; there are none by default,
//! and then nothing is asked. [`document`] is what can be changed about both while they are obeyed.

mod callers;
mod document;
mod local;
mod shared;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use control::Live;
use domain::ports::SharedLimits;
use metrics::gauge;

use document::Rate;
pub use document::{LimitsDocument, LimitsDraft, Rule, RuleAction, RuleAlgorithm, RuleSubject};
pub use shared::{Action, Caller};

use callers::Callers;
use local::{Limiter, WhenFull};
use shared::Shared;

/// Between two rounds of forgetting.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// Tries to sign in from one address: more than a team behind one address needs, and no way to guess a key.
const SIGN_IN_PER_S: NonZeroU32 = NonZeroU32::MIN;
const SIGN_IN_BURST: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// Every limit of the edge.
pub struct Limiters {
    /// By [`crate::address::Origin`].
    pub ip: Limiter,
    /// By buyer.
    pub token: Limiter,
    /// By buyer.
    pub order: Limiter,
    /// By job, or by buyer.
    pub status: Limiter,
    /// By [`crate::address::Origin`]: tries to sign in as an operator. Not for operators to change.
    pub sign_in: Limiter,
    /// The operator's rules, for all gateways together.
    pub shared: Shared,
    document: Arc<Live<LimitsDocument>>,
    obeyed: Mutex<Arc<LimitsDocument>>,
    callers: Arc<Callers>,
}

impl Limiters {
    /// As the document says now; [`Limiters::obey`] follows it.
    pub fn new(document: Arc<Live<LimitsDocument>>, store: Arc<dyn SharedLimits>) -> Self {
        let callers = Arc::new(Callers::new());
        let now = document.get();
        let limiter = |name, rate, when_full| Limiter::new(name, rate, when_full, callers.clone());
        Self {
            ip: limiter("ip", now.local.per_ip, WhenFull::Share),
            token: limiter("token", now.local.token_per_buyer, WhenFull::LetIn),
            order: limiter("order", now.local.order_per_buyer, WhenFull::LetIn),
            status: limiter("status", now.local.status, WhenFull::LetIn),
            sign_in: limiter("sign-in", Rate::of(SIGN_IN_PER_S, SIGN_IN_BURST), WhenFull::Share),
            shared: Shared::new(store, &now.shared, callers.clone()),
            document,
            obeyed: Mutex::new(now),
            callers,
        }
    }

    /// What is obeyed, and how to change it.
    pub fn document(&self) -> &Arc<Live<LimitsDocument>> {
        &self.document
    }

    /// Takes over the document as it is known now. What did not change keeps its callers.
    pub fn obey(&self) {
        // Held to the end, so that of two changes the later one stays.
        let mut obeyed = self.obeyed.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.document.get();
        if *obeyed == now {
            return;
        }
        let local = &now.local;
        let rates = [local.per_ip, local.token_per_buyer, local.order_per_buyer, local.status];
        for (limiter, rate) in self.local().into_iter().zip(rates) {
            limiter.set(rate);
        }
        self.shared.set(&now.shared);
        *obeyed = now;
    }

    /// How many different callers were refused by a limit of their own in the last minute: by address, buyer or job.
    /// Within about two percent.
    pub fn limited_callers(&self) -> u64 {
        self.callers.count()
    }

    /// Forgets callers that would be treated like new ones, and takes the measures, for ever.
    pub async fn forget(&self) {
        let mut ticks = tokio::time::interval(FORGET_EVERY);
        loop {
            let now = ticks.tick().await;
            self.callers.turn(now.into_std());
            for limiter in self.local().into_iter().chain([&self.sign_in]) {
                limiter.forget();
                gauge!("seckill_limiter_keys", "limit" => limiter.name()).set(limiter.keys() as f64);
            }
            gauge!("seckill_limiter_keys", "limit" => "shared").set(self.shared.forget() as f64);
            gauge!("seckill_limited_callers").set(self.limited_callers() as f64);
        }
    }

    fn local(&self) -> [&Limiter; 4] {
        [&self.ip, &self.token, &self.order, &self.status]
    }
}
