//! How fast a backlog drains, against the same statements alone.
//!
//! *Alone*: `crates/backends/examples/place.rs` writes as many orders with the product's own code, from memory, in the
//! same database; no consumer runs. *Drain*: the consumer is stopped, a backlog is accepted, the consumer is started; the
//! clock runs from its start until every order has its row, its effect and its event.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::books::{self, Seen};
use super::figure::{Case, Figure, Goal, median_budget};
use super::wrk::Load;
use super::{Bench, cpu, shop};
use crate::{process, signals};

/// Orders of a backlog: seconds of work, and accepted within the half minute after which the watch would send them again.
const BACKLOG: u64 = 100_000;

const ALONE_WITHIN: Duration = Duration::from_secs(300);

pub fn drain(bench: &mut Bench) -> Result<Case> {
    let (mut rates, mut alone, mut budgets) = (vec![], vec![], vec![]);
    for round in 1..=bench.rounds {
        alone.push(alone_once(bench, BACKLOG)?);
        let (rate, budget) = drain_once(bench, BACKLOG)?;
        rates.push(rate);
        budgets.push(budget);
        println!("       round {round}: alone {:.0} /s, drain {rate:.0} /s", alone[alone.len() - 1]);
        ensure!(!signals::stopping(), "told to stop");
    }
    let figure =
        Figure::new("drain of a backlog (ceiling: the same statements alone)", "/s", rates, Some(Goal::AtLeast(0.7)));
    let mut case = Case::new("drain", vec![figure.under(alone)]);
    case.budget = median_budget(&budgets);
    case.raw = json!({"orders": BACKLOG});
    Ok(case)
}

fn alone_once(bench: &mut Bench, orders: u64) -> Result<f64> {
    let sale = bench.sale(orders)?;
    let number = bench.stack.sql.number(&format!("select number from sales where id = '{sale}'"))?;
    bench.stack.stop_consumer();
    let output = bench.stack.dir.join("place.out");
    let mut place = Command::new(bench.target.join("examples/place"));
    place.args([number.to_string(), orders.to_string()]).env("DATABASE_URL", bench.stack.services.postgres.url());
    let written = process::run_logged(place, ALONE_WITHIN, &output).and_then(|status| {
        ensure!(status.success(), "the statements alone: {status}");
        Ok(std::fs::read_to_string(&output)?)
    });
    bench.stack.start_consumer()?;
    // The consumer tells the gate and the world of what was written without it.
    books::check(&mut bench.stack, &sale, Seen { accepted: orders, unknown: 0 })?;
    let written = written?;
    let rate = written.split_whitespace().last().and_then(|word| word.parse().ok());
    rate.with_context(|| format!("the statements alone printed {written:?}"))
}

fn drain_once(bench: &mut Bench, orders: u64) -> Result<(f64, cpu::Used)> {
    let sale = bench.sale(orders)?;
    let file = shop::bodies(&bench.stack, &sale, "buyer-", orders)?;
    let load = Load { file, lines: orders, kind: "body", path: shop::orders(&sale), connections: 256 };
    bench.stack.stop_consumer();
    let accepted = bench.wrk(bench.stack.ports.buyers(), &load);
    let before = cpu::used(&bench.stack.pids());
    let started = Instant::now();
    bench.stack.start_consumer()?;
    bench.stack.settle(&sale)?;
    let rate = (orders as f64 / started.elapsed().as_secs_f64()).round();
    let budget = cpu::for_each(&before, &cpu::used(&bench.stack.pids()), orders);
    let accepted = accepted?;
    accepted.all(202, orders)?;
    books::check(&mut bench.stack, &sale, Seen { accepted: orders, unknown: 0 })?;
    Ok((rate, budget))
}
