//! Where the broker is and how patient we are with it.

use std::fmt;
use std::time::Duration;

use lapin::uri::AMQPUri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[rabbitmq]` section.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RabbitSettings {
    /// `amqp://user:password@host:port/vhost`, or `amqps://…`. `Debug` masks the password.
    pub url: String,
    /// Begins the name of every queue and exchange, so that several systems can share a virtual host.
    #[serde(skip_serializing)]
    #[schemars(skip)]
    pub namespace: String,
    /// A publish without an answer after this many milliseconds has an unknown outcome.
    pub confirm_timeout_ms: u64,
    /// Seconds between heartbeats; a silent peer is given up after twice this time.
    pub heartbeat_s: u16,
    /// Milliseconds until an attempt to connect, or to open a channel, is given up.
    pub connect_timeout_ms: u64,
    /// Messages delivered to a lane ahead of their acknowledgement.
    pub prefetch: u16,
    /// Messages published and not yet confirmed, at most: bounds memory while the broker is slow.
    pub publish_in_flight: usize,
}

impl Default for RabbitSettings {
    fn default() -> Self {
        Self {
            url: "amqp://127.0.0.1:5672/%2f".into(),
            namespace: "seckill".into(),
            confirm_timeout_ms: 1_000,
            heartbeat_s: 5,
            connect_timeout_ms: 2_000,
            prefetch: 200,
            publish_in_flight: 512,
        }
    }
}

impl fmt::Debug for RabbitSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitSettings")
            .field("url", &masked(&self.url))
            .field("namespace", &self.namespace)
            .field("confirm_timeout_ms", &self.confirm_timeout_ms)
            .field("heartbeat_s", &self.heartbeat_s)
            .field("connect_timeout_ms", &self.connect_timeout_ms)
            .field("prefetch", &self.prefetch)
            .field("publish_in_flight", &self.publish_in_flight)
            .finish()
    }
}

/// AMQP names have at most 255 bytes; ours append at most a routing word to the namespace.
const NAMESPACE_MAX: usize = 64;

impl RabbitSettings {
    /// The URL with our heartbeat and connect timeout, where it does not state its own. An error says what is wrong
    /// without repeating the password.
    pub(super) fn checked_url(&self) -> Result<String, String> {
        // The parser's own message may quote the URL, password included.
        let mut uri: AMQPUri = self.url.parse().map_err(|_| format!("not a usable AMQP URL: {}", masked(&self.url)))?;
        let named = self.namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !named || self.namespace.is_empty() || self.namespace.len() > NAMESPACE_MAX {
            return Err(format!("the RabbitMQ namespace has 1 to {NAMESPACE_MAX} letters, digits, '-', '_' or '.'"));
        }
        if self.prefetch == 0 || self.publish_in_flight == 0 || self.confirm_timeout_ms == 0 {
            return Err("prefetch, publish_in_flight and confirm_timeout_ms of RabbitMQ are at least 1".into());
        }
        uri.query.heartbeat.get_or_insert(self.heartbeat_s);
        uri.query.connection_timeout.get_or_insert(self.connect_timeout_ms);
        Ok(uri.to_string())
    }

    pub(super) fn confirm_timeout(&self) -> Duration {
        Duration::from_millis(self.confirm_timeout_ms)
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }
}

/// The URL without its password.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "(no scheme)".into() };
    let Some((user_info, address)) = rest.rsplit_once('@') else { return url.into() };
    let user = user_info.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:***@{address}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_password_reaches_a_log_line_or_an_error() {
        for url in
            ["amqp://ann:s3cret@host:1/v", "amqp://ann:s3c:r@et@host", "http://ann:s3cret@host", "ann:s3cret@host"]
        {
            let settings = RabbitSettings { url: url.into(), ..RabbitSettings::default() };
            assert!(!format!("{settings:?}").contains("s3c"), "{url}");
            if let Err(error) = settings.checked_url() {
                assert!(!error.contains("s3c"), "{error}");
            }
        }
    }

    #[test]
    fn the_url_gets_our_heartbeat_unless_it_has_its_own() {
        let with = |url: &str| RabbitSettings { url: url.into(), ..RabbitSettings::default() }.checked_url();
        let plain = with("amqp://127.0.0.1:5672").unwrap();
        assert!(plain.contains("127.0.0.1:5672/%2F?heartbeat=5&connection_timeout=2000"), "{plain}");
        assert!(with("amqp://127.0.0.1/%2f?heartbeat=9").unwrap().contains("heartbeat=9"));
        assert!(with("redis://127.0.0.1").is_err());
        assert!(with("nonsense").is_err());
    }

    #[test]
    fn a_namespace_that_would_not_fit_a_name_is_refused() {
        for namespace in ["", "a b", "é", &"x".repeat(65)] {
            let settings = RabbitSettings { namespace: namespace.into(), ..RabbitSettings::default() };
            assert!(settings.checked_url().is_err(), "{namespace:?}");
        }
    }
}
