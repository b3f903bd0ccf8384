//! `docker-compose.yml`, `.env.example` and the `Dockerfile` fit each other and the program. Nothing is run: the
//! machine needs no Docker for this.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value};

/// Subcommands of the program that a container may run.
const ROLES: &[&str] = &["all", "gateway", "consumer", "migrate", "check", "sale", "tokens", "dlq"];

/// Sections of the program's configuration that an environment variable may override, and the keys outside them.
const SECTIONS: &[&str] = &[
    "PROFILE",
    "NAMESPACE",
    "GATEWAY",
    "LIMITS",
    "CONSUMER",
    "REDIS",
    "RABBITMQ",
    "POSTGRES",
    "BUYERS",
    "SECRETS",
    "LOG",
];

fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    fs::read_to_string(root.join(file)).unwrap()
}

/// The services, with anchors and merge keys worked in.
fn services() -> Map<String, Value> {
    let text = read("docker-compose.yml");
    let documents = Yaml::load_from_str(&text).unwrap();
    assert_eq!(documents.len(), 1);
    json(&documents[0])["services"].as_object().unwrap().clone()
}

fn json(node: &Yaml<'_>) -> Value {
    if let Some(mapping) = node.as_mapping() {
        let mut object = Map::new();
        for (key, value) in mapping {
            match key.as_str().unwrap() {
                "<<" => {
                    for (key, value) in json(value).as_object().unwrap() {
                        object.entry(key.clone()).or_insert(value.clone());
                    }
                }
                key => {
                    object.insert(key.to_owned(), json(value));
                }
            }
        }
        return object.into();
    }
    if let Some(sequence) = node.as_sequence() {
        return sequence.iter().map(json).collect::<Vec<_>>().into();
    }
    let boolean = || node.as_bool().map(Value::from);
    let number = || node.as_integer().map(Value::from);
    node.as_str().map(Value::from).or_else(boolean).or_else(number).unwrap_or(Value::Null)
}

/// Every text in a value, with its key or, in a command line, its flag.
fn texts(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(text) => vec![(key.clone(), text.clone())],
                other => texts(other),
            })
            .collect(),
        Value::Array(list) => {
            // In a command line a word is named by the one before it: `--requirepass …`.
            let before = [Value::Null].iter().chain(list).cloned().collect::<Vec<_>>();
            list.iter()
                .zip(before)
                .flat_map(|(value, before)| match value {
                    Value::String(text) => vec![(
                        before.as_str().filter(|word| word.starts_with("--")).unwrap_or_default().to_owned(),
                        text.clone(),
                    )],
                    other => texts(other),
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// `NAME` and what follows it (`:?set NAME in .env`) of every `${NAME…}`.
fn variables(text: &str) -> Vec<(String, String)> {
    text.split("${")
        .skip(1)
        .map(|rest| {
            let inside = rest.split_once('}').unwrap().0;
            let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
            (inside[..end].to_owned(), inside[end..].to_owned())
        })
        .collect()
}

#[test]
fn every_variable_is_explained_in_the_example_and_none_too_many() {
    let compose = read("docker-compose.yml");
    let used: BTreeSet<String> = variables(&compose).into_iter().map(|(name, _)| name).collect();
    let example = read(".env.example");
    let explained: BTreeSet<String> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(used, explained);
    for (name, rule) in variables(&compose) {
        assert_eq!(rule, format!(":?set {name} in .env"), "a missing {name} must be an error that says what to do");
    }
}

#[test]
fn no_secret_is_in_the_file_or_in_the_example() {
    for (service, value) in services() {
        for (key, text) in texts(&value) {
            let upper = key.to_uppercase();
            if ["PASS", "SECRET", "KEY", "AUTH"].iter().any(|word| upper.contains(word)) {
                assert!(text.starts_with("${") && text.ends_with('}'), "{service}: {key} is spelled out");
            }
            if let Some((_, rest)) = text.split_once("://")
                && let Some((user, _)) = rest.rsplit_once('@')
            {
                let password = user.split_once(':').unwrap().1;
                assert!(password.starts_with("${") && password.ends_with('}'), "{service}: {key} has a password in it");
            }
        }
    }
    for line in read(".env.example").lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        assert!(line.ends_with('=') || line == "SECKILL_PROFILE=demo", "{line} should have no value");
    }
}

#[test]
fn our_image_is_run_in_roles_that_the_program_has_with_settings_that_it_reads() {
    let mut roles = Vec::new();
    for (service, value) in services() {
        if value.get("build").is_none() {
            continue;
        }
        let role = value["command"][0].as_str().unwrap().to_owned();
        assert!(ROLES.contains(&role.as_str()), "{service}: there is no role {role}");
        roles.push(role);
        for name in value["environment"].as_object().unwrap().keys() {
            let section = name.strip_prefix("SECKILL__").unwrap().split("__").next().unwrap();
            assert!(SECTIONS.contains(&section), "{service}: {name} names no section of the configuration");
        }
    }
    for role in ["migrate", "gateway", "consumer"] {
        assert!(roles.iter().any(|found| found == role), "nobody runs {role}");
    }
}

#[test]
fn every_image_is_pinned() {
    let compose = services();
    let images = compose.iter().map(|(_, value)| value["image"].as_str().unwrap().to_owned());
    let built = read("Dockerfile");
    let bases = built.lines().filter_map(|line| line.strip_prefix("FROM "));
    for image in images.chain(bases.map(|line| line.split(' ').next().unwrap().to_owned())) {
        let (name, tag) = image.split_once(':').unwrap_or_else(|| panic!("{image} has no tag"));
        let own = name == "seckill";
        let release = tag.contains(|c: char| c.is_ascii_digit()) || tag.starts_with("bookworm");
        assert!(own || release, "{image} may be another one tomorrow");
    }
}

#[test]
fn every_service_is_watched_or_runs_once_and_waits_for_what_it_needs() {
    let all = services();
    let once = |service: &str| all[service]["restart"] == "no";
    let watched = |service: &str| all[service]["healthcheck"]["test"].as_array().is_some_and(|test| test.len() > 1);
    for (service, value) in &all {
        assert!(watched(service) || once(service), "{service} has no healthcheck and does not end either");
        for (needed, how) in value.get("depends_on").and_then(Value::as_object).into_iter().flatten() {
            match how["condition"].as_str().unwrap() {
                "service_healthy" => assert!(watched(needed), "{service} waits for {needed}, which nobody watches"),
                "service_completed_successfully" => assert!(once(needed), "{service} waits for the end of {needed}"),
                other => panic!("{service} waits for {needed} to be {other}"),
            }
        }
    }
}

#[test]
fn nothing_is_published_beyond_this_machine() {
    for (service, value) in services() {
        for port in value.get("ports").and_then(Value::as_array).into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{service} publishes {port}");
        }
    }
}

#[test]
fn redis_forgets_nothing_on_purpose() {
    let words: Vec<String> = texts(&services()["redis"]["command"]).into_iter().map(|(_, word)| word).collect();
    let line = words.join(" ");
    for setting in ["--appendonly yes", "--aof-load-truncated no", "--maxmemory-policy noeviction"] {
        assert!(line.contains(setting), "{setting} is missing in {line}");
    }
}

#[test]
fn the_image_does_not_run_as_root() {
    let dockerfile = read("Dockerfile");
    let user = dockerfile.lines().filter_map(|line| line.strip_prefix("USER ")).next_back().unwrap();
    assert!(!user.starts_with("root") && !user.starts_with("0"), "{user}");
}
