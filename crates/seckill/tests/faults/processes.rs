//! Our own processes are killed and stopped.

use std::time::Duration;

use crate::bench::Breakable;

/// Fault matrix A3 to A6: whatever instruction it dies at, what was answered 202 has its order.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_in_the_middle_of_a_burst_loses_no_accepted_order_and_locks_nobody_out() {
    let mut all = Breakable::start(2).await;
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            for _ in 0..3 {
                all.shop.gateways[0].kill9();
                tokio::time::sleep(Duration::from_millis(300)).await;
                all.shop.gateways[0].start_again();
                all.shop.client.ready(0).await;
            }
        })
        .await;
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}

/// Fault matrix A9 to A14.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_killed_in_the_middle_of_a_batch_places_every_order_once() {
    let mut all = Breakable::start(1).await;
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            for _ in 0..5 {
                all.shop.consumers[0].kill9();
                tokio::time::sleep(Duration::from_millis(100)).await;
                all.shop.consumers[0].start_again();
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        })
        .await;
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}

/// Fault matrix A19.
#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_ends_within_ten_seconds_and_loses_no_accepted_request() {
    let mut all = Breakable::start(2).await;
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            for _ in 0..2 {
                let (took, well) = all.shop.gateways[0].terminate();
                assert!(well && took < Duration::from_secs(10), "the gateway took {took:?}");
                all.shop.gateways[0].start_again();
                all.shop.client.ready(0).await;
                let (took, well) = all.shop.consumers[0].terminate();
                assert!(well && took < Duration::from_secs(10), "the consumer took {took:?}");
                all.shop.consumers[0].start_again();
            }
        })
        .await;
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}
