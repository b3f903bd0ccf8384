//! Answers a second, in turn with the ceiling: ceiling, product, ceiling, product … with the same lines.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::bare::Bare;
use super::books::{self, Seen};
use super::client::{Answer, Client};
use super::figure::{Case, Figure, Goal, median_budget};
use super::stats::median;
use super::wrk::{self, Answered, Load};
use super::{Bench, cpu, shop};
use crate::signals;

/// Lines of the first run, which warms everything up.
const WARM_UP: u64 = 4_000;

/// Seconds of the second one, which says how many lines a round needs.
const TRIAL_S: f64 = 1.5;

/// Left to the servers after each round, for what they do when nobody waits.
const CALM: Duration = Duration::from_millis(500);

/// Units of the sale that is sold out.
const SCARCE: u64 = 1_000;

/// Orders whose jobs are polled.
const POLLED: u64 = 20_000;

/// Demo buyers who ask for tokens.
const ASKING: u64 = 10_000;

/// One way to load the stack.
struct Plan {
    name: &'static str,
    figure: &'static str,
    connections: u32,
    /// What every answer has to be.
    status: u16,
    goal: f64,
    /// Milliseconds within which 99 of 100 answers have to come; 0: no goal.
    p99_ms: f64,
    /// The clock stops when the last order is committed and announced, not with the last answer.
    committed: bool,
    /// How long a round is to take, in seconds; and in a full run.
    seconds: (u64, u64),
}

/// What a round sends, and to which sale.
struct Round {
    load: Load,
    sale: String,
    /// Orders that the sale has already.
    earlier: u64,
}

pub fn refusals(bench: &mut Bench) -> Result<Case> {
    let plan = Plan {
        name: "refusals",
        figure: "sold-out refusals",
        connections: 64,
        status: 409,
        goal: 0.85,
        p99_ms: 0.0,
        committed: false,
        seconds: (5, 10),
    };
    let sale = bench.sale(SCARCE)?;
    let first = shop::bodies(&bench.stack, &sale, "first-", SCARCE)?;
    let load = Load { file: first, lines: SCARCE, kind: "body", path: shop::orders(&sale), connections: 64 };
    bench.wrk(bench.stack.ports.buyers(), &load)?.all(202, SCARCE)?;
    bench.stack.settle(&sale)?;
    in_turn(bench, &plan, |bench, lines, round| {
        let file = shop::bodies(&bench.stack, &sale, &format!("late{round}-"), lines)?;
        let load = Load { file, lines, kind: "body", path: shop::orders(&sale), connections: 64 };
        Ok(Round { load, sale: sale.clone(), earlier: SCARCE })
    })
}

pub fn accepted(bench: &mut Bench) -> Result<Case> {
    let plan = Plan {
        name: "accepted",
        figure: "accepted purchases, each after the broker's confirm",
        connections: 256,
        status: 202,
        goal: 0.33,
        p99_ms: 25.0,
        committed: false,
        seconds: (3, 10),
    };
    in_turn(bench, &plan, purchases)
}

pub fn committed(bench: &mut Bench) -> Result<Case> {
    let plan = Plan {
        name: "committed",
        figure: "accepted, committed and announced purchases, sustained",
        connections: 256,
        status: 202,
        goal: 0.33,
        p99_ms: 25.0,
        committed: true,
        seconds: (10, 36),
    };
    in_turn(bench, &plan, purchases)
}

fn purchases(bench: &mut Bench, lines: u64, _round: u64) -> Result<Round> {
    let sale = bench.sale(lines)?;
    let file = shop::bodies(&bench.stack, &sale, "buyer-", lines)?;
    let load = Load { file, lines, kind: "body", path: shop::orders(&sale), connections: 256 };
    Ok(Round { load, sale, earlier: 0 })
}

pub fn tokens(bench: &mut Bench) -> Result<Case> {
    let plan = Plan {
        name: "tokens",
        figure: "tokens issued",
        connections: 64,
        status: 201,
        goal: 0.5,
        p99_ms: 0.0,
        committed: false,
        seconds: (3, 10),
    };
    let sale = bench.sale(SCARCE)?;
    in_turn(bench, &plan, |bench, lines, _| {
        let file = shop::logins(&bench.stack, ASKING, lines)?;
        let path = format!("/api/v1/sales/{sale}/tokens");
        Ok(Round { load: Load { file, lines, kind: "login", path, connections: 64 }, sale: sale.clone(), earlier: 0 })
    })
}

pub fn polls(bench: &mut Bench) -> Result<Case> {
    let plan = Plan {
        name: "polls",
        figure: "polls of placed jobs",
        connections: 64,
        status: 200,
        goal: 0.5,
        p99_ms: 0.0,
        committed: false,
        seconds: (3, 10),
    };
    let Round { load, sale, .. } = purchases(bench, POLLED, 0)?;
    bench.wrk(bench.stack.ports.buyers(), &load)?.all(202, POLLED)?;
    bench.stack.settle(&sale)?;
    in_turn(bench, &plan, |bench, lines, _| {
        let file = shop::job_paths(&mut bench.stack, &sale, lines)?;
        let load = Load { file, lines, kind: "path", path: "/".to_owned(), connections: 64 };
        Ok(Round { load, sale: sale.clone(), earlier: POLLED })
    })
}

fn in_turn(
    bench: &mut Bench,
    plan: &Plan,
    mut prepare: impl FnMut(&mut Bench, u64, u64) -> Result<Round>,
) -> Result<Case> {
    let warm = prepare(bench, WARM_UP, 0)?;
    let answer = one_answer(bench, &warm.load)?;
    ensure!(answer.status == plan.status, "the product answers {} {}", answer.status, answer.body);
    let bare = Bare::start(&Bare::program(&bench.target), &bench.stack.dir, &answer)?;
    let lines_in = |seconds: f64, seen: &Answered| (seen.rate() * seconds).max(WARM_UP as f64) as u64;
    let (first, ..) = product(bench, plan, &warm)?;
    let trial = prepare(bench, lines_in(TRIAL_S, &first), 0)?;
    let (second, ..) = product(bench, plan, &trial)?;
    let lines = lines_in(bench.seconds(plan.seconds) as f64, &second);
    let (mut rates, mut p99s, mut budgets, mut raw) = (vec![], vec![], vec![], vec![]);
    let (mut ceilings, mut ceilings_us) = (vec![], vec![]);
    for round in 1..=bench.rounds {
        let with = prepare(bench, lines, round)?;
        std::thread::sleep(CALM);
        let bare_pid = [("bare".to_owned(), bare.pid())];
        let before = cpu::used(&bare_pid);
        let ceiling = bench.wrk(bare.port, &with.load)?;
        let used = cpu::for_each(&before, &cpu::used(&bare_pid), ceiling.answered);
        ceiling.all(plan.status, lines).context("the ceiling")?;
        let (seen, seconds, budget) = product(bench, plan, &with)?;
        ceilings.push(ceiling.rate().round());
        ceilings_us.push(used.values().sum::<f64>() + ceiling.generator_us);
        rates.push((lines as f64 / seconds).round());
        p99s.push(seen.p99);
        budgets.push(budget);
        raw.push(json!({"ceiling": ceiling.to_json(), "product": seen.to_json(), "seconds": seconds}));
        println!(
            "       round {round}: ceiling {:.0} /s, product {:.0} /s, p99 {:.1} ms",
            ceiling.rate(),
            lines as f64 / seconds,
            seen.p99
        );
        ensure!(!signals::stopping(), "told to stop");
    }
    let mut figures = vec![Figure::new(plan.figure, "/s", rates, Some(Goal::AtLeast(plan.goal))).under(ceilings)];
    if plan.p99_ms > 0.0 {
        figures.push(Figure::new(
            format!("{}: p99 of the 202", plan.name),
            "ms",
            p99s,
            Some(Goal::AtMost(plan.p99_ms)),
        ));
    }
    let mut case = Case::new(plan.name, figures);
    case.budget = median_budget(&budgets);
    case.ceiling_us = Some(median(&ceilings_us));
    case.raw = json!({
        "lines": lines, "connections": plan.connections, "answerBytes": answer.head.len() + answer.body.len(),
        "rounds": Value::Array(raw),
    });
    Ok(case)
}

/// One run against the product. Its answers, the seconds by the plan's clock, and the processors' time by process. An error
/// if an answer is not as it should be or the books do not balance.
fn product(bench: &mut Bench, plan: &Plan, round: &Round) -> Result<(Answered, f64, cpu::Used)> {
    let before = cpu::used(&bench.stack.pids());
    let seen = bench.wrk(bench.stack.ports.buyers(), &round.load)?;
    bench.stack.settle(&round.sale)?;
    let settled = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let mut budget = cpu::for_each(&before, &cpu::used(&bench.stack.pids()), seen.answered);
    budget.insert("generator".to_owned(), seen.generator_us);
    seen.all(plan.status, round.load.lines)?;
    let accepted = round.earlier + seen.by_status.get(&202).copied().unwrap_or(0);
    books::check(&mut bench.stack, &round.sale, Seen { accepted, unknown: seen.unknown })?;
    let seconds = if plan.committed { settled.as_secs_f64() - seen.began } else { seen.seconds };
    Ok((seen, seconds, budget))
}

/// What the product says to the first line, byte for byte.
fn one_answer(bench: &Bench, load: &Load) -> Result<Answer> {
    let line = shop::first_line(&load.file)?;
    let mut client = Client::connect(bench.stack.ports.buyers())?;
    match load.kind {
        "path" => client.ask("GET", &line, &[], ""),
        "login" => client.ask("POST", &load.path, &[("Authorization", &format!("Bearer {line}"))], "{}"),
        _ => client.ask("POST", &load.path, &[], &line),
    }
}

impl Bench {
    /// A sale of this many units, warm and open.
    pub fn sale(&mut self, stock: u64) -> Result<String> {
        self.sales += 1;
        shop::sale(&self.stack, self.sales, stock)
    }

    /// Runs wrk against a port of this machine.
    pub fn wrk(&self, port: u16, load: &Load) -> Result<Answered> {
        wrk::run(port, load, &self.stack.dir.join("wrk.out"))
    }

    /// How long a round takes: as it was asked for, else as the plan says for a quick or a full run.
    pub fn seconds(&self, (quick, full): (u64, u64)) -> u64 {
        self.options.seconds.unwrap_or(if self.options.full { full } else { quick })
    }
}
