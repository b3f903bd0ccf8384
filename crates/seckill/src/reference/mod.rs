//! `docs/configuration.md`: every key with its default, made from the types that read them, and where each parameter of
//! the seeds went. `UPDATE=1 cargo test --release -p seckill --bins reference` writes it.

mod seeds;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use backends::postgres::PostgresSettings;
use backends::rabbitmq::RabbitSettings;
use backends::redis::RedisSettings;
use consumer::RetentionSettings;
use control::{
    Batch, ConcurrencySettings, LockSettings, PerformanceSettings, QuotaSettings, RetrySettings, TaskSettings,
};
use gateway::{BuyerSettings, ChallengeSettings, GatewaySettings, Limits};
use schemars::{JsonSchema, schema_for};
use serde::Serialize;
use serde_json::Value;

use crate::config::{ConsumerSection, Log, PaymentsSection, Secrets};
use crate::{preset, secret_files};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");

/// What can be configured: the key with its section, its default as TOML, and what it does.
pub struct Key {
    pub default: String,
    pub about: String,
}

/// One `[section]`, with its keys in alphabetical order.
struct Section {
    name: &'static str,
    about: &'static str,
    keys: BTreeMap<String, Key>,
}

impl Section {
    fn of<T: JsonSchema + Default + Serialize>(name: &'static str, about: &'static str) -> Self {
        Self::with(name, about, &T::default())
    }

    /// Where a default is more than the type says.
    fn with<T: JsonSchema + Serialize>(name: &'static str, about: &'static str, defaults: &T) -> Self {
        let schema = serde_json::to_value(schema_for!(T)).unwrap();
        let defaults = serde_json::to_value(defaults).unwrap();
        let mut keys = BTreeMap::new();
        collect(&schema, &schema, &defaults, "", &mut keys);
        Self { name, about, keys }
    }

    /// Leaves out what is a section of its own.
    fn without(mut self, beginning: &str) -> Self {
        self.keys.retain(|key, _| !key.starts_with(beginning));
        self
    }

    /// A key that is read before its section is.
    fn and(mut self, key: &str, default: &str, about: &str) -> Self {
        self.keys.insert(key.to_owned(), Key { default: default.to_owned(), about: about.to_owned() });
        self
    }
}

/// Adds the properties of an object, and those of the objects in it below their names.
fn collect(root: &Value, object: &Value, defaults: &Value, above: &str, keys: &mut BTreeMap<String, Key>) {
    let Some(properties) = object["properties"].as_object() else { return };
    for (name, property) in properties {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let (default, inner) = (&defaults[name], inner(root, property));
        let about = property["description"].as_str().or(inner["description"].as_str()).unwrap_or_default();
        if inner["properties"].is_object() {
            collect(root, inner, default, &path, keys);
        } else {
            assert!(!about.is_empty(), "{path} has no description");
            let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
            keys.insert(path, Key { default: shown(default), about });
        }
    }
}

/// The type behind a reference, also behind an optional one.
fn inner<'a>(root: &'a Value, property: &'a Value) -> &'a Value {
    let among = ["allOf", "anyOf"].iter().filter_map(|word| property[word].as_array()).flatten();
    let reference = property["$ref"].as_str().or_else(|| among.filter_map(|one| one["$ref"].as_str()).next());
    match reference.and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer).unwrap_or(property),
        None => property,
    }
}

/// As TOML writes it.
fn shown(default: &Value) -> String {
    match default {
        Value::Null => "–".to_owned(),
        Value::Array(list) if list.is_empty() => "`[]`".to_owned(),
        other => format!("`{other}`"),
    }
}

const INTRODUCTION: &str = "\
# Configuration

Made from the types that read it (`UPDATE=1 cargo test --release -p seckill --bins reference`); a test keeps it so.

One TOML file, `seckill --config seckill.toml …`. Any key can come from the environment instead: `SECKILL__REDIS__URL` is `redis.url`. What stands behind \
`–` has no default. An unknown key, a wrong value, a missing secret and an unsafe setting are refused at start, all of them at once; `seckill check` says the same, and what \
only deserves a warning. Secrets and addresses can be read from files, see the end of the first chapter.

## Keys
";

fn sections() -> Vec<Section> {
    let top = Section { name: "", about: "Before the first section.", keys: BTreeMap::new() };
    let listen = "Where buyers are served.";
    let operators = "Where operators are served, behind their key; `\"none\"`: nowhere.";
    vec![
        top.and("preset", "`\"default\"`", "For which machine the defaults are: see [presets](#presets).").and("profile", "`\"production\"`", "`demo` hands out buyers to anybody and takes payments that cost nothing.").and(
            "namespace",
            "`\"seckill\"`",
            "Begins every key in Redis and every name in RabbitMQ, so that several installations can share a server: 1 to \
             40 letters, digits, `-` or `_`.",
        ),
        Section::of::<GatewaySettings>("gateway", "The HTTP edge.")
            .without("challenge.")
            .and("listen", "`\"127.0.0.1:8080\"`", listen)
            .and("operators", "`\"127.0.0.1:8081\"`", operators),
        Section::of::<Limits>(
            "limits",
            "Rates of one caller, above which the answer is `rate-limited`. They hold until an operator changes them with `PUT \
             /admin/v1/limits`. A rule of `shared` has `name`, `action` (token, order, status, any), `subject` (ip, buyer, sale, \
             channel), `algorithm` (sliding-window, gcra), `limit` and `window_seconds` (1 to 86400).",
        ),
        Section::of::<ConcurrencySettings>(
            "concurrency",
            "Limits of what is in flight. The limits themselves are a document that operators change while it runs: `PUT \
             /api/v1/concurrency/config`.",
        ),
        Section::of::<ChallengeSettings>("challenge", "A proof of work before a token, in the format of ALTCHA's widget."),
        Section::of::<ConsumerSection>("consumer", "The process that writes orders."),
        Section::with(
            "quotas",
            "What a buyer and an API client may use in a day. Limits hold until an operator changes them with `PUT /admin/v1/quotas`; \
             0 is unlimited, and costs nothing. The writing keys come from the preset unless they are given.",
            &quotas(),
        ),
        Section::of::<LockSettings>("locks", "Locks over all processes, for warm-up, rebuild, repair and cancel."),
        Section::of::<TaskSettings>("tasks", "Background work of one process."),
        Section::of::<Batch>("batch", "Work on many things, a few at a time."),
        Section::of::<RetrySettings>("retry", "Calls of the payment provider, and giving back a lock without an answer: given up after so many attempts."),
        Section::of::<PerformanceSettings>("performance", "`GET /admin/v1/performance`, and a line of it in the log."),
        Section::of::<RedisSettings>("redis", "The gate."),
        Section::of::<RabbitSettings>("rabbitmq", "The hose."),
        Section::of::<PostgresSettings>("postgres", "The judge."),
        Section::of::<BuyerSettings>("buyers", "Who may be a buyer: keys of the identity provider. At least one is needed."),
        Section::of::<RetentionSettings>("retention", "How long sales that are over are kept."),
        Section::of::<PaymentsSection>("payments", "Who takes the money."),
        Section::of::<Secrets>("secrets", "None of them has a default."),
        Section::of::<Log>("log", "What is said, and how."),
    ]
}

/// Quotas with what the default preset says.
fn quotas() -> QuotaSettings {
    let settings = QuotaSettings::default();
    let writing = settings.writing().unwrap();
    QuotaSettings {
        enabled: Some(writing.enabled),
        worker_count: Some(writing.worker_count),
        channel_size: Some(writing.channel_size),
        batch_size: Some(writing.batch_size),
        flush_interval_ms: u64::try_from(writing.flush_interval.as_millis()).ok(),
        retry_attempts: Some(writing.retry_attempts),
        retry_delay_ms: u64::try_from(writing.retry_delay.as_millis()).ok(),
        ..settings
    }
}

/// What the presets change.
fn presets() -> String {
    let mut text = String::from(
        "\n### Presets\n\n`preset = \"high-load\"` or `\"low-resource\"` changes these defaults; a key that is given always wins.\n\n\
         | key | high-load | low-resource | why |\n|---|---|---|---|\n",
    );
    for (key, high, low, why) in preset::CHANGES {
        writeln!(text, "| `{key}` | {high} | {low} | {why} |").unwrap();
    }
    text
}

/// What can be read from a file.
fn files() -> String {
    let mut text = String::from(
        "\n### Secrets from files\n\nEach of these can be given as a path instead, with `_file` behind its name; a trailing newline is cut: ",
    );
    let names: Vec<String> = secret_files::KEYS.iter().map(|(section, key)| format!("`{section}.{key}`")).collect();
    writeln!(text, "{}, and `secret` of each of `secrets.token_keys`.", names.join(", ")).unwrap();
    text
}

fn document() -> String {
    let mut text = String::from(INTRODUCTION);
    for Section { name, about, keys } in sections() {
        let heading = if name.is_empty() { "Top level".to_owned() } else { format!("`[{name}]`") };
        write!(text, "\n### {heading}\n\n{about}\n\n| key | default | what it does |\n|---|---|---|\n").unwrap();
        for (key, Key { default, about }) in keys {
            let about = about.replace('|', "\\|");
            writeln!(text, "| `{key}` | {default} | {about} |").unwrap();
        }
    }
    text.push_str(&presets());
    text.push_str(&files());
    text.push_str(&seeds::chapter(&all_keys()));
    text
}

/// Every key by its full name.
fn all_keys() -> BTreeMap<String, Key> {
    let full = |section: &Section, key: String| match section.name {
        "" => key,
        name => format!("{name}.{key}"),
    };
    sections()
        .into_iter()
        .flat_map(|mut section| {
            let keys = std::mem::take(&mut section.keys);
            keys.into_iter().map(move |(key, value)| (full(&section, key), value))
        })
        .collect()
}

#[test]
fn docs_configuration_md_is_what_the_types_say() {
    let document = document();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PATH, &document).unwrap();
    }
    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(written == document, "docs/configuration.md is not what the types say; UPDATE=1 writes it");
}

/// A file of all keys with their defaults lacks nothing but the secrets.
#[test]
fn every_default_can_be_written_down() {
    let mut text = String::new();
    let mut count = 0;
    for section in sections() {
        if !section.name.is_empty() {
            writeln!(text, "[{}]", section.name).unwrap();
        }
        for (key, Key { default, .. }) in &section.keys {
            if let Some(default) = default.strip_prefix('`') {
                writeln!(text, "{key} = {}", default.trim_end_matches('`')).unwrap();
                count += 1;
            }
        }
    }
    assert!(count > 50, "only {count} defaults");
    let path = std::env::temp_dir().join(format!("seckill-defaults-{}.toml", std::process::id()));
    std::fs::write(&path, &text).unwrap();
    let loaded = crate::config::load(Some(&path), &crate::cli::Command::Check);
    std::fs::remove_file(&path).unwrap();
    let findings = loaded.unwrap().findings;
    let said: Vec<String> = findings.refused().map(ToString::to_string).collect();
    assert!(!said.is_empty() && said.iter().all(|text| text.starts_with("secrets.")), "{said:?}\n{text}");
}
