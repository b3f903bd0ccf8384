//! What the product is told: addresses, secrets, and the configuration file made of them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::ports::Ports;
use crate::files;
use crate::services::{Started, Wanted};

/// Servers' addresses with user and password; `None` while a server of our own has not been started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    pub redis: Option<String>,
    pub amqp: Option<String>,
    pub postgres: Option<String>,
}

impl Addresses {
    /// Those named by the environment, through `variable`.
    pub fn given(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        Self { redis: set("REDIS_URL"), amqp: set("AMQP_URL"), postgres: set("DATABASE_URL") }
    }

    /// The servers that nobody named.
    pub fn missing(&self) -> Wanted {
        Wanted { redis: self.redis.is_none(), rabbitmq: self.amqp.is_none(), postgres: self.postgres.is_none() }
    }

    /// These, and our own servers' where there is none.
    pub fn or(self, servers: &Started) -> Self {
        Self {
            redis: self.redis.or_else(|| servers.redis.as_ref().map(|server| server.url())),
            amqp: self.amqp.or_else(|| servers.rabbitmq.as_ref().map(|server| server.url())),
            postgres: self.postgres.or_else(|| servers.postgres.as_ref().map(|server| server.url())),
        }
    }
}

/// Made once and kept: tokens and logins stay valid from start to start.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    pub admin_key: String,
    pub metrics_key: String,
    pub token_key: String,
    pub buyers_key: String,
    pub webhook_secret: String,
}

impl Secrets {
    /// Those in `file`, or new ones that are then in `file` (mode 0600).
    pub fn keep(file: &Path) -> Result<Self> {
        if !file.exists() {
            let new = Self {
                admin_key: files::random_hex(16)?,
                metrics_key: files::random_hex(16)?,
                token_key: files::random_hex(32)?,
                buyers_key: files::random_hex(32)?,
                webhook_secret: webhook_secret()?,
            };
            let value = json!({
                "adminKey": new.admin_key, "metricsKey": new.metrics_key,
                "tokenKey": new.token_key, "buyersKey": new.buyers_key, "webhookSecret": new.webhook_secret,
            });
            files::write_private(file, &format!("{value:#}\n"))?;
            return Ok(new);
        }
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut value: Value =
            serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
        // A file of before there were payments.
        if value.is_object() && value["webhookSecret"].is_null() {
            value["webhookSecret"] = Value::from(webhook_secret()?);
            files::write_private(file, &format!("{value:#}\n"))?;
        }
        let read = |name: &str| {
            let missing = || format!("{} has no {name}; remove the file to get new secrets", file.display());
            value[name].as_str().map(str::to_owned).with_context(missing)
        };
        Ok(Self {
            admin_key: read("adminKey")?,
            metrics_key: read("metricsKey")?,
            token_key: read("tokenKey")?,
            buyers_key: read("buyersKey")?,
            webhook_secret: read("webhookSecret")?,
        })
    }
}

/// Hex digits are base64 too: 48 of them are 36 bytes.
fn webhook_secret() -> Result<String> {
    Ok(format!("whsec_{}", files::random_hex(24)?))
}

/// `[limits]` of a stack whose only client is 127.0.0.1.
pub const NO_LIMIT_BY_ADDRESS: &str = "# Every client of this stack is 127.0.0.1.\nper_ip = { enabled = false }";

/// The product's configuration file, with `limits` as its section of that name.
pub fn toml(ports: &Ports, addresses: &Addresses, secrets: &Secrets, limits: &str) -> String {
    let url = |url: &Option<String>| quoted(url.as_deref().unwrap_or_default());
    format!(
        r#"# Written by `cargo xtask up` at every start; changes made here do not last.
profile = "demo"
namespace = "seckill"

[gateway]
listen = "127.0.0.1:{buyers}"
operators = "127.0.0.1:{operators}"

[redis]
url = {redis}

[rabbitmq]
url = {amqp}

[postgres]
url = {postgres}

[secrets]
admin_key = {admin_key}
metrics_key = {metrics_key}
webhook_secrets = [{webhook_secret}]

[[secrets.token_keys]]
id = "k1"
secret = {token_key}

[buyers]
hs256_secret = {buyers_key}

[limits]
{limits}
"#,
        buyers = ports.buyers(),
        operators = ports.operators,
        redis = url(&addresses.redis),
        amqp = url(&addresses.amqp),
        postgres = url(&addresses.postgres),
        admin_key = quoted(&secrets.admin_key),
        metrics_key = quoted(&secrets.metrics_key),
        webhook_secret = quoted(&secrets.webhook_secret),
        token_key = quoted(&secrets.token_key),
        buyers_key = quoted(&secrets.buyers_key),
    )
}

/// A TOML basic string; its escapes are JSON's, but for DEL, which may not stand bare.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Recognisable stand-ins.
    pub fn secrets() -> Secrets {
        Secrets {
            admin_key: "a".repeat(32),
            metrics_key: "m".repeat(32),
            token_key: "t".repeat(64),
            buyers_key: "b".repeat(64),
            webhook_secret: "whsec_w".to_owned(),
        }
    }

    #[test]
    fn the_file_says_what_the_product_reads() {
        let ports = Ports { gateways: vec![8080, 8082], operators: 8081, consumers: vec![] };
        let addresses = Addresses {
            redis: Some("redis://:p@127.0.0.1:1/0".into()),
            amqp: Some("amqp://u:p@127.0.0.1:2/%2f".into()),
            postgres: Some("postgres://u:p@127.0.0.1:3/seckill".into()),
        };
        let text = toml(&ports, &addresses, &secrets(), NO_LIMIT_BY_ADDRESS);
        for line in [
            "profile = \"demo\"",
            "namespace = \"seckill\"",
            "[gateway]\nlisten = \"127.0.0.1:8080\"\noperators = \"127.0.0.1:8081\"",
            "[redis]\nurl = \"redis://:p@127.0.0.1:1/0\"",
            "[rabbitmq]\nurl = \"amqp://u:p@127.0.0.1:2/%2f\"",
            "[postgres]\nurl = \"postgres://u:p@127.0.0.1:3/seckill\"",
            &format!("[secrets]\nadmin_key = \"{}\"", "a".repeat(32)),
            &format!("[[secrets.token_keys]]\nid = \"k1\"\nsecret = \"{}\"", "t".repeat(64)),
            &format!("[buyers]\nhs256_secret = \"{}\"", "b".repeat(64)),
            "webhook_secrets = [\"whsec_w\"]",
            "per_ip = { enabled = false }",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn an_address_with_quotes_in_it_cannot_break_the_file() {
        assert_eq!(quoted("a\"b\\c\nd\u{7f}"), r#""a\"b\\c\nd\u007f""#);
    }

    #[test]
    fn only_servers_that_nobody_named_are_started() {
        let given = Addresses::given(|name| match name {
            "REDIS_URL" => Some("redis://elsewhere".into()),
            "AMQP_URL" => Some(" ".into()),
            _ => None,
        });
        let missing = given.missing();
        assert_eq!((missing.redis, missing.rabbitmq, missing.postgres), (false, true, true));
    }

    #[test]
    fn secrets_are_made_once() {
        let file = std::env::temp_dir().join(format!("xtask-secrets-{}.json", std::process::id()));
        let made = Secrets::keep(&file).unwrap();
        let kept = Secrets::keep(&file).unwrap();
        assert!(made == kept);
        assert!(made.admin_key.len() >= 24 && made.token_key.len() == 64 && made.buyers_key.len() == 64);
        fs::remove_file(file).unwrap();
    }
}
