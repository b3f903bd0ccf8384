//! The description of the interface is true and up to date.

use std::collections::BTreeSet;
use std::path::Path;

use gateway::{openapi, routes};
use serde_json::{Value, json};

fn documented() -> BTreeSet<(String, String)> {
    let document = json!(openapi());
    let mut all = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            all.insert((method.to_uppercase(), path.clone()));
        }
    }
    all
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let served: BTreeSet<(String, String)> = routes::buyers(true)
        .into_iter()
        .chain(routes::operators())
        .flat_map(|at| at.methods().iter().map(|method| (method.to_string(), at.path().to_owned())).collect::<Vec<_>>())
        .collect();
    assert_eq!(documented(), served);
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_answers() {
    let document = json!(openapi());
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap();
            assert!(!answers.is_empty() && operation["summary"].is_string(), "{method} {path}");
            assert!(operation.get("x-problems").is_none(), "{method} {path}");
        }
    }
    let purchase = &document["paths"]["/api/v1/sales/{sale}/orders"]["post"]["responses"];
    for status in ["200", "202", "400", "401", "403", "404", "409", "410", "413", "415", "422", "429", "503"] {
        assert!(purchase[status].is_object(), "{status}");
    }
}

/// `UPDATE=1 cargo test --release -p gateway` writes it anew.
#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let ours = openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &ours).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == ours, "docs/openapi.json is out of date: run UPDATE=1 cargo test --release -p gateway");
}
