//! The HTTP edge over real connections, on the in-process backends.
#![allow(clippy::unwrap_used)]

mod abuse;
mod auditing;
mod challenge;
mod concurrency;
mod crossing;
mod disconnects;
mod document;
mod faults;
mod hardening;
mod input;
mod limits;
mod live_limits;
mod observing;
mod operating;
mod pages;
mod paying;
mod performance;
mod purchases;
mod quota_world;
mod quotas;
mod raw;
mod reading;
mod session;
mod shedding;
mod shop;
mod sold_out;
mod tokens;
mod world;
