//! The operator's hand on the tap: what keeps a crowd, a buyer or a task from taking more than its share, and what can
//! be changed about it while everything runs.
//!
//! Only rules live here; Redis and Postgres stand behind the ports of the domain. Nothing of it costs a purchase
//! anything while it is not used.

mod fallback;
mod live;
mod quota;

pub use fallback::Fallback;
mod concurrency;

pub use concurrency::{Busy, Concurrency, ConcurrencySettings, RulesError, Task};
pub use live::{ChangeError, Live};
pub use quota::{
    NotAllowed, QuotaHealth, QuotaLimits, QuotaParts, QuotaPreset, QuotaSettings, QuotaStatistics, Quotas, Writing,
};
