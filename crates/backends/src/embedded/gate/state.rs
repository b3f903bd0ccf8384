//! Which sales the gate has, and whether they can be trusted. Everything is told the time, in whole milliseconds.

use std::collections::HashMap;

use domain::ports::{Condition, Held, JobLookup, Leased, RecordPage, Reserved, Withdrawn};
use domain::{
    Attempt, GateCounters, Hold, ItemIndex, JobId, Refusal, Reservation, Route, SaleState, StockEffect, Timestamp,
    Verdict, WarmSale, Withdrawal, may_be_on_its_way,
};

use super::sale::GateSale;
use super::tokens::Tokens;

/// All sales of the gate, and what is in flight over all of them.
#[derive(Default)]
pub(super) struct GateState {
    sales: HashMap<Route, GateSale>,
    pub(super) tokens: Tokens,
}

impl GateState {
    /// See `Gate::admit`. A sale that is absent or still loading admits nobody, and notes no confirm either: what is
    /// loaded knows better.
    pub(super) fn admit(
        &mut self,
        route: Route,
        attempts: &[Attempt],
        confirmed: &[JobId],
        now: Timestamp,
    ) -> Vec<Verdict> {
        let Self { sales, tokens } = self;
        match known(sales, route, now).filter(|sale| sale.loading_since.is_none()) {
            Some(sale) => {
                sale.mark_queued(confirmed, now);
                attempts.iter().map(|attempt| sale.decide(attempt, tokens, now)).collect()
            }
            None => vec![Verdict::Refused(Refusal::NotReady); attempts.len()],
        }
    }

    /// See `Gate::mark_queued`.
    pub(super) fn mark_queued(&mut self, route: Route, confirmed: &[JobId], now: Timestamp) {
        if let Some(sale) = self.loaded(route, now) {
            sale.mark_queued(confirmed, now);
        }
    }

    /// See `Gate::claim_overdue`.
    pub(super) fn claim_overdue(&mut self, route: Route, limit: usize, now: Timestamp) -> Vec<Reservation> {
        self.loaded(route, now).map(|sale| sale.claim_overdue(limit, now)).unwrap_or_default()
    }

    /// See `Gate::hold`. A sale that is loading takes holds: loading is nothing but holds.
    pub(super) fn hold(
        &mut self,
        route: Route,
        holds: &[Hold],
        version: Option<(ItemIndex, i64)>,
        now: Timestamp,
    ) -> Held {
        let Self { sales, tokens } = self;
        let Some(sale) = known(sales, route, now) else { return Held::NotReady };
        let applied = holds.iter().filter(|hold| sale.apply(hold, tokens, now)).count();
        if let Some((item, version)) = version {
            sale.note_version(item, version);
        }
        sale.keep_readable(now);
        Held::Applied(applied)
    }

    /// See `Gate::reserve`.
    pub(super) fn reserve(&mut self, job: JobId, rev: u32, now: Timestamp) -> Reserved {
        self.loaded(job.route(), now).map_or(Reserved::NotReady, |sale| sale.reserve_again(job, rev))
    }

    /// See `Gate::withdraw`.
    pub(super) fn withdraw(&mut self, withdrawal: &Withdrawal, now: Timestamp) -> Withdrawn {
        self.loaded(withdrawal.route, now).map_or(Withdrawn::NotReady, |sale| sale.withdraw(withdrawal))
    }

    /// See `Gate::restock`. Taken while the sale is loading: what it was loaded with may be older.
    pub(super) fn restock(&mut self, route: Route, effect: &StockEffect, version: Option<i64>, now: Timestamp) -> Held {
        let Some(sale) = self.known(route, now) else { return Held::NotReady };
        let is_news = sale.restock(effect);
        sale.note_version(effect.item, version.unwrap_or(0));
        sale.keep_readable(now);
        Held::Applied(usize::from(is_news))
    }

    /// See `Gate::records`. A page begins at a position: records are only ever added, so none is missed.
    pub(super) fn records(&mut self, route: Route, from: u64, limit: usize, now: Timestamp) -> Option<RecordPage> {
        let sale = self.loaded(route, now)?;
        let first = usize::try_from(from).unwrap_or(usize::MAX);
        let records: Vec<_> = sale.jobs.values().skip(first).take(limit.clamp(1, 1_000)).cloned().collect();
        let next = first.saturating_add(records.len());
        Some(RecordPage { next: (next < sale.jobs.len()).then_some(next as u64), records })
    }

    /// See `Gate::jobs`.
    pub(super) fn job(&mut self, job: JobId, now: Timestamp) -> JobLookup {
        let record = self.known(job.route(), now).and_then(|sale| sale.jobs.get(&job).cloned());
        match record {
            Some(record) => JobLookup::Found(record),
            None => match self.loaded(job.route(), now) {
                Some(sale) if !may_be_on_its_way(job, sale.reloaded_at, now) => JobLookup::Absent,
                _ => JobLookup::NotReady,
            },
        }
    }

    /// See `Gate::begin_epoch`.
    pub(super) fn begin_epoch(&mut self, sale: &WarmSale, now: Timestamp) -> bool {
        if self.known(sale.route, now).is_some_and(|known| known.epoch >= sale.epoch) {
            return false;
        }
        self.sales.insert(sale.route, GateSale::loading(sale, now));
        true
    }

    /// See `Gate::finish_epoch`.
    pub(super) fn finish_epoch(&mut self, route: Route, epoch: u32, versions: &[i64], now: Timestamp) -> bool {
        let Some(sale) = self.known(route, now).filter(|sale| sale.epoch == epoch) else { return false };
        for (item, version) in sale.items.iter_mut().zip(versions) {
            item.version = item.version.max(*version);
        }
        sale.loading_since = None;
        sale.reloaded_at = sale.reloaded_at.map(|_| now);
        true
    }

    /// See `Gate::follow`.
    pub(super) fn follow(&mut self, warm: &WarmSale, state: SaleState, now: Timestamp) -> bool {
        let Some(sale) = self.known(warm.route, now).filter(|sale| sale.epoch == warm.epoch) else { return false };
        sale.follow(warm, state, now);
        true
    }

    /// See `Gate::lease`.
    pub(super) fn lease(&mut self, route: Route, now: Timestamp) -> Leased {
        self.loaded(route, now).map_or(Leased::NotReady, |sale| sale.lease(now))
    }

    /// See `Gate::condition`.
    pub(super) fn condition(&mut self, route: Route, now: Timestamp) -> Condition {
        let Some(sale) = self.known(route, now) else { return Condition::Missing };
        if let Some(began) = sale.loading_since {
            let loading_for_ms = Some((now - began).num_milliseconds().max(0).unsigned_abs());
            return Condition::Stale { epoch: sale.epoch, loading_for_ms };
        }
        let counters = GateCounters {
            now,
            epoch: sale.epoch,
            opens_at: sale.opens_at,
            closes_at: sale.closes_at,
            limit_per_buyer: sale.limit,
            waiting_jobs: sale.check.len(),
            waiting_ms: sale.middle_wait_ms(now),
            oldest_ms: sale.longest_wait_ms(now),
            reloaded_at: sale.reloaded_at,
            items: sale.items.clone(),
        };
        Condition::Ready(counters, sale.state)
    }

    /// A sale that is here and complete.
    fn loaded(&mut self, route: Route, now: Timestamp) -> Option<&mut GateSale> {
        self.known(route, now).filter(|sale| sale.loading_since.is_none())
    }

    /// A sale that is here. One that was to be forgotten by now never is.
    fn known(&mut self, route: Route, now: Timestamp) -> Option<&mut GateSale> {
        known(&mut self.sales, route, now)
    }
}

fn known(sales: &mut HashMap<Route, GateSale>, route: Route, now: Timestamp) -> Option<&mut GateSale> {
    if sales.get(&route).is_some_and(|sale| sale.forget_at <= now) {
        sales.remove(&route);
    }
    sales.get_mut(&route)
}
