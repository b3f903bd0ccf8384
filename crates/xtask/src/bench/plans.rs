//! The seeds' three load plans, as `loadtest/k6/plans.js` has them, with their five checks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Bench;
use super::figure::{Case, Figure, Goal};
use crate::{files, process, signals, workspace};

/// Each with its seconds when nothing is shortened.
const PLANS: [(&str, u64); 3] = [("ramp", 100 * 30), ("spike", 5 * 60), ("soak", 60 * 60)];

/// Besides the plan's own time: the last buyers end, and the books settle.
const AFTER: Duration = Duration::from_secs(300);

pub fn plans(bench: &mut Bench) -> Result<Case> {
    let k6 = k6()?;
    let factor = bench.options.factor;
    let (mut figures, mut raw) = (Vec::new(), Vec::new());
    for (name, seconds) in PLANS {
        let within = Duration::from_secs(seconds / factor) + AFTER;
        println!("       {name}, durations divided by {factor}: {} s", seconds / factor);
        let found = run(bench, &k6, name, within)?;
        let shortened = if factor == 1 { "complete".to_owned() } else { format!("1/{factor} of the time") };
        let failed = found["crossed"].as_array().map_or(0, Vec::len) as f64;
        figures.push(Figure::new(
            format!("plan {name} ({shortened}): checks that failed"),
            "",
            vec![failed],
            Some(Goal::AtMost(0.0)),
        ));
        if let Some(p95) = found["p95Ms"]["order"].as_f64() {
            figures.push(Figure::new(
                format!("plan {name}: p95 of a purchase"),
                "ms",
                vec![p95],
                Some(Goal::AtMost(100.0)),
            ));
        }
        raw.push(found);
    }
    let mut case = Case::new("plans", figures);
    case.raw = json!({"factor": factor, "plans": raw});
    Ok(case)
}

fn k6() -> Result<PathBuf> {
    let own = workspace::root().join("target/tools/bin/k6");
    let found = if own.is_file() { Some(own) } else { files::which("k6") };
    found.context("k6 is not installed; GOBIN=$PWD/target/tools/bin go install go.k6.io/k6@latest")
}

fn run(bench: &mut Bench, k6: &Path, plan: &str, within: Duration) -> Result<Value> {
    let (output, summary) = (bench.stack.dir.join("k6.out"), bench.stack.dir.join("k6.json"));
    let mut command = Command::new(k6);
    command
        .args(["run", "--quiet", "--no-usage-report", "--summary-trend-stats", "med,p(95),p(99)", "--summary-export"])
        .arg(&summary)
        .args(["-e", &format!("PLAN={plan}"), "-e", &format!("FACTOR={}", bench.options.factor)])
        .args(["-e", &format!("RUN={}", bench.stack.dir.join("run.json").display())])
        .arg(workspace::root().join("loadtest/k6/plans.js"));
    let status = process::run_logged(command, within, &output)?;
    ensure!(!signals::stopping(), "told to stop");
    bench.stack.alive()?;
    let text = fs::read_to_string(&summary).with_context(|| files::tail(&output, 15))?;
    let found = read(plan, &serde_json::from_str(&text)?);
    // 99: a threshold was crossed, and is a figure. The books are one of them, and wrong books are none.
    let crossed = found["crossed"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(books) = crossed.into_iter().find(|name| name.contains("books")) {
        bail!("{plan}: {books}");
    }
    ensure!(matches!(status.code(), Some(0 | 99)), "{plan}: k6 {status}\n{}", files::tail(&output, 15));
    Ok(found)
}

/// What of k6's summary is kept.
fn read(plan: &str, summary: &Value) -> Value {
    let metrics = summary["metrics"].as_object();
    let crossed: Vec<String> = metrics
        .into_iter()
        .flatten()
        .flat_map(|(name, metric)| {
            // k6 exports `true` for a threshold that was crossed.
            let thresholds = metric["thresholds"].as_object().into_iter().flatten();
            thresholds
                .filter(|(_, crossed)| *crossed == &Value::Bool(true))
                .map(move |(rule, _)| format!("{name}: {rule}"))
        })
        .collect();
    let p95 = |name: &str| summary["metrics"][format!("http_req_duration{{name:{name}}}")]["p(95)"].clone();
    json!({
        "plan": plan, "crossed": crossed,
        "p95Ms": {"buyer": p95("buyer"), "token": p95("token"), "order": p95("order"), "job": p95("job")},
        "requests": summary["metrics"]["http_reqs"]["count"],
        "iterations": summary["metrics"]["iterations"]["count"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crossed_threshold_is_found() {
        let summary = json!({"metrics": {
            "http_req_duration{name:order}": {"p(95)": 12.5, "thresholds": {"p(95)<100": false}},
            "http_reqs": {"count": 100}, "cache_hit_share": {"thresholds": {"value>0.95": true}},
        }});
        let found = read("spike", &summary);
        assert_eq!(found["crossed"], json!(["cache_hit_share: value>0.95"]));
        assert_eq!((&found["p95Ms"]["order"], &found["requests"]), (&json!(12.5), &json!(100)));
    }
}
