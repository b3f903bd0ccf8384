//! When a sale admits: its window by the gate's clock, and the operator's state.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{Refusal, SaleState, Verdict, WarmSale};

use super::bench::{Bench, Time};

pub(super) async fn nobody_is_a_millisecond_early_or_late(bench: Bench) {
    let rules = bench.rules(1, &[10_000], 1);
    bench.load(&rules, SaleState::Draft).await;
    let now = bench.ready().await.0.now;
    let (opens_at, closes_at) = (now + TimeDelta::milliseconds(20), now + TimeDelta::milliseconds(60));
    assert!(bench.gate.follow(&WarmSale { opens_at, closes_at, ..rules }, SaleState::Open).await.unwrap());

    let (mut early, mut admitted) = (0, 0);
    for n in 0..10_000 {
        match bench.buy(n, &format!("buyer-{n}"), 0, 1).await {
            Verdict::Refused(Refusal::NotOpen { opens_at: told, server_time }) => {
                assert!(told == opens_at && server_time < opens_at, "{server_time} is not before {opens_at}");
                assert_eq!(admitted, 0, "shut again");
                early += 1;
            }
            Verdict::Admitted(record) => {
                let at = record.admitted_at;
                assert!(opens_at <= at && at < closes_at, "{at} is not from {opens_at} to {closes_at}");
                admitted += 1;
            }
            verdict => {
                assert_eq!(verdict, Verdict::Refused(Refusal::Ended));
                assert!(bench.ready().await.0.now >= closes_at);
                break;
            }
        }
        if let Time::ByHand(_) = bench.time {
            bench.pass(Duration::from_millis(1)).await;
        }
    }
    assert!(early > 0 && admitted > 0, "{early} were early, {admitted} were admitted");
    if let Time::ByHand(_) = bench.time {
        assert_eq!((early, admitted), (20, 40), "one for each millisecond");
    }
}

pub(super) async fn the_operators_state_decides_within_the_window(bench: Bench) {
    let rules = bench.rules(1, &[10], 1);
    bench.load(&rules, SaleState::Draft).await;
    let not_open = bench.buy(1, "ann", 0, 1).await;
    assert!(matches!(not_open, Verdict::Refused(Refusal::NotOpen { .. })), "{not_open:?}");

    for (state, refusal) in [
        (SaleState::Open, None),
        (SaleState::Paused, Some(Refusal::Paused)),
        (SaleState::Open, None),
        (SaleState::Closed, Some(Refusal::Ended)),
    ] {
        assert!(bench.gate.follow(&rules, state).await.unwrap());
        assert_eq!(bench.ready().await.1, state);
        let n = bench.ready().await.0.waiting_jobs as u16 + 10;
        match refusal {
            None => drop(bench.buys(n, &format!("buyer-{n}"), 0, 1).await),
            Some(refusal) => bench.is_refused(n, "bob", 0, 1, refusal).await,
        }
    }

    // Outside the window: an end is an end for a paused sale too, and a pause hides that it is early.
    let (past, future) = (bench.now() - TimeDelta::seconds(1), bench.now() + TimeDelta::hours(1));
    let ended = WarmSale { closes_at: past, ..rules.clone() };
    assert!(bench.gate.follow(&ended, SaleState::Paused).await.unwrap());
    bench.is_refused(30, "cid", 0, 1, Refusal::Ended).await;
    let early = WarmSale { opens_at: future, closes_at: future + TimeDelta::hours(1), ..rules };
    assert!(bench.gate.follow(&early, SaleState::Paused).await.unwrap());
    bench.is_refused(31, "cid", 0, 1, Refusal::Paused).await;
}

pub(super) async fn a_draft_is_not_open_whatever_its_window_says(bench: Bench) {
    let rules = bench.rules(1, &[10], 1);
    bench.load(&rules, SaleState::Draft).await;
    let past = bench.now() - TimeDelta::seconds(1);
    assert!(bench.gate.follow(&WarmSale { closes_at: past, ..rules }, SaleState::Draft).await.unwrap());
    let verdict = bench.buy(1, "ann", 0, 1).await;
    assert!(matches!(verdict, Verdict::Refused(Refusal::NotOpen { .. })), "{verdict:?}");
}
