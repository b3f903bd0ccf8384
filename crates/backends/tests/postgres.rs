//! The Postgres backend against a real server at `DATABASE_URL`: what is true of this backend only, beside the
//! conformance suite, which compares it with the others. Every test has a database of its own, takes stock of it at
//! the end (nothing oversold, no allowance exceeded, nothing untold), and drops it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "postgres/circles.rs"]
mod circles;
#[path = "postgres/ending.rs"]
mod ending;
#[path = "postgres/faults.rs"]
mod faults;
#[path = "postgres/growth.rs"]
mod growth;
#[path = "postgres/life.rs"]
mod life;
#[path = "postgres/line.rs"]
mod line;
#[path = "postgres/operators.rs"]
mod operators;
#[path = "postgres/placing.rs"]
mod placing;
#[path = "postgres/pools.rs"]
mod pools;
#[path = "postgres/relaying.rs"]
mod relaying;
#[path = "postgres/round_trips.rs"]
mod round_trips;
#[path = "postgres/support.rs"]
mod support;
#[path = "postgres/upgrade.rs"]
mod upgrade;
