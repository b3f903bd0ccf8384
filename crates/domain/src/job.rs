//! What a buyer polls.

use crate::{BuyerId, ItemIndex, JobId, Quantity, RefusedReason, Reservation, Timestamp};

/// Where a job stands at the gate. `Unpublished` and `Queued` are one status to the buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Admitted; no confirm of the broker has been noted yet.
    Unpublished,
    /// The broker has confirmed it.
    Queued,
    /// The order is in Postgres.
    Placed,
    /// Likewise; it had expired, and its units are reserved again until a late payment is decided.
    ReservedAgain,
    /// It never will be.
    Refused(RefusedReason),
}

/// The buyer's view of a [`JobState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Wait.
    Queued,
    /// Done: there is an order.
    Placed,
    /// Done: there is none.
    Refused,
}

impl JobStatus {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Placed => "placed",
            Self::Refused => "refused",
        }
    }
}

impl JobState {
    /// What the buyer is told.
    pub fn status(self) -> JobStatus {
        match self {
            Self::Unpublished | Self::Queued => JobStatus::Queued,
            Self::Placed | Self::ReservedAgain => JobStatus::Placed,
            Self::Refused(_) => JobStatus::Refused,
        }
    }
}

/// The gate's record of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// The job.
    pub job: JobId,
    /// Who bought; `None` for a job that is known only by its id.
    pub buyer: Option<BuyerId>,
    /// What; `None` likewise.
    pub item: Option<ItemIndex>,
    /// Units asked for; 0 where unknown.
    pub quantity: u16,
    /// Units it holds now.
    pub units: u16,
    /// Revision of the last effect applied; 0 while only admitted.
    pub rev: u32,
    /// Where it stands.
    pub state: JobState,
    /// When it was admitted; when its first effect arrived, for a job that the gate has only heard of.
    pub admitted_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
}

impl JobRecord {
    /// What travels on the queue; `None` unless the record still waits to be placed.
    pub fn reservation(&self) -> Option<Reservation> {
        if !matches!(self.state, JobState::Unpublished | JobState::Queued) {
            return None;
        }
        Some(Reservation {
            job: self.job,
            buyer: self.buyer.clone()?,
            item: self.item?,
            quantity: Quantity::try_from(u64::from(self.quantity)).ok()?,
            admitted_at: self.admitted_at,
        })
    }
}
