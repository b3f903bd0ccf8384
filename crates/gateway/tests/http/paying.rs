//! Orders after they were placed: paid, cancelled; stock that changes; books that are explained.

use domain::webhook::WebhookSecret;
use serde_json::{Value, json};

use crate::shop::{Answer, Shop, WEBHOOK_SECRET};

/// An order of one unit that waits for its payment.
async fn placed(shop: &Shop, buyer: &str) -> String {
    let job = shop.buy(buyer, 1).await.expect(202).json["jobId"].as_str().unwrap().to_owned();
    shop.place().await;
    job
}

pub async fn act(shop: &Shop, buyer: &str, order: &str, action: &str) -> Answer {
    let request = shop.request("POST", &format!("/api/v1/orders/{order}/{action}"));
    shop.send(request.bearer_auth(shop.login(buyer))).await
}

pub async fn status(shop: &Shop, buyer: &str, order: &str) -> Value {
    shop.get_as(buyer, &format!("/api/v1/orders/{order}")).await.expect(200).json["status"].clone()
}

/// A webhook with this body, signed now.
async fn signed(shop: &Shop, event: &str, body: &str) -> Answer {
    let now = domain::ports::Clock::now(&*shop.clock).timestamp();
    let signature = WEBHOOK_SECRET.parse::<WebhookSecret>().unwrap().sign(event, now, body.as_bytes());
    let request = shop.request("POST", "/api/v1/payments/webhook").body(body.to_owned());
    let request = request.header("webhook-id", event).header("webhook-timestamp", now);
    shop.send(request.header("webhook-signature", signature)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_cancelled_by_its_owner_while_it_waits() {
    let shop = Shop::selling(5, 1).await;
    let order = placed(&shop, "ann").await;
    act(&shop, "bob", &order, "cancel").await.expect_problem(404, "not-found");
    act(&shop, "ann", "nonsense", "cancel").await.expect_problem(404, "not-found");
    shop.post(&format!("/api/v1/orders/{order}/cancel"), "").await.expect_problem(401, "unauthenticated");
    for _ in 0..2 {
        let cancelled = act(&shop, "ann", &order, "cancel").await.expect(200);
        assert_eq!((&cancelled.json["status"], &cancelled.json["orderId"]), (&json!("cancelled"), &json!(order)));
    }
    act(&shop, "ann", &order, "payments").await.expect_problem(409, "conflict");
    shop.world.faults.store_away.store(true, std::sync::atomic::Ordering::SeqCst);
    act(&shop, "ann", &order, "payments").await.expect_problem(503, "not-ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_begun_by_the_owner_and_ends_by_webhook() {
    let shop = Shop::selling(5, 1).await;
    let order = placed(&shop, "ann").await;
    act(&shop, "bob", &order, "payments").await.expect_problem(404, "not-found");
    let begun = act(&shop, "ann", &order, "payments").await.expect(201).json;
    assert_eq!(begun["amount"], json!({ "amount": 19900, "currency": "CNY" }));
    assert_eq!(begun["orderId"], order);
    shop.eventually(|shop| async { status(shop, "ann", &order).await == "paid" }).await;
    let paid = shop.get_as("ann", &format!("/api/v1/orders/{order}")).await.json;
    assert!(paid.get("expiresAt").is_none(), "nothing ends any more: {paid}");
    act(&shop, "ann", &order, "cancel").await.expect_problem(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_verified_before_it_is_read() {
    let shop = Shop::selling(5, 1).await;
    let order = placed(&shop, "ann").await;
    let webhook = "/api/v1/payments/webhook";
    shop.post(webhook, "").await.expect_problem(401, "unauthenticated");
    shop.post(webhook, "{not json").await.expect_problem(401, "unauthenticated");
    shop.post(webhook, vec![b' '; 70_000]).await.expect_problem(413, "too-large");

    for (body, status, code) in [
        ("{not json", 400, "malformed"),
        (r#"{"type":"payment.succeeded"}"#, 400, "malformed"),
        (r#"{"type":"payment.succeeded","data":{"paymentId":"p","orderId":"x"}}"#, 400, "malformed"),
    ] {
        signed(&shop, "e1", body).await.expect_problem(status, code);
    }
    signed(&shop, "e2", r#"{"type":"customer.created","data":{"any":"thing"}}"#).await.expect(204);
    assert_eq!(status(&shop, "ann", &order).await, "pending_payment", "nothing was acted on");
    let body = json!({ "type": "payment.succeeded", "data": {
        "paymentId": "p", "orderId": order, "amount": { "amount": 19900, "currency": "CNY" } } });
    for _ in 0..2 {
        signed(&shop, "e3", &body.to_string()).await.expect(204);
    }
    assert_eq!(status(&shop, "ann", &order).await, "paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_comes_too_late_hears_until_when_units_may_come_back() {
    let shop = Shop::selling(1, 1).await;
    let order = placed(&shop, "ann").await;
    let expires = shop.get_as("ann", &format!("/api/v1/orders/{order}")).await.json["expiresAt"].clone();
    shop.eventually(|shop| async { shop.buy("bob", 1).await.json["mayReturnUntil"] == expires }).await;
    act(&shop, "ann", &order, "payments").await.expect(201);
    shop.eventually(|shop| async {
        let refused = shop.buy("bob", 1).await.expect_problem(409, "sold-out");
        refused.json.get("mayReturnUntil").is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restock_is_checked_done_once_and_says_what_is_wrong() {
    let shop = Shop::selling(5, 1).await;
    let path = "/admin/v1/sales/s1/restock";
    let restock = async |body: Value| shop.operate("POST", path, Some(body)).await;
    for (changed, id) in [(true, "r1"), (false, "r1"), (true, "r2")] {
        let done =
            restock(json!({ "id": id, "item": "red", "delta": 5, "reason": "more came" })).await.expect(200).json;
        assert_eq!((&done["changed"], &done["stock"]), (&json!(changed), &json!(if id == "r1" { 10 } else { 15 })));
    }
    restock(json!({ "id": "r1", "item": "red", "delta": 6 })).await.expect_problem(409, "conflict");
    restock(json!({ "id": "r3", "item": "blue", "delta": 6 })).await.expect_problem(404, "not-found");
    restock(json!({ "id": "r3", "item": "red", "delta": 100_000_000 })).await.expect_problem(409, "conflict");
    restock(json!({ "id": "r3", "item": "red" })).await.expect_problem(400, "malformed");
    for (body, field) in [
        (json!({ "id": "r3", "item": "red", "delta": 0 }), "delta"),
        (json!({ "id": "r3", "item": "red", "delta": 100_000_001 }), "delta"),
        (json!({ "id": "r 3", "item": "red", "delta": 1 }), "id"),
        (json!({ "id": "r3", "item": "", "delta": 1 }), "item"),
    ] {
        assert_eq!(restock(body).await.expect_problem(422, "validation-failed").json["field"], field);
    }
    let missing =
        shop.operate("POST", "/admin/v1/sales/nope/restock", Some(json!({ "id": "r", "item": "red", "delta": 1 })));
    missing.await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconciliation_answers_the_books_and_what_was_looked_at() {
    let shop = Shop::selling(5, 1).await;
    placed(&shop, "ann").await;
    shop.buy("bob", 1).await.expect(202);
    let found = shop.operate("POST", "/admin/v1/sales/s1/reconcile", None).await.expect(200).json;
    assert_eq!(
        (&found["balanced"], &found["records"], &found["orders"]),
        (&json!(true), &json!(2), &json!(1)),
        "{found}"
    );
    assert_eq!(found["findings"], json!([]), "{found}");
    shop.operate("POST", "/admin/v1/sales", Some(shop.draft("cold", 1, 1))).await.expect(201);
    shop.operate("POST", "/admin/v1/sales/cold/reconcile", None).await.expect_problem(409, "conflict");
    shop.operate("POST", "/admin/v1/sales/nope/reconcile", None).await.expect_problem(404, "not-found");
    let body = Some(json!({ "fix": true }));
    shop.operate("POST", "/admin/v1/sales/s1/reconcile", body).await.expect_problem(400, "malformed");
}
