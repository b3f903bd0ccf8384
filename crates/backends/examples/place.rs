//! What the statements of placing reach alone: the product's own `place`, one writer, batches in memory, no queue and no
//! Redis. `cargo xtask bench` compares the drain of a backlog with it.
//!
//!     DATABASE_URL=… place SALE_NUMBER ORDERS        orders of the sale's first item; prints the orders placed a second

#![allow(clippy::unwrap_used, reason = "a measuring tool ends with a panic when it cannot measure")]

use std::time::Instant;

use backends::postgres::{Postgres, PostgresSettings};
use domain::ports::OrderStore;
use domain::{ItemIndex, JobId, Outcome, Quantity, Reservation, Route, SaleNumber, Shard};

/// As many as a consumer writes in one transaction.
const BATCH: usize = 500;

#[tokio::main]
async fn main() {
    let arguments: Vec<u32> = std::env::args().skip(1).map(|word| word.parse().unwrap()).collect();
    let [sale, orders] = arguments[..] else { panic!("usage: place SALE_NUMBER ORDERS") };
    let route = Route { sale: SaleNumber::new(sale).unwrap(), shard: Shard::new(0).unwrap() };
    let url = std::env::var("DATABASE_URL").unwrap();
    let store = Postgres::connect(&PostgresSettings { url, ..PostgresSettings::default() }).await.unwrap();
    let now = chrono::Utc::now();
    let reservations: Vec<Reservation> = (0..orders)
        .map(|n| Reservation {
            // Ids of orders are random in their second half, as the gateway's are: the index is written in the same way.
            job: JobId::new(now.timestamp_millis() as u64, route, random(n)),
            buyer: format!("buyer-{n}").parse().unwrap(),
            item: ItemIndex::new(0),
            quantity: Quantity::try_from(1).unwrap(),
            admitted_at: now,
        })
        .collect();
    let started = Instant::now();
    for batch in reservations.chunks(BATCH) {
        let placed = store.place(batch).await.unwrap();
        assert!(placed.iter().all(|one| one.outcome == Outcome::Placed && !one.duplicate));
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("placed {orders} seconds {seconds:.3} orders/s {:.0}", f64::from(orders) / seconds);
}

/// Distinct for each n, and in no order.
fn random(n: u32) -> [u8; 6] {
    let mixed = (u64::from(n) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let bytes = mixed.to_be_bytes();
    [bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]]
}
