//! The house stays as it was drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Our own crates that each crate may depend on, in the program itself (tests may use more).
const MAY_USE: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("control", &["domain"]),
    ("order-intake", &["domain", "control"]),
    ("gateway", &["domain", "control", "order-intake"]),
    ("consumer", &["domain", "control"]),
    ("backends", &["domain"]),
    ("seckill", &["domain", "control", "order-intake", "gateway", "consumer", "backends"]),
    ("xtask", &[]),
];

#[test]
fn dependencies_point_one_way() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let used: BTreeMap<String, BTreeSet<String>> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let ours = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].is_null() && dependency["path"].is_string());
            (text(&package["name"]), ours.map(|dependency| text(&dependency["name"])).collect())
        })
        .collect();
    assert_eq!(used.len(), MAY_USE.len(), "a new crate has to be given its place here: {used:?}");
    for (name, allowed) in MAY_USE {
        let unexpected: Vec<_> = used[name].iter().filter(|other| !allowed.contains(&other.as_str())).collect();
        assert!(unexpected.is_empty(), "{name} must not use {unexpected:?}");
    }
}

#[test]
fn the_domain_does_no_io_and_reads_no_clock() {
    for (file, text) in sources("domain") {
        for word in [
            "std::fs",
            "std::net",
            "tokio::",
            "Utc::now",
            "SystemTime",
            "Instant::now",
            "std::env",
            "getrandom",
            "new_v4",
        ] {
            assert!(!text.contains(word), "{word} in {file}");
        }
    }
}

#[test]
fn only_the_redis_backend_knows_the_scripts_words() {
    for name in ["domain", "order-intake", "gateway", "consumer", "seckill"] {
        for (file, text) in sources(name) {
            for word in ["EVALSHA", "HINCRBY", ".lua\""] {
                assert!(!text.contains(word), "{word} in {file}");
            }
        }
    }
}

/// Exactly one page chooses the code, and with it the status, of a refusal. Others may ask what was refused: to count it, or to
/// know what to give back.
#[test]
fn only_problem_rs_chooses_the_status_of_a_refusal() {
    const CODES: [&str; 8] = [
        "SoldOut",
        "SaleEnded",
        "SalePaused",
        "SaleNotOpen",
        "LimitReached",
        "QuantityInvalid",
        "TokenExpired",
        "QuotaExceeded",
    ];
    for (file, text) in sources("gateway") {
        if !file.ends_with("problem.rs") {
            for code in CODES {
                assert!(!text.contains(&format!("Code::{code}")), "{file} chooses {code}");
            }
        }
    }
}

fn sources(name: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(name).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // Tests may know more than the code.
                let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path.display().to_string(), code));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A document may shorten a test's name with an ellipsis, and has to follow when it is renamed.
#[test]
fn every_test_that_a_document_names_exists() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sources = String::new();
    let mut folders = vec![root.join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                sources.push_str(&format!("mod {};\n", path.file_stem().unwrap().to_string_lossy()));
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    const SUITES: [&str; 12] = [
        "it",
        "faults",
        "load_smoke",
        "conformance",
        "postgres",
        "rabbitmq",
        "http",
        "backends",
        "limits",
        "gateway",
        "domain",
        "embedded",
    ];
    let mut named = 0;
    for document in ["README.md", "docs/failures.md", "docs/ARCHITECTURE.md", "docs/PROTOCOL.md", "deploy/README.md"] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let Some((suite, rest)) = quoted.split_once("::").filter(|(suite, _)| SUITES.contains(suite)) else {
                continue;
            };
            let Some(name) = rest.rsplit("::").find(|part| !part.is_empty() && *part != "…") else { continue };
            let found = match name.strip_suffix('…') {
                Some(beginning) => sources.contains(&format!("fn {beginning}")),
                None => ["fn", "mod"]
                    .iter()
                    .any(|kind| [" ", "(", ";"].iter().any(|end| sources.contains(&format!("{kind} {name}{end}")))),
            };
            assert!(found, "{document} names {suite}::{rest}, and there is no such test");
            named += 1;
        }
    }
    assert!(named > 60, "only {named} tests are named");
}
