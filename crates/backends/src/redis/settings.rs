//! How to reach Redis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[redis]` section.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedisSettings {
    /// `redis://:password@host:port/db`, or `rediss://` for TLS.
    pub url: String,
    /// First part of every key, so that several installations can share a server.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub namespace: String,
    /// First part of the keys that tokens are kept under, from `concurrency.prefix`.
    #[serde(skip)]
    pub concurrency_prefix: String,
    /// Milliseconds until an answer counts as lost. A lost answer is unknown, never a refusal.
    pub response_timeout_ms: u64,
    /// Milliseconds until connecting counts as failed.
    pub connect_timeout_ms: u64,
    /// Commands on one connection without an answer yet; further ones wait.
    pub in_flight: usize,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379/0".to_owned(),
            namespace: "seckill".to_owned(),
            concurrency_prefix: "concurrency".to_owned(),
            response_timeout_ms: 500,
            connect_timeout_ms: 500,
            in_flight: 512,
        }
    }
}

impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may carry a password.
        f.debug_struct("RedisSettings").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
