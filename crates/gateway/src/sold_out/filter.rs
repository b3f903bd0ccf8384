//! Every job of a sale, and every buyer who has had one, as sorted numbers.

use std::hash::{DefaultHasher, Hasher as _};
use std::time::Duration;

use domain::ports::{Gate, Lease, Outage};
use domain::{BuyerId, JobId, Route};

/// Records in one page: a millisecond of the gate's time.
const PAGE: usize = 1_000;

/// Between two pages, so that purchases come first.
const PAUSE: Duration = Duration::from_millis(5);

/// The jobs and buyers of one epoch. A stranger may by chance look known, and is then asked for at the gate; whoever is
/// known never looks like a stranger.
#[derive(Default)]
pub struct Filter {
    epoch: u32,
    jobs: Vec<u64>,
    buyers: Vec<u64>,
}

impl Filter {
    /// Reads all records that the gate has of a route; `None` when they cannot be read to the end, or are far more than
    /// the lease said.
    pub async fn read(gate: &dyn Gate, route: Route, lease: &Lease) -> Result<Option<Self>, Outage> {
        // What changes meanwhile may come twice.
        let most = usize::try_from(lease.jobs).unwrap_or(usize::MAX).saturating_mul(2).saturating_add(PAGE);
        let mut filter = Self { epoch: lease.epoch, ..Self::default() };
        let mut from = Some(0);
        while let Some(at) = from {
            let Some(page) = gate.records(route, at, PAGE).await? else { return Ok(None) };
            for record in page.records {
                filter.jobs.push(number(&record.job));
                filter.buyers.extend(record.buyer.as_ref().map(number));
            }
            if filter.jobs.len() > most {
                return Ok(None);
            }
            from = page.next;
            tokio::time::sleep(PAUSE).await;
        }
        for numbers in [&mut filter.jobs, &mut filter.buyers] {
            numbers.sort_unstable();
            numbers.dedup();
            numbers.shrink_to_fit();
        }
        Ok(Some(filter))
    }

    /// Are these all the jobs that the gate had when it granted the lease? Within an epoch no job is forgotten, so as many
    /// are the same ones.
    pub fn is_complete(&self, lease: &Lease) -> bool {
        self.epoch == lease.epoch && self.jobs.len() as u64 == lease.jobs
    }

    /// Has this job a record, or this buyer had one?
    pub fn knows(&self, job: JobId, buyer: &BuyerId) -> bool {
        self.jobs.binary_search(&number(&job)).is_ok() || self.buyers.binary_search(&number(buyer)).is_ok()
    }

    /// Jobs in it.
    pub fn len(&self) -> usize {
        self.jobs.len()
    }
}

fn number(one: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    one.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(n: u8) -> JobId {
        let route = Route { sale: domain::SaleNumber::new(1).unwrap(), shard: domain::Shard::default() };
        JobId::new(1_795_000_000_000, route, [0, 0, 0, 0, 0, n])
    }

    #[test]
    fn a_filter_is_complete_only_for_a_lease_of_its_epoch_with_as_many_jobs() {
        let buyer: BuyerId = "ann".parse().unwrap();
        let mut jobs = vec![number(&job(1)), number(&job(2))];
        jobs.sort_unstable();
        let filter = Filter { epoch: 3, jobs, buyers: vec![number(&buyer)] };
        let lease =
            |epoch, jobs| Lease { epoch, jobs, reloaded_at: None, closes_at: domain::from_ms(0), limit_per_buyer: 1 };
        assert!(filter.is_complete(&lease(3, 2)));
        assert!(!filter.is_complete(&lease(3, 3)) && !filter.is_complete(&lease(3, 1)));
        assert!(!filter.is_complete(&lease(4, 2)));
        let stranger: BuyerId = "zoe".parse().unwrap();
        assert!(filter.knows(job(1), &stranger) && filter.knows(job(9), &buyer) && !filter.knows(job(9), &stranger));
    }
}
