//! Whether the broker takes messages now, for those who must know before they take a unit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::ports::Outage;
use tracing::{info, warn};

/// Open or shut, and why. Shut until somebody opens it.
pub(super) struct BrokerGate {
    open: AtomicBool,
    why_shut: Mutex<String>,
}

impl BrokerGate {
    pub(super) fn new() -> Self {
        metrics::gauge!("seckill_broker_open").set(0.0);
        Self { open: AtomicBool::new(false), why_shut: Mutex::new("not connected yet".into()) }
    }

    /// One atomic read: asked for every purchase.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Says what keeps it shut.
    pub(super) fn check(&self) -> Result<(), Outage> {
        if self.is_open() {
            return Ok(());
        }
        Err(Outage::NotSent(self.why_shut.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }

    pub(super) fn open(&self) {
        if !self.open.swap(true, Ordering::Relaxed) {
            metrics::gauge!("seckill_broker_open").set(1.0);
            info!("the broker takes messages");
        }
    }

    /// For good, because the process ends: nothing to warn of.
    pub(super) fn retire(&self) {
        *self.why_shut.lock().unwrap_or_else(PoisonError::into_inner) = "shutting down".into();
        self.open.store(false, Ordering::Relaxed);
        metrics::gauge!("seckill_broker_open").set(0.0);
    }

    pub(super) fn shut(&self, why: &str) {
        *self.why_shut.lock().unwrap_or_else(PoisonError::into_inner) = why.into();
        if self.open.swap(false, Ordering::Relaxed) {
            metrics::gauge!("seckill_broker_open").set(0.0);
            warn!(why, "the broker takes no messages: nothing is admitted until it does");
        }
    }
}
