//! The port [`SharedLimits`] in terms of `limit.lua`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{LIMITS_MAX, LimitAlgorithm, Outage, SharedLimit, SharedLimits, Spent};

use super::link::{Args, Link};
use super::scripts::Name;
use super::settings::RedisSettings;

/// Limits kept by one Redis server, on a connection of their own: they never stand in the way of a purchase that waits
/// for the gate. Calls that are made at the same time share a round trip.
pub struct RedisLimits {
    link: Link,
    namespace: String,
}

impl RedisLimits {
    /// Answers at once, whether or not Redis does, and connects when the first limit is used.
    pub async fn connect(settings: &RedisSettings) -> Result<Arc<Self>, Outage> {
        Ok(Arc::new(Self { link: Link::new(settings)?, namespace: settings.namespace.clone() }))
    }

    /// One hash tag for all: what is decided together has to be in one place of a cluster.
    fn key(&self, limit: &SharedLimit) -> String {
        format!("{}:{{limits}}:{}:{}", self.namespace, letter(limit.algorithm), limit.key)
    }
}

/// Part of the key too: a rule that changes its algorithm begins anew.
fn letter(algorithm: LimitAlgorithm) -> char {
    match algorithm {
        LimitAlgorithm::SlidingWindow => 'w',
        LimitAlgorithm::Gcra => 'g',
    }
}

#[async_trait]
impl SharedLimits for RedisLimits {
    async fn spend(&self, limits: &[SharedLimit]) -> Result<Spent, Outage> {
        if limits.len() > LIMITS_MAX {
            return Err(Outage::NotSent(format!("{} limits in one call, at most {LIMITS_MAX}", limits.len())));
        }
        let keys: Vec<String> = limits.iter().map(|limit| self.key(limit)).collect();
        let mut args = Args::default();
        for limit in limits {
            args.text(letter(limit.algorithm)).text(limit.limit).text(limit.window_us());
        }
        let answer: Vec<String> = self.link.run(Name::Limit, &keys, args).await?;
        read(&answer, limits.len()).ok_or_else(|| Outage::Unknown("Redis: limit answered what it cannot".to_owned()))
    }
}

fn read(answer: &[String], limits: usize) -> Option<Spent> {
    let (word, rest) = answer.split_first()?;
    let (at, waits) = rest.split_first()?;
    let waits = match word.as_str() {
        "allowed" => vec![Duration::ZERO; limits],
        "refused" => {
            let waits = waits.iter().map(|text| text.parse().ok().map(Duration::from_micros));
            waits.collect::<Option<Vec<_>>>()?
        }
        _ => return None,
    };
    (waits.len() == limits).then_some(Spent { at_us: at.parse().ok()?, waits })
}
