//! Configuration: a TOML file, overridden by the environment. An unknown key, a wrong value, a missing secret and an
//! unsafe setting are refused at start, by name, and all at once.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use backends::postgres::PostgresSettings;
use backends::rabbitmq::RabbitSettings;
use backends::redis::RedisSettings;
use consumer::RetentionSettings;
use control::{
    Batch, ConcurrencySettings, LockSettings, PerformanceSettings, QuotaSettings, RetrySettings, TaskSettings,
    WorkSettings,
};
use domain::webhook::WebhookSecret;
use domain::{TokenKey, TokenKeys};
use gateway::{BuyerSettings, GatewaySettings, unhex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::Command;
use crate::preset::{self, Preset};
use crate::safety::{self, Findings, Service};
use crate::secret_files;

/// Shortest operators' key: short keys get guessed.
const ADMIN_KEY_MIN: usize = 24;

/// What was read: the configuration, if it can be used, and whatever there is to say about it.
pub struct Loaded {
    pub config: Option<Config>,
    pub findings: Findings,
}

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
    pub quotas: QuotaSettings,
    pub retention: RetentionSettings,
    pub token_keys: TokenKeys,
    pub admin_key: String,
    pub metrics_key: Option<String>,
    pub provider: Provider,
    pub webhook_secrets: Vec<WebhookSecret>,
    pub concurrency: ConcurrencySettings,
    pub log: Log,
}

/// The `[log]` section.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged, in the form of `tracing-subscriber`'s filters.
    pub filter: String,
    /// `text` for people, `json` for collectors.
    pub format: Format,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
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
    challenge: Table,
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
    quotas: QuotaSettings,
    retention: RetentionSettings,
    payments: PaymentsSection,
    secrets: Secrets,
    concurrency: ConcurrencySettings,
    log: Log,
}

impl Default for File {
    fn default() -> Self {
        Self {
            profile: Profile::Production,
            preset: Preset::Default,
            namespace: NAMESPACE.to_owned(),
            gateway: Default::default(),
            limits: Default::default(),
            challenge: Default::default(),
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
            quotas: Default::default(),
            retention: Default::default(),
            payments: Default::default(),
            secrets: Default::default(),
            concurrency: Default::default(),
            log: Default::default(),
        }
    }
}

/// A section that is read in two steps.
type Table = config::Map<String, config::Value>;

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Profile {
    Production,
    Demo,
}

/// The `[consumer]` section.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConsumerSection {
    /// Where a consumer serves `/metrics`, `/livez` and `/readyz`; nowhere unless it is said.
    #[schemars(with = "Option<String>")]
    status: Option<std::net::SocketAddr>,
}

/// The `[payments]` section.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentsSection {
    /// Who takes the money. `demo` in the demo profile unless it says otherwise.
    provider: Option<Provider>,
}

/// Who takes the buyers' money.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The seller's own checkout. It reports payments by webhook; refunds wait in the table `payments`.
    External,
    /// Nobody: each payment succeeds. Demo profile only.
    Demo,
}

/// The `[secrets]` section. None of them has a default.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// Opens the operators' port: at least 24 characters.
    admin_key: Option<String>,
    /// Opens `/metrics` and nothing else.
    metrics_key: Option<String>,
    /// What sale tokens are signed with: a list of `{ id, secret }`, the secret as at least 64 hex digits. The first signs, all
    /// verify, so that keys rotate without a moment of refusals.
    #[schemars(with = "Vec<String>")]
    token_keys: Vec<TokenKeySection>,
    /// One key as `id:hex`, for the environment.
    token_key: Option<String>,
    /// What payment webhooks are signed with, each `whsec_…`; several while they rotate. None: no webhook is believed.
    webhook_secrets: Vec<String>,
    /// One of them, for the environment.
    webhook_secret: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TokenKeySection {
    id: String,
    secret: String,
}

/// Reads, overrides and checks.
pub fn load(path: Option<&Path>, command: &Command) -> anyhow::Result<Loaded> {
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
    let mut findings = Findings::default();
    if let Some(path) = path {
        open_file(path, &mut findings);
    }
    let mut root = config::Source::collect(&read).context("the configuration cannot be read")?;
    secret_files::read(&mut root, &mut findings);
    let (mut file, broken) = sections(root, &mut findings);
    if matches!(command, Command::Demo) {
        if path.is_some() {
            bail!("the demo takes no configuration; for `--config` name a role: all, gateway or consumer");
        }
        make_demo(&mut file);
    }
    let mut about_values = Findings::default();
    let config = check(file, &mut about_values);
    // What is said about the defaults of a section that could not be read is noise.
    about_values.0.retain(|finding| {
        !broken.iter().any(|section| finding.key.starts_with(section) || finding.text.starts_with(section))
    });
    findings.0.append(&mut about_values.0);
    let config = config.filter(|_| findings.refused().next().is_none());
    Ok(Loaded { config, findings })
}

/// The file, and the names of sections that cannot be read: each of them is a finding of its own.
fn sections(root: Table, findings: &mut Findings) -> (File, Vec<String>) {
    let wrong = |why: config::ConfigError| format!("the configuration is wrong: {}", unquoted(&why.to_string()));
    let read = |table: Table| File::deserialize(config::Value::from(table)).map_err(wrong);
    let mut fine = Table::default();
    let mut broken = Vec::new();
    for (name, value) in root {
        match read(Table::from_iter([(name.clone(), value.clone())])) {
            Ok(_) => {
                fine.insert(name, value);
            }
            Err(why) => {
                findings.refuse("", why);
                broken.push(name);
            }
        }
    }
    let file = read(fine).unwrap_or_else(|why| {
        findings.refuse("", why);
        File::default()
    });
    (file, broken)
}

/// A file with secrets in it is nobody else's to read.
fn open_file(path: &Path, findings: &mut Findings) {
    let holds_secrets = std::fs::read_to_string(path).is_ok_and(|text| text.contains("[secrets") || text.contains('@'));
    if holds_secrets && std::fs::metadata(path).is_ok_and(|about| secret_files::is_open(&about)) {
        let text =
            format!("{} holds secrets and can be read by every user of this machine (chmod o-r)", path.display());
        findings.warn("", text);
    }
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
    // One browser is all buyers; a preset that says something about other limits changes nothing about that.
    let off = Table::from([("enabled".to_owned(), false.into())]);
    file.limits.entry("per_ip".to_owned()).or_insert(off.into());
}

/// The namespace of an installation that says nothing.
const NAMESPACE: &str = "seckill";

/// The first part of the keys of rules and tokens.
fn prefix(settings: &ConcurrencySettings, namespace: &str) -> anyhow::Result<String> {
    let prefix = match &settings.prefix {
        Some(prefix) => prefix.clone(),
        None if namespace == NAMESPACE => "concurrency".to_owned(),
        None => format!("{namespace}:concurrency"),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
    if !(1..=64).contains(&prefix.len()) || !prefix.bytes().all(plain) {
        bail!("concurrency.prefix: has to be 1 to 64 letters, digits, ':', '-' or '_'");
    }
    Ok(prefix)
}

/// The URL of a backend that lives in this process.
pub const EMBEDDED: &str = "embedded:";

fn check(mut file: File, findings: &mut Findings) -> Option<Config> {
    let demo = file.profile == Profile::Demo;
    for (service, key, url, schemes) in [
        (Service::Redis, "redis.url", &file.redis.url, ["redis://", "rediss://"]),
        (Service::RabbitMq, "rabbitmq.url", &file.rabbitmq.url, ["amqp://", "amqps://"]),
        (Service::Postgres, "postgres.url", &file.postgres.url, ["postgres://", "postgresql://"]),
    ] {
        if findings.take(scheme(key, url, &schemes)).is_some() {
            safety::address(service, key, url, findings);
        }
    }
    if !file.namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        || !(1..=40).contains(&file.namespace.len())
    {
        findings.refuse("namespace", "has to be 1 to 40 letters, digits, '-' or '_'");
    }
    file.redis.namespace.clone_from(&file.namespace);
    file.rabbitmq.namespace.clone_from(&file.namespace);
    file.redis.concurrency_prefix = findings.take(prefix(&file.concurrency, &file.namespace)).unwrap_or_default();

    let listen = findings.take(address(&mut file.gateway, "listen")).flatten();
    let listen = listen.unwrap_or(std::net::SocketAddr::from(([127, 0, 0, 1], 8080)));
    let operators = match file.gateway.get("operators").map(ToString::to_string).as_deref() {
        Some("none") => {
            file.gateway.remove("operators");
            None
        }
        _ => {
            let given = findings.take(address(&mut file.gateway, "operators")).flatten();
            Some(given.unwrap_or(([127, 0, 0, 1], 8081).into()))
        }
    };
    for reserved in ["limits", "demo", "challenge"] {
        if file.gateway.remove(reserved).is_some() {
            findings.refuse(format!("gateway.{reserved}"), "is not a key of this section");
        }
    }
    for (name, section) in [("limits", file.limits), ("challenge", file.challenge)] {
        if !section.is_empty() {
            file.gateway.insert(name.to_owned(), section.into());
        }
    }
    let section = config::Value::from(file.gateway);
    let read = GatewaySettings::deserialize(section).map_err(|why| anyhow!("gateway, limits or challenge: {why}"));
    let readable = read.is_ok();
    let mut gateway = findings.take(read).unwrap_or_default();
    gateway.demo = demo;
    if readable {
        safety::listeners(listen.ip(), operators.map(|address| address.ip()), &gateway, findings);
        if gateway.trusted_proxies.iter().any(gateway::Cidr::is_everybody) {
            let text = "believes everybody's X-Forwarded-For, so that anybody has any address; list the proxies only";
            findings.refuse("gateway.trusted_proxies", text);
        }
        findings.take(gateway.challenge.validate().map_err(anyhow::Error::msg));
        findings.take(gateway.limits.check().map_err(anyhow::Error::msg));
    }

    findings.take(file.quotas.writing().map_err(|why| anyhow!("quotas.{why}")));
    findings.take(file.retention.check().map_err(anyhow::Error::msg));
    let provider = file.payments.provider.unwrap_or(if demo { Provider::Demo } else { Provider::External });
    if provider == Provider::Demo && !demo {
        let text = "\"demo\" gives goods away for nothing; it needs profile = \"demo\"";
        findings.refuse("payments.provider", text);
    }
    file.secrets.beside_each_other(file.buyers.hs256_secret.as_deref(), findings);
    let webhook_secrets = findings.take(file.secrets.webhook_secrets());
    let admin_key = findings.take(file.secrets.admin_key());
    let token_keys = findings.take(file.secrets.token_keys());
    Some(Config {
        listen,
        provider,
        webhook_secrets: webhook_secrets?,
        operators,
        consumer_status: file.consumer.status,
        gateway,
        admin_key: admin_key?,
        token_keys: token_keys?,
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
        concurrency: file.concurrency,
        quotas: file.quotas,
        retention: file.retention,
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

    /// No secret may be another one as well.
    fn beside_each_other(&self, buyers: Option<&str>, findings: &mut Findings) {
        let tokens = self.token_keys.iter().map(|key| ("secrets.token_keys", key.secret.as_str()));
        let single = self.token_key.iter().filter_map(|text| Some(("secrets.token_key", text.split_once(':')?.1)));
        let webhooks = self.webhook_secrets.iter().map(|text| ("secrets.webhook_secrets", text.as_str()));
        let webhook = self.webhook_secret.iter().map(|text| ("secrets.webhook_secret", text.as_str()));
        let buyers = buyers.map(|secret| ("buyers.hs256_secret", secret));
        let others: Vec<_> = tokens.chain(single).chain(webhooks).chain(webhook).chain(buyers).collect();
        safety::secrets(self.admin_key.as_deref(), self.metrics_key.as_deref(), &others, findings);
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
    // Only what is certainly a scheme is repeated: anything else may be a password in the wrong place.
    let plain = |text: &str| text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
    let given = url.split_once("://").map(|(scheme, _)| scheme).filter(|scheme| plain(scheme));
    let given = given.map(|scheme| format!(", not with {scheme:?}")).unwrap_or_default();
    bail!("{key}: has to start with {} or be {EMBEDDED:?}{given}", schemes.join(" or "))
}

fn address(section: &mut Table, key: &str) -> anyhow::Result<Option<std::net::SocketAddr>> {
    let Some(value) = section.remove(key) else { return Ok(None) };
    let text = value.to_string();
    text.parse().map(Some).map_err(|_| anyhow!("gateway.{key}: has to be an address like 127.0.0.1:8080, not {text:?}"))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
