//! Where log lines go: standard error, so that a command's own output stays clean.

use std::io::IsTerminal as _;

use anyhow::anyhow;
use tracing_subscriber::EnvFilter;

use crate::config::{Format, Log};

/// Starts logging. Commands that end by themselves only say what went wrong.
pub fn start(log: &Log, service: bool) -> anyhow::Result<()> {
    let filter = if service { log.filter.as_str() } else { "warn,lapin=off,sqlx=error" };
    let filter = EnvFilter::try_new(filter).map_err(|why| anyhow!("log.filter: {why}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        Format::Json => lines.json().flatten_event(true).init(),
        Format::Text => lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}
