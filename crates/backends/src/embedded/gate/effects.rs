//! What became of a reservation: the broker has it, it is overdue, or its order has changed.

use chrono::TimeDelta;
use domain::{BuyerId, Hold, ItemIndex, JobId, JobRecord, JobState, Reservation, Timestamp, WarmSale};

use super::sale::{GateSale, Holding, UNCONFIRMED, UNPLACED};
use super::tokens::Tokens;

/// A job stays readable for this long after an effect, with an hour to spare for clocks that differ.
const READABLE_MARGIN: TimeDelta = TimeDelta::hours(1);

impl GateSale {
    /// The broker has these. Says nothing new of a job that an effect has reached already.
    pub(super) fn mark_queued(&mut self, confirmed: &[JobId], now: Timestamp) {
        for job in confirmed {
            let Some(record) = self.jobs.get_mut(job).filter(|record| record.state == JobState::Unpublished) else {
                continue;
            };
            record.state = JobState::Queued;
            let (units, item) = (i64::from(record.units), record.item);
            if let Some(counters) = self.counters(item) {
                counters.unpublished -= units;
                counters.queued += units;
            }
            self.check.set(*job, now + UNPLACED);
        }
    }

    /// Overdue reservations, oldest first. Claiming one postpones it, so that two watchers do not publish it twice.
    pub(super) fn claim_overdue(&mut self, limit: usize, now: Timestamp) -> Vec<Reservation> {
        let overdue = self.check.overdue(now, limit);
        overdue.into_iter().filter_map(|job| self.claim(job, now)).collect()
    }

    /// How long the one in the middle of the watched jobs has waited, in milliseconds; 0 without any.
    pub(super) fn middle_wait_ms(&self, now: Timestamp) -> u64 {
        let record = self.check.middle().and_then(|job| self.jobs.get(&job));
        record.map_or(0, |record| (now - record.admitted_at).num_milliseconds().max(0).unsigned_abs())
    }

    /// How long the oldest one that is watched has waited.
    pub(super) fn longest_wait_ms(&self, now: Timestamp) -> u64 {
        let admitted = self.check.jobs().filter_map(|job| Some(self.jobs.get(&job)?.admitted_at)).min();
        admitted.map_or(0, |admitted| (now - admitted).num_milliseconds().max(0).unsigned_abs())
    }

    fn claim(&mut self, job: JobId, now: Timestamp) -> Option<Reservation> {
        match self.jobs.get(&job).filter(|record| record.rev == 0) {
            Some(record) => {
                // A confirmed one waits each time as long as it has waited so far.
                let waited = now - record.admitted_at;
                let patience = if record.state == JobState::Unpublished { UNCONFIRMED } else { UNPLACED.max(waited) };
                self.check.set(job, now + patience);
                record.reservation()
            }
            None => {
                self.check.remove(job);
                None
            }
        }
    }

    /// Applies one hold; `false` when it is not newer than what is known.
    pub(super) fn apply(&mut self, hold: &Hold, tokens: &mut Tokens, now: Timestamp) -> bool {
        self.check.remove(hold.job);
        let known = self.jobs.get(&hold.job);
        // A job without a record was lost with the gate's data, or is being loaded: revision −1, no units anywhere.
        if known.is_some_and(|record| hold.rev <= record.rev) {
            return false;
        }
        let (was, was_units) = known.map_or((None, 0), |record| (Some(record.state), i64::from(record.units)));
        let is_first = known.is_none_or(|record| record.rev == 0);
        let record = merged(known, hold);
        let (item, buyer) = (record.item, record.buyer.clone());
        self.jobs.insert(hold.job, record);
        if is_first {
            tokens.give_back(hold.job, buyer.as_ref(), now);
        }

        let units = i64::from(hold.units);
        if let Some(counters) = self.counters(item) {
            match was {
                Some(JobState::Unpublished) => counters.unpublished -= was_units,
                Some(JobState::Queued | JobState::ReservedAgain) => counters.queued -= was_units,
                _ => {} // held already: counted in Postgres, not here
            }
            counters.free += was_units - units;
        }
        if let Some(buyer) = buyer {
            self.move_allowance(buyer, units - was_units, hold.job);
        }
        true
    }

    pub(super) fn move_allowance(&mut self, buyer: BuyerId, difference: i64, job: JobId) {
        if difference == 0 {
            return;
        }
        let holding = self.buyers.entry(buyer.clone()).or_insert(Holding { units: 0, latest: job });
        holding.units = (holding.units + difference).max(0);
        if holding.units == 0 {
            self.buyers.remove(&buyer);
        }
    }

    /// An effect of this version has arrived.
    pub(super) fn note_version(&mut self, item: ItemIndex, version: i64) {
        if let Some(counters) = self.counters(Some(item)) {
            counters.version = counters.version.max(version);
        }
    }

    /// However late the last change of a job comes, the buyer can read it for a day.
    pub(super) fn keep_readable(&mut self, now: Timestamp) {
        self.forget_at = self.forget_at.max(now + WarmSale::JOB_READABLE + READABLE_MARGIN);
    }
}

/// The record after `hold`. What was bought by whom is taken from the record where it says so.
fn merged(known: Option<&JobRecord>, hold: &Hold) -> JobRecord {
    let quantity = known.map_or(0, |record| record.quantity);
    JobRecord {
        job: hold.job,
        buyer: known.and_then(|record| record.buyer.clone()).or_else(|| hold.buyer.clone()),
        item: known.and_then(|record| record.item).or(hold.item),
        quantity: if quantity > 0 { quantity } else { hold.quantity },
        units: hold.units,
        rev: hold.rev,
        state: hold.outcome.state(),
        admitted_at: known.map_or(hold.at, |record| record.admitted_at),
        updated_at: hold.at,
    }
}
