//! Everything that operators do leaves a line.

use gateway::routes;
use serde_json::{Value, json};

use crate::shop::Shop;

/// A write that is done, and the action that its line names.
fn writes(shop: &Shop) -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let why = |body: Value| {
        let mut body = body;
        body["reason"] = json!("the audit's test");
        body
    };
    let restock = json!({ "item": "red", "delta": 5, "id": "r1" });
    vec![
        ("POST", "/admin/v1/sales", shop.draft("s1", 10, 2), "create"),
        ("PATCH", "/admin/v1/sales/s1", why(json!({ "title": "Boots" })), "patch"),
        ("POST", "/admin/v1/sales/s1/warm", why(json!({})), "next-epoch"),
        ("POST", "/admin/v1/sales/s1/open", why(json!({})), "set-state"),
        ("POST", "/admin/v1/sales/s1/pause", why(json!({})), "set-state"),
        ("POST", "/admin/v1/sales/s1/resume", why(json!({})), "set-state"),
        ("POST", "/admin/v1/sales/s1/restock", why(restock), "restock"),
        ("POST", "/admin/v1/dead-letters/replay", why(json!({ "all": true })), "replay-dead-letters"),
        ("POST", "/admin/v1/dead-letters/discard", why(json!({ "sale": "s1" })), "discard-dead-letters"),
        ("POST", "/admin/v1/jobs/{jobId}/discard", why(json!({})), "discard-job"),
        ("POST", "/admin/v1/sales/s1/reconcile", why(json!({ "repair": true })), ""),
        ("POST", "/admin/v1/sales/s1/close", why(json!({})), "set-state"),
        ("PUT", "/admin/v1/limits", why(json!({ "local": { "status": { "burst": 7 } } })), "set-limits"),
        ("PUT", "/admin/v1/quotas", why(json!({ "purchasesPerBuyerAndDay": 7 })), "set-quotas"),
        ("PUT", "/api/v1/concurrency/config", why(json!({ "global_max": 7 })), "set-concurrency"),
        ("POST", "/api/v1/concurrency/reset", why(json!({})), "set-concurrency"),
        ("POST", "/admin/v1/session", json!({ "key": crate::shop::ADMIN_KEY }), ""),
        ("DELETE", "/admin/v1/session", json!({}), ""),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_of_an_operator_leaves_its_line() {
    let shop = Shop::start().await;
    let mut seen = 0;
    let mut walked = Vec::new();
    for (method, path, body, action) in writes(&shop) {
        let (path, pattern) = match path.contains("{jobId}") {
            true => {
                let (token, job) = shop.token("ann", "s1").await;
                shop.buy_with("s1", &token, 1).await.expect(202);
                (path.replace("{jobId}", &job), path.to_owned())
            }
            false => (path.to_owned(), path.replace("s1", "{sale}")),
        };
        let done = shop.operate(method, &path, Some(body.clone())).await;
        assert!(done.status < 300, "{method} {path}: {done:?}");
        let log = shop.operate("GET", "/admin/v1/audit-log?limit=1000", None).await.expect(200).json;
        let lines = log["entries"].as_array().unwrap();
        let fresh = &lines[..lines.len() - seen];
        seen = lines.len();
        walked.push((method.to_owned(), pattern));
        if action.is_empty() {
            continue; // nothing differed, so nothing was repaired; and whoever signs in has done nothing yet
        }
        let line = fresh.iter().find(|line| line["action"] == action);
        let line = line.unwrap_or_else(|| panic!("{method} {path} has left no {action:?} in {fresh:?}"));
        assert_eq!((&line["via"], &line["reason"]), (&json!("api"), &body["reason"]), "{line}");
        assert!(line["after"].is_object(), "{line}");
        if action == "set-state" || action == "patch" {
            assert_ne!(line["before"], line["after"], "{line}");
        }
    }
    // A route that is added has to be added here.
    for at in routes::operators() {
        for method in at.methods().iter().filter(|method| method.as_str() != "GET") {
            let known = walked.iter().any(|(walked, path)| walked == method.as_str() && path == at.path());
            assert!(known, "{method} {} is not shown to leave a line", at.path());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_is_no_deed_and_leaves_no_line() {
    let shop = Shop::selling(1, 1).await;
    let count = async || {
        let log = shop.operate("GET", "/admin/v1/audit-log?limit=1000", None).await.expect(200).json;
        log["entries"].as_array().unwrap().len()
    };
    let before = count().await;
    let dry = json!({ "all": true, "dryRun": true });
    shop.operate("POST", "/admin/v1/dead-letters/discard", Some(dry)).await.expect(200);
    shop.operate("POST", "/admin/v1/sales/s1/reconcile", None).await.expect(200);
    assert_eq!(count().await, before);
}
