//! Rate limits that all instances keep together.

use std::time::Duration;

use async_trait::async_trait;

use super::Outage;

/// Counts requests for all instances at once. It may forget: a limit decides about no unit.
#[async_trait]
pub trait SharedLimits: Send + Sync {
    /// Counts one request against every limit, or against none when one of them has no room. No two may have the same
    /// key; at most [`LIMITS_MAX`].
    async fn spend(&self, limits: &[SharedLimit]) -> Result<Spent, Outage>;
}

/// Limits in one call.
pub const LIMITS_MAX: usize = 64;

/// One rule, applied to one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedLimit {
    /// Names rule, action and subject.
    pub key: String,
    /// How it is counted.
    pub algorithm: LimitAlgorithm,
    /// Requests in a window; at least 1.
    pub limit: u32,
    /// The window, in whole microseconds; at least one.
    pub window: Duration,
}

impl SharedLimit {
    /// The window in microseconds.
    pub fn window_us(&self) -> u64 {
        u64::try_from(self.window.as_micros()).unwrap_or(u64::MAX)
    }

    /// From one request to the next under [`LimitAlgorithm::Gcra`], in microseconds: rounded up, so that never more is
    /// let through than was said.
    pub fn spacing_us(&self) -> u64 {
        self.window_us().div_ceil(u64::from(self.limit.max(1)))
    }
}

/// How requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitAlgorithm {
    /// Never more than the limit in any window, wherever it begins. Remembers the time of each request.
    SlidingWindow,
    /// The limit at once after a pause, and then one each `window / limit`. Remembers one time.
    Gcra,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// When it was decided: microseconds since 1970, by the clock that all limits go by.
    pub at_us: u64,
    /// For each limit: until it has room. All zero: the request was counted.
    pub waits: Vec<Duration>,
}

impl Spent {
    /// Was the request counted?
    pub fn is_allowed(&self) -> bool {
        self.waits.iter().all(Duration::is_zero)
    }
}
