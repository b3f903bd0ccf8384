//! A database for one test, and short words for what is done to it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backends::postgres::{Postgres, PostgresSettings};
use domain::ports::{Changed, Deliver, Operator, OrderStore, Outage, Outbox, OutboxRow, Placement, SaleStore, Sink};
use domain::{
    EventMessage, Hold, ItemIndex, JobId, NewSale, Outcome, Quantity, RefusedReason, Reservation, Sale, SaleState,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

pub(crate) const PLACED: Outcome = Outcome::Placed;
pub(crate) const SOLD_OUT: Outcome = Outcome::Refused(RefusedReason::SoldOut);
pub(crate) const LIMIT_REACHED: Outcome = Outcome::Refused(RefusedReason::LimitReached);

/// Everything that must be true of a database whenever nobody writes: each statement counts what is wrong.
const AUDIT: [(&str, &str); 9] = [
    (
        "items whose sold units are not those of their live orders",
        "select count(*) from sale_items i where i.sold <> (
            select coalesce(sum(quantity), 0) from orders o
            where o.sale_id = i.sale_id and o.item_id = i.item_id and o.status in ('pending_payment', 'paid'))",
    ),
    (
        "buyers above the limit",
        "select count(*) from (
            select 1 from orders o join sales s on s.id = o.sale_id
            where o.status in ('pending_payment', 'paid')
            group by s.id, o.buyer_id having sum(o.quantity) > s.limit_per_buyer) as above",
    ),
    (
        "allowances that are not the units of live orders",
        "select count(*) from (
            select o.sale_id, o.buyer_id, sum(o.quantity) as units from orders o join sales s on s.id = o.sale_id
            where s.counted and o.status in ('pending_payment', 'paid') group by o.sale_id, o.buyer_id) as live
         full join allowances a using (sale_id, buyer_id)
         where coalesce(live.units, 0) <> coalesce(a.units, 0)",
    ),
    (
        "orders whose latest revision the gate was not told of",
        "with told as (
            select (hold->>'job')::uuid as job, max((hold->>'rev')::integer) as rev
            from outbox, jsonb_array_elements(case when body like '[%' then body::jsonb else '[]' end) as hold
            where sink = 'gate' group by 1)
         select count(*) from orders o left join told on told.job = o.id where told.rev is distinct from o.rev",
    ),
    (
        "orders of which the world has not heard each event once",
        "with heard as (
            select (event->>'orderId')::uuid as job, count(*) as events, max((event->>'seq')::integer) as last
            from outbox, jsonb_array_elements(body::jsonb->'events') as event
            where sink = 'events' group by 1)
         select count(*) from orders o left join heard on heard.job = o.id
         where (heard.events, heard.last) is distinct from (o.seq::bigint, o.seq)",
    ),
    (
        "items whose paid units are not those of their paid orders",
        "select count(*) from sale_items i where i.paid <> (
            select coalesce(sum(quantity), 0) from orders o
            where o.sale_id = i.sale_id and o.item_id = i.item_id and o.status = 'paid')",
    ),
    (
        "paid orders without their one payment, and payments that paid an order that is not paid",
        "select count(*) from orders o where (o.status = 'paid')::integer <> (
            select count(*) from payments p where p.order_id = o.id and p.state = 'settled')",
    ),
    (
        "versions that stand for two changes",
        "select count(*) from (
            select 1 from outbox where sink = 'gate' and version is not null
            group by sale_id, item_position, version having count(*) > 1) as twice",
    ),
    (
        "items whose sold units are not the sum of their changes",
        "select count(*) from sale_items i where i.sold <> (
            select coalesce(sum(units_delta), 0) from outbox b
            where b.sink = 'gate' and b.sale_id = i.sale_id and b.item_position = i.position)",
    ),
];

pub(crate) fn server() -> String {
    std::env::var("DATABASE_URL").unwrap_or_else(|_| panic!("set DATABASE_URL, or run cargo xtask test"))
}

/// The URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let after_scheme = address.find("://").unwrap() + 3;
    let server = address[after_scheme..].find('/').map_or(address, |path| &address[..after_scheme + path]);
    options.map_or_else(|| format!("{server}/{name}"), |options| format!("{server}/{name}?{options}"))
}

pub(crate) async fn execute(url: &str, statement: impl Into<String>) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.into())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// The database of one test.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) url: String,
    pub(crate) postgres: Arc<Postgres>,
}

/// Runs a test in a fresh database with the schema in it, audits it, and drops it.
pub(crate) async fn in_a_database<T, F>(test: T)
where
    T: FnOnce(Bench) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    in_an_empty_database(|bench| async move {
        bench.postgres.migrate().await.unwrap();
        test(bench.clone()).await;
        bench.audit().await;
    })
    .await;
}

/// Runs a test in a fresh database without a schema, and drops it.
pub(crate) async fn in_an_empty_database<T, F>(test: T)
where
    T: FnOnce(Bench) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let server = server();
    let name = format!("backend_{}", uuid::Uuid::new_v4().simple());
    execute(&server, format!("create database {name}")).await;
    let url = with_database(&server, &name);
    let outcome = tokio::spawn(async move {
        let postgres = Postgres::connect(&patient(&url)).await.unwrap();
        test(Bench { url, postgres }).await;
    });
    let outcome = outcome.await;
    execute(&server, format!("drop database {name} with (force)")).await;
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// A busy test machine is not what is tested.
pub(crate) fn patient(url: &str) -> PostgresSettings {
    PostgresSettings {
        url: url.to_owned(),
        acquire_timeout_ms: 20_000,
        statement_timeout_ms: 20_000,
        lock_timeout_ms: 20_000,
        ..PostgresSettings::default()
    }
}

pub(crate) fn operator() -> Operator {
    Operator { via: "cli".to_owned(), reason: Some("a test".to_owned()) }
}

/// A sale whose items `a`, `b`, … have these stocks and cost 100 fen.
pub(crate) fn described(id: &str, stock: &[i64], limit: u16) -> NewSale {
    let item = |(n, stock): (u8, &i64)| {
        serde_json::json!({
            "id": char::from(b'a' + n).to_string(), "title": "An item", "stock": stock,
            "price": { "amount": 100, "currency": "CNY" },
        })
    };
    let sale = serde_json::json!({
        "id": id, "title": "A sale", "opensAt": "2026-01-01T00:00:00Z", "closesAt": "2099-01-01T00:00:00Z",
        "limitPerBuyer": limit, "items": (0..).zip(stock).map(item).collect::<Vec<_>>(),
    });
    serde_json::from_value(sale).unwrap()
}

pub(crate) fn job(sale: &Sale, n: u32) -> JobId {
    let [a, b, c, d] = n.to_be_bytes();
    JobId::new(1_795_000_000_000, sale.route(), [0, 0, a, b, c, d])
}

/// The `n`th job of a sale asks for this.
pub(crate) fn wants(sale: &Sale, n: u32, buyer: &str, item: u8, units: u16) -> Reservation {
    Reservation {
        job: job(sale, n),
        buyer: buyer.parse().unwrap(),
        item: ItemIndex::new(item),
        quantity: Quantity::try_from(u64::from(units)).unwrap(),
        admitted_at: domain::from_ms(1_795_000_000_000),
    }
}

/// So many jobs, from the `from`th on, each of another buyer, for one unit.
pub(crate) fn crowd(sale: &Sale, from: u32, jobs: u32, item: u8) -> Vec<Reservation> {
    (from..from + jobs).map(|n| wants(sale, n, &format!("buyer-{n}"), item, 1)).collect()
}

pub(crate) fn outcomes(placements: &[Placement]) -> Vec<Outcome> {
    placements.iter().map(|placement| placement.outcome).collect()
}

/// How many were placed, and not before.
pub(crate) fn placed(placements: &[Placement]) -> usize {
    placements.iter().filter(|placement| placement.outcome == PLACED && !placement.duplicate).count()
}

impl Bench {
    /// A sale that is warm and open.
    pub(crate) async fn open(&self, id: &str, stock: &[i64], limit: u16) -> Sale {
        let sale = self.postgres.create(&described(id, stock, limit), &operator()).await.unwrap().unwrap();
        self.postgres.next_epoch(&sale.id, &domain::ports::Operator::default()).await.unwrap().unwrap();
        match self.postgres.set_state(&sale.id, SaleState::Open, &operator()).await.unwrap() {
            Changed::Done(sale) => sale,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn place(&self, batch: &[Reservation]) -> Vec<Placement> {
        self.postgres.place(batch).await.unwrap()
    }

    /// Another process on the same database.
    pub(crate) async fn neighbour(&self) -> Arc<Postgres> {
        Postgres::connect(&patient(&self.url)).await.unwrap()
    }

    /// One number, past all ports.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
        let number = query.fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    }

    pub(crate) async fn execute(&self, statement: &str) {
        execute(&self.url, statement).await;
    }

    pub(crate) async fn audit(&self) {
        for (what, query) in AUDIT {
            assert_eq!(self.number(query).await, 0, "{what}");
        }
    }

    /// Delivers everything of a sink; answers the rows.
    pub(crate) async fn relay_all(&self, sink: Sink) -> Vec<OutboxRow> {
        let receiver = Arc::new(Receiver::default());
        while self.postgres.relay(sink, 100, receiver.clone()).await.unwrap().more {}
        receiver.rows()
    }
}

pub(crate) fn holds_of(row: &OutboxRow) -> Vec<Hold> {
    serde_json::from_str(&row.body).unwrap()
}

pub(crate) fn events_of(row: &OutboxRow) -> EventMessage {
    serde_json::from_str(&row.body).unwrap()
}

/// Takes everything, and remembers it.
#[derive(Default)]
pub(crate) struct Receiver(Mutex<Vec<OutboxRow>>);

impl Receiver {
    pub(crate) fn rows(&self) -> Vec<OutboxRow> {
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
