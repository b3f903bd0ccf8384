//! Turns a valid purchase into a job: admit, publish, answer; watches what was admitted until it is settled; warms a
//! sale's stock and rebuilds it when the gate has lost it.
//!
//! One purchase: [`Intake::purchase`] → a group of waiting attempts → one call of the gate → one message → the
//! broker's confirm → [`Answer`]. Placing the order is the consumer's work, HTTP the gateway's.

mod books;
mod confirmed;
mod discard;
mod dry_run;
mod intake;
mod keeper;
mod letters;
mod publishing;
mod reconcile;
mod restock;
mod warmup;
mod watch;

pub use books::books;
pub use discard::{Discarded, discard_job};
pub use dry_run::{DryRun, Step};
pub use intake::{Answer, Intake};
pub use keeper::{Keeper, Routes};
pub use letters::{LETTERS_MAX, discard, explain};
pub use reconcile::{Finding, Reconciliation, reconcile};
pub use restock::restock;
pub use warmup::{WarmError, Warmed, Warmup};
pub use watch::watch;
