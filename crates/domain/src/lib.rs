//! What a flash sale is: its words as types, its rules as functions, and in [`ports`] everything it needs
//! from outside. Nothing here performs I/O, reads a clock or draws a random number.

mod accounts;
pub mod activity;
mod books;
mod concurrency;
mod effect;
mod ids;
mod job;
mod message;
mod money;
mod order;
mod payment;
pub mod ports;
mod purchase;
mod quota;
mod restock;
mod sale;
mod token;
mod verdict;
pub mod webhook;

pub use accounts::{Accounts, ItemAccounts};
pub use activity::{Activity, ActivityRow, Busiest, Instance, ItemLevels, Latencies, Levels, Role, Stage};
pub use books::{GateCounters, ItemBooks, ItemCounters, ItemTotals, SETTLING, ledger, may_be_on_its_way};
pub use concurrency::{ConcurrencyPatch, ConcurrencyRules, WrongLimit};
pub use effect::{Effect, Hold, Outcome, RefusedReason};
pub use ids::{BuyerId, EventId, InvalidId, ItemId, JobId, PaymentId, RestockId, Route, SaleId, SaleNumber, Shard};
pub use job::{JobRecord, JobState, JobStatus};
pub use message::{MessageError, Reservation, decode_group, encode_group};
pub use money::{Currency, Money};
pub use order::{EventMessage, ItemPatch, OrderEvent, OrderStatus, OrderView, Patch, fit};
pub use payment::{
    OpenPayment, PaymentEvent, PaymentNoted, PaymentResult, PaymentState, Refund, RefundReason, StartedPayment,
};
pub use purchase::{Admissible, Attempt, Quantity, QuantityOutOfRange};
pub use quota::{QuotaEnd, QuotaEvent, QuotaKey, QuotaKind, QuotaSeed, QuotaTaken, QuotaUsage, QuotaUse};
pub use restock::{ItemStock, Restock, StockEffect, Withdrawal};
pub use sale::{Item, ItemIndex, NewItem, NewSale, Phase, Sale, SaleError, SaleState, WarmSale};
pub use token::{SaleToken, TokenError, TokenKey, TokenKeys};
pub use verdict::{Refusal, Verdict};

/// A moment in UTC. The domain is told the time; it never asks for it.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// The moment `ms` milliseconds after 1970-01-01T00:00:00Z; a value outside chrono's range is its epoch.
pub fn from_ms(ms: i64) -> Timestamp {
    chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

/// The last whole millisecond at or before `time`. The gate decides by milliseconds; a finer moment would be two
/// different ones.
pub fn whole_ms(time: Timestamp) -> Timestamp {
    from_ms(time.timestamp_millis())
}
