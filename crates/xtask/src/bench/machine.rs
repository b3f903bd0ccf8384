//! What stands beside every figure: the machine, the versions, the commit. Nothing that names a host, a user or a folder.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use serde_json::{Value, json};

use super::stack::Stack;
use super::stats::quantile;
use crate::{files, services, workspace};

/// Writes of one page, each followed by an fsync.
const PROBES: usize = 200;

pub fn machine() -> Value {
    let line = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let found = text.lines().find(|line| line.starts_with(name))?.split_once(':')?.1.trim().to_owned();
        Some(found)
    };
    let memory = line("/proc/meminfo", "MemTotal").and_then(|kb| kb.split(' ').next()?.parse::<u64>().ok());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "cpu": line("/proc/cpuinfo", "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memoryGiB": memory.map(|kb| kb as f64 / 1024.0 / 1024.0).map(|gib| (gib * 10.0).round() / 10.0),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "loadBefore": load.split(' ').next().and_then(|load| load.parse::<f64>().ok()),
    })
}

/// How long the disk takes to make a page safe, in milliseconds: three servers wait for it.
pub fn disk(dir: &Path) -> Result<Value> {
    let path = dir.join("fsync-probe");
    let mut file = fs::File::create(&path)?;
    let mut times = Vec::with_capacity(PROBES);
    for _ in 0..PROBES {
        let started = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    fs::remove_file(&path)?;
    let rounded = |share| (quantile(&times, share) * 1e3).round() / 1e3;
    Ok(json!({"fsyncP50Ms": rounded(0.5), "fsyncP99Ms": rounded(0.99), "fsyncMaxMs": rounded(1.0)}))
}

pub fn versions(stack: &mut Stack) -> Value {
    let psql = stack.sql.rows("show server_version").unwrap_or_default();
    json!({
        "redis": said(Command::new("redis-server").arg("--version"), |text| text.split("v=").nth(1)?.split(' ').next()),
        "rabbitmq": said(Command::new(stack.services.rabbitmq.rabbitmqctl_script()).arg("version"), |text| text.lines().next()),
        "postgres": psql.first().and_then(|text| text.split(' ').next()),
        "rustc": said(Command::new("rustc").arg("--version"), |text| text.split(' ').nth(1)),
        "wrk": said(Command::new(files::which("wrk").unwrap_or_default()).arg("-v"), |text| text.split(' ').nth(1)),
    })
}

/// The commit, and whether the tree is what it says. `None` outside a repository.
pub fn commit() -> (Option<String>, bool) {
    let root = workspace::root();
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(&root).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let clean = git(&["status", "--porcelain"]).is_some_and(|changes| changes.is_empty());
    (git(&["rev-parse", "--short", "HEAD"]), clean)
}

fn said(command: &mut Command, part: impl Fn(&str) -> Option<&str>) -> Option<String> {
    // wrk -v ends with 1, and says it all the same.
    let output = command.output().ok()?;
    part(&String::from_utf8_lossy(&output.stdout)).map(|text| text.trim().to_owned())
}

/// Are the programs there that have to be?
pub fn missing_programs() -> Vec<&'static str> {
    let wanted = [("redis-server", "redis-server"), ("rabbitmq-server", "rabbitmq-server"), ("wrk", "wrk")];
    let mut missing: Vec<_> =
        wanted.into_iter().filter(|(program, _)| files::which(program).is_none()).map(|(_, package)| package).collect();
    if services::postgres_programs().is_none() {
        missing.push("postgresql");
    }
    missing
}
