//! What is refused, what is only said, and where secrets come from.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;
use crate::safety::Weight::{self, Refused, Warning};

const SECRETS: &str = "[secrets]\nadmin_key = \"0123456789abcdef01234567\"\nmetrics_key = \"0123456789abcdef-metrics\"\n\
    token_key = \"k1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n\
    [buyers]\nhs256_secret = \"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210\"\n";

/// Nothing to say about these.
const URLS: &str = "[redis]\nurl = \"redis://default:x7@127.0.0.1/0\"\n[rabbitmq]\nurl = \"amqp://shop:x8@127.0.0.1/%2f\"\n\
    [postgres]\nurl = \"postgres://shop:x9@127.0.0.1/shop\"\n";

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("seckill-config-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    }

    fn load(&self, text: &str) -> Loaded {
        let path = self.write("seckill.toml", text, 0o600);
        load(Some(Path::new(&path)), &Command::Check).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(loaded: &Loaded) -> Vec<(Weight, String)> {
    loaded.findings.0.iter().map(|finding| (finding.weight, finding.to_string())).collect()
}

#[test]
fn a_safe_configuration_has_no_findings() {
    let loaded = Folder::new().load(&format!("{URLS}{SECRETS}"));
    assert_eq!(said(&loaded), []);
    assert!(loaded.config.is_some());
}

#[test]
fn every_unsafe_setting_is_found_and_has_its_weight() {
    let folder = Folder::new();
    let url = |section: &str, url: &str| {
        let old = URLS.lines().skip_while(|line| *line != format!("[{section}]")).nth(1).unwrap();
        format!("{}{SECRETS}", URLS.replace(old, &format!("url = \"{url}\"")))
    };
    let gateway = |line: &str| format!("{URLS}{SECRETS}[gateway]\n{line}\n");
    let demo = |line: &str| format!("profile = \"demo\"\n{}", gateway(line));
    let secret = |old: &str, new: &str| format!("{URLS}{}", SECRETS.replace(old, new));
    let admin = "0123456789abcdef01234567";
    let table: &[(String, Weight, &str)] = &[
        (url("redis", "redis://10.0.0.1/0"), Refused, "redis.url: has no password"),
        (url("redis", "redis://127.0.0.1/0"), Warning, "redis.url: has no password"),
        (url("redis", "redis://:redis@cache/0"), Refused, "redis.url: has a password that everybody"),
        (url("redis", "redis://u:s3@cache:6379/0"), Warning, "redis.url: is not encrypted"),
        (url("rabbitmq", "amqp://127.0.0.1/%2f"), Warning, "rabbitmq.url: logs in as guest"),
        (url("rabbitmq", "amqp://guest:guest@broker/%2f"), Refused, "rabbitmq.url: logs in as guest"),
        (url("rabbitmq", "amqps://shop:shop@broker/%2f"), Refused, "rabbitmq.url: has a password that everybody"),
        (url("postgres", "postgres://postgres:postgres@db/x"), Refused, "postgres.url: has a password that everybody"),
        (url("postgres", "postgres://postgres:postgres@[::1]:5432/x"), Warning, "postgres.url: has a password that"),
        (url("postgres", "postgres://shop@db/x"), Refused, "postgres.url: has no password"),
        (url("postgres", "postgres://shop:q9@db/x"), Warning, "postgres.url: is not encrypted"),
        (
            format!("{URLS}{SECRETS}[retention]\nsales_days = 7\n"),
            Refused,
            "retention.sales_days: has to be 0 or 30 to",
        ),
        (gateway("operators = \"0.0.0.0:8081\""), Refused, "gateway.operators: is an address that other machines"),
        (demo("listen = \"0.0.0.0:8080\""), Refused, "gateway.listen: is an address that other machines reach"),
        (gateway("trusted_proxies = [\"0.0.0.0/0\"]"), Refused, "gateway.trusted_proxies: believes everybody"),
        (gateway("trusted_proxies = [\"10.0.0.0/8\", \"::/0\"]"), Refused, "gateway.trusted_proxies: believes"),
        (gateway("cors_origins = [\"*\"]"), Refused, "\"*\" is not an origin"),
        (format!("{}[challenge]\ncost = 0\n", gateway("")), Refused, "challenge.cost: has to be from 1"),
        (secret(admin, "short"), Refused, "secrets.admin_key: has to be at least 24"),
        (secret("0123456789abcdef-metrics", admin), Refused, "secrets.metrics_key: is the same secret as"),
        (secret("0123456789abcdef-metrics", "short"), Refused, "secrets.metrics_key: has to be at least 16"),
        (
            secret(&format!("\"{admin}\""), &format!("\"{}\"", "fedcba9876543210".repeat(4))),
            Refused,
            "buyers.hs256_secret: is the same secret as secrets.admin_key",
        ),
        (
            secret("fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210", &"0123456789abcdef".repeat(4)),
            Refused,
            "buyers.hs256_secret: is the same secret as secrets.token_key",
        ),
        (format!("{URLS}{SECRETS}[payments]\nprovider = \"demo\"\n"), Refused, "payments.provider: \"demo\" gives"),
    ];
    for (text, weight, words) in table {
        let loaded = folder.load(text);
        let found = said(&loaded);
        assert!(found.iter().any(|(w, text)| w == weight && text.contains(words)), "{words}: {found:?}");
        assert_eq!(loaded.config.is_none(), *weight == Refused, "{words}");
    }
}

#[test]
fn who_says_that_something_guards_a_port_is_believed() {
    let folder = Folder::new();
    let lines = "[gateway]\nlisten = \"0.0.0.0:8080\"\noperators = \"0.0.0.0:8081\"\noperators_exposed = true\ndemo_exposed = true\n";
    let loaded = folder.load(&format!("profile = \"demo\"\n{URLS}{SECRETS}{lines}"));
    assert_eq!(said(&loaded), []);
    let socket = URLS.replace("127.0.0.1/shop", "localhost/shop?host=/run/postgresql");
    assert_eq!(said(&folder.load(&format!("{socket}{SECRETS}"))), []);
}

#[test]
fn all_findings_are_said_at_once_and_none_of_them_names_a_value() {
    let text = "namespace = \"a:b\"\nspelling = 1\n[redis]\nurl = \"redis://:hunter2@cache\"\nurll = 1\n\
        [rabbitmq]\nurl = \"http://hunter2\"\n[gateway]\nlisten = \"here\"\noperators = \"0.0.0.0:8081\"\n\
        [log]\nformat = \"xml\"\n[secrets]\nadmin_key = \"hunter2\"\ntoken_key = \"k1:hunter2\"\nwebhook_secret = \"hunter2\"\n";
    let loaded = Folder::new().load(text);
    assert!(loaded.config.is_none());
    let all: Vec<String> = loaded.findings.refused().map(ToString::to_string).collect();
    for words in [
        "namespace",
        "spelling",
        "urll",
        "rabbitmq.url",
        "gateway.listen",
        "gateway.operators",
        "log",
        "secrets.admin_key",
        "secrets.token_keys",
        "secrets.webhook_secrets",
    ] {
        assert!(all.iter().any(|text| text.contains(words)), "{words}: {all:#?}");
    }
    assert!(!all.iter().any(|text| text.contains("hunter2")), "{all:#?}");
}

#[test]
fn a_secret_can_be_in_a_file_of_its_own() {
    let folder = Folder::new();
    let hex = "0123456789abcdef".repeat(4);
    let mut text = format!("{URLS}[secrets]\n");
    for (key, secret) in [("admin_key", "an-admin-key-of-24-chars\n"), ("metrics_key", "a-metrics-key-of-16+\r\n")] {
        text += &format!("{key}_file = {:?}\n", folder.write(key, secret, 0o600));
    }
    text += &format!("[[secrets.token_keys]]\nid = \"k1\"\nsecret_file = {:?}\n", folder.write("tokens", &hex, 0o600));
    text += &format!("[buyers]\nhs256_secret_file = {:?}\n", folder.write("buyers", &"fe".repeat(32), 0o600));
    let url = folder.write("redis-url", "redis://u:x7@127.0.0.1/3\n", 0o600);
    let text = text.replace("url = \"redis://default:x7@127.0.0.1/0\"", &format!("url_file = {url:?}"));
    let loaded = folder.load(&text);
    assert_eq!(said(&loaded), []);
    let config = loaded.config.unwrap();
    assert_eq!(
        (config.admin_key.as_str(), config.redis.url.as_str()),
        ("an-admin-key-of-24-chars", "redis://u:x7@127.0.0.1/3")
    );
    assert_eq!(config.metrics_key.as_deref(), Some("a-metrics-key-of-16+"));
}

#[test]
fn a_secret_file_that_cannot_be_used_is_named_and_its_content_is_not() {
    let folder = Folder::new();
    let without = SECRETS.replace("admin_key = \"0123456789abcdef01234567\"\n", "");
    let with =
        |line: &str| folder.load(&format!("{URLS}{}", without.replace("[secrets]\n", &format!("[secrets]\n{line}\n"))));
    let path = folder.write("admin", "hunter2", 0o600);
    let binary = folder.0.join("binary");
    fs::write(&binary, [0xff, 0xfe, b'h']).unwrap();
    for (line, words) in [
        (
            format!("admin_key_file = {path:?}\nadmin_key = \"0123456789abcdef01234567\""),
            "secrets.admin_key is given as well",
        ),
        ("admin_key_file = \"/nowhere/at/all\"".to_owned(), "secrets.admin_key_file: /nowhere/at/all cannot be read"),
        (format!("admin_key_file = {:?}", folder.0), "cannot be read: it is no file"),
        (format!("admin_key_file = {binary:?}"), "secrets.admin_key_file: "),
        (format!("admin_key_file = {:?}", folder.write("empty", "\n", 0o600)), "it is empty"),
        (format!("admin_key_file = {path:?}"), "secrets.admin_key: has to be at least"),
    ] {
        let loaded = with(&line);
        let all = said(&loaded);
        assert!(all.iter().any(|(weight, text)| *weight == Refused && text.contains(words)), "{words}: {all:?}");
        assert!(loaded.config.is_none() && !all.iter().any(|(_, text)| text.contains("hunter2")), "{all:?}");
    }
    let open = with(&format!("admin_key_file = {:?}", folder.write("open", "an-admin-key-of-24-chars", 0o644)));
    let all = said(&open);
    assert!(open.config.is_some() && all.len() == 1 && all[0].0 == Warning, "{all:?}");
    assert!(all[0].1.contains("can be read by every user"), "{all:?}");
}

#[test]
fn a_configuration_file_with_secrets_is_nobody_elses_to_read() {
    let folder = Folder::new();
    let path = folder.write("open.toml", &format!("{URLS}{SECRETS}"), 0o644);
    let loaded = load(Some(Path::new(&path)), &Command::Check).unwrap();
    assert!(said(&loaded).iter().any(|(weight, text)| *weight == Warning && text.contains("holds secrets")));
}

#[test]
fn an_error_does_not_repeat_a_value_that_may_be_a_secret() {
    let error =
        r#"invalid type: string "postgres://u:hunter2@h/db", expected struct PostgresSettings for key `postgres`"#;
    let said = unquoted(error);
    assert!(!said.contains("hunter2") && said.contains("expected struct") && said.contains("`postgres`"), "{said}");
    assert_eq!(unquoted("unknown field `urll`"), "unknown field `urll`");
}

#[test]
fn of_an_address_that_is_none_only_a_scheme_is_repeated() {
    let folder = Folder::new();
    let password = "correct-horse:battery@staple";
    let file = folder.write("password", &format!("{password}\n"), 0o600);
    let with =
        |url: &str| folder.load(&format!("{}{SECRETS}", URLS.replace("url = \"redis://default:x7@127.0.0.1/0\"", url)));
    for (url, expected) in [
        (format!("url_file = \"{file}\""), "redis.url: has to start with redis:// or rediss:// or be \"embedded:\""),
        (
            "url = \"correct-horse\"".to_owned(),
            "redis.url: has to start with redis:// or rediss:// or be \"embedded:\"",
        ),
        (
            "url = \"correct-horse battery://x\"".to_owned(),
            "redis.url: has to start with redis:// or rediss:// or be \"embedded:\"",
        ),
        (
            "url = \"http://correct-horse@x\"".to_owned(),
            "redis.url: has to start with redis:// or rediss:// or be \"embedded:\", not with \"http\"",
        ),
    ] {
        let said = said(&with(&url));
        assert_eq!(said, [(Refused, expected.to_owned())], "{url}");
    }
}

#[test]
fn the_demo_has_no_limit_by_address_under_any_preset_unless_one_is_given() {
    let demo = |key: &str| {
        let mut file = File::default();
        let section = Table::from([("burst".to_owned(), 7.into())]);
        file.limits.insert(key.to_owned(), section.into());
        make_demo(&mut file);
        let mut findings = Findings::default();
        let config = check(file, &mut findings).unwrap();
        assert_eq!(findings.0, [], "{key}");
        config.gateway.limits
    };
    let preset = demo("order_per_buyer");
    assert_eq!((preset.per_ip.enabled, preset.order_per_buyer.burst.get()), (false, 7));
    assert!(demo("per_ip").per_ip.enabled);
}
