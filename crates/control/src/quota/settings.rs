//! What can be configured about quotas.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[quotas]` section. The limits are where operators begin; they change them while everything runs.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaSettings {
    /// Units that one buyer may purchase in a day, over all sales. 0: no limit, nothing is counted, and a purchase costs
    /// no further call.
    pub purchases_per_buyer_and_day: u64,
    /// Requests that one API client may make in a day: the client is the `client_id` of the JWT, and one without it is
    /// not counted. 0: no limit, nothing is counted.
    pub requests_per_client_and_day: u64,
    /// Minutes by which the day begins earlier than in UTC: 480 for China. From -840 to 840.
    pub utc_offset_minutes: i32,
    /// What the keys below are where they are not given: for most, for many uses a second, or for usage that is written
    /// sooner.
    pub preset: QuotaPreset,
    /// Uses are written after the answer, in batches. `false`: each is written before its answer. Default `true`.
    pub enabled: Option<bool>,
    /// Tasks that write. Default 3 (`high-concurrency` 5, `low-latency` 2); from 1 to 64.
    pub worker_count: Option<usize>,
    /// Uses that may wait to be written; further ones are written before their answer. Default 1,000 (2,000, 500); from 1
    /// to 1,000,000.
    pub channel_size: Option<usize>,
    /// Uses in one statement. Default 10 (20, 5); from 1 to 10,000.
    pub batch_size: Option<usize>,
    /// Milliseconds after which a batch is written that is not full. Default 5,000 (3,000, 1,000); at least 1.
    pub flush_interval_ms: Option<u64>,
    /// Attempts to write a batch before it counts as failed. It is kept and tried again all the same, but less often.
    /// Default 3; at least 1.
    pub retry_attempts: Option<u32>,
    /// Milliseconds between these attempts. Default 100.
    pub retry_delay_ms: Option<u64>,
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self {
            purchases_per_buyer_and_day: 0,
            requests_per_client_and_day: 0,
            utc_offset_minutes: 0,
            preset: QuotaPreset::Default,
            enabled: None,
            worker_count: None,
            channel_size: None,
            batch_size: None,
            flush_interval_ms: None,
            retry_attempts: None,
            retry_delay_ms: None,
        }
    }
}

/// One of three ways to write usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaPreset {
    /// 3 workers, 1,000 waiting, batches of 10, every 5 s.
    #[default]
    Default,
    /// 5 workers, 2,000 waiting, batches of 20, every 3 s.
    HighConcurrency,
    /// 2 workers, 500 waiting, batches of 5, every second.
    LowLatency,
}

/// How usage is written: the preset, with what was given instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writing {
    /// After the answer?
    pub enabled: bool,
    /// Tasks.
    pub worker_count: usize,
    /// Uses that may wait.
    pub channel_size: usize,
    /// Uses in one statement.
    pub batch_size: usize,
    /// A batch that is not full waits so long.
    pub flush_interval: Duration,
    /// Attempts before a batch counts as failed.
    pub retry_attempts: u32,
    /// Between attempts.
    pub retry_delay: Duration,
}

impl QuotaSettings {
    /// Checks all of it. The error names the key.
    pub fn writing(&self) -> Result<Writing, String> {
        let (workers, channel, batch, flush_ms) = match self.preset {
            QuotaPreset::Default => (3, 1_000, 10, 5_000),
            QuotaPreset::HighConcurrency => (5, 2_000, 20, 3_000),
            QuotaPreset::LowLatency => (2, 500, 5, 1_000),
        };
        if self.utc_offset_minutes.abs() > 840 {
            return Err("utc_offset_minutes: has to be from -840 to 840".to_owned());
        }
        Ok(Writing {
            enabled: self.enabled.unwrap_or(true),
            worker_count: within("worker_count", self.worker_count, workers, 64)?,
            channel_size: within("channel_size", self.channel_size, channel, 1_000_000)?,
            batch_size: within("batch_size", self.batch_size, batch, 10_000)?,
            flush_interval: Duration::from_millis(within(
                "flush_interval_ms",
                self.flush_interval_ms,
                flush_ms,
                DAY_MS,
            )?),
            retry_attempts: within("retry_attempts", self.retry_attempts, 3, 1_000)?,
            retry_delay: Duration::from_millis(self.retry_delay_ms.unwrap_or(100).min(DAY_MS)),
        })
    }
}

const DAY_MS: u64 = 86_400_000;

fn within<N: PartialOrd + From<u8> + std::fmt::Display>(
    key: &str,
    given: Option<N>,
    preset: N,
    max: N,
) -> Result<N, String> {
    let value = given.unwrap_or(preset);
    if value < N::from(1) || value > max {
        return Err(format!("{key}: has to be from 1 to {max}"));
    }
    Ok(value)
}

/// The limits that operators change; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaLimits {
    /// Units of one buyer, over all sales.
    pub purchases_per_buyer_and_day: u64,
    /// Requests of one API client.
    pub requests_per_client_and_day: u64,
}

impl QuotaLimits {
    /// The largest limit: as many as a counter can hold.
    pub const MAX: u64 = 1 << 52;

    /// What one subject may use of a kind in a day; 0 is no limit.
    pub fn of(&self, kind: domain::QuotaKind) -> u64 {
        match kind {
            domain::QuotaKind::Purchases => self.purchases_per_buyer_and_day,
            domain::QuotaKind::Requests => self.requests_per_client_and_day,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writing(json: &str) -> Result<Writing, String> {
        serde_json::from_str::<QuotaSettings>(json).unwrap().writing()
    }

    #[test]
    fn the_presets_are_the_three_configurations_and_each_key_can_be_given() {
        let figures = |json: &str| {
            let Writing { enabled, worker_count, channel_size, batch_size, flush_interval, .. } =
                writing(json).unwrap();
            (enabled, worker_count, channel_size, batch_size, flush_interval.as_millis())
        };
        assert_eq!(figures("{}"), (true, 3, 1_000, 10, 5_000));
        assert_eq!(figures(r#"{"preset":"high-concurrency"}"#), (true, 5, 2_000, 20, 3_000));
        assert_eq!(figures(r#"{"preset":"low-latency"}"#), (true, 2, 500, 5, 1_000));
        let retries = writing("{}").unwrap();
        assert_eq!((retries.retry_attempts, retries.retry_delay.as_millis()), (3, 100));
        let given = r#"{"preset":"low-latency","enabled":false,"worker_count":7,"flush_interval_ms":20}"#;
        assert_eq!(figures(given), (false, 7, 500, 5, 20));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        for (json, key) in [
            (r#"{"worker_count":0}"#, "worker_count"),
            (r#"{"channel_size":0}"#, "channel_size"),
            (r#"{"batch_size":100000}"#, "batch_size"),
            (r#"{"flush_interval_ms":0}"#, "flush_interval_ms"),
            (r#"{"retry_attempts":0}"#, "retry_attempts"),
            (r#"{"utc_offset_minutes":900}"#, "utc_offset_minutes"),
        ] {
            assert!(writing(json).unwrap_err().starts_with(key), "{json}");
        }
        assert!(serde_json::from_str::<QuotaSettings>(r#"{"workers":1}"#).is_err());
    }
}
