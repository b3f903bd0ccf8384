//! One sale at the gate, and the decision on one purchase.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use domain::ports::{LEASE, Lease, Leased};
use domain::{
    Admissible, Attempt, BuyerId, ItemCounters, ItemIndex, ItemStock, JobId, JobRecord, JobState, Refusal, RestockId,
    SaleState, Timestamp, Verdict, WarmSale, may_be_on_its_way,
};

use super::check::CheckIndex;
use super::tokens::Tokens;

/// Patience with a reservation whose confirm has not been noted.
pub(super) const UNCONFIRMED: TimeDelta = TimeDelta::seconds(2);
/// Patience with a confirmed reservation whose effect has not arrived.
pub(super) const UNPLACED: TimeDelta = TimeDelta::seconds(30);

/// Everything the gate keeps of one route.
pub(super) struct GateSale {
    pub(super) epoch: u32,
    pub(super) state: SaleState,
    /// When its loading began; `None` once it is complete.
    pub(super) loading_since: Option<Timestamp>,
    /// When it was loaded again; `None` for the first time.
    pub(super) reloaded_at: Option<Timestamp>,
    pub(super) opens_at: Timestamp,
    pub(super) closes_at: Timestamp,
    pub(super) forget_at: Timestamp,
    pub(super) limit: u16,
    pub(super) items: Vec<ItemCounters>,
    /// The latest stock that is known of each item.
    pub(super) stock: Vec<ItemStock>,
    /// Units set aside for each withdrawal; 0 once it has ended.
    pub(super) withdrawals: HashMap<RestockId, i64>,
    /// In order, so that they can be paged through.
    pub(super) jobs: BTreeMap<JobId, JobRecord>,
    pub(super) buyers: HashMap<BuyerId, Holding>,
    pub(super) check: CheckIndex,
    /// Nobody is admitted before: a gateway may be saying "sold out" from memory.
    pub(super) leased_until: Option<Timestamp>,
}

/// What one buyer holds of a sale, over all its items.
pub(super) struct Holding {
    pub(super) units: i64,
    pub(super) latest: JobId,
}

impl GateSale {
    /// A sale whose loading begins: the whole stock free, the doors shut.
    pub(super) fn loading(sale: &WarmSale, now: Timestamp) -> Self {
        Self {
            epoch: sale.epoch,
            state: SaleState::Draft,
            loading_since: Some(now),
            reloaded_at: sale.reloaded.then_some(now),
            opens_at: sale.opens_at,
            closes_at: sale.closes_at,
            forget_at: sale.forget_at,
            limit: sale.limit_per_buyer,
            items: sale
                .stock
                .iter()
                .map(|stock| ItemCounters { free: stock.units, ..ItemCounters::default() })
                .collect(),
            stock: sale.stock.clone(),
            withdrawals: HashMap::new(),
            jobs: BTreeMap::new(),
            buyers: HashMap::new(),
            check: CheckIndex::default(),
            leased_until: sale.reloaded.then_some(now + LEASE),
        }
    }

    /// Takes over the operator's state and rules. What has to stay readable for longer stays.
    pub(super) fn follow(&mut self, sale: &WarmSale, state: SaleState, now: Timestamp) {
        self.loading_since = self.loading_since.map(|_| now); // whoever loads it is alive
        self.state = state;
        self.opens_at = sale.opens_at;
        self.closes_at = sale.closes_at;
        self.limit = sale.limit_per_buyer;
        self.forget_at = self.forget_at.max(sale.forget_at);
    }

    /// The decision on one purchase, all or nothing.
    pub(super) fn decide(&mut self, attempt: &Attempt, tokens: &mut Tokens, now: Timestamp) -> Verdict {
        // A retry gets its first answer back, whatever has happened to the sale since.
        if let Some(record) = self.jobs.get(&attempt.job) {
            return Verdict::Repeated(record.clone());
        }
        // A clock that was set back makes no lease longer.
        self.leased_until = self.leased_until.map(|until| until.min(now + LEASE));
        // What may be in flight is asked last: whoever is refused for another reason takes no token.
        let reservable = self.reservable(attempt, now);
        match reservable.and_then(|item| tokens.take(attempt, now).map(|()| item)) {
            Ok(item) => Verdict::Admitted(self.reserve(attempt, item, now)),
            Err(refusal) if is_final(&refusal) && may_be_on_its_way(attempt.job, self.reloaded_at, now) => {
                Verdict::Refused(Refusal::NotReady)
            }
            Err(refusal) => Verdict::Refused(refusal),
        }
    }

    /// The item that can be reserved, or the first reason against it. The order of the reasons is part of the
    /// contract: it decides what a buyer is told.
    fn reservable(&self, attempt: &Attempt, now: Timestamp) -> Result<ItemIndex, Refusal> {
        if attempt.admissible == Admissible::TokenExpired {
            return Err(Refusal::TokenExpired);
        }
        self.is_open(now)?;
        let known = |item: &ItemIndex| usize::from(item.get()) < self.items.len();
        let item = attempt.item.filter(known).ok_or(Refusal::UnknownItem)?;
        if attempt.quantity.get() > self.limit {
            return Err(Refusal::QuantityAboveLimit { limit: self.limit });
        }
        if attempt.admissible == Admissible::BrokerAway {
            return Err(Refusal::BrokerAway);
        }
        if attempt.admissible == Admissible::Backlog {
            return Err(Refusal::Backlog);
        }
        let units = i64::from(attempt.quantity.get());
        if let Some(holding) = self.buyers.get(&attempt.buyer)
            && holding.units + units > i64::from(self.limit)
        {
            return Err(Refusal::LimitReached { limit: self.limit, job: holding.latest });
        }
        if self.items[usize::from(item.get())].free < units {
            return Err(Refusal::SoldOut);
        }
        if self.leased_until.is_some_and(|until| now < until) {
            let is_fresh = self.reloaded_at.is_some_and(|at| now < at + LEASE);
            return Err(if is_fresh { Refusal::NotReady } else { Refusal::SoldOut });
        }
        Ok(item)
    }

    /// Grants a lease if the sale is open and nothing is free.
    pub(super) fn lease(&mut self, now: Timestamp) -> Leased {
        if self.is_open(now).is_err() || self.items.iter().any(|item| item.free > 0) {
            return Leased::Refused;
        }
        self.leased_until = Some(now + LEASE);
        Leased::Granted(Lease {
            epoch: self.epoch,
            jobs: self.jobs.len() as u64,
            reloaded_at: self.reloaded_at,
            closes_at: self.closes_at,
            limit_per_buyer: self.limit,
        })
    }

    fn is_open(&self, now: Timestamp) -> Result<(), Refusal> {
        let not_open = Refusal::NotOpen { opens_at: self.opens_at, server_time: now };
        match self.state {
            SaleState::Draft => Err(not_open),
            SaleState::Closed => Err(Refusal::Ended),
            _ if now >= self.closes_at => Err(Refusal::Ended),
            SaleState::Paused => Err(Refusal::Paused),
            SaleState::Open if now < self.opens_at => Err(not_open),
            SaleState::Open => Ok(()),
        }
    }

    /// Stock, allowance, record and watch move together.
    fn reserve(&mut self, attempt: &Attempt, item: ItemIndex, now: Timestamp) -> JobRecord {
        let quantity = attempt.quantity.get();
        let units = i64::from(quantity);
        let counters = &mut self.items[usize::from(item.get())];
        counters.free -= units;
        counters.unpublished += units;
        let holding = self.buyers.entry(attempt.buyer.clone()).or_insert(Holding { units: 0, latest: attempt.job });
        holding.units += units;
        holding.latest = attempt.job;
        let record = JobRecord {
            job: attempt.job,
            buyer: Some(attempt.buyer.clone()),
            item: Some(item),
            quantity,
            units: quantity,
            rev: 0,
            state: JobState::Unpublished,
            admitted_at: now,
            updated_at: now,
        };
        self.jobs.insert(attempt.job, record.clone());
        self.check.set(attempt.job, now + UNCONFIRMED);
        record
    }

    /// The counters of an item that the sale has.
    pub(super) fn counters(&mut self, item: Option<ItemIndex>) -> Option<&mut ItemCounters> {
        self.items.get_mut(usize::from(item?.get()))
    }
}

/// Refusals that deny a job for good.
fn is_final(refusal: &Refusal) -> bool {
    use Refusal::{Ended, LimitReached, Paused, SoldOut, TokenExpired};
    matches!(refusal, TokenExpired | Ended | Paused | LimitReached { .. } | SoldOut)
}
