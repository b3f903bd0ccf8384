//! The HTTP edge over real connections, on the in-process backends.
#![allow(clippy::unwrap_used)]

mod document;
mod faults;
mod input;
mod limits;
mod observing;
mod operating;
mod paying;
mod performance;
mod purchases;
mod reading;
mod shop;
mod tokens;
mod world;
