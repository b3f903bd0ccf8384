//! What buyers and API clients may use in a day.

use std::sync::atomic::Ordering;

use domain::ports::{Clock as _, QuotaStore as _};
use domain::{QuotaKey, QuotaKind};
use serde_json::{Value, json};

use crate::shop::{Answer, Shop, unlimited};

async fn shop(settings: Value) -> Shop {
    let shop = Shop::start_with_quotas(unlimited(), serde_json::from_value(settings).unwrap()).await;
    shop.open("s1", 100, 10).await;
    shop
}

impl Shop {
    async fn lists_orders(&self, buyer: &str, client: Option<&str>) -> Answer {
        let mut claims = json!({ "sub": buyer, "exp": chrono::Utc::now().timestamp() + 600 });
        if let Some(client) = client {
            claims["client_id"] = client.into();
        }
        self.send(self.request("GET", "/api/v1/me/orders").bearer_auth(self.login_with(claims))).await
    }

    /// A request of an API client that reads nothing from the database.
    async fn asks_token(&self, client: &str) -> Answer {
        let claims = json!({ "sub": "zoe", "client_id": client, "exp": chrono::Utc::now().timestamp() + 600 });
        self.send(self.request("POST", "/api/v1/sales/s1/tokens").bearer_auth(self.login_with(claims))).await
    }

    async fn quotas(&self, query: &str) -> Value {
        self.operate("GET", &format!("/admin/v1/quotas{query}"), None).await.expect(200).json
    }

    /// Nothing places orders here, so that each would keep its buyer from the next one.
    async fn lets_orders_overlap(&self) {
        let rules = json!({ "account_max": 0 });
        self.operate("PUT", "/api/v1/concurrency/config", Some(rules)).await.expect(200);
    }

    async fn used(&self, kind: &str, subject: &str) -> Value {
        self.quotas(&format!("?kind={kind}&subject={subject}")).await["usage"]["used"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_s_units_of_a_day_are_counted_over_all_sales_and_a_refused_purchase_costs_nothing() {
    let shop = shop(json!({ "purchases_per_buyer_and_day": 3 })).await;
    shop.lets_orders_overlap().await;
    shop.open("s2", 2, 10).await;
    let (first, job) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &first, 2).await.expect(202);
    let (dear, _) = shop.token("ann", "s2").await;
    shop.buy_with("s2", &dear, 2).await.expect_problem(429, "quota-exceeded");
    let (other, _) = shop.token("bob", "s2").await;
    shop.buy_with("s2", &other, 2).await.expect(202);
    let (late, _) = shop.token("ann", "s2").await;
    shop.buy_with("s2", &late, 1).await.expect_problem(409, "sold-out");
    assert_eq!(shop.used("purchases", "ann").await, 2, "what was refused was given back");
    shop.buy("ann", 1).await.expect(202);

    let refused = shop.buy("ann", 1).await.expect_problem(429, "quota-exceeded");
    assert_eq!(refused.json["quota"], "purchases");
    let midnight = (chrono::Utc::now().date_naive() + chrono::TimeDelta::days(1)).and_time(chrono::NaiveTime::MIN);
    assert_eq!(refused.json["resetsAt"], json!(midnight.and_utc()));
    let again = shop.buy_with("s1", &first, 2).await.expect(202);
    assert_eq!(again.json["jobId"], json!(job), "an admitted token is answered, whatever was used since");
    assert_eq!(shop.used("purchases", "ann").await, 3);
    shop.buy("cid", 3).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_sent_twice_at_once_is_counted_and_written_once() {
    const ROUNDS: u64 = 60;
    let shop = shop(json!({ "purchases_per_buyer_and_day": ROUNDS, "flush_interval_ms": 10 })).await;
    shop.lets_orders_overlap().await;
    shop.open("s2", 1_000, 1_000).await;
    for round in 0..ROUNDS {
        let (token, _) = shop.token("ann", "s2").await;
        // One of them may ask for another number of units: what is admitted is what counts.
        let other = if round % 2 == 0 { 1 } else { 2_000 };
        let both = tokio::join!(shop.buy_with("s2", &token, 1), shop.buy_with("s2", &token, other));
        assert!(both.0.status == 202, "{both:?}");
    }
    assert_eq!(shop.used("purchases", "ann").await, ROUNDS);
    let (token, _) = shop.token("ann", "s2").await;
    shop.buy_with("s2", &token, 1).await.expect_problem(429, "quota-exceeded");
    let key = QuotaKey { kind: QuotaKind::Purchases, subject: "ann".to_owned(), day: shop.clock.now().date_naive() };
    shop.eventually(|shop| {
        let key = key.clone();
        async move { shop.world.store.written(&key).await.unwrap().iter().map(|one| one.used).sum::<u64>() == ROUNDS }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_whose_outcome_is_unknown_counts_and_is_given_back_when_its_token_is_refused() {
    let shop = shop(json!({ "purchases_per_buyer_and_day": 3 })).await;
    shop.lets_orders_overlap().await;
    shop.open("s2", 1, 10).await;
    let ([bought, late], unanswered) = ([("ann", 1), ("bob", 1)], &shop.world.faults.admit_unanswered);
    for ((buyer, units), then) in [(bought, 202), (late, 409)] {
        let (token, _) = shop.token(buyer, "s2").await;
        unanswered.store(true, Ordering::SeqCst);
        let before = shop.quotas("").await["statistics"]["total"].clone();
        shop.buy_with("s2", &token, units).await.expect_problem(503, "outcome-unknown");
        assert_eq!(shop.used("purchases", buyer).await, 1, "it may have been bought");
        assert_eq!(shop.quotas("").await["statistics"]["total"], before, "and is not written");
        unanswered.store(false, Ordering::SeqCst);
        shop.buy_with("s2", &token, units).await.expect(then);
        assert_eq!(shop.used("purchases", buyer).await, u64::from(then == 202));
    }
    assert_eq!(shop.quotas("").await["statistics"]["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_used_up_a_quota_is_told_first_that_a_sale_has_nothing_for_them() {
    let shop = shop(json!({ "purchases_per_buyer_and_day": 1 })).await;
    shop.lets_orders_overlap().await;
    shop.buy("ann", 1).await.expect(202);
    let (token, _) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect_problem(429, "quota-exceeded");
    shop.buy_with("s1", &token, 11).await.expect_problem(422, "quantity-invalid");
    let body = json!({ "token": token, "item": "blue", "quantity": 1 });
    shop.post("/api/v1/sales/s1/orders", body.to_string()).await.expect_problem(404, "not-found");
    for (verb, status, code) in [("pause", 503, "sale-paused"), ("close", 410, "sale-ended")] {
        shop.operate("POST", &format!("/admin/v1/sales/s1/{verb}"), None).await.expect(200);
        shop.buy_with("s1", &token, 1).await.expect_problem(status, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_admitted_before_the_counter_was_lost_is_still_answered() {
    let shop = shop(json!({ "purchases_per_buyer_and_day": 1 })).await;
    let (token, job) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    shop.place().await;
    shop.world.quotas.forget();
    shop.buy("ann", 1).await.expect_problem(429, "quota-exceeded");
    assert_eq!(shop.buy_with("s1", &token, 1).await.expect(202).json["jobId"], json!(job));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_api_client_and_a_login_without_one_is_not_counted() {
    let shop = shop(json!({ "requests_per_client_and_day": 3 })).await;
    for buyer in ["ann", "bob", "cid"] {
        shop.lists_orders(buyer, Some("app")).await.expect(200);
    }
    let refused = shop.lists_orders("dan", Some("app")).await.expect_problem(429, "quota-exceeded");
    assert_eq!(refused.json["quota"], "requests");
    shop.lists_orders("dan", Some("web")).await.expect(200);
    for _ in 0..5 {
        shop.lists_orders("dan", None).await.expect(200);
    }
    for wrong in ["", "a b", &"x".repeat(129)] {
        shop.lists_orders("dan", Some(wrong)).await.expect_problem(401, "unauthenticated");
    }
    assert_eq!((shop.used("requests", "app").await, shop.used("requests", "web").await), (json!(3), json!(1)));

    shop.clock.go_on(86_400_000);
    shop.lists_orders("ann", Some("app")).await.expect(200);
    assert_eq!(shop.used("requests", "app").await, 1, "a new day");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_changes_limits_while_it_runs_and_sees_before_and_after() {
    let shop = shop(json!({ "preset": "low-latency", "flush_interval_ms": 20 })).await;
    let seen = shop.quotas("").await;
    assert_eq!(seen["limits"], json!({ "purchasesPerBuyerAndDay": 0, "requestsPerClientAndDay": 0 }));
    assert_eq!((&seen["consumer"]["workerCount"], &seen["consumer"]["channelSize"]), (&json!(2), &json!(500)));
    shop.lists_orders("ann", Some("app")).await.expect(200);
    assert_eq!(shop.quotas("").await["statistics"]["total"], 0, "what has no limit is not counted");

    let put = |body: Value| shop.operate("PUT", "/admin/v1/quotas", Some(body));
    let changed = put(json!({ "requestsPerClientAndDay": 2, "reason": "too many" })).await.expect(200).json;
    assert_eq!(changed["before"]["requestsPerClientAndDay"], 0);
    assert_eq!(changed["after"], json!({ "purchasesPerBuyerAndDay": 0, "requestsPerClientAndDay": 2 }));
    put(json!({ "purchasesPerBuyerAndDay": 7 })).await.expect(200);
    let log = shop.operate("GET", "/admin/v1/audit-log?limit=2", None).await.json;
    assert_eq!(log["entries"][1]["action"], "set-quotas");
    assert_eq!(log["entries"][1]["reason"], "too many");

    for _ in 0..2 {
        shop.lists_orders("ann", Some("app")).await.expect(200);
    }
    shop.lists_orders("ann", Some("app")).await.expect_problem(429, "quota-exceeded");
    shop.eventually(|shop| async { shop.quotas("").await["statistics"]["processed"] == 2 }).await;
    let seen = shop.quotas("?kind=requests&subject=app").await;
    assert_eq!(seen["usage"], json!({ "kind": "requests", "subject": "app", "used": 2, "remaining": 0 }));
    assert_eq!((&seen["health"]["healthy"], &seen["health"]["workersAlive"]), (&json!(true), &json!(2)));
    assert!(seen["health"]["lastFlushAt"].is_string() && seen["version"] == 2, "{seen}");

    put(json!({ "requestsPerClientAndDay": -1 })).await.expect_problem(400, "malformed");
    put(json!({ "requests": 1 })).await.expect_problem(400, "malformed");
    put(json!({ "requestsPerClientAndDay": 1_u64 << 60 })).await.expect_problem(422, "validation-failed");
    for query in ["?kind=requests", "?subject=app", "?kind=units&subject=app", "?kind=requests&subject=a%20b"] {
        let answer = shop.operate("GET", &format!("/admin/v1/quotas{query}"), None).await;
        answer.expect_problem(422, "validation-failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_requests_are_counted_by_the_database_and_purchases_wait() {
    let shop = shop(json!({ "requests_per_client_and_day": 6, "purchases_per_buyer_and_day": 6 })).await;
    let (token, _) = shop.token("ann", "s1").await;
    for _ in 0..2 {
        shop.lists_orders("ann", Some("app")).await.expect(200);
    }
    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        shop.lists_orders("ann", Some("app")).await.expect(200);
    }
    shop.buy_with("s1", &token, 1).await.expect_problem(503, "not-ready");
    shop.world.faults.gate_away.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        shop.lists_orders("ann", Some("app")).await.expect(200);
    }
    shop.lists_orders("ann", Some("app")).await.expect_problem(429, "quota-exceeded");
    assert_eq!(shop.used("requests", "app").await, 6);
    let statistics = shop.quotas("").await["statistics"].clone();
    assert_eq!((&statistics["total"], &statistics["direct"]), (&json!(6), &json!(2)));
    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    shop.world.faults.store_away.store(true, Ordering::SeqCst);
    shop.lists_orders("ann", Some("app")).await.expect_problem(503, "not-ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_buyers_go_on_and_a_request_that_cannot_be_written_is_refused() {
    let settings = json!({ "requests_per_client_and_day": 100, "purchases_per_buyer_and_day": 5,
                           "channel_size": 2, "worker_count": 1, "batch_size": 1, "retry_delay_ms": 10 });
    let shop = shop(settings).await;
    shop.lets_orders_overlap().await;
    shop.world.faults.store_away.store(true, Ordering::SeqCst);
    let mut answered = [0, 0];
    for _ in 0..20 {
        answered[usize::from(shop.asks_token("app").await.status == 201)] += 1;
    }
    assert_eq!(answered, [17, 3], "two wait, one is in a batch, and there is no room for more");
    assert_eq!(shop.used("requests", "app").await, 3, "what was refused is not counted");
    for _ in 0..5 {
        shop.buy("ann", 1).await.expect(202);
    }
    shop.buy("ann", 1).await.expect_problem(429, "quota-exceeded");
    assert_eq!(shop.quotas("").await["health"]["healthy"], false);
    shop.world.faults.store_away.store(false, Ordering::SeqCst);
    shop.eventually(|shop| async { shop.quotas("").await["statistics"]["processed"] == 3 }).await;
    let statistics = shop.quotas("").await["statistics"].clone();
    assert_eq!((&statistics["total"], &statistics["dropped"]), (&json!(25), &json!(22)), "{statistics}");
    assert_eq!(shop.quotas("").await["health"]["healthy"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_admitted_is_answered_with_its_job_though_its_client_has_used_all_requests() {
    let shop = shop(json!({ "requests_per_client_and_day": 2 })).await;
    let claims = json!({ "sub": "ann", "client_id": "app", "exp": chrono::Utc::now().timestamp() + 600 });
    let by_client = async |token: &str| {
        let body = json!({ "token": token, "item": "red", "quantity": 1 });
        let request = shop.request("POST", "/api/v1/sales/s1/orders").bearer_auth(shop.login_with(claims.clone()));
        shop.send(request.json(&body)).await
    };
    let (token, job) = shop.token("ann", "s1").await;
    shop.world.faults.admit_unanswered.store(true, Ordering::SeqCst);
    by_client(&token).await.expect_problem(503, "outcome-unknown");
    shop.world.faults.admit_unanswered.store(false, Ordering::SeqCst);
    for _ in 0..4 {
        assert_eq!(by_client(&token).await.expect(202).json["jobId"], json!(job));
    }
    let (more, _) = shop.token("ann", "s1").await;
    by_client(&more).await.expect_problem(429, "quota-exceeded");
    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    by_client(&token).await.expect_problem(503, "not-ready");
}
