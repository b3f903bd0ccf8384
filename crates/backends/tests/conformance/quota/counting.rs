//! Checking and counting are one step.

use domain::{QuotaEnd, QuotaKind, QuotaTaken, QuotaUsage, QuotaUse};

use super::{Bench, key, seed, used};

fn allowed(taken: &QuotaTaken) -> bool {
    matches!(taken, QuotaTaken::Allowed { .. })
}

pub(super) async fn a_use_counts_once_and_only_within_the_limit(bench: Bench) {
    assert_eq!(bench.take("1", 1, 5, None).await, QuotaTaken::Unseeded, "nobody knows what was used before");
    assert_eq!(bench.counted().await, None);
    let first = bench.take("1", 2, 5, Some(seed(0, "g"))).await;
    assert_eq!(first, QuotaTaken::Allowed { remaining: 3, generation: "g".to_owned() });
    let again = bench.take("1", 2, 5, None).await;
    assert_eq!(again, first, "a call that was sent twice counts once, and is answered alike");
    assert_eq!(bench.take("2", 4, 5, None).await, QuotaTaken::Exceeded { remaining: 3 });
    assert!(allowed(&bench.take("3", 3, 5, None).await));
    assert_eq!(bench.take("4", 1, 5, None).await, QuotaTaken::Exceeded { remaining: 0 });
    assert!(allowed(&bench.take("1", 2, 5, None).await), "also when nothing is left");
    assert_eq!(bench.take("4", 1, 3, None).await, QuotaTaken::Exceeded { remaining: 0 }, "a limit that was lowered");
    assert!(allowed(&bench.take("4", 1, 6, None).await), "a limit that was raised");
    assert_eq!(bench.counted().await, Some(6));
}

pub(super) async fn a_counter_begins_with_its_seed_and_not_again(bench: Bench) {
    assert_eq!(bench.take("1", 3, 5, Some(seed(3, "g"))).await, QuotaTaken::Exceeded { remaining: 2 });
    let second = bench.take("2", 1, 5, Some(seed(0, "h"))).await;
    assert_eq!(second, QuotaTaken::Allowed { remaining: 1, generation: "g".to_owned() }, "it has begun already");
    assert_eq!(bench.counted().await, Some(4));
}

pub(super) async fn what_was_not_used_is_given_back_once(bench: Bench) {
    let one = used(QuotaKind::Purchases, "ann", "1", 2);
    assert!(!bench.gate.end(&one, QuotaEnd::NotMade).await.unwrap(), "nothing was counted");
    assert!(allowed(&bench.take_as(&one, 2, Some(seed(0, "g"))).await));
    assert!(bench.gate.end(&one, QuotaEnd::NotMade).await.unwrap());
    assert!(!bench.gate.end(&one, QuotaEnd::NotMade).await.unwrap());
    assert_eq!(bench.counted().await, Some(0));
    assert!(allowed(&bench.take_as(&one, 2, None).await), "the same purchase may be tried again");
    assert_eq!(bench.counted().await, Some(2));
}

/// One token may be sent twice at once, through two gateways. It counts while one of the two may have made it.
pub(super) async fn a_use_counts_while_one_of_its_tries_may_have_made_it(bench: Bench) {
    let made_by = |attempt: &str| QuotaUse { attempt: attempt.to_owned(), ..used(QuotaKind::Purchases, "ann", "1", 2) };
    let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(made_by);
    let before = |held: bool| QuotaTaken::Before { remaining: 3, generation: "g".to_owned(), held };
    let end = async |one: &QuotaUse, end: QuotaEnd| bench.gate.end(one, end).await.unwrap();
    assert!(allowed(&bench.take_as(&a, 5, Some(seed(0, "g"))).await));
    assert_eq!(bench.take_as(&b, 5, None).await, before(true));
    assert!(!end(&a, QuotaEnd::NotMade).await && !end(&a, QuotaEnd::Denied).await, "the other one may be admitted");
    assert!(!end(&b, QuotaEnd::Unknown).await);
    assert_eq!(bench.counted().await, Some(2));
    for _ in 0..2 {
        assert_eq!(bench.take_as(&c, 5, None).await, before(false), "whoever knows that it was made writes it");
    }
    assert_eq!(bench.take_as(&d, 5, None).await, before(true));
    assert!(!end(&c, QuotaEnd::NotMade).await && !end(&d, QuotaEnd::NotMade).await, "it is still not known");
    assert_eq!(bench.take_as(&e, 5, None).await, before(false));
    assert!(end(&e, QuotaEnd::Denied).await, "the gate knows that none was admitted");
    assert_eq!(bench.counted().await, Some(0));
    assert!(allowed(&bench.take_as(&a, 5, None).await));
}

pub(super) async fn a_counter_learns_of_other_generations_and_never_forgets(bench: Bench) {
    let written = |list: &[(&str, u64)]| -> Vec<QuotaUsage> {
        list.iter().map(|(name, used)| QuotaUsage { generation: (*name).to_owned(), used: *used }).collect()
    };
    let ann = key(QuotaKind::Purchases, "ann");
    bench.gate.raise(&ann, &written(&[("old", 9)])).await.unwrap();
    assert_eq!(bench.counted().await, None, "there is no counter to tell");
    assert!(allowed(&bench.take("1", 1, 100, Some(seed(3, "g"))).await));
    for (told, counted) in [
        (&[("old", 3), ("g", 1)][..], 4), // what it began with, and what it has counted itself
        (&[("old", 5), ("g", 1), ("", 2)], 8), // written late, and counted without it
        (&[("old", 3), ("g", 1)], 8),     // old news
        (&[("old", 5), ("g", 1), ("", 2)], 8), // twice
    ] {
        bench.gate.raise(&ann, &written(told)).await.unwrap();
        assert_eq!(bench.counted().await, Some(counted), "{told:?}");
    }
}

pub(super) async fn a_hundred_at_once_share_three(bench: Bench) {
    let takes = (0..100).map(|n| {
        let bench = bench.clone();
        tokio::spawn(async move { bench.take(&n.to_string(), 1, 3, Some(seed(0, &format!("g{n}")))).await })
    });
    let taken = futures_util::future::join_all(takes).await;
    assert_eq!(taken.iter().filter(|taken| allowed(taken.as_ref().unwrap())).count(), 3);
    assert_eq!(bench.counted().await, Some(3));
}

pub(super) async fn subjects_kinds_and_days_do_not_touch_each_other(bench: Bench) {
    let ann = used(QuotaKind::Purchases, "ann", "1", 1);
    let bob = used(QuotaKind::Purchases, "b}o{b", "1", 1);
    let client = used(QuotaKind::Requests, "ann", "1", 1);
    let mut tomorrow = ann.clone();
    tomorrow.key.day = ann.key.day.succ_opt().unwrap();
    for one in [&ann, &bob, &client, &tomorrow] {
        assert!(allowed(&bench.take_as(one, 1, Some(seed(0, "g"))).await), "{one:?}");
    }
    for one in [&ann, &bob, &client, &tomorrow] {
        assert!(allowed(&bench.take_as(one, 1, None).await), "{one:?}");
        assert_eq!(bench.gate.counted(&one.key).await.unwrap(), Some(1));
    }
}
