//! Time and randomness of the machine.

use domain::Timestamp;
use domain::ports::{Clock, Entropy};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }
}

/// The machine's source of unguessable bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn six(&self) -> [u8; 6] {
        // A version 4 UUID is 122 random bits of the operating system's generator; its last six bytes are all random.
        let bytes = uuid::Uuid::new_v4().into_bytes();
        [bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]]
    }
}
