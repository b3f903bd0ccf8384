//! The product as a whole, on real services: `cargo xtask test` starts them and runs this.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod activity;
mod ceilings;
mod cli;
mod concurrency;
mod console;
mod events;
mod growth;
mod injection;
mod input;
mod life;
mod limits;
mod locks;
mod metrics;
mod purchase;
mod quotas;
mod repair;
mod restock;
mod retention;
mod safety;
mod secrets;
mod sold_out;
mod structure;
mod window;
