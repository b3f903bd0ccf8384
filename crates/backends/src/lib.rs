//! The outside world behind the ports of `domain`: Redis, RabbitMQ and Postgres, and an in-process set for a first
//! sale with nothing installed. The only crate that knows those libraries.

pub mod embedded;
mod guard;
pub mod payments;
pub mod postgres;
pub mod rabbitmq;
pub mod redis;
mod system;

pub use system::{SystemClock, SystemEntropy};
