//! How long to wait before something that died is started again.

use std::time::Duration;

/// The first wait: a process that was killed once is back before anybody notices.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait: a process that cannot live must not keep the machine busy, and must be back soon when it can.
const LONGEST: Duration = Duration::from_secs(5);

/// Whoever lived this long starts afresh with the first wait.
const LIVED_WELL: Duration = Duration::from_secs(10);

/// 100 ms, doubling to 5 s.
#[derive(Debug, Default)]
pub struct Backoff {
    deaths: u32,
}

impl Backoff {
    /// The wait after a death that followed a life of `lived`.
    pub fn after(&mut self, lived: Duration) -> Duration {
        if lived >= LIVED_WELL {
            self.deaths = 0;
        }
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(self.deaths)).min(LONGEST);
        self.deaths = self.deaths.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_five_seconds_and_begin_again_after_a_good_life() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..8).map(|_| backoff.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        for _ in 0..100 {
            assert_eq!(backoff.after(Duration::from_secs(1)), LONGEST);
        }
        assert_eq!(backoff.after(Duration::from_secs(11)), FIRST);
    }
}
