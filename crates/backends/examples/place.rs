//! Places orders as a consumer would, from one writer, and says how many a second: the yardstick for a consumer that
//! drains its queue.
//!
//!     DATABASE_URL=postgres://… cargo run --release -p backends --example place -- --orders 100000 --batch 500
//!
//! Works in a database of its own on that server, counts its rows at the end, and drops it. `--limit 2` counts
//! allowances in rows; `--relay` also takes everything from the outbox, as fast as it comes.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use backends::postgres::{Postgres, PostgresSettings};
use domain::ports::{Deliver, Operator, OrderStore as _, Outage, Outbox as _, OutboxRow, SaleStore as _, Sink};
use domain::{ItemIndex, JobId, NewSale, Quantity, Reservation, Sale, from_ms};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

struct Asked {
    orders: u64,
    batch: u64,
    limit: u64,
    relay: bool,
}

fn asked() -> Outcome<Asked> {
    let mut asked = Asked { orders: 100_000, batch: 500, limit: 1, relay: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = match word.as_str() {
            "--orders" => &mut asked.orders,
            "--batch" => &mut asked.batch,
            "--limit" => &mut asked.limit,
            "--relay" => {
                asked.relay = true;
                continue;
            }
            _ => return Err(format!("what is {word}?").into()),
        };
        *number = words.next().ok_or(format!("{word} needs a number"))?.parse::<u64>()?.max(1);
    }
    Ok(asked)
}

/// Takes everything.
struct Taker;

#[async_trait]
impl Deliver for Taker {
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage> {
        Ok(rows.iter().map(|row| row.id).collect())
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome<()> {
    let asked = asked()?;
    let server = std::env::var("DATABASE_URL")?;
    let name = format!("place_{}", uuid::Uuid::new_v4().simple());
    let mut keeper = PgConnection::connect(&server).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut keeper).await?;
    let (address, _) = server.rsplit_once('/').ok_or("DATABASE_URL names no database")?;
    let outcome = place(&asked, format!("{address}/{name}")).await;
    sqlx::raw_sql(AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&mut keeper).await?;
    outcome
}

async fn place(asked: &Asked, url: String) -> Outcome<()> {
    let settings = PostgresSettings { url: url.clone(), statement_timeout_ms: 20_000, ..PostgresSettings::default() };
    let store = Postgres::connect(&settings).await?;
    store.migrate().await?;
    let sale = sale(&store, asked).await?;
    let mut relays = Vec::new();
    for sink in [Sink::Gate, Sink::Events].into_iter().filter(|_| asked.relay) {
        let store = store.clone();
        relays.push(tokio::spawn(async move {
            loop {
                let _ = store.relay(sink, 100, Arc::new(Taker)).await;
                store.wait(sink, std::time::Duration::from_secs(1)).await;
            }
        }));
    }

    let started = Instant::now();
    let mut at = 0;
    while at < asked.orders {
        let to = (at + asked.batch).min(asked.orders);
        store.place(&batch(&sale, at..to)).await?;
        at = to;
    }
    let took = started.elapsed();
    relays.iter().for_each(|relay| relay.abort());

    let mut connection = PgConnection::connect(&url).await?;
    let count = "select (select count(*) from orders where status = 'pending_payment'),
                        (select sum(sold)::bigint from sale_items)";
    let (rows, sold): (i64, i64) = sqlx::query_as(count).fetch_one(&mut connection).await?;
    if [rows, sold] != [asked.orders.cast_signed(); 2] {
        return Err(format!("{rows} rows and {sold} units sold after {} orders", asked.orders).into());
    }
    let rate = asked.orders as f64 / took.as_secs_f64();
    println!("answered {} orders, {} to a batch: {rate:.0} orders/s", asked.orders, asked.batch);
    Ok(())
}

async fn sale(store: &Postgres, asked: &Asked) -> Outcome<Sale> {
    let new: NewSale = serde_json::from_value(serde_json::json!({
        "id": "yardstick", "title": "", "opensAt": "2026-01-01T00:00:00Z", "closesAt": "2099-01-01T00:00:00Z",
        "limitPerBuyer": asked.limit,
        "items": [{ "id": "unit", "title": "", "stock": asked.orders, "price": { "amount": 100, "currency": "CNY" } }],
    }))?;
    let sale = store.create(&new, &Operator::default()).await?.ok_or("the sale is there already")?;
    store.next_epoch(&sale.id, &Operator::default()).await?;
    Ok(sale)
}

/// Jobs that begin a millisecond apart for each ten, with random ends, and buyers that were never seen.
fn batch(sale: &Sale, numbers: std::ops::Range<u64>) -> Vec<Reservation> {
    let one = |n: u64| {
        let random = uuid::Uuid::new_v4();
        let (_, six) = random.as_bytes().split_at(10);
        Reservation {
            job: JobId::new(1_795_000_000_000 + n / 10, sale.route(), six.try_into().unwrap_or_default()),
            buyer: format!("buyer-{}", random.simple()).parse().expect("a buyer's name"),
            item: ItemIndex::new(0),
            quantity: Quantity::ONE,
            admitted_at: from_ms(1_795_000_000_000),
        }
    };
    numbers.map(one).collect()
}
