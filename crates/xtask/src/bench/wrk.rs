//! wrk with `loadtest/wrk/distinct.lua`: the same generator for the product and for the ceiling.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::cpu;
use crate::{files, process, workspace};

/// wrk's threads: one for each of the two cores that everything is developed on.
const THREADS: &str = "2";

/// A run ends with its lines; one that has not by now hangs.
const WITHIN: Duration = Duration::from_secs(600);

/// What to send, and where.
#[derive(Debug, Clone)]
pub struct Load {
    pub file: PathBuf,
    pub lines: u64,
    /// `body`, `path` or `login`, as the script knows them.
    pub kind: &'static str,
    pub path: String,
    pub connections: u32,
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answered {
    pub by_status: BTreeMap<u16, u64>,
    pub answered: u64,
    pub unknown: u64,
    /// Connections and answers that failed, as wrk counts them.
    pub errors: u64,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// When the first request was sent, in seconds since 1970.
    pub began: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    /// Microseconds of processor time that the generator took for one answer.
    pub generator_us: f64,
}

impl Answered {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.answered as f64 / self.seconds } else { 0.0 }
    }

    /// Fails unless every line was answered with this status.
    pub fn all(&self, status: u16, lines: u64) -> Result<()> {
        let right = self.by_status.get(&status).copied().unwrap_or(0);
        ensure!(
            right == lines && self.answered == lines && self.errors == 0,
            "of {lines} requests {right} were answered {status}: {:?}, {} errors",
            self.by_status,
            self.errors
        );
        Ok(())
    }

    pub fn to_json(&self) -> Value {
        json!({
            "answered": self.answered, "seconds": self.seconds, "perSecond": self.rate().round(),
            "p50Ms": self.p50, "p99Ms": self.p99, "p999Ms": self.p999,
        })
    }
}

/// Runs wrk against a port of this machine until every line is answered.
pub fn run(port: u16, load: &Load, output: &Path) -> Result<Answered> {
    let wrk = files::which("wrk").context("wrk is not installed; install with: apt-get install wrk")?;
    let mut command = Command::new(wrk);
    command
        .args(["--threads", THREADS, "--connections", &load.connections.to_string()])
        .args(["--duration", &WITHIN.as_secs().to_string(), "--timeout", "15", "--script"])
        .arg(workspace::root().join("loadtest/wrk/distinct.lua"))
        .arg(format!("http://127.0.0.1:{port}{}", load.path))
        .arg("--")
        .arg(&load.file)
        .args([THREADS, load.kind]);
    if output.exists() {
        fs::remove_file(output)?;
    }
    let before = cpu::ended_children();
    let status = process::run_logged(command, WITHIN + Duration::from_secs(30), output)?;
    let text = fs::read_to_string(output)?;
    ensure!(status.success(), "wrk: {status}\n{text}");
    let mut answered = parse(&text)?;
    answered.generator_us = (cpu::ended_children() - before) / answered.answered.max(1) as f64;
    Ok(answered)
}

/// Reads what the script prints.
pub fn parse(text: &str) -> Result<Answered> {
    let mut found = Answered::default();
    let mut complete = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| -> Result<f64> {
            words.get(at).and_then(|word| word.parse().ok()).with_context(|| format!("wrk printed {line:?}"))
        };
        match words.first() {
            Some(&"status") => {
                found.by_status.insert(number(1)? as u16, number(2)? as u64);
            }
            Some(&"lines") => found.answered = number(4)? as u64,
            Some(&"unknown") => found.unknown = number(1)? as u64,
            Some(&"seconds") => found.seconds = number(1)?,
            Some(&"began") => found.began = number(1)?,
            Some(&"latency_ms") => (found.p50, found.p99, found.p999) = (number(2)?, number(4)?, number(6)?),
            Some(&"errors") => {
                found.errors = (number(2)? + number(4)? + number(6)? + number(8)?) as u64;
                complete = true;
            }
            _ => {}
        }
    }
    if !complete {
        bail!("wrk printed no result:\n{text}");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "Running 10m test @ http://127.0.0.1:1/x\n  2 threads and 64 connections\n\
        Requests/sec:  30000.00\n\nstatus 202 900\nstatus 503 100\nlines sent 1000 answered 1000\naccepted 900\n\
        unknown 100\nseconds 0.500 answers/s 2000\nbegan 1795287877.125\n\
        latency_ms p50 1.500 p99 9.250 p99.9 12.000 max 13.000\nerrors connect 0 read 1 write 0 timeout 2\n";

    #[test]
    fn what_the_script_prints_is_read() {
        let found = parse(PRINTED).unwrap();
        assert_eq!(found.by_status, BTreeMap::from([(202, 900), (503, 100)]));
        assert_eq!((found.answered, found.unknown, found.errors), (1000, 100, 3));
        assert_eq!((found.p50, found.p99, found.p999, found.began), (1.5, 9.25, 12.0, 1_795_287_877.125));
        assert_eq!(found.rate(), 2000.0);
    }

    #[test]
    fn a_run_that_was_cut_off_is_no_result() {
        assert!(parse("Running 10m test").is_err());
        assert!(parse("status x 1").is_err());
    }

    #[test]
    fn only_the_answers_that_were_wanted_make_a_rate() {
        let mut found = parse(PRINTED).unwrap();
        assert!(found.all(202, 1000).is_err());
        found = Answered { by_status: BTreeMap::from([(202, 1000)]), answered: 1000, ..Answered::default() };
        assert!(found.all(202, 1000).is_ok());
        assert!(found.all(202, 1001).is_err());
        found.errors = 1;
        assert!(found.all(202, 1000).is_err());
    }
}
