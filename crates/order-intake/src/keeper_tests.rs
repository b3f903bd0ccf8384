//! What the keeper does about one sale, on the in-process backends.

use backends::SystemClock;
use backends::embedded::{Embedded, EmbeddedGate, EmbeddedStore};
use control::{ConcurrencySettings, Locks, Monitor, TaskSettings};
use domain::{GateCounters, SaleState};
use serde_json::json;

use super::*;

struct Bench {
    gate: Arc<EmbeddedGate>,
    store: Arc<EmbeddedStore>,
    warmup: Arc<Warmup>,
    loads: Loads,
}

impl Bench {
    /// A sale that was open and that the gate has lost, and a keeper that loads one at a time.
    async fn with_a_lost_sale() -> (Self, Sale) {
        let Embedded { gate, queue, store, .. } = Embedded::new(Arc::new(SystemClock));
        let price = json!({ "amount": 100, "currency": "CNY" });
        let sale = json!({
            "id": "s1", "title": "s1", "opensAt": "2020-01-01T00:00:00Z", "closesAt": "2099-01-01T00:00:00Z",
            "items": [{ "id": "i1", "title": "i1", "price": price, "stock": 5 }],
        });
        let by = Operator::default();
        store.create(&serde_json::from_value(sale).unwrap(), &by).await.unwrap();
        let id: SaleId = "s1".parse().unwrap();
        store.next_epoch(&id, &by).await.unwrap();
        store.set_state(&id, SaleState::Open, &by).await.unwrap();
        let sale = store.sale(&id).await.unwrap().unwrap();
        let locks = Arc::new(backends::embedded::EmbeddedLocks::default());
        let locks = Locks::new(locks, None, Arc::new(backends::SystemEntropy), Default::default(), Default::default());
        let warmup = Warmup::locked(gate.clone(), store.clone(), queue, locks);
        let concurrency = Concurrency::new(store.clone(), gate.clone(), &ConcurrencySettings::default(), "one");
        let pools = Pools::new(TaskSettings::default(), Monitor::new(10));
        let loads = Loads::new(warmup.clone(), concurrency, pools.pool("rebuilds", 1));
        (Self { gate, store, warmup, loads }, sale)
    }

    async fn look(&self, sale: &Sale) -> Option<&'static str> {
        look_after(self.gate.as_ref(), self.store.as_ref(), sale).await.unwrap()
    }

    async fn counters(&self, sale: &Sale) -> GateCounters {
        match self.gate.condition(sale.route()).await.unwrap() {
            Condition::Ready(counters, _) => counters,
            other => panic!("{other:?}"),
        }
    }

    /// Until nothing is loaded any more.
    async fn idle(&self) {
        let begun = std::time::Instant::now();
        while !lock(&self.loads.under_way).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the loads do not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn a_lost_sale_that_is_seen_twice_is_loaded_once() {
    let (bench, sale) = Bench::with_a_lost_sale().await;
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    bench.loads.pool.submit(async move { wait.await.map_err(|_| "nobody said go") }).unwrap();
    for _ in 0..2 {
        let lost = bench.look(&sale).await.expect("the gate has lost it");
        bench.loads.submit(&sale, lost);
    }
    tokio::task::yield_now().await;
    assert_eq!(bench.loads.pool.counts().waiting, 1, "the second look found it waiting");
    go.send(()).unwrap();
    bench.idle().await;
    assert_eq!(bench.counters(&sale).await.epoch, sale.epoch + 1);
    let sale = bench.store.sale(&sale.id).await.unwrap().unwrap();
    assert_eq!((sale.epoch, bench.look(&sale).await), (2, None));

    // One that is lost again is loaded again.
    bench.store.next_epoch(&sale.id, &Operator::default()).await.unwrap();
    let sale = bench.store.sale(&sale.id).await.unwrap().unwrap();
    bench.loads.submit(&sale, bench.look(&sale).await.expect("the gate is in an older epoch"));
    bench.idle().await;
    assert_eq!(bench.counters(&sale).await.epoch, 4);
}

#[tokio::test]
async fn a_stale_look_at_a_sale_that_is_well_again_changes_nothing() {
    let (bench, stale) = Bench::with_a_lost_sale().await;
    let lost = bench.look(&stale).await.expect("the gate has lost it");
    bench.warmup.rebuild(&stale.id, &Operator::default()).await.unwrap();
    let before = bench.counters(&stale).await.epoch;
    bench.loads.submit(&stale, lost);
    bench.idle().await;
    assert_eq!((before, bench.counters(&stale).await.epoch), (2, 2), "no new epoch shuts a sale that is open");
    assert_eq!(bench.store.sale(&stale.id).await.unwrap().unwrap().epoch, 2);
    assert!(bench.warmup.load_again(&stale.id, &Operator::default()).await.unwrap().is_none());
}
