//! Keeps the beginnings of transactions apart while there is a crowd.
//!
//! A transaction costs the same few round trips and the same wait for the disk whether it carries one order or five
//! hundred. Whoever comes after a quiet moment is served at once; what follows within the interval shares one
//! transaction, and what fills a transaction does not wait for the next one.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// From one beginning to the next. Nobody's answer waits for it: the `202` is out before.
pub(crate) const INTERVAL: Duration = Duration::from_millis(20);

/// When the next one may begin.
#[derive(Default)]
pub(crate) struct Pace {
    next: Option<Instant>,
}

impl Pace {
    /// Waits for the rest of the interval.
    pub(crate) async fn rest(&self) {
        if let Some(next) = self.next {
            sleep_until(next).await;
        }
    }

    /// One begins now; if it is `full`, another may follow at once.
    pub(crate) fn begin(&mut self, full: bool) {
        self.next = (!full).then(|| Instant::now() + INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_and_whoever_follows_a_full_one_wait_for_nobody_and_others_share_an_interval() {
        let mut pace = Pace::default();
        let started = Instant::now();
        pace.rest().await;
        pace.begin(true);
        pace.rest().await;
        assert_eq!(started.elapsed(), Duration::ZERO);
        pace.begin(false);
        pace.rest().await;
        assert!((INTERVAL..2 * INTERVAL).contains(&started.elapsed()), "{:?}", started.elapsed());
        pace.begin(false);
        tokio::time::sleep(2 * INTERVAL).await;
        let idle = Instant::now();
        pace.rest().await;
        assert_eq!(idle.elapsed(), Duration::ZERO, "a quiet moment is over");
    }
}
