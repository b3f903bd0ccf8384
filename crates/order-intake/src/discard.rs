//! Ends a job that hangs, at an operator's word.
//!
//! The row comes first: a message of this job that arrives later finds it and changes nothing. The row's effect gives the
//! units back. Nothing else ends a reservation, and no time does: whoever was accepted is placed, however late.

use domain::ports::{Gate, JobLookup, OrderStore, Outage, Placement, Unplaced};
use domain::{JobId, RefusedReason};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discarded {
    /// The job has its row: refused now, or what it was before.
    Ended(Placement),
    /// The gate knows no such job, so there is nothing to end.
    Unknown,
    /// The gate is loading this sale and cannot know.
    NotReady,
}

/// Refuses a job, unless it has ended already.
pub async fn discard_job(gate: &dyn Gate, orders: &dyn OrderStore, job: JobId) -> Result<Discarded, Outage> {
    let record = match gate.job(job).await? {
        JobLookup::Found(record) => record,
        JobLookup::Absent => return Ok(Discarded::Unknown),
        JobLookup::NotReady => return Ok(Discarded::NotReady),
    };
    let unplaced = Unplaced { job, reservation: record.reservation() };
    let ended = orders.refuse(&[unplaced], RefusedReason::Discarded).await?;
    Ok(ended.first().map_or(Discarded::Unknown, |placement| Discarded::Ended(*placement)))
}
