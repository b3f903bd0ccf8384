//! The pool of connections: what it says of itself, and that it replaces what was lost.

use std::time::{Duration, Instant};

use backends::postgres::{Postgres, PostgresSettings};
use domain::ports::{Connections, Health as _};

use super::support::{in_a_database, patient};

/// Ends every other connection to this test's own database.
const TERMINATE: &str = "
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name = 'seckill'";

async fn reaches(postgres: &Postgres, what: &str, is_so: fn(Connections) -> bool) {
    let started = Instant::now();
    while !is_so(postgres.connections().unwrap()) {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}: {:?}", postgres.connections());
        let _ = postgres.check().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terminated_connections_of_the_pool_are_noticed_and_replaced() {
    in_a_database(|bench| async move {
        let settings = PostgresSettings { pool_size: 3, pool_min: 2, ..patient(&bench.url) };
        let postgres = Postgres::connect(&settings).await.unwrap();
        postgres.check().await.unwrap();
        reaches(&postgres, "it keeps two open", |now| now.open >= 2).await;
        let before = postgres.connections().unwrap();
        assert_eq!((before.max, before.renewed), (3, 0));
        assert!(bench.number(TERMINATE).await >= 2);
        reaches(&postgres, "what was lost is replaced", |now| now.renewed >= 1 && now.open >= 1).await;
        postgres.check().await.unwrap();
        reaches(&postgres, "nothing is left in use", |now| now.in_use == 0).await;
    })
    .await;
}
