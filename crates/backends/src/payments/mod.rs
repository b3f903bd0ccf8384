//! Whoever takes the money. [`Demo`] takes none; a real provider implements the port in its place. Either is asked
//! through [`Guarded`]: with a time limit, a few attempts, and not at all while it does not answer.

mod demo;
mod guarded;

pub use demo::{Demo, SignedWebhook};
pub use guarded::Guarded;
