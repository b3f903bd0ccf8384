//! The load smoke test: 1,000 units, 20,000 distinct buyers, a few hundred connections, two gateways, on real services.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

use std::collections::HashSet;

use common::TestShop;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_units_meet_twenty_thousand_buyers_and_exactly_a_thousand_orders_exist() {
    let shop = TestShop::start(2, 1).await;
    shop.sale("smoke", 1, &[1_000]).await;
    let bodies = shop.mint("smoke", 20_000, &[]);
    assert_eq!(bodies.len(), 20_000);

    let started = std::time::Instant::now();
    let seen = shop.client.crowd("smoke", bodies, 300).await;
    let seconds = started.elapsed().as_secs_f64();
    println!("20,000 purchases answered in {seconds:.2} s ({:.0} a second, this client included)", 20_000.0 / seconds);

    assert_eq!(seen.broken, 0);
    assert_eq!(seen.accepted.len(), 1_000);
    assert_eq!(seen.accepted.iter().collect::<HashSet<_>>().len(), 1_000, "each 202 is a job of its own");
    assert_eq!(seen.refused.iter().map(|(code, n)| (code.as_str(), *n)).collect::<Vec<_>>(), [("sold-out", 19_000)]);

    let ledger = shop.settled("smoke").await;
    println!("{ledger}");
    assert_eq!(ledger["items"][0]["free"], 0);
    assert_eq!(ledger["items"][0]["held"], 1_000);
    assert_eq!(shop.live_orders("smoke").await, 1_000);
    let buyers: i64 =
        sqlx::query_scalar("select count(distinct buyer_id) from orders").fetch_one(&shop.db).await.unwrap();
    assert_eq!(buyers, 1_000);
    shop.audit("smoke", &seen.accepted).await;
    shop.close().await;
}
