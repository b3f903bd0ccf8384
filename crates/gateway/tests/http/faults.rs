//! What a buyer is told while something is away.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::shop::Shop;

fn set(fault: &AtomicBool, on: bool) {
    fault.store(on, Ordering::SeqCst);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_gate_is_away_nothing_is_taken_and_it_is_said() {
    let shop = Shop::selling(5, 5).await;
    let (token, job) = shop.token("ann", "s1").await;
    set(&shop.world.faults.gate_away, true);
    shop.buy_with("s1", &token, 1).await.expect_problem(503, "not-ready");
    shop.get(&format!("/api/v1/jobs/{job}")).await.expect_problem(503, "not-ready");
    shop.operate("GET", "/admin/v1/sales/s1/ledger", None).await.expect_problem(503, "not-ready");
    set(&shop.world.faults.gate_away, false);
    shop.get(&format!("/api/v1/jobs/{job}")).await.expect_problem(404, "not-found");
    shop.buy_with("s1", &token, 1).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_gate_has_lost_the_sale_nobody_is_told_that_a_job_never_was() {
    let shop = Shop::selling(5, 5).await;
    let (token, job) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    shop.world.gate.lose_everything();
    shop.get(&format!("/api/v1/jobs/{job}")).await.expect_problem(503, "not-ready");
    shop.buy_with("s1", &token, 1).await.expect_problem(503, "not-ready");
    shop.operate("GET", "/admin/v1/sales/s1/ledger", None).await.expect_problem(503, "not-ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_gate_cannot_say_jobs_that_have_ended_are_read_from_the_orders_and_others_are_not_denied() {
    let shop = Shop::selling(5, 5).await;
    let (token, placed) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    shop.place().await;
    let (token, waiting) = shop.token("bob", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    let url = |job: &str| format!("/api/v1/jobs/{job}");
    let known = shop.get(&url(&placed)).await.expect(200).json;

    set(&shop.world.faults.gate_away, true);
    let read = shop.get(&url(&placed)).await.expect(200).json;
    for field in ["jobId", "status", "item", "quantity", "orderUrl", "message"] {
        assert_eq!(read[field], known[field], "{field}");
    }
    shop.get(&url(&waiting)).await.expect_problem(503, "not-ready");
    set(&shop.world.faults.store_away, true);
    shop.get(&url(&placed)).await.expect_problem(503, "not-ready");
    set(&shop.world.faults.store_away, false);
    set(&shop.world.faults.gate_away, false);
    shop.world.gate.lose_everything();
    assert_eq!(shop.get(&url(&placed)).await.expect(200).json["status"], "placed");
    shop.get(&url(&waiting)).await.expect_problem(503, "not-ready");
    let metrics = shop.operate("GET", "/metrics", None).await.expect(200).text;
    assert!(metrics.lines().any(|line| line.starts_with("seckill_fallbacks_total{what=\"jobs\"}")), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_no_unit_is_taken_but_old_jobs_are_answered() {
    let shop = Shop::selling(5, 5).await;
    let (old, _) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &old, 1).await.expect(202);
    shop.place().await;
    set(&shop.world.faults.broker_away, true);
    shop.buy_with("s1", &old, 1).await.expect(202);
    shop.buy("bob", 1).await.expect_problem(503, "not-ready");
    shop.get("/readyz").await.expect(503);
    let books = shop.operate("GET", "/admin/v1/sales/s1/ledger", None).await.expect(200);
    assert_eq!((&books.json["items"][0]["free"], &books.json["items"][0]["held"]), (&json!(4), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_is_not_known_is_said_to_be_unknown_and_the_same_token_finds_it() {
    let shop = Shop::selling(5, 1).await;
    for fault in [&shop.world.faults.admit_unanswered, &shop.world.faults.unconfirmed] {
        let buyer = if std::ptr::eq(fault, &shop.world.faults.unconfirmed) { "ann" } else { "bob" };
        let (token, job) = shop.token(buyer, "s1").await;
        set(fault, true);
        let unknown = shop.buy_with("s1", &token, 1).await.expect_problem(503, "outcome-unknown");
        assert_eq!((&unknown.json["jobId"], &unknown.json["retryable"]), (&json!(job), &json!(true)));
        set(fault, false);
        assert_eq!(shop.buy_with("s1", &token, 1).await.expect(202).json["jobId"], json!(job));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_told_that_nothing_was_changed() {
    let shop = Shop::selling(5, 1).await;
    set(&shop.world.faults.store_away, true);
    for (method, path) in [
        ("GET", "/admin/v1/sales"),
        ("GET", "/admin/v1/sales/s1"),
        ("POST", "/admin/v1/sales/s1/pause"),
        ("POST", "/admin/v1/sales/s1/warm"),
        ("GET", "/admin/v1/sales/s1/ledger"),
    ] {
        shop.operate(method, path, None).await.expect_problem(503, "not-ready");
    }
    shop.operate("POST", "/admin/v1/sales", Some(shop.draft("s2", 1, 1))).await.expect_problem(503, "not-ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight_when_it_stops_is_answered() {
    let mut shop = Shop::selling(5, 1).await;
    let (token, _) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    let body = json!({ "token": token, "item": "red", "quantity": 1 }).to_string();
    let waiting = shop.request("POST", "/api/v1/sales/s1/orders");
    let waiting = shop.send(waiting.header("content-type", "application/json").header("prefer", "wait=5").body(body));
    let stop = shop.stop.clone();
    let (answer, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        stop.cancel();
    });
    answer.expect(202);
    let served = shop.served.take().unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(9), served).await.unwrap().unwrap().unwrap();
    let gone = reqwest::get(format!("http://{}/livez", shop.buyers)).await;
    assert!(gone.is_err());
}
