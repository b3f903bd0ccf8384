//! Every answer that a script of `lua/` can give is given by a real Redis, as the gate itself asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use domain::ports::{LockStore, LockToken};
use domain::{Admissible, Attempt, ConcurrencyRules, Outcome, QuotaEnd, QuotaKind, QuotaUse, SaleState};
use redis::Value;

use super::bench::{Bench, Time, redis_gate_at, route};
use super::tap::{Tap, word};
use crate::quota;
use crate::support::required;

/// The answers of each script. Counts above 1 stand under `1`; a list without a word is `nothing` or `jobs`.
const ANSWERS: [(&str, &str); 22] = [
    (
        "admit",
        "admitted repeated not-ready token-expired not-open ended paused unknown-item above-limit broker-away backlog \
         limit-reached sold-out busy-global busy-platform busy-account",
    ),
    ("begin_epoch", "0 1"),
    ("claim_overdue", "nothing jobs"),
    ("concurrency_config", "written kept newer"),
    ("concurrency_stats", "stats"),
    ("concurrency_task", "taken busy unlimited released"),
    ("concurrency_usage", "usage"),
    ("condition", "missing stale ready"),
    ("finish_epoch", "0 1"),
    ("follow", "0 1"),
    ("hold", "-1 0 1"),
    ("lease", "leased refused not-ready"),
    ("limit", "allowed refused"),
    ("lock", "taken held renewed ended lost active"),
    ("mark_queued", "0 1"),
    ("quota_raise", "-1 1"),
    ("quota_return", "0 1"),
    ("quota_take", "allowed before exceeded held unseeded"),
    ("reserve", "reserved refused stale not-ready"),
    ("restock", "-1 0 1"),
    ("scan", "page not-ready"),
    ("withdraw", "taken too-many ended stale not-ready"),
];

/// What the script of this name has answered.
fn said(script: &str, answer: Value) -> Vec<String> {
    match answer {
        Value::Int(number) => vec![number.clamp(-1, 1).to_string()],
        Value::Array(list) if script == "claim_overdue" => {
            vec![if list.is_empty() { "nothing" } else { "jobs" }.to_owned()]
        }
        // The first is the time, then two for each attempt.
        Value::Array(list) if script == "admit" => list.into_iter().skip(1).step_by(2).map(word).collect(),
        Value::Array(list) => list.into_iter().take(1).map(word).collect(),
        other => vec![word(other)],
    }
}

/// The words in quotes after `Answers` in the contract that a script opens with.
fn promised(source: &str) -> BTreeSet<String> {
    let contract = source.split("]]").next().unwrap();
    let answers = contract.split("  Answers  ").nth(1).unwrap().split("\n\n").next().unwrap();
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|one| one.is_ascii_lowercase() || one == '-');
    answers.split('\'').filter(is_word).map(str::to_owned).collect()
}

fn table() -> BTreeMap<String, BTreeSet<String>> {
    let set = |words: &str| words.split_whitespace().map(str::to_owned).collect();
    ANSWERS.iter().map(|(script, words)| ((*script).to_owned(), set(words))).collect()
}

#[test]
fn the_table_has_every_script_and_every_word_of_its_contract() {
    let lua = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lua");
    let mut table = table();
    for entry in std::fs::read_dir(lua).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "records" || name == "tokens" {
            continue; // what they share
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let words = table.remove(&name).unwrap_or_else(|| panic!("{name} is not in the table"));
        let promised = promised(&source);
        if !promised.is_empty() {
            assert_eq!(promised, words, "{name}");
        }
        assert!(source.contains(&format!("--[[ {name}: ")), "{name} says its name");
    }
    assert!(table.is_empty(), "there are no such scripts: {table:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_of_every_script_is_reached() {
    let tap = Tap::on(&required("REDIS_URL")).await;
    let gate = redis_gate_at(tap.url.clone()).await;
    limits(tap.url.clone()).await;
    quotas(&*gate).await;
    let bench = Bench { tokens: gate.clone(), gate: gate.clone(), time: Time::Real, route: route(1, 0) };
    without_a_sale(&bench).await;
    let rules = bench.rules(1, &[4, 0], 2);
    for begun in [true, false] {
        assert_eq!(bench.gate.begin_epoch(&rules).await.unwrap(), begun);
    }
    bench.gate.condition(bench.route).await.unwrap();
    bench.gate.follow(&rules, SaleState::Draft).await.unwrap();
    assert!(bench.gate.finish_epoch(bench.route, 1, &[0, 0]).await.unwrap());
    purchases(&bench, &rules).await;
    effects(&bench).await;
    in_flight(&bench).await;
    locks(gate.as_ref()).await;

    let mut reached: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (text, answer) in tap.calls() {
        // The comment of what they share comes first, then the script's own.
        let name = text.rsplit("--[[ ").next().unwrap().split(':').next().unwrap().to_owned();
        let words = said(&name, answer);
        reached.entry(name).or_default().extend(words);
    }
    assert_eq!(reached, table(), "reached (left), and what there is");
}

async fn limits(url: String) {
    use domain::ports::{LimitAlgorithm, SharedLimit, SharedLimits as _};
    let limits = crate::limits::redis_limits(url, crate::support::unique("limits")).await;
    let window = Duration::from_millis(5_000);
    let one = [SharedLimit { key: "r".to_owned(), algorithm: LimitAlgorithm::SlidingWindow, limit: 1, window }];
    for allowed in [true, false] {
        assert_eq!(limits.spend(&one).await.unwrap().is_allowed(), allowed);
    }
}

async fn quotas(gate: &impl domain::ports::QuotaGate) {
    let one = quota::used(QuotaKind::Purchases, "ann", "1", 1);
    let other = quota::used(QuotaKind::Purchases, "ann", "2", 1);
    let ends_at = quota::now() + chrono::TimeDelta::minutes(10);
    gate.raise(&one.key, &[]).await.unwrap();
    gate.take(&one, 1, ends_at, None).await.unwrap();
    let [again, third] = ["b", "c"].map(|attempt| QuotaUse { attempt: attempt.to_owned(), ..one.clone() });
    for one in [&one, &again, &other] {
        gate.take(one, 1, ends_at, Some(&quota::seed(0, "g"))).await.unwrap();
    }
    gate.end(&one, QuotaEnd::Unknown).await.unwrap();
    gate.end(&again, QuotaEnd::Unknown).await.unwrap();
    gate.take(&third, 1, ends_at, None).await.unwrap();
    gate.raise(&one.key, &[]).await.unwrap();
    for expected in [true, false] {
        assert_eq!(gate.end(&third, QuotaEnd::Denied).await.unwrap(), expected);
    }
}

async fn locks(store: &dyn LockStore) {
    let (ttl, [one, other]) = (Duration::from_secs(9), [1, 2].map(|n| LockToken::new([[n; 6]; 2])));
    for token in [&one, &other] {
        store.acquire("s1:load", token, ttl).await.unwrap();
        store.renew("s1:load", token, ttl).await.unwrap();
    }
    store.active().await.unwrap();
    store.release("s1:load", &one).await.unwrap();
}

async fn without_a_sale(bench: &Bench) {
    let rules = bench.rules(1, &[1], 1);
    bench.buy(1, "ann", 0, 1).await;
    bench.queued(1).await;
    bench.gate.claim_overdue(bench.route, 1).await.unwrap();
    bench.gate.hold(bench.route, &[], None).await.unwrap();
    bench.gate.condition(bench.route).await.unwrap();
    bench.gate.follow(&rules, SaleState::Open).await.unwrap();
    bench.gate.finish_epoch(bench.route, 1, &[0]).await.unwrap();
    bench.reserve(1, 2).await;
    bench.withdraw("w", 0, 1).await;
    bench.restock(0, 1, 1, None).await;
    bench.gate.records(bench.route, 0, 1).await.unwrap();
    bench.gate.lease(bench.route).await.unwrap();
}

async fn purchases(bench: &Bench, rules: &domain::WarmSale) {
    bench.buy(1, "ann", 0, 1).await; // a draft is not open
    for state in [SaleState::Paused, SaleState::Closed, SaleState::Open] {
        assert!(bench.gate.follow(rules, state).await.unwrap());
        bench.buy(1, "ann", 0, 1).await;
    }
    let with = |admissible, n| Attempt { admissible, ..bench.attempt(n, "bob", 0, 1) };
    let group = [
        bench.attempt(1, "ann", 0, 1),
        with(Admissible::TokenExpired, 2),
        with(Admissible::BrokerAway, 3),
        with(Admissible::Backlog, 9),
        bench.attempt(4, "bob", 9, 1),
        bench.attempt(5, "bob", 0, 3),
        bench.attempt(6, "ann", 0, 2),
        bench.attempt(7, "bob", 1, 1),
    ];
    bench.admit(&group).await;
    bench.queued(1).await;
    bench.buys(8, "cid", 0, 1).await;
    bench.pass(Duration::from_millis(2_050)).await;
    assert_eq!(bench.gate.claim_overdue(bench.route, 10).await.unwrap().len(), 1);
}

async fn effects(bench: &Bench) {
    bench.expired(20, "dan", 2).await;
    bench.expired(21, "eve", 2).await;
    bench.hold(&[bench.effect(20, 1, "dan", 2, Outcome::Placed)]).await;
    for (n, rev) in [(20, 9), (20, 2), (21, 2)] {
        bench.reserve(n, rev).await;
    }
    bench.withdraw("few", 0, 1).await;
    bench.restock(0, 9, 1, None).await;
    bench.withdraw("few", 0, 1).await;
    for _ in 0..2 {
        bench.restock(0, 8, 2, Some("few")).await;
    }
    bench.withdraw("few", 0, 1).await;
    bench.gate.records(bench.route, 0, 10).await.unwrap();
    bench.gate.lease(bench.route).await.unwrap();
    let sold_out = Bench { route: route(2, 0), ..bench.clone() };
    sold_out.open(&[0], 1).await;
    bench.gate.lease(sold_out.route).await.unwrap();
    bench.ready().await;
}

async fn in_flight(bench: &Bench) {
    let rules = |global_max, max| ConcurrencyRules {
        global_max,
        platform_max: [("app".to_owned(), max)].into(),
        task_type_max: [("publish".to_owned(), max)].into(),
        ..ConcurrencyRules::default()
    };
    for version in [2, 2, 1] {
        bench.tokens.obey(version, &rules(0, 1), false).await.unwrap();
    }
    let by_app = |n, buyer| Attempt { channel: "app".to_owned(), ..bench.attempt(n, buyer, 0, 1) };
    bench.restock(0, 90, 9, None).await;
    bench.admit(&[by_app(40, "fay"), by_app(41, "gil"), bench.attempt(42, "fay", 0, 1)]).await;
    bench.tokens.obey(3, &rules(1, 1), false).await.unwrap();
    bench.admit(&[bench.attempt(43, "hal", 0, 1), bench.attempt(44, "ivy", 0, 1)]).await;
    for (task, token) in [("publish", "a"), ("publish", "b"), ("refund", "c")] {
        bench.tokens.acquire(task, token).await.unwrap();
    }
    bench.tokens.release("publish", "a").await.unwrap();
    bench.tokens.usage().await.unwrap();
    bench.tokens.stats().await.unwrap();
}
