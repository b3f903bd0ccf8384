//! The database away, slow, silent or read-only; and callers that give up.

use std::time::{Duration, Instant};

use backends::postgres::{Postgres, PostgresSettings};
use domain::Reservation;
use domain::ports::{Health, OrderStore, Outage, PlaceError, Placement};

use super::line::{Line, Proxy};
use super::support::{Bench, crowd, in_a_database, placed};

/// Short limits, so that a test of them does not take long.
fn hasty(url: String) -> PostgresSettings {
    PostgresSettings {
        url,
        pool_size: 3,
        pool_min: 0,
        acquire_timeout_ms: 500,
        statement_timeout_ms: 300,
        lock_timeout_ms: 200,
    }
}

async fn behind_a_line(bench: &Bench) -> (Proxy, std::sync::Arc<Postgres>) {
    let proxy = Proxy::before(&bench.url).await;
    let postgres = Postgres::connect(&hasty(proxy.url(&bench.url))).await.unwrap();
    (proxy, postgres)
}

/// A consumer that holds its batch until it is placed.
async fn insist(postgres: &Postgres, batch: &[Reservation]) -> Vec<Placement> {
    let started = Instant::now();
    loop {
        match postgres.place(batch).await {
            Ok(placements) => return placements,
            Err(PlaceError::Outage(outage)) => assert!(started.elapsed() < Duration::from_secs(30), "{outage}"),
            Err(error) => panic!("{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_at_the_start_is_an_outage_until_it_comes() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[9], 1).await;
        let (proxy, postgres) = behind_a_line(&bench).await;
        proxy.becomes(Line::Cut);
        assert!(postgres.check().await.is_err());
        let batch = crowd(&sale, 0, 3, 0);
        let error = postgres.place(&batch).await.unwrap_err();
        assert!(matches!(error, PlaceError::Outage(Outage::NotSent(_))), "{error:?}");
        assert!(postgres.pending_migrations().await.is_err());
        proxy.becomes(Line::Open);
        assert_eq!(placed(&insist(&postgres, &batch).await), 3);
        postgres.check().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_cut_again_and_again_loses_and_repeats_nothing() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[300], 1).await;
        let (proxy, postgres) = behind_a_line(&bench).await;
        let cutting = tokio::spawn(async move {
            for _ in 0..15 {
                tokio::time::sleep(Duration::from_millis(60)).await;
                proxy.becomes(Line::Cut);
                tokio::time::sleep(Duration::from_millis(10)).await;
                proxy.becomes(Line::Open);
            }
            proxy
        });
        let mut at = 0;
        while !cutting.is_finished() || at < 40 {
            let placements = insist(&postgres, &crowd(&sale, at * 10, 10, 0)).await;
            assert_eq!(placements.len(), 10);
            at += 1;
        }
        cutting.await.unwrap();
        assert_eq!(bench.number("select sold from sale_items").await, 300.min(i64::from(at) * 10));
        assert_eq!(bench.number("select count(*) from orders").await, i64::from(at) * 10);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_line_is_noticed_in_time_and_takes_no_connection_with_it() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[99], 1).await;
        let (proxy, postgres) = behind_a_line(&bench).await;
        insist(&postgres, &crowd(&sale, 0, 1, 0)).await;
        proxy.becomes(Line::Silent);
        for round in 0..3 {
            // More callers than the pool has connections.
            let callers: Vec<_> = (0..6)
                .map(|n| {
                    let (postgres, batch) = (postgres.clone(), crowd(&sale, 100 + round * 6 + n, 1, 0));
                    tokio::spawn(async move { postgres.place(&batch).await })
                })
                .collect();
            let started = Instant::now();
            for caller in callers {
                let error = caller.await.unwrap().unwrap_err();
                assert!(matches!(error, PlaceError::Outage(_)), "{error:?}");
            }
            assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        }
        proxy.becomes(Line::Open);
        // As many at once as the pool has: each of them has its connection back.
        insist(&postgres, &crowd(&sale, 1_000, 1, 0)).await;
        for n in 0..10 {
            insist(&postgres, &crowd(&sale, 2_000 + n, 1, 0)).await;
        }
        postgres.sample_metrics().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_gives_up_leaves_no_transaction_open() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[10_000], 1).await;
        for n in 0..100_u32 {
            let batch = crowd(&sale, n * 5, 5, 0);
            let placing = bench.postgres.place(&batch);
            let _ = tokio::time::timeout(Duration::from_micros(u64::from(n) * 60), placing).await;
        }
        // Whatever was begun runs to its end; nothing stays behind.
        let open = "select count(*) from pg_stat_activity
                    where datname = current_database() and state like 'idle in transaction%'";
        let started = Instant::now();
        while bench.number(open).await > 0 {
            assert!(started.elapsed() < Duration::from_secs(3), "a transaction was left open");
        }
        for n in 0..100 {
            insist(&bench.postgres, &crowd(&sale, n * 5, 5, 0)).await;
        }
        assert_eq!(bench.number("select sold from sale_items").await, 500);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_somebody_keeps_is_an_outage_within_bounds() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[9], 1).await;
        let postgres = Postgres::connect(&hasty(bench.url.clone())).await.unwrap();
        let mut holder = <sqlx::PgConnection as sqlx::Connection>::connect(&bench.url).await.unwrap();
        sqlx::raw_sql("begin; select 1 from sale_items for update").execute(&mut holder).await.unwrap();
        let started = Instant::now();
        let error = postgres.place(&crowd(&sale, 0, 1, 0)).await.unwrap_err();
        assert!(matches!(error, PlaceError::Outage(Outage::NotSent(_))), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
        assert_eq!(placed(&insist(&postgres, &crowd(&sale, 0, 1, 0)).await), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes_is_an_outage_and_not_poison() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[9], 1).await;
        let read_only = |word: &str| {
            format!(
                "do $$ begin execute format('alter database %I set default_transaction_read_only = {word}',
                                            current_database()); end $$"
            )
        };
        let mut keeper = <sqlx::PgConnection as sqlx::Connection>::connect(&bench.url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(read_only("on"))).execute(&mut keeper).await.unwrap();
        let postgres = bench.neighbour().await;
        let error = postgres.place(&crowd(&sale, 0, 2, 0)).await.unwrap_err();
        assert!(matches!(error, PlaceError::Outage(Outage::NotSent(_))), "{error:?}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(read_only("off"))).execute(&mut keeper).await.unwrap();
        // The connection that said so was not kept.
        assert_eq!(placed(&insist(&postgres, &crowd(&sale, 0, 2, 0)).await), 2);
    })
    .await;
}
