//! What the gate decided.

use crate::{JobId, JobRecord, Timestamp};

/// The atomic decision on one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Units and allowance were taken and the reservation is recorded; it still has to be published.
    Admitted(JobRecord),
    /// This token was admitted before; here is its job as it stands now. Nothing was taken.
    Repeated(JobRecord),
    /// Nothing was taken.
    Refused(Refusal),
}

/// Why a buyer gets nothing. A refusal is an answer, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The sale opens later.
    NotOpen {
        /// When it opens.
        opens_at: Timestamp,
        /// The gate's clock when it decided.
        server_time: Timestamp,
    },
    /// The operator has paused the sale.
    Paused,
    /// The sale is over.
    Ended,
    /// Not enough units are free.
    SoldOut,
    /// The buyer's live orders would exceed the sale's limit.
    LimitReached {
        /// Units that one buyer may hold in this sale.
        limit: u16,
        /// The buyer's latest job.
        job: JobId,
    },
    /// More than the sale's limit was asked for at once.
    QuantityAboveLimit {
        /// Units that one buyer may hold in this sale.
        limit: u16,
    },
    /// The sale has no such item.
    UnknownItem,
    /// The token's time is over and it was never admitted.
    TokenExpired,
    /// The gate has no data of this sale, or not all of it: being warmed, being rebuilt, or lost.
    NotReady,
    /// The broker is away, so nothing may be taken.
    BrokerAway,
    /// As many orders are in flight as may be, over all sales.
    AllBusy,
    /// As many orders of this sales channel are in flight as may be.
    ChannelBusy,
    /// As many orders of this buyer are in flight as may be.
    BuyerBusy {
        /// So many.
        max: u32,
    },
    /// What was accepted before waits too long for its order, so nothing more may be taken.
    Backlog,
}
