//! A gate with one sale, and short words for what is done to it.

use std::sync::Arc;
use std::time::Duration;

use backends::SystemClock;
use backends::embedded::EmbeddedGate;
use backends::redis::{RedisGate, RedisSettings};
use domain::ports::{Clock, Concurrency, Condition, Gate, Held, JobLookup, Obeyed, Reserved, Withdrawn};
use domain::{
    Admissible, Attempt, ConcurrencyRules, Hold, ItemCounters, ItemIndex, ItemStock, JobId, JobRecord, Outcome,
    Quantity, Refusal, Route, SaleNumber, SaleState, Shard, StockEffect, Timestamp, Verdict, WarmSale, Withdrawal,
    from_ms,
};

use crate::support::{TestClock, required, unique};

/// Runs a scenario on the model, whose clock is moved by hand. Any number of orders may be in flight.
pub(super) async fn embedded<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    let bench = embedded_bench();
    bench.tokens.obey(0, &unlimited(), false).await.unwrap();
    scenario(bench).await;
}

/// Runs a scenario on Redis, whose clock is its own. Any number of orders may be in flight.
pub(super) async fn redis<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    let bench = redis_bench().await;
    bench.tokens.obey(0, &unlimited(), false).await.unwrap();
    scenario(bench).await;
}

/// Runs a scenario on the model, with the rules that hold where nobody has said anything.
pub(super) async fn embedded_by_default<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    scenario(embedded_bench()).await;
}

/// Runs a scenario on Redis, likewise.
pub(super) async fn redis_by_default<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    scenario(redis_bench().await).await;
}

fn embedded_bench() -> Bench {
    let clock = Arc::new(TestClock::at_ms(1_795_000_000_000));
    let gate = Arc::new(EmbeddedGate::new(clock.clone()));
    Bench { tokens: gate.clone(), gate, time: Time::ByHand(clock), route: route(1, 0) }
}

async fn redis_bench() -> Bench {
    redis_bench_and_settings().await.0
}

/// With what another gate on the same keys is made of.
pub(super) async fn redis_bench_and_settings() -> (Bench, RedisSettings) {
    let settings = settings(required("REDIS_URL"));
    let gate = RedisGate::connect(&settings).await.unwrap();
    (Bench { tokens: gate.clone(), gate, time: Time::Real, route: route(1, 0) }, settings)
}

/// Nothing is limited.
pub(super) fn unlimited() -> ConcurrencyRules {
    ConcurrencyRules { account_max: 0, ..ConcurrencyRules::default() }
}

/// A gate on Redis with nothing in it. Its keys expire with the sales that are warmed.
pub(crate) async fn redis_gate() -> Arc<RedisGate> {
    redis_gate_at(required("REDIS_URL")).await
}

pub(super) async fn redis_gate_at(url: String) -> Arc<RedisGate> {
    RedisGate::connect(&settings(url)).await.unwrap()
}

fn settings(url: String) -> RedisSettings {
    RedisSettings {
        url,
        namespace: unique("gate"),
        concurrency_prefix: unique("concurrency"),
        response_timeout_ms: 5_000, // a busy test machine is not what is tested
        ..RedisSettings::default()
    }
}

pub(super) fn route(sale: u32, shard: u8) -> Route {
    Route { sale: SaleNumber::new(sale).unwrap(), shard: Shard::new(shard).unwrap() }
}

/// How time passes for the gate.
#[derive(Clone)]
pub(super) enum Time {
    ByHand(Arc<TestClock>),
    Real,
}

/// A gate, and the sale that the scenario is about.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) gate: Arc<dyn Gate>,
    /// What it obeys about orders in flight.
    pub(super) tokens: Arc<dyn Concurrency>,
    pub(super) time: Time,
    pub(super) route: Route,
}

impl Bench {
    /// From now on, these hold.
    pub(super) async fn obey(&self, version: i64, rules: &ConcurrencyRules) {
        assert_eq!(self.tokens.obey(version, rules, false).await.unwrap(), Obeyed::Written);
    }

    pub(super) fn now(&self) -> Timestamp {
        match &self.time {
            Time::ByHand(clock) => clock.now(),
            Time::Real => from_ms(SystemClock.now().timestamp_millis()),
        }
    }

    pub(super) async fn pass(&self, time: Duration) {
        match &self.time {
            Time::ByHand(clock) => clock.pass(time),
            Time::Real => tokio::time::sleep(time).await,
        }
    }

    /// The rules of a sale that has been open for an hour and stays so for another.
    pub(super) fn rules(&self, epoch: u32, stock: &[i64], limit: u16) -> WarmSale {
        let hour = chrono::TimeDelta::hours(1);
        WarmSale {
            route: self.route,
            epoch,
            opens_at: self.now() - hour,
            closes_at: self.now() + hour,
            forget_at: self.now() + hour * 2,
            limit_per_buyer: limit,
            stock: stock.iter().map(|units| ItemStock { units: *units, rev: 0 }).collect(),
            reloaded: false,
        }
    }

    /// A sale in its first epoch, loaded and open.
    pub(super) async fn open(&self, stock: &[i64], limit: u16) {
        self.load(&self.rules(1, stock, limit), SaleState::Open).await;
    }

    pub(super) async fn load(&self, sale: &WarmSale, state: SaleState) {
        assert!(self.gate.begin_epoch(sale).await.unwrap());
        assert!(self.gate.follow(sale, state).await.unwrap());
        assert!(self.gate.finish_epoch(sale.route, sale.epoch, &vec![0; sale.stock.len()]).await.unwrap());
    }

    /// The `n`th job of this sale.
    pub(super) fn job(&self, n: u16) -> JobId {
        let [high, low] = n.to_be_bytes();
        JobId::new(1_795_000_000_000 + u64::from(n), self.route, [0, 0, 0, 0, high, low])
    }

    pub(super) fn attempt(&self, n: u16, buyer: &str, item: u8, units: u16) -> Attempt {
        Attempt {
            job: self.job(n),
            buyer: buyer.parse().unwrap(),
            channel: String::new(),
            item: Some(ItemIndex::new(item)),
            quantity: Quantity::try_from(u64::from(units)).unwrap(),
            admissible: Admissible::Yes,
        }
    }

    pub(super) async fn admit(&self, attempts: &[Attempt]) -> Vec<Verdict> {
        let verdicts = self.gate.admit(self.route, attempts, &[]).await.unwrap();
        assert_eq!(verdicts.len(), attempts.len());
        verdicts
    }

    /// One attempt on its own.
    pub(super) async fn ask(&self, attempt: &Attempt) -> Verdict {
        self.admit(std::slice::from_ref(attempt)).await.remove(0)
    }

    pub(super) async fn buy(&self, n: u16, buyer: &str, item: u8, units: u16) -> Verdict {
        self.ask(&self.attempt(n, buyer, item, units)).await
    }

    pub(super) async fn buys(&self, n: u16, buyer: &str, item: u8, units: u16) -> JobRecord {
        match self.buy(n, buyer, item, units).await {
            Verdict::Admitted(record) => record,
            other => panic!("job {n} of {buyer} was not admitted: {other:?}"),
        }
    }

    pub(super) async fn is_refused(&self, n: u16, buyer: &str, item: u8, units: u16, refusal: Refusal) {
        assert_eq!(self.buy(n, buyer, item, units).await, Verdict::Refused(refusal), "job {n} of {buyer}");
    }

    pub(super) async fn queued(&self, n: u16) {
        self.gate.mark_queued(self.route, &[self.job(n)]).await.unwrap();
    }

    /// What the `n`th job of item 0 holds after its change `rev`: `units`, or nothing and why.
    pub(super) fn effect(&self, n: u16, rev: u32, buyer: &str, units: u16, outcome: Outcome) -> Hold {
        Hold {
            job: self.job(n),
            rev,
            buyer: Some(buyer.parse().unwrap()),
            item: Some(ItemIndex::new(0)),
            quantity: units.max(1),
            units,
            outcome,
            at: from_ms(1_795_000_100_000 + i64::from(rev)),
        }
    }

    /// How many of them were newer.
    pub(super) async fn hold(&self, holds: &[Hold]) -> usize {
        match self.gate.hold(self.route, holds, None).await.unwrap() {
            Held::Applied(newer) => newer,
            Held::NotReady => panic!("the gate has lost the sale"),
        }
    }

    /// An order of item 0 that was placed, and has expired at revision 2.
    pub(super) async fn expired(&self, n: u16, buyer: &str, units: u16) {
        self.buys(n, buyer, 0, units).await;
        let end = Hold { quantity: units, ..self.effect(n, 2, buyer, 0, Outcome::Placed) };
        assert_eq!(self.hold(&[self.effect(n, 1, buyer, units, Outcome::Placed), end]).await, 2);
    }

    pub(super) async fn reserve(&self, n: u16, rev: u32) -> Reserved {
        self.gate.reserve(self.job(n), rev).await.unwrap()
    }

    /// At whatever revision the gate knows.
    pub(super) async fn withdraw(&self, id: &str, item: u8, units: i64) -> Withdrawn {
        for stock_rev in 0..10 {
            match self.withdraw_at(id, item, units, stock_rev).await {
                Withdrawn::Stale => {}
                answer => return answer,
            }
        }
        panic!("the gate knows none of ten revisions")
    }

    pub(super) async fn withdraw_at(&self, id: &str, item: u8, units: i64, stock_rev: u32) -> Withdrawn {
        let (sale, item) = ("s1".parse().unwrap(), ItemIndex::new(item));
        let withdrawal = Withdrawal { id: id.parse().unwrap(), sale, route: self.route, item, units, stock_rev };
        self.gate.withdraw(&withdrawal).await.unwrap()
    }

    /// The stock of an item after its change number `rev`, which may end a withdrawal.
    pub(super) async fn restock(&self, item: u8, units: i64, rev: u32, ends: Option<&str>) -> Held {
        let stock = ItemStock { units, rev };
        let effect = StockEffect { item: ItemIndex::new(item), stock, ends: ends.map(|id| id.parse().unwrap()) };
        self.gate.restock(self.route, &effect, None).await.unwrap()
    }

    pub(super) async fn record(&self, n: u16) -> JobRecord {
        match self.gate.job(self.job(n)).await.unwrap() {
            JobLookup::Found(record) => record,
            other => panic!("job {n}: {other:?}"),
        }
    }

    pub(super) async fn ready(&self) -> (domain::GateCounters, SaleState) {
        match self.gate.condition(self.route).await.unwrap() {
            Condition::Ready(counters, state) => (counters, state),
            other => panic!("the gate is not ready: {other:?}"),
        }
    }

    /// `(free, unpublished, queued)` of each item.
    pub(super) async fn counters(&self) -> Vec<(i64, i64, i64)> {
        let triple = |item: &ItemCounters| (item.free, item.unpublished, item.queued);
        self.ready().await.0.items.iter().map(triple).collect()
    }
}
