//! What survives: processes killed, servers stopped, emptied and slowed down, all under load. Each test has servers of
//! its own to break, a crowd that presses meanwhile, and an audit at the end.
//!
//! Run with `--test-threads=1`: three servers and a crowd at a time are enough for a small machine.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod bench;
mod duplicates;
mod least_privilege;
mod limits;
mod outages;
mod postgres;

mod processes;
mod rabbitmq;
mod redis;
