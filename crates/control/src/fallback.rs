//! What is done in another way while a dependency is away: said once, counted, and ended by itself.

use std::sync::atomic::{AtomicBool, Ordering};

use metrics::Counter;
use tracing::{info, warn};

/// One such way. Shared by all that take it.
pub struct Fallback {
    what: &'static str,
    instead: &'static str,
    taken: Counter,
    under_way: AtomicBool,
}

impl Fallback {
    /// `what` is what is meant to be asked (also the label in `seckill_fallbacks_total{what}`), `instead` what is done
    /// while it is away.
    pub fn new(what: &'static str, instead: &'static str) -> Self {
        let taken = metrics::counter!("seckill_fallbacks_total", "what" => what);
        taken.increment(0); // seen from the start, so that the first one shows as an increase
        Self { what, instead, taken, under_way: AtomicBool::new(false) }
    }

    /// It was taken, because of `why`.
    pub fn taken(&self, why: &dyn std::fmt::Display) {
        self.taken.increment(1);
        if !self.under_way.swap(true, Ordering::Relaxed) {
            warn!(what = self.what, %why, "{} cannot be asked: {} until they can", self.what, self.instead);
        }
    }

    /// It was not needed. Costs one read of memory while all is well.
    pub fn not_needed(&self) {
        if self.under_way.load(Ordering::Relaxed) && self.under_way.swap(false, Ordering::Relaxed) {
            info!(what = self.what, "{} can be asked again", self.what);
        }
    }

    /// Is it being taken?
    pub fn under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_the_first_and_ends_by_itself() {
        let fallback = Fallback::new("tests", "nothing is done");
        fallback.not_needed();
        assert!(!fallback.under_way());
        fallback.taken(&"no answer");
        fallback.taken(&"no answer");
        assert!(fallback.under_way());
        fallback.not_needed();
        assert!(!fallback.under_way());
    }
}
