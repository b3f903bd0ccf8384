//! Limits of one test, and short words for what is asked of them.

use std::sync::Arc;
use std::time::Duration;

use backends::SystemClock;
use backends::embedded::EmbeddedLimits;
use backends::redis::{RedisLimits, RedisSettings};
use domain::ports::{LimitAlgorithm, SharedLimit, SharedLimits, Spent};

use crate::support::{required, unique};

pub(super) async fn embedded<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    scenario(Bench { limits: Arc::new(EmbeddedLimits::new(Arc::new(SystemClock))) }).await;
}

pub(super) async fn redis<F: Future<Output = ()>>(scenario: fn(Bench) -> F) {
    scenario(Bench { limits: redis_limits(required("REDIS_URL"), unique("limits")).await }).await;
}

/// Limits on Redis with nothing counted. Their keys expire.
pub(crate) async fn redis_limits(url: String, namespace: String) -> Arc<RedisLimits> {
    let settings = RedisSettings { url, namespace, response_timeout_ms: 5_000, ..RedisSettings::default() };
    RedisLimits::connect(&settings).await.unwrap()
}

pub(super) const WINDOW: LimitAlgorithm = LimitAlgorithm::SlidingWindow;
pub(super) const GCRA: LimitAlgorithm = LimitAlgorithm::Gcra;

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn limit(key: &str, algorithm: LimitAlgorithm, limit: u32, window: Duration) -> SharedLimit {
    SharedLimit { key: key.to_owned(), algorithm, limit, window }
}

#[derive(Clone)]
pub(super) struct Bench {
    pub(super) limits: Arc<dyn SharedLimits>,
}

impl Bench {
    pub(super) async fn spend(&self, limits: &[SharedLimit]) -> Spent {
        let spent = self.limits.spend(limits).await.unwrap();
        assert_eq!(spent.waits.len(), limits.len());
        spent
    }

    /// How many of `tries` were counted, one after another.
    pub(super) async fn counted(&self, limit: &SharedLimit, tries: usize) -> usize {
        let mut counted = 0;
        for _ in 0..tries {
            counted += usize::from(self.spend(std::slice::from_ref(limit)).await.is_allowed());
        }
        counted
    }
}
