//! The operators' port.

use base64::Engine as _;
use domain::{RefusedReason, Shard};
use gateway::routes;
use serde_json::{Value, json};

use crate::shop::{ADMIN_KEY, METRICS_KEY, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_probes_pages_and_the_way_in_is_answered_without_the_key() {
    let shop = Shop::start().await;
    for at in routes::operators() {
        let path = at.path().replace("{sale}", "s1");
        for method in at.methods() {
            let open = ["/livez", "/readyz", "/"].contains(&path.as_str());
            // The file of no page, and the way in, which `session` tries.
            if path == "/assets/{file}" || (path == "/admin/v1/session" && method == "POST") {
                continue;
            }
            for request in [
                shop.operation(method.as_str(), &path),
                shop.operation(method.as_str(), &path).bearer_auth("wrong"),
                shop.operation(method.as_str(), &path).bearer_auth(""),
                shop.operation(method.as_str(), &path).basic_auth("admin", Some("wrong")),
                shop.operation(method.as_str(), &path).bearer_auth(shop.login("ann")),
            ] {
                let answer = shop.send(request).await;
                if open {
                    answer.expect(200);
                } else {
                    let schemes: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
                    assert_eq!(schemes.len(), 2, "{method} {path}: {answer:?}");
                    answer.expect_problem(401, "unauthenticated");
                }
            }
            if path != "/metrics" && !open {
                let reader = shop.operation(method.as_str(), &path).bearer_auth(METRICS_KEY);
                shop.send(reader).await.expect_problem(401, "unauthenticated");
            }
        }
    }
    shop.send(shop.operation("GET", "/metrics").bearer_auth(METRICS_KEY)).await.expect(200);
    shop.send(shop.operation("GET", "/admin/v1/sales").basic_auth("x", Some(ADMIN_KEY))).await.expect(200);
    let lower = format!("basic {}", base64::engine::general_purpose::STANDARD.encode(format!(":{ADMIN_KEY}")));
    shop.send(shop.operation("GET", "/admin/v1/sales").header("authorization", lower)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_goes_from_draft_to_close() {
    let shop = Shop::start().await;
    let created = shop.operate("POST", "/admin/v1/sales", Some(shop.draft("s1", 10, 2))).await.expect(201).json;
    assert_eq!(
        (&created["phase"], &created["state"], &created["epoch"]),
        (&json!("draft"), &json!("draft"), &json!(0))
    );
    assert_eq!((&created["paymentWindowSeconds"], &created["items"][0]["stock"]), (&json!(900), &json!(10)));
    shop.operate("POST", "/admin/v1/sales", Some(shop.draft("s1", 1, 1))).await.expect_problem(409, "conflict");

    let cold = shop.operate("POST", "/admin/v1/sales/s1/open", None).await.expect_problem(409, "conflict");
    assert!(cold.json["detail"].as_str().unwrap().contains("not warm"), "{cold:?}");
    shop.operate("GET", "/admin/v1/sales/s1/ledger", None).await.expect_problem(409, "conflict");
    let patch = json!({ "items": [{ "id": "red", "stock": 12 }], "title": "Boots", "reason": "more came" });
    let patched = shop.operate("PATCH", "/admin/v1/sales/s1", Some(patch)).await.expect(200).json;
    assert_eq!((&patched["title"], &patched["items"][0]["stock"]), (&json!("Boots"), &json!(12)));

    let warm = shop.operate("POST", "/admin/v1/sales/s1/warm", Some(json!({ "reason": "tonight" }))).await.expect(200);
    assert_eq!(warm.json, json!({ "epoch": 1, "changed": true, "items": [{ "id": "red", "free": 12 }] }));
    let again = shop.operate("POST", "/admin/v1/sales/s1/warm", None).await.expect(200);
    assert_eq!(again.json, json!({ "epoch": 1, "changed": false, "items": [{ "id": "red", "free": 12 }] }));
    let stock = json!({ "items": [{ "id": "red", "stock": 99 }] });
    shop.operate("PATCH", "/admin/v1/sales/s1", Some(stock)).await.expect_problem(409, "conflict");
    shop.operate("PATCH", "/admin/v1/sales/s1", Some(json!({ "limitPerBuyer": 3 }))).await.expect(200);

    shop.operate("POST", "/admin/v1/sales/s1/resume", None).await.expect_problem(409, "conflict");
    for (action, phase) in [("open", "open"), ("pause", "paused"), ("resume", "open"), ("close", "ended")] {
        let path = format!("/admin/v1/sales/s1/{action}");
        assert_eq!(shop.operate("POST", &path, None).await.expect(200).json["phase"], phase, "{action}");
        assert_eq!(shop.get("/api/v1/sales/s1").await.expect(200).json["phase"], phase, "at once, for shoppers");
    }
    shop.operate("POST", "/admin/v1/sales/s1/open", None).await.expect_problem(409, "conflict");
    shop.operate("POST", "/admin/v1/sales/s1/warm", None).await.expect_problem(409, "conflict");
    assert_eq!(shop.operate("GET", "/admin/v1/sales/s1", None).await.expect(200).json["state"], "closed");
    let listed = shop.operate("GET", "/admin/v1/sales", None).await.expect(200);
    assert_eq!(listed.json["sales"].as_array().unwrap().len(), 1);
    for action in ["warm", "open", "pause", "resume", "close"] {
        let path = format!("/admin/v1/sales/s9/{action}");
        shop.operate("POST", &path, None).await.expect_problem(404, "not-found");
    }
    shop.operate("GET", "/admin/v1/sales/s9/ledger", None).await.expect_problem(404, "not-found");
    let audit = shop.operate("GET", "/admin/v1/audit-log?sale=s1&limit=3", None).await.expect(200).json;
    let lines = audit["entries"].as_array().unwrap();
    assert_eq!((lines.len(), &audit["next"]), (3, &lines[2]["id"]));
    let next = format!("/admin/v1/audit-log?before={}&limit=1000", audit["next"]);
    let rest = shop.operate("GET", &next, None).await.expect(200).json;
    assert_eq!((rest["entries"][0]["id"].as_i64() < lines[2]["id"].as_i64(), &rest["next"]), (true, &Value::Null));
    let all = [lines.as_slice(), rest["entries"].as_array().unwrap()].concat();
    assert!(all.iter().any(|line| line["reason"] == "more came" && line["action"] == "patch"), "{all:?}");
    for wrong in ["limit=0", "limit=1001", "sale=%20", "until=1"] {
        let path = format!("/admin/v1/audit-log?{wrong}");
        shop.operate("GET", &path, None).await.expect_problem(422, "validation-failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_optional_and_comes_with_any_content_type() {
    let shop = Shop::selling(5, 1).await;
    let pause = || shop.operation("POST", "/admin/v1/sales/s1/pause").bearer_auth(ADMIN_KEY);
    shop.send(pause()).await.expect(200);
    shop.send(pause().header("content-type", "text/plain").body("{\"reason\":\"fire\"}")).await.expect(200);
    shop.send(pause().header("content-type", "application/x-www-form-urlencoded").body("")).await.expect(200);
    shop.send(pause().body("nonsense")).await.expect_problem(400, "malformed");
    let long = json!({ "reason": "x".repeat(501) }).to_string();
    shop.send(pause().body(long)).await.expect_problem(422, "validation-failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_out_of_its_range_is_named() {
    let shop = Shop::start().await;
    let wrong = |path: &str, value: Value| {
        let mut draft = shop.draft("s1", 5, 1);
        *draft.pointer_mut(path).unwrap() = value;
        draft
    };
    for (path, value, field) in [
        ("/id", json!("a b"), "id"),
        ("/id", json!(""), "id"),
        ("/title", json!(""), "title"),
        ("/opensAt", json!("tomorrow"), "opensAt"),
        ("/closesAt", json!("2020-01-01T00:00:00Z"), "closesAt"),
        ("/limitPerBuyer", json!(0), "limitPerBuyer"),
        ("/limitPerBuyer", json!(65_537), "limitPerBuyer"),
        ("/limitPerBuyer", json!(-1), "limitPerBuyer"),
        ("/paymentWindowSeconds", json!(4_294_967_306_i64), "paymentWindowSeconds"),
        ("/items", json!([]), "items"),
        ("/items/0/id", json!("{red}"), "items[0].id"),
        ("/items/0/stock", json!(-1), "items[0].stock"),
        ("/items/0/stock", json!(100_000_001), "items[0].stock"),
        ("/items/0/price/amount", json!(-1), "items[0].price.amount"),
        ("/items/0/price/currency", json!("yuan"), "items[0].price.currency"),
    ] {
        let answer = shop.operate("POST", "/admin/v1/sales", Some(wrong(path, value))).await;
        assert_eq!(answer.expect_problem(422, "validation-failed").json["field"], field);
    }
    for (path, value) in [("/items/0/stock", json!("5")), ("/items/0/stock", json!(1.5)), ("/title", Value::Null)] {
        let answer = shop.operate("POST", "/admin/v1/sales", Some(wrong(path, value))).await;
        answer.expect_problem(400, "malformed");
    }
    let mut unknown = shop.draft("s1", 5, 1);
    unknown["opensat"] = json!("2026");
    shop.operate("POST", "/admin/v1/sales", Some(unknown)).await.expect_problem(400, "malformed");

    shop.operate("POST", "/admin/v1/sales", Some(shop.draft("s1", 5, 1))).await.expect(201);
    for (patch, field) in [
        (json!({ "closesAt": shop.at(-3_600) }), "closesAt"),
        (json!({ "limitPerBuyer": 10_001 }), "limitPerBuyer"),
        (json!({ "items": [{ "id": "blue", "stock": 1 }] }), "items[0].id"),
        (json!({ "items": [{ "id": "red", "stock": -1 }] }), "items[0].stock"),
    ] {
        let answer = shop.operate("PATCH", "/admin/v1/sales/s1", Some(patch)).await;
        assert_eq!(answer.expect_problem(422, "validation-failed").json["field"], field);
    }
    shop.operate("PATCH", "/admin/v1/sales/s9", Some(json!({}))).await.expect_problem(404, "not-found");
    let plain = shop.operation("PATCH", "/admin/v1/sales/s1").bearer_auth(ADMIN_KEY).body("{}");
    shop.send(plain).await.expect_problem(415, "unsupported-media-type");
    let large = shop.operation("POST", "/admin/v1/sales").bearer_auth(ADMIN_KEY);
    let large = large.header("content-type", "application/json").body(" ".repeat(300_000));
    shop.send(large).await.expect_problem(413, "too-large");
}

async fn line(shop: &Shop) -> Value {
    let books = shop.operate("GET", "/admin/v1/sales/s1/ledger", None).await.expect(200).json;
    assert!(books["sale"] == "s1" && books["at"].is_string());
    books["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_shows_where_every_unit_is() {
    let shop = Shop::selling(10, 3).await;
    shop.buy("ann", 3).await.expect(202);
    let books = line(&shop).await;
    let on_the_way = books["unpublished"].as_i64().unwrap() + books["queued"].as_i64().unwrap();
    assert_eq!((books["free"].clone(), on_the_way, books["difference"].clone()), (json!(7), 3, json!(0)));
    shop.place().await;
    let settled = json!({ "id": "red", "stock": 10, "free": 7, "unpublished": 0, "queued": 0, "held": 3, "paid": 0,
                          "difference": 0 });
    assert_eq!(line(&shop).await, settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_replayed_and_discarded() {
    let shop = Shop::selling(5, 1).await;
    let job = shop.buy("ann", 1).await.expect(202).json["jobId"].as_str().unwrap().to_owned();
    let mut lane = shop.world.queue.lane(Shard::default());
    let bury = async |lane: &mut Box<dyn domain::ports::Lane>| {
        for delivery in lane.take(10).await.unwrap() {
            lane.dead_letter(&delivery, "a test buried it").await.unwrap();
            lane.ack(&[delivery.tag]).await.unwrap();
        }
    };
    bury(&mut lane).await;
    let listed = shop.operate("GET", "/admin/v1/dead-letters", None).await.expect(200).json;
    let letter = &listed["deadLetters"][0];
    assert_eq!((&letter["why"], &letter["jobs"]), (&json!("a test buried it"), &json!([job])));
    let id = letter["messageId"].clone();

    let replay = "/admin/v1/dead-letters/replay";
    let discard = "/admin/v1/dead-letters/discard";
    for undecided in [json!({}), json!({ "messageId": id, "all": true })] {
        shop.operate("POST", discard, Some(undecided)).await.expect_problem(400, "malformed");
    }
    assert!(letter["explanation"].as_str().unwrap().contains("can be read"), "{letter}");
    for (filter, count) in [
        (json!({ "sale": "s1" }), 1),
        (json!({ "job": job }), 1),
        (json!({ "why": "buried" }), 1),
        (json!({ "why": "x" }), 0),
    ] {
        let mut dry = filter.clone();
        dry["dryRun"] = json!(true);
        for path in [replay, discard] {
            let would = shop.operate("POST", path, Some(dry.clone())).await.expect(200).json;
            assert_eq!((&would["count"], would["wouldBe"].as_array().unwrap().len()), (&json!(count), count));
        }
        let (key, value) = filter.as_object().unwrap().iter().next().unwrap();
        let path = format!("/admin/v1/dead-letters?{key}={}", value.as_str().unwrap());
        let listed = shop.operate("GET", &path, None).await.expect(200).json;
        assert_eq!(listed["deadLetters"].as_array().unwrap().len(), count, "{path}");
    }
    shop.operate("GET", "/admin/v1/dead-letters?x=1", None).await.expect_problem(422, "validation-failed");
    shop.operate("GET", "/admin/v1/dead-letters?sale=nope", None).await.expect_problem(404, "not-found");
    shop.operate("POST", replay, Some(json!({ "messageId": "none" }))).await.expect_problem(404, "not-found");
    let replayed = shop.operate("POST", replay, Some(json!({ "messageId": id }))).await.expect(200);
    assert_eq!(replayed.json, json!({ "count": 1 }));
    bury(&mut lane).await;
    drop(lane);
    let body = json!({ "all": true, "reason": "spoilt" });
    assert_eq!(shop.operate("POST", discard, Some(body.clone())).await.expect(200).json, json!({ "count": 1 }));
    assert_eq!(shop.operate("POST", discard, Some(body)).await.expect(200).json, json!({ "count": 0 }));
    let holds = domain::ports::SaleStore::holds(
        &*shop.world.store,
        job.parse::<domain::JobId>().unwrap().route().sale,
        None,
        10,
    );
    let refused = domain::Outcome::Refused(RefusedReason::Discarded);
    assert_eq!(holds.await.unwrap()[0].outcome, refused, "its job is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_of_the_interface_is_there() {
    let shop = Shop::start().await;
    let page = shop.operate("GET", "/docs", None).await.expect(200);
    assert!(page.text.contains("POST /api/v1/sales/{sale}/orders"), "{page:?}");
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
    assert_eq!(shop.operate("GET", "/openapi.json", None).await.expect(200).json["openapi"], "3.1.0");
    shop.operate("GET", "/nothing", None).await.expect_problem(404, "not-found");
    let wrong = shop.operate("DELETE", "/admin/v1/sales", None).await.expect_problem(405, "method-not-allowed");
    assert_eq!(wrong.header("allow"), "GET, POST");
}
