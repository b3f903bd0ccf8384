//! What the broker has confirmed and the gate has not been told.
//!
//! A mark only keeps a job from being published again, seconds later, and by then most jobs are orders. So it is told
//! late: where the order's effect has come first, the gate reads and writes nothing.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use domain::JobId;

/// How long a mark waits for its order to come first. Far below the two seconds after which an unconfirmed job is
/// published again.
pub(crate) const TOLD_AFTER: Duration = Duration::from_millis(300);

/// The confirmed jobs of one route. Bounded by what is admitted within [`TOLD_AFTER`], and while the gate is away by what
/// it had admitted until then; lost marks only cost a duplicate publish.
#[derive(Default)]
pub(crate) struct Confirmed {
    in_order: VecDeque<(Instant, JobId)>,
    jobs: HashSet<JobId>,
}

impl Confirmed {
    /// These have been confirmed now.
    pub(crate) fn add(&mut self, jobs: Vec<JobId>) {
        let now = Instant::now();
        for job in jobs {
            if self.jobs.insert(job) {
                self.in_order.push_back((now, job));
            }
        }
    }

    /// Was this one confirmed, and not told yet?
    pub(crate) fn has(&self, job: JobId) -> bool {
        self.jobs.contains(&job)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    /// At most so many that have waited for `age`, the oldest first.
    pub(crate) fn take(&mut self, most: usize, age: Duration) -> Vec<JobId> {
        let due = self.in_order.iter().take(most).take_while(|(since, _)| since.elapsed() >= age).count();
        let taken: Vec<JobId> = self.in_order.drain(..due).map(|(_, job)| job).collect();
        for job in &taken {
            self.jobs.remove(job);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Route, SaleNumber, Shard};

    #[test]
    fn each_is_told_once_the_oldest_first_and_only_after_a_while() {
        let route = Route { sale: SaleNumber::new(1).unwrap(), shard: Shard::default() };
        let job = |n| JobId::new(1_795_000_000_000, route, [n; 6]);
        let mut confirmed = Confirmed::default();
        confirmed.add(vec![job(2), job(1), job(2), job(3)]);
        assert!(confirmed.has(job(1)) && !confirmed.has(job(4)));
        assert_eq!(confirmed.take(9, TOLD_AFTER), []);
        assert_eq!(confirmed.take(2, Duration::ZERO), [job(2), job(1)]);
        assert!(!confirmed.has(job(1)) && confirmed.has(job(3)) && !confirmed.is_empty());
        assert_eq!(confirmed.take(2, Duration::ZERO), [job(3)]);
        assert!(confirmed.is_empty());
    }
}
