//! Who may buy.

use domain::{Admissible, Attempt, JobState, Refusal, SaleState, Verdict};

use super::bench::{Bench, route};

pub(super) async fn a_purchase_takes_stock_and_allowance_and_is_recorded(bench: Bench) {
    bench.open(&[10, 20], 5).await;
    let before = bench.ready().await.0.now;
    let record = bench.buys(1, "ann", 1, 2).await;
    let after = bench.ready().await.0.now;

    assert_eq!((record.job, record.buyer.as_ref().unwrap().as_str()), (bench.job(1), "ann"));
    assert_eq!((record.item.unwrap().get(), record.quantity, record.units), (1, 2, 2));
    assert_eq!((record.rev, record.state), (0, JobState::Unpublished));
    assert!(before <= record.admitted_at && record.admitted_at <= after, "{record:?}");
    assert_eq!(record.updated_at, record.admitted_at);
    assert_eq!(bench.record(1).await, record);
    assert_eq!(bench.counters().await, [(10, 0, 0), (18, 2, 0)]);
    assert_eq!(bench.ready().await.0.waiting_jobs, 1);

    let reservation = record.reservation().unwrap();
    assert_eq!((reservation.job, reservation.quantity.get()), (bench.job(1), 2));
    assert_eq!(bench.gate.job(bench.job(2)).await.unwrap(), domain::ports::JobLookup::Absent);
}

pub(super) async fn the_same_token_gets_its_first_answer_whatever_has_happened_since(bench: Bench) {
    let rules = bench.rules(1, &[1], 1);
    bench.load(&rules, SaleState::Open).await;
    let first = bench.buys(1, "ann", 0, 1).await;
    let sold_out = bench.counters().await;

    let plain = bench.attempt(1, "ann", 0, 1);
    let repeats = [
        plain.clone(),
        Attempt { admissible: Admissible::TokenExpired, ..plain.clone() },
        Attempt { admissible: Admissible::BrokerAway, ..plain.clone() },
        Attempt { item: None, ..plain.clone() },
        bench.attempt(1, "ann", 200, 99),
        bench.attempt(1, "bob", 0, 1), // the token was verified; whose it is is not asked twice
    ];
    for state in SaleState::ALL {
        let ended = bench.now() - chrono::TimeDelta::seconds(1);
        for closes_at in [rules.closes_at, ended] {
            let rules = domain::WarmSale { closes_at, ..rules.clone() };
            assert!(bench.gate.follow(&rules, state).await.unwrap());
            for verdict in bench.admit(&repeats).await {
                assert_eq!(verdict, Verdict::Repeated(first.clone()), "{state:?}");
            }
        }
    }
    assert_eq!(bench.counters().await, sold_out);
}

pub(super) async fn every_refusal_takes_nothing_and_the_first_reason_counts(bench: Bench) {
    let rules = bench.rules(1, &[2, 0], 2);
    bench.load(&rules, SaleState::Open).await;
    bench.buys(1, "ann", 0, 1).await;
    let before = bench.ready().await;

    let with = |admissible, attempt| Attempt { admissible, ..attempt };
    let (expired, away) = (Admissible::TokenExpired, Admissible::BrokerAway);
    let nothing = Attempt { item: None, ..bench.attempt(2, "bob", 0, 3) };
    let limit_reached = Refusal::LimitReached { limit: 2, job: bench.job(1) };
    // Each attempt breaks its own rule and all that come after it in this list.
    let cases = [
        (with(expired, nothing.clone()), Refusal::TokenExpired),
        (with(away, nothing), Refusal::UnknownItem),
        (with(away, bench.attempt(2, "ann", 2, 3)), Refusal::UnknownItem),
        (with(away, bench.attempt(2, "ann", 1, 3)), Refusal::QuantityAboveLimit { limit: 2 }),
        (with(away, bench.attempt(2, "ann", 1, 2)), Refusal::BrokerAway),
        (bench.attempt(2, "ann", 1, 2), limit_reached),
        (bench.attempt(2, "ann", 1, 1), Refusal::SoldOut),
    ];
    for (attempt, refusal) in &cases {
        assert_eq!(bench.ask(attempt).await, Verdict::Refused(refusal.clone()), "{attempt:?}");
    }
    for (state, refusal) in [(SaleState::Paused, Refusal::Paused), (SaleState::Closed, Refusal::Ended)] {
        assert!(bench.gate.follow(&rules, state).await.unwrap());
        assert_eq!(bench.ask(&cases[0].0).await, Verdict::Refused(Refusal::TokenExpired));
        for (attempt, _) in &cases[1..] {
            assert_eq!(bench.ask(attempt).await, Verdict::Refused(refusal.clone()), "{attempt:?}");
        }
    }
    assert!(bench.gate.follow(&rules, SaleState::Open).await.unwrap());
    let after = bench.ready().await;
    assert_eq!((after.0.items, after.0.waiting_jobs), (before.0.items, before.0.waiting_jobs));
    assert_eq!(bench.gate.job(bench.job(2)).await.unwrap(), domain::ports::JobLookup::Absent);
}

pub(super) async fn what_is_left_is_sold_and_nothing_more(bench: Bench) {
    bench.open(&[3], 3).await;
    bench.buys(1, "ann", 0, 2).await;
    bench.is_refused(2, "bob", 0, 2, Refusal::SoldOut).await;
    bench.buys(3, "bob", 0, 1).await; // the token of a refused purchase would do as well
    bench.is_refused(4, "cid", 0, 1, Refusal::SoldOut).await;
    assert_eq!(bench.counters().await, [(0, 3, 0)]);
}

pub(super) async fn limits_of_one_two_and_three_count_over_all_items(bench: Bench) {
    for limit in 1..=3_u16 {
        let bench = Bench { route: route(u32::from(limit), 0), ..bench.clone() };
        bench.open(&[100, 100, 100], limit).await;
        bench.is_refused(90, "ann", 0, limit + 1, Refusal::QuantityAboveLimit { limit }).await;
        for n in 0..limit {
            bench.buys(n, "ann", (n % 3) as u8, 1).await;
        }
        for item in 0..3 {
            let job = bench.job(limit - 1);
            bench.is_refused(91, "ann", item, 1, Refusal::LimitReached { limit, job }).await;
        }
        // All of it at once, by somebody else.
        bench.buys(50, "bob", 2, limit).await;
        bench.is_refused(92, "bob", 0, 1, Refusal::LimitReached { limit, job: bench.job(50) }).await;
    }
    let bench = Bench { route: route(3, 0), ..bench };
    bench.buys(60, "cid", 0, 2).await;
    bench.is_refused(61, "cid", 1, 2, Refusal::LimitReached { limit: 3, job: bench.job(60) }).await;
    bench.buys(62, "cid", 1, 1).await;
}

pub(super) async fn a_changed_limit_counts_from_then_on(bench: Bench) {
    bench.open(&[10], 1).await;
    bench.buys(1, "ann", 0, 1).await;
    assert!(bench.gate.follow(&bench.rules(1, &[10], 2), SaleState::Open).await.unwrap());
    bench.buys(2, "ann", 0, 1).await;
    assert!(bench.gate.follow(&bench.rules(1, &[10], 1), SaleState::Open).await.unwrap());
    bench.is_refused(3, "ann", 0, 1, Refusal::LimitReached { limit: 1, job: bench.job(2) }).await;
    assert_eq!(bench.counters().await, [(8, 2, 0)], "what was admitted stays");
}

pub(super) async fn a_group_is_decided_in_its_order(bench: Bench) {
    bench.open(&[12], 1).await;
    let group = [
        bench.attempt(1, "ann", 0, 1),
        bench.attempt(1, "ann", 0, 1), // the same token again
        bench.attempt(2, "ann", 0, 1), // another token of the same buyer
        bench.attempt(3, "bob", 0, 1),
    ];
    let verdicts = bench.admit(&group).await;
    let Verdict::Admitted(first) = &verdicts[0] else { panic!("{verdicts:?}") };
    assert_eq!(verdicts[1], Verdict::Repeated(first.clone()));
    assert_eq!(verdicts[2], Verdict::Refused(Refusal::LimitReached { limit: 1, job: bench.job(1) }));
    assert!(matches!(verdicts[3], Verdict::Admitted(_)));

    // As many as one call takes, for the ten units that are left.
    let crowd: Vec<Attempt> = (100..164).map(|n| bench.attempt(n, &format!("buyer-{n}"), 0, 1)).collect();
    let verdicts = bench.admit(&crowd).await;
    assert!(verdicts[..10].iter().all(|verdict| matches!(verdict, Verdict::Admitted(_))), "{verdicts:?}");
    assert!(verdicts[10..].iter().all(|verdict| *verdict == Verdict::Refused(Refusal::SoldOut)), "{verdicts:?}");
    assert_eq!(bench.counters().await, [(0, 12, 0)]);
    assert!(bench.admit(&[]).await.is_empty());
}

pub(super) async fn a_confirm_that_rides_along_is_noted_first(bench: Bench) {
    bench.open(&[10], 1).await;
    bench.buys(1, "ann", 0, 1).await;
    let group = [bench.attempt(1, "ann", 0, 1), bench.attempt(2, "bob", 0, 1)];
    let confirmed = [bench.job(1), bench.job(2), bench.job(99)];
    let verdicts = bench.gate.admit(bench.route, &group, &confirmed).await.unwrap();
    let Verdict::Repeated(first) = &verdicts[0] else { panic!("{verdicts:?}") };
    assert_eq!(first.state, JobState::Queued);
    let Verdict::Admitted(second) = &verdicts[1] else { panic!("{verdicts:?}") };
    assert_eq!(second.state, JobState::Unpublished, "a confirm cannot come before its admission");
    assert_eq!(bench.counters().await, [(8, 1, 1)]);
}

pub(super) async fn routes_do_not_touch_each_other(bench: Bench) {
    let others = [route(1, 1), route(2, 0)];
    bench.open(&[1], 1).await;
    for route in others {
        Bench { route, ..bench.clone() }.open(&[1], 1).await;
    }
    bench.buys(1, "ann", 0, 1).await;
    for route in others {
        let other = Bench { route, ..bench.clone() };
        assert_eq!(other.counters().await, [(1, 0, 0)]);
        other.buys(1, "ann", 0, 1).await;
    }
}

pub(super) async fn a_hundred_at_once_share_ten_units(bench: Bench) {
    bench.open(&[10], 1).await;
    let buyers: Vec<_> = (0..100_u16)
        .map(|n| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.buy(n, &format!("buyer-{n}"), 0, 1).await })
        })
        .collect();
    let mut admitted = 0;
    for buyer in buyers {
        match buyer.await.unwrap() {
            Verdict::Admitted(_) => admitted += 1,
            other => assert_eq!(other, Verdict::Refused(Refusal::SoldOut)),
        }
    }
    assert_eq!(admitted, 10);
    assert_eq!(bench.counters().await, [(0, 10, 0)]);
}
