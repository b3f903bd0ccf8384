//! The sold-out lease: for how long a gateway may say "sold out" without asking the gate.
//!
//! A token that was admitted is always answered with its job. So a gateway may deny from memory only while it knows
//! every job that was ever admitted, and knows that no other one is being admitted anywhere. The first it reads from
//! the gate's records; the second is the lease: until it has run out the gate admits nobody, also when units come back.
//! `docs/PROTOCOL.md` says why that is enough, and a model explores it.

use chrono::TimeDelta;

use crate::books::ISSUE_LEEWAY;
use crate::{JobId, Timestamp};

/// The gate admits nobody for so long after it has granted a lease, and after it has begun to load a sale again: a
/// lease of an earlier epoch may still be in use. Units that come back meanwhile are for sale so much later at most.
pub const LEASE: TimeDelta = TimeDelta::milliseconds(1_500);

/// A gateway uses a lease for so long, by its own monotonic clock, from before it asked. The rest of [`LEASE`] is for
/// clocks that run at different speeds.
pub const LEASE_USE: std::time::Duration = std::time::Duration::from_secs(1);

/// Answer of [`super::Gate::lease`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leased {
    /// The sale is open, nothing of it is free, and nobody is admitted until the lease has run out.
    Granted(Lease),
    /// Something is free, or the sale is not open: the gate decides.
    Refused,
    /// The gate has lost this sale, or is loading it.
    NotReady,
}

/// What the gate knew when it granted a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The epoch of its data.
    pub epoch: u32,
    /// Jobs that it has a record of. Within an epoch none is ever forgotten: whoever has seen so many different ones
    /// knows all of them.
    pub jobs: u64,
    /// When the sale was loaded again after a loss; `None` for a sale that was loaded once.
    pub reloaded_at: Option<Timestamp>,
    /// First moment at which the sale is over.
    pub closes_at: Timestamp,
    /// Units one buyer may hold.
    pub limit_per_buyer: u16,
}

impl Lease {
    /// Is it certain that no earlier epoch has accepted this job? Its effect might still be on its way.
    pub fn is_after_any_loss(&self, job: JobId) -> bool {
        let issued_at = i64::try_from(job.issued_ms()).map_or(Timestamp::MAX_UTC, crate::from_ms);
        self.reloaded_at.is_none_or(|at| at + ISSUE_LEEWAY <= issued_at)
    }
}
