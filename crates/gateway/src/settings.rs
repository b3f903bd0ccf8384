//! What can be configured about the edge. Every key has a default; an unknown key is refused.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

use crate::address::Cidr;
use crate::challenge::ChallengeSettings;
use crate::cors::CorsOrigin;
use crate::limits::{LimitsDocument, Rule};
use crate::sold_out::SoldOutSettings;

/// The `[gateway]` section.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GatewaySettings {
    /// Threads that serve buyers; 0 means one for each processor. Operators have one of their own.
    pub workers: usize,
    /// Tokens are issued from this many seconds before the opening, so that the rush for tokens is over when the
    /// rush for units begins.
    pub token_lead_s: u32,
    /// A token lives this many seconds from the opening or its issue, whichever is later: long enough to choose
    /// and press, too short to collect and sell.
    pub token_life_s: u32,
    /// Milliseconds by which a token may seem early or late, because gateways' clocks differ.
    pub token_leeway_ms: u32,
    /// Largest body of a buyer's request, in bytes. The largest honest one has some 450.
    pub body_max_bytes: usize,
    /// A body has to arrive within this many milliseconds, so that slow senders cannot hold connections.
    pub body_timeout_ms: u32,
    /// So do the request line and the headers.
    pub head_timeout_ms: u32,
    /// An idle connection is kept this many seconds. Behind a load balancer choose more than its own idle time,
    /// or it will use connections that are just being closed.
    pub keep_alive_s: u32,
    /// Connections open at once on the buyers' port; more wait in the system's backlog.
    pub max_connections: usize,
    /// Requests to `/api/` that are answered at once on the buyers' port; more get 503 `overloaded` before their body is
    /// read. 0: any number. Above what one sale lets wait for Redis (4,096), so that one crowd does not shut out others.
    pub in_flight_max: usize,
    /// When accepted orders have waited this many seconds for Postgres (the middle one of at least 100), new ones are
    /// refused with 503 `overloaded` until they wait less; 0: never. A minute, so that a restart of Postgres closes nothing.
    pub backlog_age_max_s: u32,
    /// The sold-out answer from memory.
    pub sold_out: SoldOutSettings,
    /// Networks whose `X-Forwarded-For` is believed. None by default: anybody can write that header.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<Cidr>,
    /// Other sites whose pages may call the buyers' port from a browser, each exactly as a browser names it:
    /// `https://shop.example`. None by default, and `*` is refused: whoever may ask for whom is the seller's decision.
    pub cors_origins: Vec<CorsOrigin>,
    /// The operators' port may be on an address that other machines reach. `false`: refused at start, because its key
    /// opens everything; say `true` where a private network or a proxy guards it.
    pub operators_exposed: bool,
    /// The demo profile may be on an address that other machines reach. `false`: refused at start, because in the demo
    /// anybody is any buyer; say `true` where something else guards it, a container's network for example.
    pub demo_exposed: bool,
    /// The proof of work before a token.
    pub challenge: ChallengeSettings,
    /// Serve `POST /api/v1/demo/buyers`, which makes anybody a buyer. Never in production.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub demo: bool,
    /// What one caller may ask for.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub limits: Limits,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            workers: 0,
            token_lead_s: 600,
            token_life_s: 120,
            token_leeway_ms: 2_000,
            body_max_bytes: 4_096,
            body_timeout_ms: 2_000,
            head_timeout_ms: 5_000,
            keep_alive_s: 5,
            max_connections: 10_000,
            in_flight_max: 5_000,
            backlog_age_max_s: 60,
            sold_out: SoldOutSettings::default(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            operators_exposed: false,
            demo_exposed: false,
            challenge: ChallengeSettings::default(),
            demo: false,
            limits: Limits::default(),
        }
    }
}

/// The `[limits]` section: rates of one caller on one gateway, and rules that all gateways keep together. It holds until
/// an operator changes it with `PUT /admin/v1/limits`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests of one address (IPv6: one /64) that carry no valid token, login or job. A buyer with a valid one
    /// does not share the limit of everybody behind the same address.
    pub per_ip: Limit<20, 40>,
    /// Tokens issued to one buyer.
    pub token_per_buyer: Limit<2, 4>,
    /// Purchases of one buyer, counted after the token's signature was checked.
    pub order_per_buyer: Limit<5, 10>,
    /// Reads of one job, and of one buyer's orders.
    pub status: Limit<5, 10>,
    /// Rules that all gateways keep together, in Redis: `[[limits.shared]]`. None by default, and then a request costs
    /// no call. While Redis is away each gateway enforces them alone.
    pub shared: Vec<Rule>,
}

impl Limits {
    /// What is wrong with it, by its key.
    pub fn check(&self) -> Result<(), String> {
        LimitsDocument::from(self).check().map_err(|(field, why)| {
            let lower =
                |one: char| if one.is_uppercase() { format!("_{}", one.to_ascii_lowercase()) } else { one.into() };
            let key: String = field.trim_start_matches("local.").chars().map(lower).collect();
            format!("limits.{key}: {why}")
        })
    }
}

/// One limit: so many a second on average, and so many at once after a pause.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limit<const PER_SECOND: u32, const BURST: u32> {
    /// Is it applied?
    pub enabled: bool,
    /// Requests a second, on average.
    pub per_second: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
}

impl<const PER_SECOND: u32, const BURST: u32> Default for Limit<PER_SECOND, BURST> {
    fn default() -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { enabled: true, per_second: at_least_one(PER_SECOND), burst: at_least_one(BURST) }
    }
}

/// What is given of a limit. Its defaults are part of its type, which `serde` cannot derive.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LimitFields {
    /// Is it applied?
    enabled: Option<bool>,
    /// Requests a second, on average: 1 to 1,000,000.
    per_second: Option<NonZeroU32>,
    /// Requests at once: 1 to 1,000,000.
    burst: Option<NonZeroU32>,
}

impl<const PER_SECOND: u32, const BURST: u32> JsonSchema for Limit<PER_SECOND, BURST> {
    fn schema_name() -> Cow<'static, str> {
        format!("Limit{PER_SECOND}By{BURST}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = LimitFields::json_schema(generator);
        let defaults = [("enabled", true.into()), ("per_second", PER_SECOND.into()), ("burst", BURST.into())];
        for (name, default) in defaults {
            if let Some(serde_json::Value::Object(field)) = schema.pointer_mut(&format!("/properties/{name}")) {
                field.insert("default".to_owned(), default);
            }
        }
        schema
    }
}

impl<'de, const PER_SECOND: u32, const BURST: u32> Deserialize<'de> for Limit<PER_SECOND, BURST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = LimitFields::deserialize(deserializer)?;
        let default = Self::default();
        Ok(Self {
            enabled: given.enabled.unwrap_or(default.enabled),
            per_second: given.per_second.unwrap_or(default.per_second),
            burst: given.burst.unwrap_or(default.burst),
        })
    }
}

/// A text that is never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_keeps_its_own_defaults_where_only_a_part_is_given() {
        let settings: GatewaySettings =
            serde_json::from_str(r#"{"limits":{"per_ip":{"enabled":false},"status":{"burst":7}}}"#).unwrap();
        let Limits { per_ip, status, .. } = settings.limits;
        assert_eq!((per_ip.enabled, per_ip.per_second.get(), per_ip.burst.get()), (false, 20, 40));
        assert_eq!((status.enabled, status.per_second.get(), status.burst.get()), (true, 5, 7));
    }

    #[test]
    fn a_rule_of_the_configuration_is_checked_and_named_by_its_key() {
        let rule = |limit: u32| {
            let rule = serde_json::json!({ "name": "crowd", "action": "order", "subject": "sale", "limit": limit,
                "window_seconds": 1 });
            let limits = serde_json::json!({ "shared": [rule], "per_ip": { "burst": 7 } });
            serde_json::from_value::<Limits>(limits).unwrap()
        };
        assert_eq!(rule(10_000).check(), Ok(()));
        assert_eq!(rule(10_001).check().unwrap_err(), "limits.shared[0].limit: has to be from 1 to 10000");
        let high = r#"{"token_per_buyer":{"per_second":2000000}}"#;
        let high: Limits = serde_json::from_str(high).unwrap();
        assert_eq!(high.check().unwrap_err(), "limits.token_per_buyer.per_second: has to be from 1 to 1000000");
        let schema = serde_json::json!(schemars::schema_for!(Limits));
        assert_eq!(schema["properties"]["per_ip"]["properties"]["burst"]["default"], 40);
        assert!(schema["$defs"]["Rule"]["properties"]["window_seconds"].is_object(), "{schema}");
    }

    #[test]
    fn what_is_not_a_setting_is_refused() {
        for wrong in [
            r#"{"limit":{}}"#,
            r#"{"limits":{"per_ip":{"rate":1}}}"#,
            r#"{"limits":{"status":{"burst":0}}}"#,
            r#"{"trusted_proxies":["10.0.0.0/33"]}"#,
        ] {
            assert!(serde_json::from_str::<GatewaySettings>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::from("hunter2".to_owned())), "Secret(…)");
    }
}
