//! Configuration: a TOML file, overridden by the environment. An unknown key, a wrong value and a missing secret are
//! refused at start, by name.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use backends::postgres::PostgresSettings;
use backends::rabbitmq::RabbitSettings;
use backends::redis::RedisSettings;
use control::{Batch, LockSettings, PerformanceSettings, RetrySettings, TaskSettings, WorkSettings};
use domain::webhook::WebhookSecret;
use domain::{TokenKey, TokenKeys};
use gateway::{BuyerSettings, GatewaySettings};
use serde::Deserialize;

use crate::cli::Command;
use crate::preset::{self, Preset};

/// Shortest operators' key: short keys get guessed.
const ADMIN_KEY_MIN: usize = 24;

/// Everything that can be configured, checked.
pub struct Config {
    pub listen: std::net::SocketAddr,
    pub operators: Option<std::net::SocketAddr>,
    pub consumer_status: Option<std::net::SocketAddr>,
    pub gateway: GatewaySettings,
    pub redis: RedisSettings,
    pub rabbitmq: RabbitSettings,
    pub postgres: PostgresSettings,
    pub works: WorkSettings,
    pub buyers: BuyerSettings,
    pub token_keys: TokenKeys,
    pub admin_key: String,
    pub metrics_key: Option<String>,
    pub provider: Provider,
    pub webhook_secrets: Vec<WebhookSecret>,
    pub log: Log,
}

/// The `[log]` section.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged, in the form of `tracing-subscriber`'s filters.
    pub filter: String,
    /// `text` for people, `json` for collectors.
    pub format: Format,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Text,
    Json,
}

impl Default for Log {
    fn default() -> Self {
        // lapin and the pool report each reconnect themselves; ours are the lines that say what it means.
        Self { filter: "info,lapin=error,sqlx=warn,actix_server=warn".to_owned(), format: Format::Text }
    }
}

/// The file, section by section.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    profile: Profile,
    preset: Preset,
    namespace: String,
    gateway: Table,
    limits: Table,
    consumer: ConsumerSection,
    redis: RedisSettings,
    rabbitmq: RabbitSettings,
    postgres: PostgresSettings,
    locks: LockSettings,
    tasks: TaskSettings,
    batch: Batch,
    retry: RetrySettings,
    performance: PerformanceSettings,
    buyers: BuyerSettings,
    payments: PaymentsSection,
    secrets: Secrets,
    log: Log,
}

impl Default for File {
    fn default() -> Self {
        Self {
            profile: Profile::Production,
            preset: Preset::Default,
            namespace: "seckill".to_owned(),
            gateway: Default::default(),
            limits: Default::default(),
            consumer: Default::default(),
            redis: Default::default(),
            rabbitmq: Default::default(),
            postgres: Default::default(),
            locks: Default::default(),
            tasks: Default::default(),
            batch: Default::default(),
            retry: Default::default(),
            performance: Default::default(),
            buyers: Default::default(),
            payments: Default::default(),
            secrets: Default::default(),
            log: Default::default(),
        }
    }
}

/// A section that is read in two steps.
type Table = config::Map<String, config::Value>;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Profile {
    Production,
    Demo,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConsumerSection {
    status: Option<std::net::SocketAddr>,
}

/// The `[payments]` section.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PaymentsSection {
    /// Who takes the money. `demo` in the demo profile unless it says otherwise.
    provider: Option<Provider>,
}

/// Who takes the buyers' money.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The seller's own checkout. It reports payments by webhook; refunds wait in the table `payments`.
    External,
    /// Nobody: each payment succeeds. Demo profile only.
    Demo,
}

/// The `[secrets]` section. None of them has a default.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Secrets {
    admin_key: Option<String>,
    metrics_key: Option<String>,
    token_keys: Vec<TokenKeySection>,
    /// One key as `id:hex`, for the environment.
    token_key: Option<String>,
    /// What payment webhooks are signed with, each `whsec_…`; several while they rotate. None: no webhook is believed.
    webhook_secrets: Vec<String>,
    /// One of them, for the environment.
    webhook_secret: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenKeySection {
    id: String,
    secret: String,
}

/// Reads, overrides and checks.
pub fn load(path: Option<&Path>, command: &Command) -> anyhow::Result<Config> {
    let mut builder = config::Config::builder();
    if let Some(path) = path {
        if !path.is_file() {
            bail!("there is no configuration file {}", path.display());
        }
        builder = builder.add_source(config::File::from(path).format(config::FileFormat::Toml));
    }
    let environment =
        config::Environment::with_prefix("SECKILL").prefix_separator("__").separator("__").try_parsing(true);
    let read = preset::applied(builder.add_source(environment))?;
    let mut file: File =
        read.try_deserialize().map_err(|why| anyhow!("the configuration is wrong: {}", unquoted(&why.to_string())))?;
    if matches!(command, Command::Demo) {
        if path.is_some() {
            bail!("the demo takes no configuration; for `--config` name a role: all, gateway or consumer");
        }
        make_demo(&mut file);
    }
    check(file)
}

/// Everything inside this process, with secrets made up for this run.
fn make_demo(file: &mut File) {
    let secret = || [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(|half| half.simple().to_string()).concat();
    file.profile = Profile::Demo;
    file.redis.url = EMBEDDED.to_owned();
    file.rabbitmq.url = EMBEDDED.to_owned();
    file.postgres.url = EMBEDDED.to_owned();
    file.buyers.hs256_secret.get_or_insert_with(secret);
    file.secrets.admin_key.get_or_insert_with(secret);
    if file.secrets.token_key.is_none() && file.secrets.token_keys.is_empty() {
        file.secrets.token_key = Some(format!("demo:{}", secret()));
    }
    if file.limits.is_empty() {
        let off = Table::from([("enabled".to_owned(), false.into())]);
        file.limits.insert("per_ip".to_owned(), off.into());
    }
}

/// The URL of a backend that lives in this process.
pub const EMBEDDED: &str = "embedded:";

fn check(mut file: File) -> anyhow::Result<Config> {
    let demo = file.profile == Profile::Demo;
    scheme("redis.url", &file.redis.url, &["redis://", "rediss://"])?;
    scheme("rabbitmq.url", &file.rabbitmq.url, &["amqp://", "amqps://"])?;
    scheme("postgres.url", &file.postgres.url, &["postgres://", "postgresql://"])?;
    if !file.namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        || !(1..=40).contains(&file.namespace.len())
    {
        bail!("namespace: has to be 1 to 40 letters, digits, '-' or '_'");
    }
    file.redis.namespace.clone_from(&file.namespace);
    file.rabbitmq.namespace.clone_from(&file.namespace);

    let listen = address(&mut file.gateway, "listen")?.unwrap_or(std::net::SocketAddr::from(([127, 0, 0, 1], 8080)));
    let operators = match file.gateway.get("operators").map(ToString::to_string).as_deref() {
        Some("none") => {
            file.gateway.remove("operators");
            None
        }
        _ => Some(address(&mut file.gateway, "operators")?.unwrap_or(([127, 0, 0, 1], 8081).into())),
    };
    for reserved in ["limits", "demo"] {
        if file.gateway.contains_key(reserved) {
            bail!("gateway.{reserved}: is not a key of this section");
        }
    }
    if !file.limits.is_empty() {
        file.gateway.insert("limits".to_owned(), file.limits.into());
    }
    let section = config::Value::from(file.gateway);
    let mut gateway = GatewaySettings::deserialize(section).map_err(|why| anyhow!("gateway or limits: {why}"))?;
    gateway.demo = demo;

    let provider = file.payments.provider.unwrap_or(if demo { Provider::Demo } else { Provider::External });
    if provider == Provider::Demo && !demo {
        bail!("payments.provider: \"demo\" gives goods away for nothing; it needs profile = \"demo\"");
    }
    Ok(Config {
        listen,
        provider,
        webhook_secrets: file.secrets.webhook_secrets()?,
        operators,
        consumer_status: file.consumer.status,
        gateway,
        admin_key: file.secrets.admin_key()?,
        token_keys: file.secrets.token_keys()?,
        metrics_key: file.secrets.metrics_key,
        redis: file.redis,
        rabbitmq: file.rabbitmq,
        postgres: file.postgres,
        works: WorkSettings {
            locks: file.locks,
            tasks: file.tasks,
            batch: file.batch,
            retry: file.retry,
            performance: file.performance,
        },
        buyers: file.buyers,
        log: file.log,
    })
}

impl Secrets {
    fn admin_key(&self) -> anyhow::Result<String> {
        match &self.admin_key {
            Some(key) if key.len() >= ADMIN_KEY_MIN => Ok(key.clone()),
            Some(_) => bail!("secrets.admin_key: has to be at least {ADMIN_KEY_MIN} characters"),
            None => bail!("secrets.admin_key: is missing; there is no default (try `openssl rand -hex 32`)"),
        }
    }

    fn webhook_secrets(&self) -> anyhow::Result<Vec<WebhookSecret>> {
        let given = self.webhook_secrets.iter().chain(&self.webhook_secret);
        given.map(|text| text.parse().map_err(|why| anyhow!("secrets.webhook_secrets: {why}"))).collect()
    }

    fn token_keys(&self) -> anyhow::Result<TokenKeys> {
        let listed = self.token_keys.iter().map(|key| (key.id.as_str(), key.secret.as_str()));
        let single = match self.token_key.as_deref() {
            Some(text) => Some(text.split_once(':').context("secrets.token_key: has to be id:hex")?),
            None => None,
        };
        let keys = listed.chain(single).map(|(id, hex)| {
            let secret =
                unhex(hex).with_context(|| format!("secrets.token_keys: the secret of {id} has to be hex digits"))?;
            TokenKey::new(id, &secret).map_err(|why| anyhow!("secrets.token_keys: {why}"))
        });
        let keys = keys.collect::<anyhow::Result<Vec<_>>>()?;
        TokenKeys::new(keys).map_err(|_| anyhow!("secrets.token_keys: is missing; there is no default"))
    }
}

/// An error without the value that it complains about: that may be a secret in the wrong place.
fn unquoted(error: &str) -> String {
    match (error.find("string \""), error.rfind("\", expected")) {
        (Some(from), Some(to)) if from < to => format!("{}string{}", &error[..from], &error[to + 1..]),
        _ => error.to_owned(),
    }
}

fn scheme(key: &str, url: &str, schemes: &[&str]) -> anyhow::Result<()> {
    if url == EMBEDDED || schemes.iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(());
    }
    let given = url.split_once(':').map_or(url, |(scheme, _)| scheme);
    bail!("{key}: has to start with {} or be {EMBEDDED:?}, not with {given:?}", schemes.join(" or "))
}

fn address(section: &mut Table, key: &str) -> anyhow::Result<Option<std::net::SocketAddr>> {
    let Some(value) = section.remove(key) else { return Ok(None) };
    let text = value.to_string();
    text.parse().map(Some).map_err(|_| anyhow!("gateway.{key}: has to be an address like 127.0.0.1:8080, not {text:?}"))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    /// A file with what has no default, and these lines in front.
    fn read(lines: &str) -> anyhow::Result<Config> {
        let secrets = format!("[secrets]\nadmin_key = \"{0}\"\ntoken_key = \"t:{0}\"", "ab".repeat(32));
        let text = config::File::from_str(&format!("{lines}\n{secrets}"), config::FileFormat::Toml);
        let read = preset::applied(config::Config::builder().add_source(text))?;
        check(read.try_deserialize::<File>()?)
    }

    #[test]
    fn each_preset_loads_changes_what_its_table_says_and_an_explicit_key_wins() {
        let figures = |config: &Config| {
            let Config { gateway, postgres, redis, works, .. } = config;
            let limits = &gateway.limits;
            let limit = |per_second: NonZeroU32, burst: NonZeroU32| [per_second.get(), burst.get()].map(i64::from);
            let (token, order, status) = (&limits.token_per_buyer, &limits.order_per_buyer, &limits.status);
            [
                vec![works.tasks.max_concurrent as i64, works.tasks.workers as i64],
                vec![works.performance.max_records as i64, postgres.pool_size.into(), postgres.pool_min.into()],
                vec![redis.in_flight as i64, gateway.max_connections as i64, gateway.workers as i64],
                limit(token.per_second, token.burst).to_vec(),
                limit(order.per_second, order.burst).to_vec(),
                limit(status.per_second, status.burst).to_vec(),
            ]
            .concat()
        };
        let default = figures(&read("").unwrap());
        assert_eq!(figures(&read("preset = \"default\"").unwrap()), default);
        let table = |of: fn(&(&str, i64, i64, &str)) -> i64| preset::CHANGES.iter().map(of).collect::<Vec<_>>();
        let high = figures(&read("preset = \"high-load\"").unwrap());
        assert_eq!(high, table(|(_, high, _, _)| *high));
        let low = figures(&read("preset = \"low-resource\"").unwrap());
        assert_eq!(low, table(|(_, _, low, _)| *low));
        for (at, (key, ..)) in preset::CHANGES.iter().enumerate() {
            assert!(low[at] <= default[at] || default[at] == 0, "{key}");
            assert!(default[at] <= high[at], "{key}");
        }
        let mixed =
            read("preset = \"high-load\"\n[tasks]\nmax_concurrent = 7\n[limits]\nstatus = { burst = 9 }").unwrap();
        assert_eq!((mixed.works.tasks.max_concurrent, mixed.works.tasks.workers), (7, 100));
        assert_eq!((mixed.gateway.limits.status.burst.get(), mixed.gateway.limits.status.per_second.get()), (9, 10));
        for wrong in ["preset = \"fast\"", "[tasks]\nmax = 1", "[locks]\ntimeout_s = \"long\"", "[batch]\nx = 1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_error_does_not_repeat_a_value_that_may_be_a_secret() {
        let error =
            r#"invalid type: string "postgres://u:hunter2@h/db", expected struct PostgresSettings for key `postgres`"#;
        let said = unquoted(error);
        assert!(!said.contains("hunter2") && said.contains("expected struct") && said.contains("`postgres`"), "{said}");
        assert_eq!(unquoted("unknown field `urll`"), "unknown field `urll`");
    }
}
