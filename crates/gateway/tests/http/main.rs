//! The HTTP edge over real connections, on the in-process backends.
#![allow(clippy::unwrap_used)]

mod abuse;
mod disconnects;
mod document;
mod faults;
mod input;
mod limits;
mod observing;
mod operating;
mod paying;
mod purchases;
mod raw;
mod reading;
mod shedding;
mod shop;
mod sold_out;
mod tokens;
mod world;
