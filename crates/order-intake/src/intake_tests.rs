//! What an intake keeps of sales that are over.

use backends::SystemClock;
use backends::embedded::Embedded;
use domain::{Admissible, ItemIndex, Quantity, SaleNumber, Shard};

use super::*;

fn attempt(sale: u32, n: u8) -> Attempt {
    let route = Route { sale: SaleNumber::new(sale).unwrap(), shard: Shard::new(0).unwrap() };
    Attempt {
        job: JobId::new(1_795_000_000_000, route, [0, 0, 0, 0, 0, n]),
        buyer: "ann".parse().unwrap(),
        channel: String::new(),
        item: Some(ItemIndex::new(0)),
        quantity: Quantity::try_from(1).unwrap(),
        admissible: Admissible::Yes,
    }
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn a_lane_ends_with_its_sale_and_begins_anew_for_whoever_comes_all_the_same() {
    let clock = Arc::new(SystemClock);
    let Embedded { gate, queue, store, .. } = Embedded::new(clock.clone());
    let intake = Intake::new(gate, queue, Meter::new(store, clock, domain::Role::Gateway, "test", &[]));
    let before = tasks();
    for sale in 1..=100 {
        assert!(matches!(intake.purchase(attempt(sale, 1)).await, Answer::NotReady | Answer::Refused(_)));
    }
    assert_eq!(lock(&intake.lanes).len(), 100);
    assert_eq!(tasks() - before, 100);

    let kept = attempt(7, 1).job.route();
    let told = attempt(8, 1).job;
    intake.note_confirmed(told.route(), vec![told]);
    intake.keep_lanes(&[kept]);
    assert_eq!(lock(&intake.lanes).len(), 2, "one that is not over, and one that has something to tell");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tasks() - before, 2);
    assert!(matches!(intake.purchase(attempt(9, 2)).await, Answer::NotReady | Answer::Refused(_)));
    assert_eq!(lock(&intake.lanes).len(), 3);
}
