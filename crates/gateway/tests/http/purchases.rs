//! Purchases, their jobs and their orders.

use serde_json::json;

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_accepted_placed_and_seen_by_its_owner_alone() {
    let shop = Shop::selling(3, 2).await;
    let (token, job) = shop.token("ann", "s1").await;
    let accepted = shop.buy_with("s1", &token, 2).await.expect(202);
    assert_eq!(accepted.header("location"), format!("/api/v1/jobs/{job}"));
    assert_eq!(accepted.header("retry-after"), "1");
    assert_eq!(accepted.header("cache-control"), "no-store");
    let body = &accepted.json;
    assert_eq!((&body["jobId"], &body["sale"], &body["item"]), (&json!(job), &json!("s1"), &json!("red")));
    assert_eq!((&body["quantity"], &body["status"]), (&json!(2), &json!("queued")));
    assert_eq!(body["statusUrl"], format!("/api/v1/jobs/{job}"));
    assert!(body["pollAfterMs"].as_u64().is_some_and(|ms| ms > 0) && body["message"].is_string());
    assert!(body["reason"].is_null() && body["orderUrl"].is_null() && body["updatedAt"].is_string());

    shop.place().await;
    let polled = shop.get(&format!("/api/v1/jobs/{job}")).await.expect(200);
    assert_eq!(polled.json["status"], "placed");
    assert_eq!(polled.header("cache-control"), "no-store");
    assert!(polled.json["pollAfterMs"].is_null());
    assert!(!polled.text.contains("ann"), "a job says nothing about its buyer");

    let url = polled.json["orderUrl"].as_str().unwrap();
    let order = shop.get_as("ann", url).await.expect(200).json;
    assert_eq!((&order["orderId"], &order["status"]), (&json!(job), &json!("pending_payment")));
    assert_eq!((&order["quantity"], &order["amount"]), (&json!(2), &json!({ "amount": 39800, "currency": "CNY" })));
    assert!(order["expiresAt"].is_string() && order["createdAt"].is_string());
    shop.get_as("bob", url).await.expect_problem(404, "not-found");
    let refused = shop.get(url).await.expect_problem(401, "unauthenticated");
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    shop.get_as("ann", "/api/v1/orders/nonsense").await.expect_problem(404, "not-found");

    let of = |answer: crate::shop::Answer| answer.expect(200).json["orders"].as_array().unwrap().len();
    assert_eq!(of(shop.get_as("ann", "/api/v1/me/orders").await), 1);
    assert_eq!(of(shop.get_as("ann", "/api/v1/me/orders?sale=s1").await), 1);
    assert_eq!(of(shop.get_as("ann", "/api/v1/me/orders?sale=s2").await), 0);
    assert_eq!(of(shop.get_as("bob", "/api/v1/me/orders").await), 0);
    shop.get_as("ann", "/api/v1/me/orders?sale=a%20b").await.expect_problem(422, "validation-failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_token_leads_to_the_same_job_whatever_has_happened_since() {
    let shop = Shop::selling(1, 1).await;
    let (token, job) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    shop.buy("bob", 1).await.expect_problem(409, "sold-out");
    assert_eq!(shop.buy_with("s1", &token, 1).await.expect(202).json["jobId"], json!(job));
    shop.place().await;
    for action in ["pause", "close"] {
        shop.operate("POST", &format!("/admin/v1/sales/s1/{action}"), None).await.expect(200);
        let repeated = shop.buy_with("s1", &token, 1).await.expect(202);
        assert_eq!(repeated.json["status"], "placed", "a repeat is 202 with the job as it is");
    }
    shop.clock.go_on(7_200_000);
    shop.buy_with("s1", &token, 1).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_the_gate_has_its_code_and_its_facts() {
    let shop = Shop::selling(2, 2).await;
    let (early, _) = shop.token("zoe", "s1").await;
    let job = shop.buy("ann", 2).await.expect(202).json["jobId"].clone();
    let limit = shop.buy("ann", 1).await.expect_problem(409, "limit-reached");
    assert_eq!((&limit.json["limit"], &limit.json["jobId"]), (&json!(2), &job));
    assert_eq!(limit.json["retryable"], false);
    shop.buy("bob", 1).await.expect_problem(409, "sold-out");
    let above = shop.buy("bob", 3).await.expect_problem(422, "quantity-invalid");
    assert_eq!(above.json["limit"], 2);
    let (token, _) = shop.token("bob", "s1").await;
    for item in ["blue", "", "not an id", "../red"] {
        let body = json!({ "token": token, "item": item, "quantity": 1 }).to_string();
        shop.post("/api/v1/sales/s1/orders", body).await.expect_problem(404, "not-found");
    }

    shop.operate("POST", "/admin/v1/sales/s1/pause", None).await.expect(200);
    shop.buy("bob", 1).await.expect_problem(503, "sale-paused");
    shop.operate("POST", "/admin/v1/sales/s1/resume", None).await.expect(200);
    let (late, _) = shop.token("bob", "s1").await;
    shop.clock.go_on(130_000);
    shop.buy_with("s1", &early, 1).await.expect_problem(403, "token-expired");
    shop.operate("POST", "/admin/v1/sales/s1/close", None).await.expect(200);
    shop.buy_with("s1", &late, 1).await.expect_problem(403, "token-expired");
    shop.ask_token("bob", "s1", "{}").await.expect_problem(410, "sale-ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_ends_while_a_token_lives_says_so() {
    let shop = Shop::selling(5, 1).await;
    let (token, _) = shop.token("ann", "s1").await;
    shop.operate("POST", "/admin/v1/sales/s1/close", None).await.expect(200);
    shop.buy_with("s1", &token, 1).await.expect_problem(410, "sale-ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_prefers_to_wait_gets_the_finished_job() {
    let shop = Shop::selling(5, 5).await;
    let (token, job) = shop.token("ann", "s1").await;
    let body = json!({ "token": token, "item": "red", "quantity": 1 }).to_string();
    let waiting = shop.send(
        shop.request("POST", "/api/v1/sales/s1/orders")
            .header("content-type", "application/json")
            .header("prefer", "wait=5")
            .body(body),
    );
    let (answer, ()) = tokio::join!(waiting, shop.place());
    let answer = answer.expect(200);
    assert_eq!((answer.json["status"].as_str(), answer.header("preference-applied")), (Some("placed"), "wait"));
    assert_eq!(answer.header("retry-after"), "");

    let (token, second) = shop.token("bob", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    let path = format!("/api/v1/jobs/{second}");
    let impatient = shop.send(shop.request("GET", &path).header("prefer", "wait=1")).await.expect(200);
    assert_eq!(impatient.json["status"], "queued");
    let waiting = shop.send(shop.request("GET", &path).header("prefer", "wait=5"));
    let (answer, ()) = tokio::join!(waiting, shop.place());
    assert_eq!(answer.expect(200).json["status"], "placed");
    shop.get(&format!("/api/v1/jobs/{job}")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_tells_its_states_as_events_and_the_stream_ends_with_the_job() {
    let shop = Shop::selling(5, 5).await;
    let (token, job) = shop.token("ann", "s1").await;
    shop.get(&format!("/api/v1/jobs/{job}/events")).await.expect_problem(404, "not-found");
    shop.buy_with("s1", &token, 1).await.expect(202);
    let path = format!("/api/v1/jobs/{job}/events");
    let (stream, ()) = tokio::join!(shop.get(&path), async {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        shop.place().await;
    });
    let stream = stream.expect(200);
    assert_eq!(stream.header("content-type"), "text/event-stream");
    let states: Vec<String> = stream
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str::<serde_json::Value>(data).unwrap()["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["queued", "placed"]);
    assert_eq!(stream.text.matches("event: job\n").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_nobody_was_given_are_not_found() {
    let shop = Shop::selling(5, 5).await;
    let (_, unused) = shop.token("ann", "s1").await;
    let elsewhere = "0193a7b2-9c00-8fff-bffc-000000000001";
    for job in [unused.as_str(), elsewhere, "nonsense", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"] {
        shop.get(&format!("/api/v1/jobs/{job}")).await.expect_problem(404, "not-found");
    }
}
