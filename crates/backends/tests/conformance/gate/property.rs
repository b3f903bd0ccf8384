//! The scripts do what the model does: the same random commands to both, compared after each step.
//!
//! Left out is what depends on when a command arrives: the window stays open, and nothing becomes overdue.

use std::sync::Arc;

use backends::SystemClock;
use backends::embedded::EmbeddedGate;
use domain::ports::{Clock, Condition, Gate, Held, JobLookup};
use domain::{
    Admissible, Attempt, GateCounters, Hold, ItemCounters, ItemIndex, JobId, JobRecord, Outcome, Quantity, Refusal,
    RefusedReason, Route, SaleState, Verdict, WarmSale, from_ms,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use super::bench::{redis_gate, route};

const CASES: u32 = 200;
/// Forty on average; a failing sequence is shortened to the steps that matter.
const STEPS_MAX: usize = 80;
const JOBS: u8 = 6;
const BUYERS: [&str; 3] = ["ann", "bob", "cid"];

/// What is done to both gates.
#[derive(Clone, Debug)]
enum Command {
    Admit { attempts: Vec<Try>, confirmed: Vec<u8> },
    MarkQueued(Vec<u8>),
    Hold { holds: Vec<Effect>, version: Option<(u8, i64)> },
    Begin { epoch: u32, stock: [i64; 2], limit: u16 },
    Finish { epoch: u32, versions: [i64; 2] },
    Follow { epoch: u32, state: SaleState, limit: u16 },
}

#[derive(Clone, Debug)]
struct Try {
    job: u8,
    buyer: usize,
    item: Option<u8>,
    quantity: u64,
    admissible: Admissible,
}

#[derive(Clone, Debug)]
struct Effect {
    job: u8,
    rev: u32,
    buyer: Option<usize>,
    item: Option<u8>,
    quantity: u16,
    units: u16,
    outcome: Outcome,
}

fn a_job() -> impl Strategy<Value = u8> {
    0..JOBS
}

/// Mostly one of the two items; sometimes one that is not there.
fn an_item() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![8 => (0..2_u8).prop_map(Some), 1 => Just(Some(2)), 1 => Just(None)]
}

fn a_try() -> impl Strategy<Value = Try> {
    let admissible = prop_oneof![
        8 => Just(Admissible::Yes),
        1 => Just(Admissible::TokenExpired),
        1 => Just(Admissible::BrokerAway),
    ];
    (a_job(), 0..BUYERS.len(), an_item(), 1..4_u64, admissible)
        .prop_map(|(job, buyer, item, quantity, admissible)| Try { job, buyer, item, quantity, admissible })
}

fn an_effect() -> impl Strategy<Value = Effect> {
    let outcome = prop_oneof![
        2 => Just(Outcome::Placed),
        1 => proptest::sample::select(RefusedReason::ALL.to_vec()).prop_map(Outcome::Refused),
    ];
    (a_job(), 1..4_u32, option::weighted(0.9, 0..BUYERS.len()), an_item(), 0..4_u16, any::<bool>(), outcome).prop_map(
        |(job, rev, buyer, item, quantity, live, outcome)| {
            let units = if live { quantity } else { 0 };
            Effect { job, rev, buyer, item, quantity, units, outcome }
        },
    )
}

fn a_command() -> impl Strategy<Value = Command> {
    let (epoch, limit) = (1..4_u32, 1..4_u16);
    let state = prop_oneof![
        6 => Just(SaleState::Open),
        1 => proptest::sample::select(SaleState::ALL.to_vec()),
    ];
    prop_oneof![
        10 => (vec(a_try(), 1..5), vec(a_job(), 0..3))
            .prop_map(|(attempts, confirmed)| Command::Admit { attempts, confirmed }),
        3 => vec(a_job(), 0..4).prop_map(Command::MarkQueued),
        6 => (vec(an_effect(), 0..4), option::of((0..3_u8, 0..6_i64)))
            .prop_map(|(holds, version)| Command::Hold { holds, version }),
        1 => (epoch.clone(), [0..6_i64, 0..6_i64], limit.clone())
            .prop_map(|(epoch, stock, limit)| Command::Begin { epoch, stock, limit }),
        2 => (epoch.clone(), [0..6_i64, 0..6_i64])
            .prop_map(|(epoch, versions)| Command::Finish { epoch, versions }),
        2 => (epoch, state, limit).prop_map(|(epoch, state, limit)| Command::Follow { epoch, state, limit }),
    ]
}

/// What a gate answered, without its clock.
#[derive(Debug, PartialEq)]
enum Answer {
    Verdicts(Vec<Verdict>),
    Noted,
    Held(Held),
    Done(bool),
}

/// What can be seen of a gate after a step, without its clock.
#[derive(Debug, PartialEq)]
enum View {
    Missing,
    Loading { epoch: u32 },
    Ready { epoch: u32, state: SaleState, items: Vec<ItemCounters>, waiting_jobs: u64, jobs: Vec<JobLookup> },
}

/// One of the two gates, at one sale.
struct Subject<'a> {
    gate: &'a dyn Gate,
    route: Route,
}

impl Subject<'_> {
    fn job(&self, n: u8) -> JobId {
        JobId::new(1_795_000_000_000, self.route, [0, 0, 0, 0, 0, n])
    }

    fn jobs(&self, numbers: &[u8]) -> Vec<JobId> {
        numbers.iter().map(|n| self.job(*n)).collect()
    }

    fn attempt(&self, one: &Try) -> Attempt {
        Attempt {
            job: self.job(one.job),
            buyer: BUYERS[one.buyer].parse().unwrap(),
            item: one.item.map(ItemIndex::new),
            quantity: Quantity::try_from(one.quantity).unwrap(),
            admissible: one.admissible,
        }
    }

    fn effect(&self, one: &Effect) -> Hold {
        Hold {
            job: self.job(one.job),
            rev: one.rev,
            buyer: one.buyer.map(|buyer| BUYERS[buyer].parse().unwrap()),
            item: one.item.map(ItemIndex::new),
            quantity: one.quantity,
            units: one.units,
            outcome: one.outcome,
            at: from_ms(1_795_000_000_000 + i64::from(one.rev)),
        }
    }

    fn sale(&self, epoch: u32, stock: [i64; 2], limit: u16) -> WarmSale {
        WarmSale {
            route: self.route,
            epoch,
            opens_at: from_ms(0),
            closes_at: SystemClock.now() + chrono::TimeDelta::hours(1),
            forget_at: SystemClock.now() + chrono::TimeDelta::hours(2),
            limit_per_buyer: limit,
            stock: stock.iter().map(|units| domain::ItemStock { units: *units, rev: 0 }).collect(),
            reloaded: false,
        }
    }

    async fn obey(&self, command: &Command) -> Answer {
        let Self { gate, route } = *self;
        match command {
            Command::Admit { attempts, confirmed } => {
                let attempts: Vec<Attempt> = attempts.iter().map(|one| self.attempt(one)).collect();
                let verdicts = gate.admit(route, &attempts, &self.jobs(confirmed)).await.unwrap();
                Answer::Verdicts(verdicts.into_iter().map(timeless_verdict).collect())
            }
            Command::MarkQueued(jobs) => {
                gate.mark_queued(route, &self.jobs(jobs)).await.unwrap();
                Answer::Noted
            }
            Command::Hold { holds, version } => {
                let holds: Vec<Hold> = holds.iter().map(|one| self.effect(one)).collect();
                let version = version.map(|(item, version)| (ItemIndex::new(item), version));
                Answer::Held(gate.hold(route, &holds, version).await.unwrap())
            }
            Command::Begin { epoch, stock, limit } => {
                Answer::Done(gate.begin_epoch(&self.sale(*epoch, *stock, *limit)).await.unwrap())
            }
            Command::Finish { epoch, versions } => {
                Answer::Done(gate.finish_epoch(route, *epoch, versions).await.unwrap())
            }
            Command::Follow { epoch, state, limit } => {
                Answer::Done(gate.follow(&self.sale(*epoch, [0, 0], *limit), *state).await.unwrap())
            }
        }
    }

    async fn view(&self) -> View {
        let (counters, state) = match self.gate.condition(self.route).await.unwrap() {
            Condition::Missing => return View::Missing,
            // What a gate answers of a job while it is loading is looked at by the scenarios.
            Condition::Stale { epoch, .. } => return View::Loading { epoch },
            Condition::Ready(counters, state) => (counters, state),
        };
        let mut jobs = Vec::new();
        for n in 0..JOBS {
            jobs.push(match self.gate.job(self.job(n)).await.unwrap() {
                JobLookup::Found(record) => JobLookup::Found(timeless(record)),
                other => other,
            });
        }
        let GateCounters { epoch, items, waiting_jobs, .. } = counters;
        View::Ready { epoch, state, items, waiting_jobs, jobs }
    }
}

/// A record without what the gate's own clock wrote into it.
fn timeless(mut record: JobRecord) -> JobRecord {
    if record.rev == 0 {
        record.updated_at = from_ms(0);
    }
    record.admitted_at = from_ms(0);
    record
}

fn timeless_verdict(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Admitted(record) => Verdict::Admitted(timeless(record)),
        Verdict::Repeated(record) => Verdict::Repeated(timeless(record)),
        Verdict::Refused(Refusal::NotOpen { opens_at, .. }) => {
            Verdict::Refused(Refusal::NotOpen { opens_at, server_time: opens_at })
        }
        refused => refused,
    }
}

async fn compare(script: Subject<'_>, model: Subject<'_>, commands: &[Command]) -> Result<(), TestCaseError> {
    for (step, command) in commands.iter().enumerate() {
        let (scripts, models) = (script.obey(command).await, model.obey(command).await);
        prop_assert_eq!(scripts, models, "Redis (left) answers step {} unlike the model: {:?}", step, command);
        let (scripts, models) = (script.view().await, model.view().await);
        prop_assert_eq!(scripts, models, "Redis (left) is unlike the model after step {}: {:?}", step, command);
    }
    Ok(())
}

#[test]
fn the_scripts_do_what_the_model_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let redis = runtime.block_on(redis_gate());
    let embedded = EmbeddedGate::new(Arc::new(SystemClock));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let next_sale = std::cell::Cell::new(0);

    // Most sequences start with an open sale, or hardly anything would happen in them.
    let warm = [
        Command::Begin { epoch: 1, stock: [3, 5], limit: 2 },
        Command::Follow { epoch: 1, state: SaleState::Open, limit: 2 },
        Command::Finish { epoch: 1, versions: [0, 0] },
    ];
    let sequence = (prop::bool::weighted(0.9), vec(a_command(), 1..=STEPS_MAX)).prop_map(move |(is_warm, random)| {
        let start = if is_warm { warm.to_vec() } else { Vec::new() };
        start.into_iter().chain(random).collect::<Vec<_>>()
    });
    let outcome = TestRunner::new(config).run(&sequence, |commands| {
        // Each run has a sale of its own: shortening repeats a sequence from a clean start.
        next_sale.set(next_sale.get() + 1);
        let route = route(next_sale.get(), 0);
        let (script, model) = (Subject { gate: redis.as_ref(), route }, Subject { gate: &embedded, route });
        runtime.block_on(compare(script, model, &commands))
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
}
