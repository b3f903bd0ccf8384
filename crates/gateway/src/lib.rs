//! The HTTP edge: reads requests, asks the intake, the gate and the stores, and answers.
//!
//! [`routes`] lists every route of both ports, `problem` alone picks the status of a refusal, `edge` is what all
//! handlers share. What is decided about a purchase is decided in `order-intake` and behind the ports of `domain`;
//! nothing of it is repeated here.

mod address;
mod auth;
mod body;
mod buyers;
mod catalog;
mod context;
mod edge;
mod envelope;
mod health;
mod limits;
mod openapi;
mod operators;
mod problem;
mod quotas;
pub mod routes;
mod server;
mod settings;
mod telemetry;
mod views;
mod webhooks;

pub use address::Cidr;
pub use auth::{BuyerKeys, BuyerSettings, MetricsKeys};
pub use edge::GatewayParts;
pub use openapi::openapi;
pub use server::{serve, serve_status};
pub use settings::{GatewaySettings, Limit, Limits, Secret};
pub use telemetry::{SECONDS_BUCKETS, describe_metrics};
pub use webhooks::{NotTaken, Webhooks};
