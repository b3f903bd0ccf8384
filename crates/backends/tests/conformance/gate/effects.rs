//! What became of a reservation: confirmed, placed, refused, and every later change of its order.

use domain::ports::{HOLD_MAX, Held};
use domain::{Hold, ItemIndex, JobState, Outcome, Refusal, RefusedReason};

use super::bench::{Bench, route};

const SOLD_OUT: Outcome = Outcome::Refused(RefusedReason::SoldOut);

pub(super) async fn a_confirm_moves_units_once_and_only_before_an_effect(bench: Bench) {
    bench.open(&[10], 3).await;
    let admitted = bench.buys(1, "ann", 0, 2).await;
    for _ in 0..2 {
        bench.queued(1).await;
        assert_eq!(bench.counters().await, [(8, 0, 2)]);
    }
    let queued = bench.record(1).await;
    assert_eq!(queued.state, JobState::Queued);
    assert_eq!((queued.rev, queued.updated_at), (0, admitted.admitted_at), "to the buyer nothing has changed");

    assert_eq!(bench.hold(&[bench.effect(1, 1, "ann", 2, Outcome::Placed)]).await, 1);
    bench.queued(1).await;
    assert_eq!(bench.record(1).await.state, JobState::Placed);
    assert_eq!(bench.counters().await, [(8, 0, 0)]);
    bench.gate.mark_queued(bench.route, &[bench.job(7)]).await.unwrap();
    bench.gate.mark_queued(bench.route, &[]).await.unwrap();
    assert_eq!(bench.counters().await, [(8, 0, 0)]);
}

pub(super) async fn a_placed_order_keeps_its_units_and_a_refused_one_gives_them_back(bench: Bench) {
    for confirmed in [false, true] {
        let bench = Bench { route: route(1 + u32::from(confirmed), 0), ..bench.clone() };
        bench.open(&[2], 1).await;
        let admitted = bench.buys(1, "ann", 0, 1).await;
        bench.buys(2, "bob", 0, 1).await;
        if confirmed {
            bench.queued(1).await;
            bench.queued(2).await;
        }
        let refused = bench.effect(2, 1, "bob", 0, SOLD_OUT);
        assert_eq!(bench.hold(&[bench.effect(1, 1, "ann", 1, Outcome::Placed), refused.clone()]).await, 2);
        assert_eq!(bench.counters().await, [(1, 0, 0)]);
        assert_eq!(bench.ready().await.0.waiting_jobs, 0);

        let placed = bench.record(1).await;
        assert_eq!((placed.state, placed.rev, placed.units), (JobState::Placed, 1, 1));
        assert_eq!(placed.admitted_at, admitted.admitted_at);
        let back = bench.record(2).await;
        assert_eq!((back.state, back.rev), (JobState::Refused(RefusedReason::SoldOut), 1));
        assert_eq!((back.quantity, back.units, back.updated_at), (1, 0, refused.at));

        // Ann has hers; Bob's allowance came back with his unit.
        bench.is_refused(3, "ann", 0, 1, Refusal::LimitReached { limit: 1, job: bench.job(1) }).await;
        bench.buys(4, "bob", 0, 1).await;
        bench.is_refused(5, "cid", 0, 1, Refusal::SoldOut).await;
    }
}

pub(super) async fn effects_come_in_any_order_and_any_number_of_times(bench: Bench) {
    // Placed with two units, rebooked with one, cancelled: by number of the change, in every order, with repeats.
    let orders: [&[usize]; 8] = [
        &[0, 1, 2],
        &[0, 2, 1],
        &[1, 0, 2],
        &[1, 2, 0],
        &[2, 0, 1],
        &[2, 1, 0],
        &[0, 0, 1, 1, 2, 2],
        &[2, 1, 0, 2, 1, 0],
    ];
    let mut sale = 0;
    for admitted in [true, false] {
        for order in orders {
            sale += 1;
            let bench = Bench { route: route(sale, 0), ..bench.clone() };
            bench.open(&[5], 2).await;
            if admitted {
                bench.buys(1, "ann", 0, 2).await;
            }
            let changes = [
                bench.effect(1, 1, "ann", 2, Outcome::Placed),
                bench.effect(1, 2, "ann", 1, Outcome::Placed),
                bench.effect(1, 3, "ann", 0, Outcome::Placed),
            ];
            let mut newest = 0;
            for &at in order {
                let newer = usize::from(changes[at].rev > newest);
                newest = newest.max(changes[at].rev);
                assert_eq!(bench.hold(&changes[at..=at]).await, newer, "{order:?}");
                let held = i64::from(changes[newest as usize - 1].units);
                assert_eq!(bench.counters().await, [(5 - held, 0, 0)], "{order:?}");
            }
            let record = bench.record(1).await;
            assert_eq!((record.rev, record.units, record.state), (3, 0, JobState::Placed));
            bench.buys(2, "ann", 0, 2).await; // the whole allowance is back
        }
    }
}

pub(super) async fn what_the_gate_has_forgotten_is_counted_when_its_effect_comes(bench: Bench) {
    bench.open(&[3], 2).await;
    let hold = bench.effect(1, 1, "ann", 2, Outcome::Placed);
    assert_eq!(bench.hold(&[hold.clone(), hold.clone()]).await, 1);
    assert_eq!(bench.counters().await, [(1, 0, 0)]);
    let record = bench.record(1).await;
    assert_eq!((record.quantity, record.units, record.rev), (2, 2, 1));
    assert_eq!((record.admitted_at, record.updated_at), (hold.at, hold.at));
    bench.is_refused(2, "ann", 0, 1, Refusal::LimitReached { limit: 2, job: bench.job(1) }).await;
    bench.is_refused(3, "bob", 0, 2, Refusal::SoldOut).await;
    bench.buys(4, "bob", 0, 1).await;

    // A repeat of that token is answered from the effect.
    let repeated = bench.buy(1, "ann", 0, 2).await;
    assert_eq!(repeated, domain::Verdict::Repeated(record));
}

pub(super) async fn a_job_known_only_by_its_id_has_an_answer(bench: Bench) {
    bench.open(&[3], 1).await;
    let outcome = Outcome::Refused(RefusedReason::Unplaceable);
    let unreadable =
        Hold { buyer: None, item: None, quantity: 0, units: 0, ..bench.effect(1, 1, "nobody", 0, outcome) };
    assert_eq!(bench.hold(std::slice::from_ref(&unreadable)).await, 1);
    let record = bench.record(1).await;
    assert_eq!((record.buyer, record.item, record.quantity), (None, None, 0));
    assert_eq!(record.state, JobState::Refused(RefusedReason::Unplaceable));
    assert_eq!(bench.counters().await, [(3, 0, 0)]);

    // One that was admitted keeps what is known of it, and gives its units back.
    bench.buys(2, "ann", 0, 1).await;
    assert_eq!(bench.hold(&[Hold { job: bench.job(2), ..unreadable }]).await, 1);
    let record = bench.record(2).await;
    assert_eq!((record.buyer.unwrap().as_str(), record.item.unwrap().get(), record.quantity), ("ann", 0, 1));
    assert_eq!(bench.counters().await, [(3, 0, 0)]);
    bench.buys(3, "ann", 0, 1).await;
}

pub(super) async fn more_than_the_stock_is_a_debt_that_is_worked_off(bench: Bench) {
    bench.open(&[2], 3).await;
    bench.buys(1, "ann", 0, 2).await;
    // The gate had lost this one, and has given its unit to Ann.
    bench.hold(&[bench.effect(2, 1, "bob", 1, Outcome::Placed)]).await;
    assert_eq!(bench.counters().await, [(-1, 2, 0)]);
    bench.is_refused(3, "cid", 0, 1, Refusal::SoldOut).await;
    bench.hold(&[bench.effect(1, 1, "ann", 0, SOLD_OUT)]).await;
    assert_eq!(bench.counters().await, [(1, 0, 0)]);
    bench.buys(4, "cid", 0, 1).await;
}

pub(super) async fn item_versions_only_grow(bench: Bench) {
    bench.open(&[2, 2], 1).await;
    let versions = async || {
        let (counters, _) = bench.ready().await;
        counters.items.iter().map(|item| item.version).collect::<Vec<_>>()
    };
    for (item, version, expected) in [(1, 5, [0, 5]), (1, 3, [0, 5]), (0, 1, [1, 5]), (1, 6, [1, 6]), (9, 7, [1, 6])] {
        let version = Some((ItemIndex::new(item), version));
        assert_eq!(bench.gate.hold(bench.route, &[], version).await.unwrap(), Held::Applied(0));
        assert_eq!(versions().await, expected);
    }
    bench.hold(&[bench.effect(1, 1, "ann", 1, Outcome::Placed)]).await;
    assert_eq!(versions().await, [1, 6], "an effect without a version leaves it");
}

pub(super) async fn five_hundred_holds_are_one_call(bench: Bench) {
    bench.open(&[1_000], 2).await;
    let count = HOLD_MAX as u16;
    let holds: Vec<Hold> = (0..count).map(|n| bench.effect(n, 1, &format!("buyer-{n}"), 2, Outcome::Placed)).collect();
    assert_eq!(bench.hold(&holds).await, HOLD_MAX);
    assert_eq!(bench.hold(&holds).await, 0);
    assert_eq!(bench.counters().await, [(1_000 - 2 * i64::from(count), 0, 0)]);
}
