//! Several placers at once: what the version column, the unique rows and the constraints are for.

use std::time::Duration;

use domain::Reservation;
use domain::ports::{Outage, PlaceError, Placement};

use super::bench::{Bench, PLACED, wants};

/// Places a batch as a consumer does: an outage means that it comes again.
async fn insist(bench: &Bench, batch: &[Reservation]) -> Vec<Placement> {
    for _ in 0..100 {
        match bench.orders.place(batch).await {
            Ok(placements) => return placements,
            Err(PlaceError::Outage(Outage::NotSent(_))) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("the batch was never placed");
}

/// Places all batches at the same time.
async fn race(bench: &Bench, batches: Vec<Vec<Reservation>>) -> Vec<Placement> {
    let placers: Vec<_> = batches
        .into_iter()
        .map(|batch| {
            let bench = bench.clone();
            tokio::spawn(async move { insist(&bench, &batch).await })
        })
        .collect();
    let mut placements = Vec::new();
    for placer in placers {
        placements.extend(placer.await.unwrap());
    }
    placements
}

fn placed(placements: &[Placement]) -> usize {
    placements.iter().filter(|placement| placement.outcome == PLACED && !placement.duplicate).count()
}

pub(super) async fn racing_placers_never_sell_a_unit_twice(bench: Bench) {
    let sale = bench.open("s", &[30, 30], 1).await;
    let batch = |at: u16| -> Vec<Reservation> {
        (0..10).map(|n| at * 10 + n).map(|n| wants(&sale, n, &format!("buyer-{n}"), (n % 2) as u8, 1)).collect()
    };
    let placements = race(&bench, (0..10).map(batch).collect()).await;
    assert_eq!(placements.len(), 100);
    assert_eq!(placed(&placements), 60);
    assert_eq!(bench.totals(&sale).await, [(30, 0), (30, 0)]);
    assert_eq!(bench.effects().await.len(), 100, "each has its effect");
}

pub(super) async fn racing_deliveries_of_one_batch_make_one_order_each(bench: Bench) {
    for limit in [1, 2] {
        let sale = bench.open(&format!("s{limit}"), &[50], limit).await;
        let batch: Vec<Reservation> = (0..10).map(|n| wants(&sale, n, &format!("buyer-{n}"), 0, 1)).collect();
        let placements = race(&bench, vec![batch; 5]).await;
        assert!(placements.iter().all(|placement| placement.outcome == PLACED), "{placements:?}");
        assert_eq!(placed(&placements), 10, "limit {limit}");
        assert_eq!(bench.totals(&sale).await, [(10, 0)]);
    }
}

pub(super) async fn a_buyer_in_two_racing_batches_keeps_the_limit(bench: Bench) {
    for limit in [1, 2, 3] {
        let sale = bench.open(&format!("s{limit}"), &[50, 50], limit).await;
        let batch = |at: u16| -> Vec<Reservation> {
            (0..4).map(|n| wants(&sale, at * 4 + n, &format!("buyer-{n}"), (at % 2) as u8, 1)).collect()
        };
        let placements = race(&bench, (0..6).map(batch).collect()).await;
        assert_eq!(placed(&placements), 4 * usize::from(limit), "limit {limit}");
        let held: i64 = bench.totals(&sale).await.iter().map(|(held, _)| held).sum();
        assert_eq!(held, 4 * i64::from(limit));
    }
}
