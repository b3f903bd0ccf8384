//! The protocol of a purchase, explored state by state: see `docs/PROTOCOL.md`.
//!
//! What is modelled is what the scripts, the intake, the consumer and the keeper do, one atomic step at a time, with a
//! crash possible between any two. Every world in [`worlds`] holds all promises; every variant in [`variants`] lacks one
//! mechanism and breaks one promise, and the test prints the shortest way to it. `PROTOCOL_MODEL=full` explores larger
//! worlds. Read it in this order: [`state`], [`action`], [`steps`], [`moves`], [`promises`], [`recovery`].

mod action;
mod explorer;
mod moves;
mod packing;
mod packing_test;
mod page;
mod promises;
mod recovery;
mod shop;
mod state;
mod steps;
mod variants;
mod worlds;
