//! Every answer that a script of `lua/` can give is given by a real Redis, as the gate itself asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use domain::ports::{LockStore, LockToken};
use domain::{Admissible, Attempt, Outcome, SaleState};
use redis::Value;

use super::bench::{Bench, Time, redis_gate_at, route};
use super::tap::{Tap, word};
use crate::support::required;

/// The answers of each script. Counts above 1 stand under `1`; a list without a word is `nothing` or `jobs`.
const ANSWERS: [(&str, &str); 13] = [
    (
        "admit",
        "admitted repeated not-ready token-expired not-open ended paused unknown-item above-limit broker-away \
         limit-reached sold-out",
    ),
    ("begin_epoch", "0 1"),
    ("claim_overdue", "nothing jobs"),
    ("condition", "missing stale ready"),
    ("finish_epoch", "0 1"),
    ("follow", "0 1"),
    ("hold", "-1 0 1"),
    ("lock", "taken held renewed ended lost active"),
    ("mark_queued", "0 1"),
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
        if name == "records" {
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
    let bench = Bench { gate: gate.clone(), time: Time::Real, route: route(1, 0) };
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
    bench.ready().await;
}
