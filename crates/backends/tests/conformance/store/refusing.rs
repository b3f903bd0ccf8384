//! Jobs that are brought to an end without an order.

use domain::ports::Unplaced;
use domain::{OrderStatus, Outcome, RefusedReason};

use super::bench::{Bench, PLACED, buyer, job, wants};

const DISCARDED: Outcome = Outcome::Refused(RefusedReason::Discarded);

pub(super) async fn a_refused_job_stays_refused_when_its_message_comes(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let wanted = wants(&sale, 1, "ann", 0, 1);
    let unplaced = [Unplaced { job: wanted.job, reservation: Some(wanted.clone()) }];
    bench.orders.refuse(&unplaced, RefusedReason::Discarded).await.unwrap();
    let row = bench.orders.order(job(&sale, 1), &buyer("ann")).await.unwrap().unwrap();
    assert_eq!((row.status, row.reason), (OrderStatus::Rejected, Some(RefusedReason::Discarded)));
    let effects = bench.effects().await;
    assert_eq!(effects.len(), 1);
    assert_eq!((effects[0].job, effects[0].rev, effects[0].units, effects[0].outcome), (wanted.job, 1, 0, DISCARDED));
    assert_eq!(effects[0].buyer, Some(buyer("ann")));

    let late = bench.place(&[wanted]).await;
    assert_eq!((late[0].duplicate, late[0].outcome), (true, DISCARDED));
    assert_eq!(bench.totals(&sale).await, [(0, 0)]);
    assert_eq!(bench.effects().await, effects, "sent again, as it stands");
    assert_eq!(bench.outcomes(&[wants(&sale, 2, "ann", 0, 1)]).await, [PLACED], "it took no allowance");
}

pub(super) async fn a_placed_job_stays_placed_when_it_is_refused(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let wanted = wants(&sale, 1, "ann", 0, 1);
    assert_eq!(bench.outcomes(std::slice::from_ref(&wanted)).await, [PLACED]);
    let effects = bench.effects().await;
    let unplaced = [Unplaced { job: wanted.job, reservation: None }];
    bench.orders.refuse(&unplaced, RefusedReason::Unplaceable).await.unwrap();
    assert_eq!(bench.effects().await, effects);
    assert_eq!(bench.totals(&sale).await, [(1, 0)]);
    let row = bench.orders.order(wanted.job, &buyer("ann")).await.unwrap().unwrap();
    assert_eq!(row.status, OrderStatus::PendingPayment);
}

pub(super) async fn a_job_known_only_by_its_id_gets_its_row(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let unplaced = [1, 2].map(|n| Unplaced { job: job(&sale, n), reservation: None });
    bench.orders.refuse(&unplaced, RefusedReason::Unplaceable).await.unwrap();
    let mut effects = bench.effects().await;
    effects.sort_by_key(|hold| hold.job);
    assert_eq!(effects.iter().map(|hold| hold.job).collect::<Vec<_>>(), [job(&sale, 1), job(&sale, 2)]);
    for hold in &effects {
        assert_eq!((&hold.buyer, hold.item, hold.units, hold.rev), (&None, None, 0, 1));
        assert_eq!(hold.outcome, Outcome::Refused(RefusedReason::Unplaceable));
    }
    assert_eq!(bench.sales.holds(sale.number, None, 10).await.unwrap(), effects);
}
