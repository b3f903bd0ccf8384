//! How long a buyer waits: for the 202, and from the press to the order, at fixed rates and after a step.

use std::fmt;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::books::{self, Seen};
use super::figure::{Case, Figure, Goal, median_budget};
use super::open_loop::{self, Press, Pressed, Stage};
use super::stats::quantile;
use super::{Bench, cpu, shop};
use crate::signals;

/// Presses a second.
const RATES: [u64; 4] = [100, 1_000, 2_000, 10_000];

/// Seconds at each rate; and in a full run.
const SECONDS: (u64, u64) = (5, 20);

/// The rate that has goals, in milliseconds.
const JUDGED: u64 = 2_000;
const P99_OF_202_MS: f64 = 5.0;
const P99_OF_PLACED_MS: f64 = 50.0;

const STEP: [Stage; 2] = [Stage { per_second: 100, seconds: 5 }, Stage { per_second: 2_000, seconds: 10 }];
/// After the step the p99 of each second is to be below this again …
const CALM_MS: f64 = 10.0;
/// … within so many seconds.
const CALM_WITHIN_S: f64 = 2.0;

/// The name of one of these figures: `202 at 2000 /s, p99`.
#[derive(Debug, PartialEq)]
pub struct Named {
    /// `202` or `placed`.
    pub what: String,
    pub rate: u64,
    /// `p50`, `p99` or `p99.9`.
    pub share: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} /s, {}", self.what, self.rate, self.share)
    }
}

impl Named {
    pub fn parse(name: &str) -> Option<Self> {
        let (what, rest) = name.split_once(" at ")?;
        let (rate, share) = rest.split_once(" /s, ")?;
        Some(Self { what: what.to_owned(), rate: rate.parse().ok()?, share: share.to_owned() })
    }
}

/// Enough that none has to wait for a connection at the rates that the product can serve.
fn connections(rate: u64) -> usize {
    if rate > 2_000 { 256 } else { 64 }
}

pub fn latency(bench: &mut Bench) -> Result<Case> {
    let mut case = Case::new("latency", Vec::new());
    let mut raw = Vec::new();
    let mut budgets = Vec::new();
    for rate in RATES {
        let stages = [Stage { per_second: rate, seconds: bench.seconds(SECONDS) }];
        let mut rounds = Vec::new();
        for round in 1..=bench.rounds {
            let (pressed, budget) = press(bench, &stages, connections(rate))?;
            let times = times(&pressed.presses);
            println!(
                "       {rate} /s, round {round}: 202 p50 {:.2}, p99 {:.2}, p99.9 {:.2} ms; placed p50 {:.1}, p99 {:.1} ms",
                quantile(&times, 0.5),
                quantile(&times, 0.99),
                quantile(&times, 0.999),
                quantile(&pressed.placed_ms, 0.5),
                quantile(&pressed.placed_ms, 0.99)
            );
            if rate == JUDGED {
                budgets.push(budget);
            }
            rounds.push((times, pressed.placed_ms));
        }
        for (share, name) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")] {
            let judged = rate == JUDGED && name == "p99";
            let goal = |most| judged.then_some(Goal::AtMost(most));
            let of_202 = rounds.iter().map(|(times, _)| quantile(times, share)).collect();
            let of_placed = rounds.iter().map(|(_, placed)| quantile(placed, share)).collect();
            let named = |what: &str| Named { what: what.to_owned(), rate, share: name.to_owned() }.to_string();
            case.figures.push(Figure::new(named("202"), "ms", of_202, goal(P99_OF_202_MS)));
            case.figures.push(Figure::new(named("placed"), "ms", of_placed, goal(P99_OF_PLACED_MS)));
        }
        let watched: Vec<usize> = rounds.iter().map(|(_, placed)| placed.len()).collect();
        raw.push(json!({"rate": rate, "seconds": stages[0].seconds, "watchedJobs": watched}));
    }
    case.budget = median_budget(&budgets);
    case.raw = Value::Array(raw);
    Ok(case)
}

pub fn step(bench: &mut Bench) -> Result<Case> {
    let (mut errors, mut calm, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=bench.rounds {
        let (pressed, _) = press(bench, &STEP, connections(0))?;
        let seconds = each_second(&pressed.presses);
        let before = STEP[0].seconds as usize;
        errors.push(pressed.presses.iter().filter(|press| press.status != 202).count() as f64);
        calm.push(calm_after(seconds.get(before..).unwrap_or_default()));
        println!("       round {round}: p99 of each second {seconds:.1?} ms");
        raw.push(json!(seconds));
    }
    let figures = vec![
        Figure::new("step from 100 to 2,000 /s: errors", "", errors, Some(Goal::AtMost(0.0))),
        Figure::new("step from 100 to 2,000 /s: p99 below 10 ms after", "s", calm, Some(Goal::AtMost(CALM_WITHIN_S))),
    ];
    let mut case = Case::new("step", figures);
    case.raw = json!({"p99MsOfEachSecond": raw});
    Ok(case)
}

/// Presses on a sale of its own that has a unit for everybody, and wants a 202 each time and balanced books.
fn press(bench: &mut Bench, stages: &[Stage], connections: usize) -> Result<(Pressed, cpu::Used)> {
    let buyers = open_loop::presses(stages);
    let sale = bench.sale(buyers)?;
    let file = std::fs::read_to_string(shop::bodies(&bench.stack, &sale, "buyer-", buyers)?)?;
    let bodies: Vec<&str> = file.lines().collect();
    let (before, own) = (cpu::used(&bench.stack.pids()), cpu::own());
    let pressed = open_loop::run(bench.stack.ports.buyers(), &shop::orders(&sale), &bodies, stages, connections)?;
    let mut budget = cpu::for_each(&before, &cpu::used(&bench.stack.pids()), buyers);
    budget.insert("generator".to_owned(), (cpu::own() - own) / buyers.max(1) as f64);
    ensure!(!signals::stopping(), "told to stop");
    let count = |wanted: fn(u16) -> bool| pressed.presses.iter().filter(|press| wanted(press.status)).count() as u64;
    let seen = Seen { accepted: count(|status| status == 202), unknown: count(|status| status == 0 || status >= 500) };
    books::check(&mut bench.stack, &sale, seen)?;
    ensure!(
        seen.accepted == buyers,
        "of {buyers} presses {} were answered 202, {} not at all",
        seen.accepted,
        seen.unknown
    );
    ensure!(pressed.never_placed == 0, "{} jobs were not placed in time", pressed.never_placed);
    Ok((pressed, budget))
}

fn times(presses: &[Press]) -> Vec<f64> {
    presses.iter().map(|press| press.ms).collect()
}

/// The p99 of the presses planned in each second, in milliseconds.
fn each_second(presses: &[Press]) -> Vec<f64> {
    let seconds = presses.last().map_or(0, |last| last.at as usize + 1);
    let of = |second: usize| -> Vec<f64> {
        presses.iter().filter(|press| press.at as usize == second).map(|press| press.ms).collect()
    };
    (0..seconds).map(|second| quantile(&of(second), 0.99)).collect()
}

/// Seconds after which the p99 is below [`CALM_MS`] and stays there.
fn calm_after(seconds: &[f64]) -> f64 {
    seconds.iter().rposition(|&p99| p99 >= CALM_MS).map_or(0.0, |last| (last + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_read_again() {
        let named = Named { what: "placed".to_owned(), rate: 2_000, share: "p99.9".to_owned() };
        assert_eq!(named.to_string(), "placed at 2000 /s, p99.9");
        assert_eq!(Named::parse(&named.to_string()), Some(named));
        assert_eq!(Named::parse("step from 100 to 2,000 /s: errors"), None);
    }

    #[test]
    fn each_second_has_the_presses_that_were_planned_in_it() {
        let press = |at: f64, ms: f64| Press { at, ms, status: 202 };
        assert_eq!(each_second(&[press(0.0, 1.0), press(0.9, 3.0), press(1.0, 9.0)]), [3.0, 9.0]);
        assert!(each_second(&[]).is_empty());
    }

    #[test]
    fn it_is_calm_when_it_stays_calm() {
        assert_eq!(calm_after(&[3.0, 2.0, 1.0]), 0.0);
        assert_eq!(calm_after(&[40.0, 12.0, 1.0, 2.0]), 2.0);
        assert_eq!(calm_after(&[40.0, 2.0, 11.0, 2.0]), 3.0);
    }
}
