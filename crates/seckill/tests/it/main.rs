//! The product as a whole, on real services: `cargo xtask test` starts them and runs this.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod cli;
mod events;
mod input;
mod life;
mod limits;
mod locks;
mod metrics;
mod purchase;
mod repair;
mod restock;
mod structure;
mod window;
