//! The HTTP edge over real connections, on the in-process backends.
#![allow(clippy::unwrap_used)]

mod auditing;
mod challenge;
mod crossing;
mod document;
mod faults;
mod hardening;
mod input;
mod limits;
mod live_limits;
mod observing;
mod operating;
mod paying;
mod purchases;
mod reading;
mod shop;
mod tokens;
mod world;
