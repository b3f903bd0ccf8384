//! The scripts do what the model does: the same random commands to both, compared after each step; and after each step
//! the counters of both are what the records say.
//!
//! Left out is what depends on when a command arrives: the window stays open, and nothing becomes overdue.

mod books;
mod commands;
mod counts;
mod in_flight;
mod subject;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use backends::SystemClock;
use backends::embedded::EmbeddedGate;
use domain::ports::JobLookup;
use domain::{JobRecord, Refusal, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use self::books::Books;
use self::commands::{BUYERS, Command, a_sequence};
use self::counts::Counts;
use self::in_flight::InFlight;
use self::subject::{Subject, View};
use super::bench::{redis_gate, route};

const CASES: u32 = 200;

/// Each of these has to happen so often in a run, or it shows nothing about it. A usual run has several times as many.
const OFTEN: [(&str, u32); 20] = [
    ("refused AllBusy", 10),
    ("refused ChannelBusy", 10),
    ("refused BuyerBusy", 10),
    ("admitted and its buyer busy in one group", 3),
    ("group", 1_000),
    ("group with a token twice", 500),
    ("group with a buyer twice", 500),
    ("admitted and repeated in one group", 5),
    ("admitted and at the limit in one group", 5),
    ("reserve Reserved", 5),
    ("reserve Refused", 5),
    ("reserve Stale", 5),
    ("reserve NotReady", 5),
    ("withdraw Taken", 5),
    ("withdraw TooMany", 5),
    ("withdraw Ended", 5),
    ("withdraw NotReady", 5),
    ("restock Applied(0)", 5),
    ("restock Applied(1)", 5),
    ("restock NotReady", 5),
];

async fn compare(
    script: &Subject<'_>,
    model: &Subject<'_>,
    commands: &[Command],
    counts: &RefCell<Counts>,
) -> Result<(), TestCaseError> {
    let mut books = Books::default();
    let mut in_flight = InFlight::default();
    script.lift_limits().await;
    model.lift_limits().await;
    for (step, command) in commands.iter().enumerate() {
        let (scripts, models) = (script.obey(command).await, model.obey(command).await);
        counts.borrow_mut().note(command, &scripts);
        books.note(command, &scripts)?;
        in_flight.note(command, &scripts);
        prop_assert_eq!(scripts, models, "Redis (left) answers step {} unlike the model: {:?}", step, command);
        for one in [script, model] {
            let usage = one.tokens.usage().await.unwrap();
            prop_assert_eq!(usage, in_flight.usage(), "tokens of a gate (left) after step {}: {:?}", step, command);
        }
        let (scripts, models) = (script.view().await, model.view().await);
        if let View::Ready { items, jobs, .. } = &scripts {
            let counters: Vec<_> = items.iter().map(|item| (item.free, item.unpublished, item.queued)).collect();
            let expected = books.counters(&records(jobs));
            prop_assert_eq!(
                counters,
                expected,
                "Redis (left) counts what is not so after step {}: {:?}",
                step,
                command
            );
        }
        prop_assert_eq!(scripts, models, "Redis (left) is unlike the model after step {}: {:?}", step, command);
    }
    settle(script, &books).await?;
    settle(model, &books).await
}

fn records(jobs: &[JobLookup]) -> Vec<JobRecord> {
    let found = |job: &JobLookup| if let JobLookup::Found(record) = job { Some(record.clone()) } else { None };
    jobs.iter().filter_map(found).collect()
}

/// At the end: the pages show each record, and what each buyer may still buy is what they do not hold.
async fn settle(subject: &Subject<'_>, books: &Books) -> Result<(), TestCaseError> {
    subject.lift_limits().await;
    if let View::Loading { epoch } = subject.view().await {
        prop_assert!(subject.gate.finish_epoch(subject.route, epoch, &[0, 0]).await.unwrap());
    }
    let View::Ready { epoch, items, jobs, .. } = subject.view().await else { return Ok(()) };
    let records = records(&jobs);
    let pages = subject.pages().await;
    prop_assert_eq!(&pages, &records, "the pages (left) show other records");
    let counters: Vec<_> = items.iter().map(|item| (item.free, item.unpublished, item.queued)).collect();
    prop_assert_eq!(counters, books.counters(&pages), "a gate (left) counts what is not so");

    for at in 0..BUYERS.len() {
        let name = subject.buyer(at);
        let is_theirs = |record: &&JobRecord| record.buyer.as_ref().is_some_and(|buyer| buyer.as_str() == name);
        let mut held: u16 = records.iter().filter(is_theirs).map(|record| record.units).sum();
        let tokens = 100 + 2 * at as u8;
        match subject.buys_at_limit(epoch, held + 1, at, tokens).await {
            Verdict::Admitted(_) => held += 1,
            verdict => prop_assert_eq!(verdict, Verdict::Refused(Refusal::SoldOut), "{} holds {}", name, held),
        }
        if held > 0 {
            let verdict = subject.buys_at_limit(epoch, held, at, tokens + 1).await;
            let is_limited = matches!(verdict, Verdict::Refused(Refusal::LimitReached { .. }));
            prop_assert!(is_limited, "{} holds {}: {:?}", name, held, verdict);
        }
    }
    Ok(())
}

#[test]
fn the_scripts_do_what_the_model_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let redis = runtime.block_on(redis_gate());
    let embedded = EmbeddedGate::new(Arc::new(SystemClock));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let (next_sale, counts) = (Cell::new(0), RefCell::default());
    let outcome = TestRunner::new(config).run(&a_sequence(), |commands| {
        // Each run has a sale of its own: shortening repeats a sequence from a clean start.
        next_sale.set(next_sale.get() + 1);
        let route = route(next_sale.get(), 0);
        let script = Subject { gate: redis.as_ref(), tokens: redis.as_ref(), route };
        let model = Subject { gate: &embedded, tokens: &embedded, route };
        runtime.block_on(compare(&script, &model, &commands, &counts))
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Abort(why)) => panic!("{why}"),
        Err(TestError::Fail(why, commands)) => {
            let steps: Vec<String> =
                commands.iter().enumerate().map(|(step, command)| format!("{step:>3} {command:?}")).collect();
            panic!("{why}\n\nthe sequence:\n{}", steps.join("\n"));
        }
    }
    let counts = counts.into_inner();
    let rare: Vec<_> = OFTEN.iter().filter(|(what, often)| counts.of(what) < *often).collect();
    assert!(rare.is_empty(), "too rare: {rare:?} in {counts:#?}");
    println!("{counts:#?}");
}
