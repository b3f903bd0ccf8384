//! What a batch costs does not depend on how many orders came before it: counted in rows and pages, whatever the
//! statements are.

use std::time::Duration;

use backends::postgres::{Postgres, PostgresSettings};
use domain::Sale;
use domain::ports::{OrderStore, SaleStore};

use super::support::{Bench, PLACED, crowd, in_a_database, outcomes, patient};

/// Orders in a batch, and batches that are counted together.
const BATCH: u32 = 100;
const BATCHES: u32 = 10;

const PAGES: &str = "
    select sum(coalesce(heap_blks_hit, 0) + coalesce(heap_blks_read, 0) + coalesce(idx_blks_hit, 0)
             + coalesce(idx_blks_read, 0) + coalesce(toast_blks_hit, 0) + coalesce(toast_blks_read, 0))::bigint
    from pg_statio_user_tables";

/// Of the tables that grow with orders: what the sale itself cost is told by another connection, when it likes.
const ROWS: &str = "
    select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_user_tables
    where relname in ('orders', 'outbox', 'allowances')";

const WHOLE_TABLES: &str = "
    select coalesce(sum(seq_scan), 0)::bigint from pg_stat_user_tables where relname in ('orders', 'outbox', 'allowances')";

/// What the server has counted for everybody.
#[derive(Clone, Copy, Debug)]
struct Counted {
    pages: i64,
    rows: i64,
    whole_tables: i64,
}

/// What `only`, the one process on this database and with one connection, has done so far.
async fn counted(bench: &Bench, only: &Postgres, sale: &Sale) -> Counted {
    let mut rows = -1;
    loop {
        // A connection says what it did after a transaction, a second after the last time at the earliest, and not
        // all of it while somebody else is at it.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        only.versions(sale.number).await.unwrap();
        let (pages, whole_tables) = (bench.number(PAGES).await, bench.number(WHOLE_TABLES).await);
        let before = std::mem::replace(&mut rows, bench.number(ROWS).await);
        if rows == before {
            return Counted { pages, rows, whole_tables };
        }
    }
}

async fn cost_of_batches(bench: &Bench, only: &Postgres, sale: &Sale, from: u32) -> Counted {
    let before = counted(bench, only, sale).await;
    for n in 0..BATCHES {
        let placed = only.place(&crowd(sale, from + n * BATCH, BATCH, 0)).await.unwrap();
        assert!(outcomes(&placed).iter().all(|outcome| *outcome == PLACED));
    }
    let after = counted(bench, only, sale).await;
    Counted {
        pages: after.pages - before.pages,
        rows: after.rows - before.rows,
        whole_tables: after.whole_tables - before.whole_tables,
    }
}

async fn costs_the_same(limit: u16, bench: Bench) {
    // It reads pages too, when it likes.
    for table in ["orders", "outbox", "sale_items", "sales", "allowances"] {
        bench.execute(&format!("alter table {table} set (autovacuum_enabled = false)")).await;
    }
    let only = Postgres::connect(&PostgresSettings { pool_size: 1, pool_min: 0, ..patient(&bench.url) }).await.unwrap();
    let sale = bench.open("s", &[1_000_000], limit).await;
    only.place(&crowd(&sale, 0, 1_000, 0)).await.unwrap();
    let early = cost_of_batches(&bench, &only, &sale, 1_000).await;
    for from in (2_000..50_000).step_by(500) {
        only.place(&crowd(&sale, from, 500, 0)).await.unwrap();
    }
    let late = cost_of_batches(&bench, &only, &sale, 50_000).await;
    let size = async |table: &str| {
        let all = bench.number("select count(*) from orders").await;
        bench.number(&format!("select pg_total_relation_size('{table}')")).await / all
    };
    let bytes = (size("orders").await, size("outbox").await, size("allowances").await);
    eprintln!("bytes for each order, with indexes: orders {}, outbox {}, allowances {}", bytes.0, bytes.1, bytes.2);
    assert!(bytes.0 <= ORDER_BYTES_MAX && bytes.1 <= OUTBOX_BYTES_MAX, "{bytes:?} bytes for each order");
    let orders = i64::from(BATCHES * BATCH);
    eprintln!("limit {limit}, {orders} orders after 1,000: {early:?}; after 50,000: {late:?}");
    assert_eq!(late.rows, early.rows, "rows written");
    assert_eq!(late.whole_tables, early.whole_tables, "tables read from end to end");
    assert_eq!(late.whole_tables, 0);
    // An index is a page deeper here and there.
    assert!(late.pages * 2 <= early.pages * 3, "{} pages after 1,000 orders, {} after 50,000", early.pages, late.pages);
    assert!(late.pages <= PAGES_MAX * orders, "{} pages for {orders} orders", late.pages);
}

/// Of a row of `orders` with its entries in all indexes; and of what the outbox says about it to both sinks, until it is
/// delivered and ten minutes after.
const ORDER_BYTES_MAX: i64 = 600;
const OUTBOX_BYTES_MAX: i64 = 200;

/// Pages touched for one order, counting each touch.
const PAGES_MAX: i64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_costs_the_same_after_fifty_thousand_orders_as_after_a_thousand() {
    in_a_database(|bench| costs_the_same(1, bench)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_does_where_allowances_are_counted() {
    in_a_database(|bench| costs_the_same(2, bench)).await;
}
