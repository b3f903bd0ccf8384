//! A store with one sale, and short words for what is done to it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backends::SystemClock;
use backends::embedded::Embedded;
use domain::ports::{
    Accountant, ActivityStore, AuditLog, Changed, Clock, Deliver, Operator, OrderArchive, OrderLife, OrderStore,
    Outage, Outbox, OutboxRow, Placement, QuotaStore, Retention, SaleStore, SettingStore, Sink,
};
use domain::{
    BuyerId, Effect, EventMessage, Hold, ItemIndex, ItemTotals, JobId, NewSale, Outcome, Quantity, RefusedReason,
    Reservation, Sale, SaleState, StockEffect, Timestamp, from_ms,
};

pub(super) const PLACED: Outcome = Outcome::Placed;
pub(super) const SOLD_OUT: Outcome = Outcome::Refused(RefusedReason::SoldOut);
pub(super) const LIMIT_REACHED: Outcome = Outcome::Refused(RefusedReason::LimitReached);

/// Runs a scenario in process.
pub(super) async fn embedded<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    let store = Embedded::new(Arc::new(SystemClock)).store;
    scenario(Bench::of(store)).await;
}

#[derive(Clone)]
pub(super) struct Bench {
    pub(super) orders: Arc<dyn OrderStore>,
    pub(super) archive: Arc<dyn OrderArchive>,
    pub(super) life: Arc<dyn OrderLife>,
    pub(super) sales: Arc<dyn SaleStore>,
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) settings: Arc<dyn SettingStore>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) quotas: Arc<dyn QuotaStore>,
    pub(super) retention: Arc<dyn Retention>,
    pub(super) activity: Arc<dyn ActivityStore>,
    pub(super) accountant: Arc<dyn Accountant>,
}

pub(super) fn now() -> Timestamp {
    from_ms(SystemClock.now().timestamp_millis())
}

pub(super) fn operator() -> Operator {
    Operator { via: "api".to_owned(), reason: Some("a test".to_owned()) }
}

/// A sale whose items `a`, `b`, … have these stocks; one unit costs 100, 200, … fen.
pub(super) fn described(id: &str, stock: &[i64], limit: u16) -> NewSale {
    let item = |(n, stock): (u8, &i64)| {
        serde_json::json!({
            "id": char::from(b'a' + n).to_string(), "title": "An item", "stock": stock,
            "price": { "amount": 100 * (i64::from(n) + 1), "currency": "CNY" },
        })
    };
    let hour = chrono::TimeDelta::hours(1);
    let sale = serde_json::json!({
        "id": id, "title": "A sale", "opensAt": now() - hour, "closesAt": now() + hour,
        "limitPerBuyer": limit, "paymentWindowSeconds": 600,
        "items": (0..).zip(stock).map(item).collect::<Vec<_>>(),
    });
    let sale: NewSale = serde_json::from_value(sale).unwrap();
    sale.check().unwrap();
    sale
}

/// The `n`th job of a sale asks for this.
pub(super) fn wants(sale: &Sale, n: u16, buyer: &str, item: u8, units: u16) -> Reservation {
    Reservation {
        job: job(sale, n),
        buyer: buyer.parse().unwrap(),
        item: ItemIndex::new(item),
        quantity: Quantity::try_from(u64::from(units)).unwrap(),
        admitted_at: now(),
    }
}

pub(super) fn job(sale: &Sale, n: u16) -> JobId {
    let [high, low] = n.to_be_bytes();
    JobId::new(1_795_000_000_000, sale.route(), [0, 0, 0, 0, high, low])
}

pub(super) fn buyer(name: &str) -> BuyerId {
    name.parse().unwrap()
}

impl Bench {
    /// All ports of one store.
    pub(super) fn of<S>(store: Arc<S>) -> Self
    where
        S: OrderStore + OrderArchive + OrderLife + SaleStore + Outbox + SettingStore + AuditLog + QuotaStore,
        S: Retention + ActivityStore + Accountant + 'static,
    {
        Self {
            orders: store.clone(),
            archive: store.clone(),
            life: store.clone(),
            sales: store.clone(),
            outbox: store.clone(),
            settings: store.clone(),
            audit: store.clone(),
            quotas: store.clone(),
            retention: store.clone(),
            activity: store.clone(),
            accountant: store,
        }
    }

    /// A sale that is warm and open.
    pub(super) async fn open(&self, id: &str, stock: &[i64], limit: u16) -> Sale {
        self.open_as(&described(id, stock, limit)).await
    }

    /// The same, and its orders are due as soon as they are placed.
    pub(super) async fn open_in_a_hurry(&self, id: &str, stock: &[i64], limit: u16) -> Sale {
        self.open_as(&NewSale { payment_window_seconds: 1, ..described(id, stock, limit) }).await
    }

    pub(super) async fn open_as(&self, new: &NewSale) -> Sale {
        let sale = self.sales.create(new, &operator()).await.unwrap().unwrap();
        assert_eq!(self.sales.next_epoch(&sale.id, &domain::ports::Operator::default()).await.unwrap(), Some(1));
        match self.sales.set_state(&sale.id, SaleState::Open, &operator()).await.unwrap() {
            Changed::Done(sale) => sale,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn place(&self, batch: &[Reservation]) -> Vec<Placement> {
        let placements = self.orders.place(batch).await.unwrap();
        let jobs = |jobs: Vec<JobId>| jobs;
        assert_eq!(
            jobs(placements.iter().map(|one| one.job).collect()),
            jobs(batch.iter().map(|one| one.job).collect()),
            "one placement per reservation, in their order"
        );
        placements
    }

    /// Places what was never placed before; answers how each ended.
    pub(super) async fn outcomes(&self, batch: &[Reservation]) -> Vec<Outcome> {
        let placements = self.place(batch).await;
        assert!(placements.iter().all(|placement| !placement.duplicate), "{placements:?}");
        placements.iter().map(|placement| placement.outcome).collect()
    }

    /// `(held, paid)` of each item, and never more than its stock.
    pub(super) async fn totals(&self, sale: &Sale) -> Vec<(i64, i64)> {
        let totals = self.orders.totals(sale.number, &vec![i64::MAX; sale.items.len()]).await.unwrap();
        for ItemTotals { item, stock, held, paid, .. } in &totals {
            assert!(0 <= *held && 0 <= *paid && held + paid <= *stock, "{item}: {held} + {paid} of {stock}");
        }
        totals.iter().map(|line| (line.held, line.paid)).collect()
    }

    /// Delivers everything of a sink; answers the rows.
    pub(super) async fn relay_all(&self, sink: Sink) -> Vec<OutboxRow> {
        let receiver = Arc::new(Receiver::default());
        while self.outbox.relay(sink, 100, receiver.clone()).await.unwrap().more {}
        receiver.rows()
    }

    /// Every effect that waits for the gate.
    pub(super) async fn effects(&self) -> Vec<Hold> {
        self.relay_all(Sink::Gate).await.iter().flat_map(holds_of).collect()
    }
}

pub(super) fn stock_of(row: &OutboxRow) -> Option<StockEffect> {
    match serde_json::from_str(&row.body).unwrap() {
        Effect::Stock(effect) => Some(effect),
        Effect::Holds(_) => None,
    }
}

pub(super) fn holds_of(row: &OutboxRow) -> Vec<Hold> {
    serde_json::from_str(&row.body).unwrap()
}

pub(super) fn events_of(row: &OutboxRow) -> EventMessage {
    serde_json::from_str(&row.body).unwrap()
}

/// Takes everything, and remembers it.
#[derive(Default)]
pub(super) struct Receiver(Mutex<Vec<OutboxRow>>);

impl Receiver {
    pub(super) fn rows(&self) -> Vec<OutboxRow> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Deliver for Receiver {
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage> {
        self.0.lock().unwrap().extend(rows.iter().cloned());
        Ok(rows.iter().map(|row| row.id).collect())
    }
}
