//! Defaults for a machine that is large, or small. A key that is given always wins.

use anyhow::Context as _;
use config::ConfigBuilder;
use config::builder::DefaultState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// For which machine the defaults are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Two to four processors.
    Default,
    /// Many processors, servers of their own for Redis, RabbitMQ and Postgres, large crowds.
    HighLoad,
    /// One small machine for everything.
    LowResource,
}

/// A key, its default under `high-load` and under `low-resource`, and why.
pub const CHANGES: [(&str, i64, i64, &str); 14] = [
    ("tasks.max_concurrent", 50, 10, "the requirements' values"),
    ("tasks.workers", 100, 10, "in step with the tasks"),
    ("performance.max_records", 5_000, 1_000, "8 bytes each: a small machine needs fewer, none needs more"),
    ("postgres.pool_size", 20, 4, "the requirements' small pool is 10; ours has 8 by default, because groups need few"),
    ("postgres.pool_min", 4, 2, "the requirements' value for a small machine; a large one opens none in the rush"),
    ("redis.in_flight", 1_024, 128, "calls that share one connection"),
    ("gateway.max_connections", 25_000, 1_000, "each takes some 20 KB"),
    ("gateway.workers", 0, 1, "0: one for each processor"),
    (
        "limits.token_per_buyer.per_second",
        4,
        1,
        "the requirements raise their limits fivefold for many buyers; ours are",
    ),
    ("limits.token_per_buyer.burst", 8, 2, "per second and count no reads of the page, so twice as many is generous,"),
    ("limits.order_per_buyer.per_second", 10, 2, "and half as many is still quicker than a person presses"),
    ("limits.order_per_buyer.burst", 20, 4, "likewise"),
    ("limits.status.per_second", 10, 3, "a waiting buyer asks once a second"),
    ("limits.status.burst", 20, 6, "likewise"),
];

impl Preset {
    /// The defaults that it changes.
    fn defaults(self) -> impl Iterator<Item = (&'static str, i64)> {
        CHANGES.into_iter().filter_map(move |(key, high, low, _)| match self {
            Self::Default => None,
            Self::HighLoad => Some((key, high)),
            Self::LowResource => Some((key, low)),
        })
    }
}

/// What was read, on top of the defaults of the preset that it names.
pub fn applied(builder: ConfigBuilder<DefaultState>) -> anyhow::Result<config::Config> {
    let unreadable = "the configuration cannot be read";
    let read = builder.clone().build().context(unreadable)?;
    // A wrong word is refused with all other wrong values, by its key.
    let Ok(preset) = read.get::<Preset>("preset") else { return Ok(read) };
    let mut builder = builder;
    for (key, value) in preset.defaults() {
        builder = builder.set_default(key, value).context(unreadable)?;
    }
    builder.build().context(unreadable)
}
