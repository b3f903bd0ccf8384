//! What is let through, and how long the others wait. Windows are long where time must not pass, and short where it has
//! to.

use domain::ports::LIMITS_MAX;

use super::bench::{Bench, GCRA, WINDOW, limit, ms};

const LONG: u64 = 3_600_000;

pub(super) async fn a_sliding_window_lets_its_limit_through_and_says_when_there_is_room(bench: Bench) {
    let three = limit("r:ann", WINDOW, 3, ms(400));
    let first = bench.spend(std::slice::from_ref(&three)).await;
    assert!(first.is_allowed());
    while bench.spend(std::slice::from_ref(&three)).await.is_allowed() {}
    let refused = bench.spend(std::slice::from_ref(&three)).await;
    if refused.at_us < first.at_us + 400_000 {
        let room = refused.at_us + refused.waits[0].as_micros() as u64;
        assert_eq!(room, first.at_us + 400_000, "there is room when the first one is a window old");
    }
    tokio::time::sleep(refused.waits[0]).await;
    assert!(bench.spend(&[three]).await.is_allowed(), "whoever waited as told is let through");
}

pub(super) async fn a_gcra_lets_its_limit_through_at_once_and_then_one_by_one(bench: Bench) {
    let slow = limit("r:ann", GCRA, 5, ms(LONG));
    assert_eq!(bench.counted(&slow, 8).await, 5);
    let refused = bench.spend(std::slice::from_ref(&slow)).await;
    let spacing = ms(LONG / 5);
    assert!(refused.waits[0] <= spacing && refused.waits[0] > spacing - ms(60_000), "{refused:?}");
    let fast = limit("r:bob", GCRA, 2, ms(200));
    assert_eq!(bench.counted(&fast, 2).await, 2);
    let refused = bench.spend(std::slice::from_ref(&fast)).await;
    tokio::time::sleep(refused.waits[0]).await;
    assert!(bench.spend(&[fast]).await.is_allowed());
}

pub(super) async fn either_every_limit_counts_a_request_or_none(bench: Bench) {
    let (mine, ours) = (limit("mine", WINDOW, 10, ms(LONG)), limit("ours", GCRA, 4, ms(LONG)));
    let both = [mine.clone(), ours.clone()];
    for _ in 0..4 {
        assert!(bench.spend(&both).await.is_allowed());
    }
    for _ in 0..20 {
        let refused = bench.spend(&both).await;
        assert!(!refused.is_allowed());
        assert!(refused.waits[0].is_zero() && !refused.waits[1].is_zero(), "only the second has no room: {refused:?}");
    }
    assert_eq!(bench.counted(&mine, 20).await, 6, "refused requests were not counted");
    let both = bench.spend(&both).await;
    assert!(both.waits.iter().all(|wait| !wait.is_zero()), "each says its own wait: {both:?}");
}

pub(super) async fn subjects_do_not_touch_each_other(bench: Bench) {
    for subject in ["r:ann", "r:bob", "r:ann:bob", "s:ann"] {
        for algorithm in [WINDOW, GCRA] {
            assert_eq!(bench.counted(&limit(subject, algorithm, 2, ms(LONG)), 5).await, 2, "{subject} {algorithm:?}");
        }
    }
}

pub(super) async fn a_limit_that_was_lowered_holds_at_once_and_a_higher_one_too(bench: Bench) {
    for algorithm in [WINDOW, GCRA] {
        let of = |number| limit("r:ann", algorithm, number, ms(LONG));
        assert_eq!(bench.counted(&of(5), 5).await, 5);
        assert_eq!(bench.counted(&of(3), 5).await, 0, "{algorithm:?}");
        if algorithm == WINDOW {
            assert_eq!(bench.counted(&of(7), 5).await, 2);
        }
    }
}

pub(super) async fn a_gcra_that_was_much_slower_does_not_hold_up_for_long(bench: Bench) {
    assert_eq!(bench.counted(&limit("r:ann", GCRA, 3, ms(24 * LONG)), 5).await, 3);
    let fast = limit("r:ann", GCRA, 3, ms(300));
    let refused = bench.spend(std::slice::from_ref(&fast)).await;
    assert!(!refused.is_allowed() && refused.waits[0] <= ms(100), "one spacing at most: {refused:?}");
}

pub(super) async fn sixty_four_limits_are_one_call(bench: Bench) {
    let all: Vec<_> = (0..LIMITS_MAX).map(|n| limit(&format!("r{n}"), WINDOW, 1, ms(LONG))).collect();
    assert!(bench.spend(&all).await.is_allowed());
    assert!(bench.spend(&all).await.waits.iter().all(|wait| !wait.is_zero()));
}

pub(super) async fn a_hundred_at_once_get_exactly_the_limit(bench: Bench) {
    for (key, algorithm) in [("w", WINDOW), ("g", GCRA)] {
        let ten = limit(key, algorithm, 10, ms(LONG));
        let tries = (0..100).map(|_| {
            let (bench, ten) = (bench.clone(), ten.clone());
            tokio::spawn(async move { bench.spend(&[ten]).await.is_allowed() })
        });
        let counted = futures_util::future::join_all(tries).await.into_iter().filter(|one| *one.as_ref().unwrap());
        assert_eq!(counted.count(), 10, "{algorithm:?}");
    }
}
