//! Postgres dies.

use std::time::Duration;

use crate::bench::Breakable;

/// Fault matrix D1, D2: buyers do not even notice.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_and_restarted_during_a_sale_loses_nothing_and_buyers_go_on() {
    let mut all = Breakable::start(2).await;
    let pids = all.pids();
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            all.services.postgres.kill9();
            tokio::time::sleep(Duration::from_secs(1)).await;
            all.services.postgres.start_again().unwrap();
        })
        .await;
    all.still_there(&pids);
    all.no_dead_letters().await;
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}
