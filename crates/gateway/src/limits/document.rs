//! The limits as operators see and change them, from the configuration on.

mod draft;

use std::num::NonZeroU32;

use domain::ports::LimitAlgorithm;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::settings::{Limit, Limits};

pub use draft::LimitsDraft;

/// Rules at once: all that apply to a request are decided in one call.
pub const RULES_MAX: usize = 32;

/// Highest rate or burst of a local limit: above it, switch the limit off.
const RATE_MAX: u32 = 1_000_000;

/// Most requests in a sliding window: Redis remembers the time of each of them.
const WINDOW_LIMIT_MAX: u32 = 10_000;

/// Highest rate of a GCRA rule, in requests a second: above it, its spacing would be too coarse.
const GCRA_RATE_MAX: u32 = 100_000;

/// Longest window: a day.
const WINDOW_MAX_S: u32 = 86_400;

/// Longest name of a rule.
const NAME_MAX: usize = 32;

/// Every limit, as it is obeyed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Limits)]
pub struct LimitsDocument {
    /// Rates of one caller on one gateway.
    pub local: LocalLimits,
    /// Rules that all gateways keep together; none by default, and then nothing is asked.
    pub shared: Vec<Rule>,
}

/// Rates of one caller on one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalLimits {
    /// Requests of one address (IPv6: one /64) that show no valid token, login or job.
    pub per_ip: Rate,
    /// Tokens issued to one buyer.
    pub token_per_buyer: Rate,
    /// Purchases of one buyer, counted after the token's signature was checked.
    pub order_per_buyer: Rate,
    /// Reads of one job, and of one buyer's orders.
    pub status: Rate,
}

/// So many a second on average, and so many at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    /// Is it applied?
    pub enabled: bool,
    /// Requests a second, on average.
    #[schema(value_type = u32, minimum = 1)]
    pub per_second: NonZeroU32,
    /// Requests at once.
    #[schema(value_type = u32, minimum = 1)]
    pub burst: NonZeroU32,
}

impl Rate {
    pub(super) const fn of(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { enabled: true, per_second, burst }
    }
}

/// A limit that all gateways keep together, in Redis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename_all = "snake_case")]
#[schema(as = LimitRule)]
pub struct Rule {
    /// 1 to 32 of a-z, 0-9 and `-`. Callers see it in `RateLimit-Policy`.
    pub name: String,
    /// What is counted: `token`, `order`, `status`, or `any` of them together.
    pub action: RuleAction,
    /// By what it is counted. `ip` and `buyer` are one caller's own limit (429); `sale` and `channel` are everybody's
    /// together (503). An address is counted only for requests that show no valid token, login or job.
    pub subject: RuleSubject,
    /// `sliding-window` (never more than `limit` in any window) or `gcra` (`limit` at once, then one each
    /// `window / limit`; cheaper, for high limits).
    #[serde(default)]
    pub algorithm: RuleAlgorithm,
    /// Requests in a window: 1 to 10,000 for `sliding-window`, 1 to 100,000 a second for `gcra`.
    #[schema(value_type = u32, minimum = 1)]
    pub limit: NonZeroU32,
    /// The window, 1 to 86,400 seconds.
    #[serde(alias = "window_seconds")]
    #[schema(value_type = u32, minimum = 1, maximum = 86_400)]
    pub window_seconds: NonZeroU32,
}

// A word is a `tt`, not a `literal`: wrapped as one it is not seen by what derives the OpenAPI document.
macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$more:meta])* $variant:ident $word:tt),+ $(,)? }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
        pub enum $name { $($(#[$more])* #[doc = $word] #[serde(rename = $word)] $variant),+ }

        impl $name {
            const WORDS: &str = concat!($($word, " "),+);

            /// Its word in documents and keys.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// What a rule counts.
    RuleAction { Token "token", Order "order", Status "status", Any "any" }
}
words! {
    /// By what a rule counts.
    RuleSubject { Ip "ip", Buyer "buyer", Sale "sale", Channel "channel" }
}
words! {
    /// How a rule counts.
    #[derive(Default)]
    RuleAlgorithm { #[default] SlidingWindow "sliding-window", Gcra "gcra" }
}

impl RuleSubject {
    /// Is it one caller's own limit?
    pub fn is_one_caller(self) -> bool {
        matches!(self, Self::Ip | Self::Buyer)
    }
}

impl From<RuleAlgorithm> for LimitAlgorithm {
    fn from(algorithm: RuleAlgorithm) -> Self {
        match algorithm {
            RuleAlgorithm::SlidingWindow => Self::SlidingWindow,
            RuleAlgorithm::Gcra => Self::Gcra,
        }
    }
}

impl<const P: u32, const B: u32> From<Limit<P, B>> for Rate {
    fn from(Limit { enabled, per_second, burst }: Limit<P, B>) -> Self {
        Self { enabled, per_second, burst }
    }
}

impl From<&Limits> for LimitsDocument {
    fn from(Limits { per_ip, token_per_buyer, order_per_buyer, status, shared }: &Limits) -> Self {
        let local = LocalLimits {
            per_ip: (*per_ip).into(),
            token_per_buyer: (*token_per_buyer).into(),
            order_per_buyer: (*order_per_buyer).into(),
            status: (*status).into(),
        };
        Self { local, shared: shared.clone() }
    }
}

impl Default for LocalLimits {
    fn default() -> Self {
        LimitsDocument::from(&Limits::default()).local
    }
}

/// A value out of its range: its field, and what it has to be.
pub type Finding = (String, String);

impl LimitsDocument {
    /// Is every value in its range?
    pub fn check(&self) -> Result<(), Finding> {
        let local = &self.local;
        for (name, rate) in [
            ("perIp", local.per_ip),
            ("tokenPerBuyer", local.token_per_buyer),
            ("orderPerBuyer", local.order_per_buyer),
            ("status", local.status),
        ] {
            for (field, value) in [("perSecond", rate.per_second), ("burst", rate.burst)] {
                in_range(i64::from(value.get()), RATE_MAX, || format!("local.{name}.{field}"))?;
            }
        }
        if self.shared.len() > RULES_MAX {
            return Err(("shared".to_owned(), format!("may have at most {RULES_MAX} rules")));
        }
        for (at, rule) in self.shared.iter().enumerate() {
            rule.check(|field| format!("shared[{at}].{field}"))?;
            if self.shared[..at].iter().any(|other| other.name == rule.name) {
                return Err((format!("shared[{at}].name"), "names a rule a second time".to_owned()));
            }
        }
        Ok(())
    }
}

impl Rule {
    fn check(&self, field: impl Fn(&str) -> String) -> Result<(), Finding> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=NAME_MAX).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            return Err((field("name"), format!("has to be 1 to {NAME_MAX} of a-z, 0-9 and '-'")));
        }
        let window_s = self.window_seconds.get();
        in_range(window_s.into(), WINDOW_MAX_S, || field("windowSeconds"))?;
        let highest = match self.algorithm {
            RuleAlgorithm::SlidingWindow => WINDOW_LIMIT_MAX,
            RuleAlgorithm::Gcra => GCRA_RATE_MAX.saturating_mul(window_s),
        };
        in_range(self.limit.get().into(), highest, || field("limit"))
    }
}

fn in_range(value: i64, highest: u32, field: impl Fn() -> String) -> Result<(), Finding> {
    if (1..=i64::from(highest)).contains(&value) {
        return Ok(());
    }
    Err((field(), format!("has to be from 1 to {highest}")))
}
