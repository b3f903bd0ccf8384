//! Limits that operators change while they are obeyed, and rules that gateways keep together.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::shop::{Answer, METRICS_KEY, Shop, unlimited};

const LIMITS: &str = "/admin/v1/limits";

fn rule(name: &str, action: &str, subject: &str, limit: u32) -> Value {
    json!({ "name": name, "action": action, "subject": subject, "limit": limit, "windowSeconds": 60 })
}

async fn put(shop: &Shop, change: Value) -> Value {
    shop.operate("PUT", LIMITS, Some(change)).await.expect(200).json
}

/// A shop with a sale and these shared rules; believed proxies are on this machine.
async fn ruled(rules: Value) -> Shop {
    let mut settings = unlimited();
    settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 1_000, 5).await;
    put(&shop, json!({ "shared": rules })).await;
    shop
}

async fn buy_from(shop: &Shop, address: &str, token: &str) -> Answer {
    let body = json!({ "token": token, "item": "red", "quantity": 1 }).to_string();
    let request = shop.request("POST", "/api/v1/sales/s1/orders").header("x-forwarded-for", address);
    shop.send(request.header("content-type", "application/json").body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_obeyed_at_once_answered_with_before_and_after_and_audited() {
    let shop = Shop::selling(100, 5).await;
    let first = shop.operate("GET", LIMITS, None).await.expect(200).json;
    assert_eq!((&first["version"], &first["limits"]), (&json!(0), &first["default"]));
    assert_eq!(first["limits"]["local"]["orderPerBuyer"], json!({ "enabled": false, "perSecond": 5, "burst": 10 }));

    let (token, _) = shop.token("ann", "s1").await;
    for _ in 0..20 {
        shop.buy_with("s1", &token, 1).await.expect(202);
    }
    let slow =
        json!({ "local": { "orderPerBuyer": { "enabled": true, "perSecond": 1, "burst": 2 } }, "reason": "bots" });
    let changed = put(&shop, slow).await;
    assert_eq!((&changed["before"], &changed["version"]), (&first["limits"], &json!(1)));
    let after = json!({ "enabled": true, "perSecond": 1, "burst": 2 });
    assert_eq!(changed["after"]["local"]["orderPerBuyer"], after);
    assert_eq!(changed["after"]["local"]["perIp"], first["limits"]["local"]["perIp"], "only what was named");
    let answers = [shop.buy_with("s1", &token, 1).await.status, shop.buy_with("s1", &token, 1).await.status];
    assert_eq!(answers, [202, 202]);
    let refused = shop.buy_with("s1", &token, 1).await.expect_problem(429, "rate-limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"order\";q=2;w=2");

    // Another limit changes; this one keeps what it has counted.
    put(&shop, json!({ "local": { "status": { "burst": 11 } } })).await;
    shop.buy_with("s1", &token, 1).await.expect_problem(429, "rate-limited");
    let now = shop.operate("GET", LIMITS, None).await.expect(200).json;
    assert_eq!((&now["version"], &now["limitedCallers"]), (&json!(2), &json!(1)));

    let reset = put(&shop, json!({ "reset": true })).await;
    assert_eq!(reset["after"], first["limits"]);
    shop.buy_with("s1", &token, 1).await.expect(202);
    let log = shop.operate("GET", "/admin/v1/audit-log?limit=3", None).await.expect(200).json;
    let [reset_line, status, first] = log["entries"].as_array().unwrap().as_slice() else { panic!("{log}") };
    assert_eq!((&first["action"], &first["reason"]), (&json!("set-limits"), &json!("bots")));
    assert_eq!((&first["after"], &status["before"]), (&changed["after"], &changed["after"]), "{log}");
    assert_eq!((&reset_line["before"], &reset_line["after"]), (&status["after"], &reset["after"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_makes_no_sense_is_refused_by_its_field_and_changes_nothing() {
    let shop = Shop::start().await;
    for (change, field) in [
        (json!({ "local": { "perIp": { "burst": 0 } } }), "local.perIp.burst"),
        (json!({ "shared": [rule("a", "order", "country", 1)] }), "shared[0].subject"),
        (json!({ "shared": [rule("a", "order", "sale", 1), rule("B", "any", "ip", 1)] }), "shared[1].name"),
        (json!({ "remove": ["nothing"] }), "remove[0]"),
        (json!({ "reason": "x".repeat(501) }), "reason"),
    ] {
        let refused = shop.operate("PUT", LIMITS, Some(change)).await.expect_problem(422, "validation-failed");
        assert_eq!(refused.json["field"], field);
    }
    for unread in [json!({ "local": { "perBuyer": {} } }), json!({ "shared": {} }), json!([])] {
        shop.operate("PUT", LIMITS, Some(unread)).await.expect_problem(400, "malformed");
    }
    assert_eq!(shop.operate("GET", LIMITS, None).await.expect(200).json["version"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_by_buyer_is_their_own_limit_and_one_by_sale_or_channel_is_everybodys() {
    let shop = ruled(json!([rule("mine", "token", "buyer", 3), rule("hall", "order", "sale", 4)])).await;
    for _ in 0..3 {
        shop.token("ann", "s1").await;
    }
    let refused = shop.ask_token("ann", "s1", "{}").await.expect_problem(429, "rate-limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"mine\";q=3;w=60");
    assert_eq!(refused.header("ratelimit"), "\"mine\";r=0;t=60");
    assert_eq!(refused.header("retry-after"), "60", "the wait until there is room");
    shop.clock.go_on(59_000);
    assert_eq!(shop.ask_token("ann", "s1", "{}").await.expect_problem(429, "rate-limited").header("retry-after"), "1");
    shop.clock.go_on(1_000);
    shop.token("ann", "s1").await;

    for buyer in ["b0", "b1", "b2", "b3"] {
        shop.buy(buyer, 1).await.expect(202);
    }
    let (token, _) = shop.token("b4", "s1").await;
    let refused = shop.buy_with("s1", &token, 1).await.expect_problem(503, "overloaded");
    assert_eq!(
        (refused.header("retry-after"), refused.header("ratelimit")),
        ("60", ""),
        "it is not this buyer's fault"
    );
    assert_eq!(shop.operate("GET", LIMITS, None).await.json["limitedCallers"], 1, "ann, and not b4");

    let change = json!({ "remove": ["mine", "hall"], "shared": [rule("app", "token", "channel", 2)] });
    put(&shop, change).await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    let wished = |channel: &'static str| shop.ask_token("cid", "s1", channel);
    wished(r#"{"channel":"app"}"#).await.expect(201);
    wished(r#"{"channel":"app"}"#).await.expect(201);
    wished(r#"{"channel":"app"}"#).await.expect_problem(503, "overloaded");
    wished(r#"{"channel":"web"}"#).await.expect(201);
    wished("{}").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_by_one_rule_counts_against_none() {
    let shop = ruled(json!([rule("mine", "order", "buyer", 2), rule("hall", "order", "sale", 5)])).await;
    let (ann, _) = shop.token("ann", "s1").await;
    for _ in 0..2 {
        shop.buy_with("s1", &ann, 1).await.expect(202);
    }
    let (more, _) = shop.token("ann", "s1").await;
    for _ in 0..10 {
        shop.buy_with("s1", &more, 1).await.expect_problem(429, "rate-limited");
    }
    for buyer in ["b0", "b1", "b2"] {
        shop.buy(buyer, 1).await.expect(202);
    }
    let (token, _) = shop.token("b4", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect_problem(503, "overloaded");
    shop.buy_with("s1", &more, 1).await.expect_problem(429, "rate-limited"); // her own limit comes first
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_admitted_is_answered_with_its_job_whatever_rule_is_used_up() {
    let rules = json!([rule("mine", "order", "buyer", 1), rule("hall", "order", "sale", 2)]);
    let shop = ruled(rules).await;
    let (token, job) = shop.token("ann", "s1").await;
    shop.world.faults.admit_unanswered.store(true, Ordering::SeqCst);
    shop.buy_with("s1", &token, 1).await.expect_problem(503, "outcome-unknown");
    shop.world.faults.admit_unanswered.store(false, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(shop.buy_with("s1", &token, 1).await.expect(202).json["jobId"], json!(job));
    }
    // The rules hold for whoever has no job, and cost nobody else a question.
    let (more, _) = shop.token("ann", "s1").await;
    let refused = shop.buy_with("s1", &more, 1).await.expect_problem(429, "rate-limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"mine\";q=1;w=60");
    let bought = shop.buy("bob", 1).await.expect(202).json["jobId"].clone();
    let (late, _) = shop.token("cid", "s1").await;
    let before = shed(&shop).await;
    shop.buy_with("s1", &late, 1).await.expect_problem(503, "overloaded");
    assert!(shed(&shop).await > before, "shed for all of the sale");
    assert_eq!(shop.buy_with("s1", &token, 1).await.expect(202).json["jobId"], json!(job));
    assert_ne!(bought, json!(job));
    // Who knows nothing must not say no.
    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    shop.buy_with("s1", &more, 1).await.expect_problem(503, "not-ready");
}

async fn shed(shop: &Shop) -> u64 {
    crate::shedding::shed(shop, "group").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_by_address_holds_up_strangers_and_nobody_with_a_token() {
    let shop = ruled(json!([rule("near", "order", "ip", 3), rule("look", "status", "ip", 2)])).await;
    let (token, _) = shop.token("ann", "s1").await;
    for _ in 0..3 {
        buy_from(&shop, "192.0.2.1", "forged").await.expect_problem(403, "token-invalid");
    }
    let refused = buy_from(&shop, "192.0.2.1", "forged").await.expect_problem(429, "rate-limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"near\";q=3;w=60");
    for _ in 0..10 {
        buy_from(&shop, "192.0.2.1", &token).await.expect(202);
    }
    buy_from(&shop, "192.0.2.2", "forged").await.expect_problem(403, "token-invalid");
    let guess = |n: u32| {
        let path = format!("/api/v1/jobs/{}", uuid_like(n));
        shop.send(shop.request("GET", &path).header("x-forwarded-for", "192.0.2.1"))
    };
    guess(1).await.expect_problem(404, "not-found");
    guess(2).await.expect_problem(404, "not-found");
    let refused = guess(3).await.expect_problem(429, "rate-limited");
    assert!(refused.header("ratelimit").starts_with("\"look\""), "keyed by action too: {refused:?}");
}

fn uuid_like(n: u32) -> String {
    format!("0190a000-0000-8000-8000-0000{n:08x}")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_rule_nothing_is_asked_and_with_one_only_where_it_applies() {
    let shop = ruled(json!([])).await;
    let calls = || shop.world.faults.limit_calls.load(Ordering::SeqCst);
    let job = shop.buy("ann", 1).await.expect(202).json["statusUrl"].as_str().unwrap().to_owned();
    shop.get(&job).await.expect(200);
    shop.get_as("ann", "/api/v1/me/orders").await.expect(200);
    buy_from(&shop, "192.0.2.1", "forged").await.expect_problem(403, "token-invalid");
    assert_eq!(calls(), 0);
    put(&shop, json!({ "shared": [rule("a", "order", "buyer", 9), rule("b", "order", "sale", 9)] })).await;
    let (token, _) = shop.token("bob", "s1").await;
    shop.get(&job).await.expect(200);
    assert_eq!(calls(), 0);
    shop.buy_with("s1", &token, 1).await.expect(202);
    assert_eq!(calls(), 1, "both rules in one call");
    buy_from(&shop, "192.0.2.1", "forged").await.expect_problem(403, "token-invalid");
    assert_eq!(calls(), 1, "no rule is about addresses");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_they_cannot_be_shared_each_gateway_enforces_the_rules_alone_and_then_together_again() {
    let shop = ruled(json!([rule("mine", "token", "buyer", 3)])).await;
    shop.eventually(|shop| async { shop.get("/readyz").await.status == 200 }).await;
    let fallbacks = async || {
        let metrics = shop.send(shop.operation("GET", "/metrics").bearer_auth(METRICS_KEY)).await.text;
        let line = metrics
            .lines()
            .find(|line| line.starts_with("seckill_fallbacks_total{what=\"limits\"} "))
            .unwrap()
            .to_owned();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let tokens = async |buyer: &str, tries: usize| {
        let mut issued = 0;
        for _ in 0..tries {
            match shop.ask_token(buyer, "s1", "{}").await {
                Answer { status: 201, .. } => issued += 1,
                other => drop(other.expect_problem(429, "rate-limited")),
            }
        }
        issued
    };
    assert_eq!(tokens("ann", 5).await, 3);
    let before = fallbacks().await;
    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    assert_eq!(tokens("ann", 5).await, 3, "limits fail open, and only as far as this gateway's own");
    assert_eq!(tokens("bob", 5).await, 3);
    let (counted, calls) = (fallbacks().await - before, shop.world.faults.limit_calls.load(Ordering::SeqCst));
    assert!(counted >= 10, "{counted}");
    shop.world.faults.gate_away.store(false, Ordering::SeqCst);
    assert_eq!(tokens("ann", 1).await, 0, "what was shared is remembered");
    assert_eq!(shop.world.faults.limit_calls.load(Ordering::SeqCst), calls + 1, "it ends by itself");
}

/// H14.
#[tokio::test(flavor = "multi_thread")]
async fn one_buyer_at_five_hundred_addresses_is_limited_and_five_hundred_behind_one_address_are_not() {
    let shop = ruled(json!([rule("mine", "order", "buyer", 10)])).await;
    let tight = json!({ "enabled": true, "perSecond": 1, "burst": 10 });
    put(&shop, json!({ "local": { "perIp": tight, "tokenPerBuyer": tight, "orderPerBuyer": tight, "status": tight } }))
        .await;
    let (token, _) = shop.token("ann", "s1").await;
    let mut accepted = 0;
    for n in 0..500 {
        match buy_from(&shop, &format!("10.1.{}.{}", n / 250, n % 250), &token).await {
            Answer { status: 202, .. } => accepted += 1,
            other => drop(other.expect_problem(429, "rate-limited")),
        }
    }
    assert_eq!(accepted, 10, "the shared clock stands still");
    for n in 0..500 {
        let (token, _) = shop.token(&format!("buyer-{n}"), "s1").await;
        let answer = buy_from(&shop, "10.2.0.1", &token).await.expect(202);
        shop.get(answer.json["statusUrl"].as_str().unwrap()).await.expect(200);
    }
}
