//! Work that is refused before it is done.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::ports::Queue as _;
use serde_json::json;

use crate::raw::{Wire, status};
use crate::shop::{METRICS_KEY, Shop, unlimited};

const ORDERS: &str = "/api/v1/sales/s1/orders";

/// A request that is being answered until its body comes, or its deadline.
pub async fn pending(shop: &Shop) -> Wire {
    let mut wire = Wire::to(shop).await;
    let head =
        format!("POST {ORDERS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n");
    assert!(wire.says(head).await);
    wire
}

/// How often work was refused for this reason, by any shop of this process.
pub async fn shed(shop: &Shop, reason: &str) -> u64 {
    let text = shop.send(shop.operation("GET", "/metrics").bearer_auth(METRICS_KEY)).await.text;
    let series = format!("seckill_shed_total{{reason=\"{reason}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)).map_or(0, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_can_be_in_hand_is_refused_before_its_body_is_read() {
    let mut settings = unlimited();
    settings.in_flight_max = 2;
    settings.body_timeout_ms = 60_000;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 5, 5).await;
    let (token, _) = shop.token("ann", "s1").await;
    let before = shed(&shop, "in-flight").await;
    let held = [pending(&shop).await, pending(&shop).await];
    shop.eventually(|shop| async { shop.get("/api/v1/time").await.status == 503 }).await;
    shop.get("/api/v1/time").await.expect_problem(503, "overloaded");
    shop.buy_with("s1", &token, 1).await.expect_problem(503, "overloaded");
    let answer = pending(&shop).await.hears("overloaded").await;
    assert_eq!(status(&answer), 503, "{answer}");
    for always in ["/livez", "/readyz", "/"] {
        shop.get(always).await.expect(200);
    }
    shop.operate("GET", "/admin/v1/sales", None).await.expect(200);
    assert!(shed(&shop, "in-flight").await >= before + 4);
    drop(held);
    shop.eventually(|shop| async { shop.get("/api/v1/time").await.status == 200 }).await;
    shop.buy_with("s1", &token, 1).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_the_end_of_a_job_is_in_nobodys_way() {
    let mut settings = unlimited();
    settings.in_flight_max = 2;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 5, 5).await;
    let job = shop.buy("ann", 1).await.expect(202).json["jobId"].as_str().unwrap().to_owned();
    let mut waiting = Vec::new();
    for _ in 0..6 {
        let mut wire = Wire::to(&shop).await;
        let head = format!("GET /api/v1/jobs/{job} HTTP/1.1\r\nhost: x\r\nprefer: wait=5\r\n\r\n");
        assert!(wire.says(head).await);
        let mut stream = Wire::to(&shop).await;
        assert!(stream.says(format!("GET /api/v1/jobs/{job}/events HTTP/1.1\r\nhost: x\r\n\r\n")).await);
        let told = stream.hears("\"queued\"").await;
        assert!(told.contains("event: job"), "{told}");
        waiting.push((wire, stream));
        shop.get("/api/v1/time").await.expect(200);
    }
    shop.place().await;
    for (mut wire, mut stream) in waiting {
        let answer = wire.hears("\"placed\"").await;
        assert_eq!(status(&answer), 200, "{answer}");
        assert!(stream.hears("\"placed\"").await.contains("event: job"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_accepted_orders_wait_too_long_nobody_new_is_admitted() {
    let shop = Shop::selling(500, 1).await;
    let mut tokens = Vec::new();
    for n in 0..100 {
        let (token, _) = shop.token(&format!("buyer-{n}"), "s1").await;
        shop.buy_with("s1", &token, 1).await.expect(202);
        tokens.push(token);
    }
    // One that hangs, or a few, are no backlog; these are, once the middle one has waited for more than a minute.
    shop.buy("early", 1).await.expect(202);
    let before = shed(&shop, "backlog").await;
    shop.clock.go_on(61_000);
    let (new, _) = shop.token("new", "s1").await;
    let pressed = AtomicU32::new(0);
    shop.eventually(|shop| {
        let buyer = format!("later-{}", pressed.fetch_add(1, Ordering::SeqCst));
        async move { shop.buy(&buyer, 1).await.status == 503 }
    })
    .await;
    let asked = shop.world.faults.asked.load(Ordering::SeqCst);
    shop.buy_with("s1", &new, 1).await.expect_problem(503, "overloaded");
    assert_eq!(shop.world.faults.asked.load(Ordering::SeqCst), asked + 1, "it costs no further question");
    assert!(shed(&shop, "backlog").await > before);
    for token in &tokens {
        shop.buy_with("s1", token, 1).await.expect(202);
    }
    while shop.world.queue.depth().await.unwrap() > 0 {
        shop.place().await;
    }
    shop.eventually(|shop| async { shop.buy_with("s1", &new, 1).await.status == 202 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_refused_because_of_all_others_is_counted_by_its_reason() {
    let shop = Shop::selling(100, 5).await;
    let metrics = shop.send(shop.operation("GET", "/metrics").bearer_auth(METRICS_KEY)).await.text;
    for reason in ["global", "channel", "group", "broker-away", "tasks"] {
        assert!(metrics.contains(&format!("seckill_shed_total{{reason=\"{reason}\"}}")), "{reason}");
    }
    let obey = async |rules: serde_json::Value| {
        shop.operate("PUT", "/api/v1/concurrency/config", Some(rules)).await.expect(200);
    };
    obey(json!({ "global_max": 1 })).await;
    shop.buy("ann", 1).await.expect(202);
    let before = shed(&shop, "global").await;
    shop.buy("bob", 1).await.expect_problem(503, "overloaded");
    assert!(shed(&shop, "global").await > before);

    obey(json!({ "global_max": 0, "platform_max": { "app": 1 } })).await;
    let by_app = async |buyer: &str| {
        let token = shop.ask_token(buyer, "s1", r#"{"channel":"app"}"#).await.expect(201).json["token"].clone();
        shop.buy_with("s1", token.as_str().unwrap(), 1).await
    };
    by_app("cid").await.expect(202);
    let before = shed(&shop, "channel").await;
    by_app("dan").await.expect_problem(503, "overloaded");
    assert!(shed(&shop, "channel").await > before);

    let (token, _) = shop.token("eve", "s1").await;
    let before = shed(&shop, "broker-away").await;
    shop.world.faults.broker_away.store(true, Ordering::SeqCst);
    shop.buy_with("s1", &token, 1).await.expect_problem(503, "not-ready");
    assert!(shed(&shop, "broker-away").await > before);
}
