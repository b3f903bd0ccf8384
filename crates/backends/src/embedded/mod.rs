//! In-process backends: everything in memory, for a first sale with nothing installed, and for tests.
//!
//! They keep every promise of the ports except one: nothing survives the process. Each part is plain state behind
//! one lock that is never held while waiting, so what they do can be read as the meaning of the ports; the real
//! backends are compared with them by the conformance suite.

mod gate;
mod limits;
mod locks;
mod queue;
mod quota;
mod store;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ports::Clock;

pub use gate::EmbeddedGate;
pub use limits::EmbeddedLimits;
pub use locks::EmbeddedLocks;
pub use queue::EmbeddedQueue;
pub use quota::EmbeddedQuotas;
pub use store::EmbeddedStore;

/// One of each, ready for use.
pub struct Embedded {
    /// Decides who may buy.
    pub gate: Arc<EmbeddedGate>,
    /// Carries reservations to consumers, events to nobody, and keeps dead letters.
    pub queue: Arc<EmbeddedQueue>,
    /// Orders, sales and the outbox.
    pub store: Arc<EmbeddedStore>,
    /// Counts what is used of quotas.
    pub quotas: Arc<EmbeddedQuotas>,
}

impl Embedded {
    /// Empty ones that go by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            gate: Arc::new(EmbeddedGate::new(Arc::clone(&clock))),
            queue: Arc::new(EmbeddedQueue::new()),
            store: Arc::new(EmbeddedStore::new(clock)),
            quotas: Arc::new(EmbeddedQuotas::default()),
        }
    }
}

/// A panic inside a lock would be a bug of ours in the middle of a change; going on with what is there at least
/// keeps answering, and the ledger shows the difference.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
