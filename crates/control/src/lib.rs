//! The operator's hand on the tap: what keeps a crowd, a buyer or a task from taking more than its share, and what can
//! be changed about it while everything runs.
//!
//! Only rules live here; Redis and Postgres stand behind the ports of the domain. Nothing of it costs a purchase
//! anything while it is not used.

mod batch;
mod concurrency;
mod fallback;
mod live;
mod lock_map;
mod locks;
mod meter;
mod monitor;
mod pool;
mod process;
mod quota;
mod retry;
mod shared;
mod works;

pub use batch::{Batch, Report};
pub use concurrency::{Busy, Concurrency, ConcurrencySettings, RulesError, Task};
pub use fallback::Fallback;
pub use live::{ChangeError, Live};
pub use lock_map::{Held, LockMap, Refused};
pub use locks::{LockSettings, LockStats, Locks, NotLocked};
pub use meter::{Meter, Tally};
pub use monitor::{Figures, Monitor, Operation};
pub use pool::{Closed, Failed, PoolCounts, Pools, TaskPool, TaskSettings};
pub use process::{Process, ProcessFigures};
pub use quota::{
    NotAllowed, PurchaseTry, QuotaHealth, QuotaLimits, QuotaParts, QuotaPreset, QuotaSettings, QuotaStatistics, Quotas,
    Writing,
};
pub use retry::{Backoff, Class, Classified, RetrySettings, retry};
pub use shared::{Counted, lock};
pub use works::{PerformanceSettings, WorkSettings, Works};
