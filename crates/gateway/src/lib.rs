//! The HTTP edge: reads requests, asks the intake, the gate and the stores, and answers.
//!
//! [`routes`] lists every route of both ports, `problem` alone picks the status of a refusal, `edge` is what all
//! handlers share. What is decided about a purchase is decided in `order-intake` and behind the ports of `domain`;
//! nothing of it is repeated here.

mod address;
mod assets;
mod auth;
mod body;
mod buyers;
mod catalog;
mod challenge;
mod context;
mod cors;
mod edge;
mod envelope;
mod health;
mod hex;
mod limits;
mod load;
mod openapi;
mod operators;
mod problem;
mod quotas;
pub mod routes;
mod server;
mod settings;
mod sold_out;
mod telemetry;
mod unread;
mod views;
mod wakes;
mod webhooks;

pub use address::Cidr;
pub use auth::{BuyerKeys, BuyerSettings, MetricsKeys};
pub use challenge::{Algorithm, ChallengeSettings};
pub use cors::CorsOrigin;
pub use edge::GatewayParts;
pub use hex::unhex;
pub use limits::{Rule, RuleAction, RuleAlgorithm, RuleSubject};
pub use openapi::openapi;
pub use server::{DRAIN_S, serve, serve_status};
pub use settings::{GatewaySettings, Limit, Limits, Secret};
pub use sold_out::SoldOutSettings;
pub use telemetry::{SECONDS_BUCKETS, describe_metrics};
pub use webhooks::{NotTaken, Webhooks};
