//! Says "sold out" without any network, and only to tokens that were certainly never admitted.
//!
//! Two things have to be known for that: every job that was ever admitted ([`filter`]), and that no other one is being
//! admitted anywhere. The second is a lease of the gate: see `domain::ports::LEASE` and `docs/PROTOCOL.md`. Whatever
//! is in doubt goes to the gate as always.
//!
//! A lease makes units that come back wait for up to one and a half seconds, so it is asked for only while the sale is
//! refused often enough for it to matter.

mod filter;
mod keeper;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use arc_swap::{ArcSwap, ArcSwapOption};
use domain::ports::Lease;
use domain::{Admissible, Attempt, SaleNumber, SaleState, Timestamp};
use metrics::{Counter, counter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::filter::Filter;
use crate::catalog::Listed;

/// The `[gateway.sold_out]` section: the sold-out answer from memory.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoldOutSettings {
    /// From so many `sold-out` answers of one sale a second, on this gateway, they are given without asking Redis; 0: never.
    /// Units that come back are then for sale up to 1.5 s later. Below it Redis has time for the question.
    pub from_per_s: u32,
    /// Jobs that are kept in memory for it, over all sales, at most; 16 bytes each, and as much again while they are read
    /// anew. A sale that has more asks Redis.
    pub jobs_max: u32,
}

impl Default for SoldOutSettings {
    fn default() -> Self {
        Self { from_per_s: 100, jobs_max: 2_000_000 }
    }
}

/// The answers from memory, of all sales.
pub struct SoldOut {
    settings: SoldOutSettings,
    sales: ArcSwap<HashMap<SaleNumber, Arc<Entry>>>,
    answered: Counter,
}

/// One sale.
#[derive(Default)]
struct Entry {
    /// `sold-out` answers since the last look, of the gate and from memory.
    refused: AtomicU32,
    known: ArcSwapOption<Known>,
}

/// What allows an answer from memory.
struct Known {
    /// Before this moment nobody is admitted, on any gateway.
    until: Instant,
    lease: Lease,
    /// Every job that the gate knew when it granted the lease, and so every one there is until the lease has run out.
    filter: Arc<Filter>,
}

impl SoldOut {
    /// Without any lease.
    pub fn new(settings: SoldOutSettings) -> Self {
        let answered = counter!("seckill_sold_out_from_memory_total");
        Self { settings, sales: ArcSwap::default(), answered }
    }

    /// The gate has refused a purchase of this sale as sold out.
    pub fn refused(&self, sale: SaleNumber) {
        if let Some(entry) = self.sales.load().get(&sale) {
            entry.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Would the gate certainly refuse this purchase as sold out? Needs no network and no lock.
    pub fn denies(&self, listed: &Listed, attempt: &Attempt, now: Timestamp) -> bool {
        let sales = self.sales.load();
        let Some(entry) = sales.get(&listed.sale.number) else { return false };
        let known = entry.known.load();
        let denies = known.as_ref().is_some_and(|known| is_open(listed, now) && known.denies(attempt, now));
        if denies {
            entry.refused.fetch_add(1, Ordering::Relaxed);
            self.answered.increment(1);
        }
        denies
    }
}

fn is_open(listed: &Listed, now: Timestamp) -> bool {
    let sale = &listed.sale;
    sale.state == SaleState::Open && sale.opens_at <= now && now < sale.closes_at
}

impl Known {
    fn denies(&self, attempt: &Attempt, now: Timestamp) -> bool {
        attempt.admissible == Admissible::Yes
            && attempt.item.is_some()
            && attempt.quantity.get() <= self.lease.limit_per_buyer
            && now < self.lease.closes_at
            && self.lease.is_after_any_loss(attempt.job)
            && Instant::now() < self.until
            && !self.filter.knows(attempt.job, &attempt.buyer)
    }
}
