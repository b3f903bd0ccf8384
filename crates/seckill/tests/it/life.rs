//! What becomes of an order: paid, cancelled, expired; and of money that came too late.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{TestShop, client::Answer, eventually};

/// What one unit costs in these tests.
const PRICE: i64 = 1999;

/// One buyer's purchase, placed; answers the order.
async fn bought(shop: &TestShop, body: &str) -> String {
    let accepted = shop.client.insist(0, "s1", body).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let done = shop.client.finished(0, &accepted.job()).await;
    assert_eq!(done["status"], "placed", "{done}");
    accepted.job()
}

async fn order(shop: &TestShop, order: &str, buyer: &str) -> Value {
    shop.client.as_buyer(0, "GET", &format!("/api/v1/orders/{order}"), buyer).await.json
}

async fn becomes(shop: &TestShop, id: &str, buyer: &str, status: &str) {
    eventually(&format!("order {id} is {status}"), Duration::from_secs(20), || async {
        order(shop, id, buyer).await["status"] == status
    })
    .await;
}

async fn act(shop: &TestShop, gateway: usize, id: &str, action: &str, buyer: &str) -> Answer {
    shop.client.as_buyer(gateway, "POST", &format!("/api/v1/orders/{id}/{action}"), buyer).await
}

/// Payments by state and reason.
async fn payments(shop: &TestShop) -> Vec<(String, String, String)> {
    sqlx::query_as("select id, state, coalesce(reason, '') from payments order by id")
        .fetch_all(&shop.db)
        .await
        .unwrap()
}

/// Must show 6 of its issue; fault matrix I6, I11.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_unit_is_sold_to_someone_else_and_sold_out_flips_on_both_gateways() {
    let shop = TestShop::start(2, 2).await;
    shop.sale_paid_within("s1", 1, &[1], 15).await;
    let bodies = shop.mint("s1", 3, &[]);
    let phase = async |gateway: usize| shop.client.get_on(gateway, "/api/v1/sales/s1").await.json["phase"].clone();
    let first = bought(&shop, &bodies[0]).await;
    let expires_at = order(&shop, &first, "buyer-1").await["expiresAt"].as_str().unwrap().to_owned();
    let expires_at: chrono::DateTime<chrono::Utc> = expires_at.parse().unwrap();
    for gateway in 0..2 {
        let refused = shop.client.buy(gateway, "s1", &bodies[1]).await;
        assert_eq!(refused.code(), "sold-out");
        eventually("every gateway shows that it is sold out", Duration::from_secs(5), || async {
            phase(gateway).await == "soldOut"
        })
        .await;
        eventually("the refusal says until when the unit may come back", Duration::from_secs(5), || async {
            let refused = shop.client.buy(gateway, "s1", &bodies[1]).await;
            let until = refused.json["mayReturnUntil"].as_str().map(|text| text.parse().unwrap());
            until.is_some_and(|until: chrono::DateTime<chrono::Utc>| {
                (until - expires_at).abs().num_milliseconds() < 1_000
            })
        })
        .await;
    }
    // The second buyer keeps asking, on both gateways in turn.
    let started = Instant::now();
    let accepted = loop {
        let answer = shop.client.buy(started.elapsed().as_millis() as usize % 2, "s1", &bodies[1]).await;
        if answer.status == 202 {
            break answer;
        }
        assert_eq!(answer.code(), "sold-out");
        assert!(started.elapsed() < Duration::from_secs(45), "the unit did not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let late = chrono::Utc::now() - expires_at;
    assert!(late >= chrono::TimeDelta::zero() && late < chrono::TimeDelta::seconds(30), "{late}");
    println!("an expired unit was sold again {} ms after its deadline", late.num_milliseconds());
    becomes(&shop, &first, "buyer-1", "expired").await;
    let second = shop.client.finished(1, &accepted.job()).await;
    assert_eq!(second["status"], "placed");
    for gateway in 0..2 {
        assert_eq!(shop.client.buy(gateway, "s1", &bodies[2]).await.code(), "sold-out");
        eventually("sold out again", Duration::from_secs(5), || async { phase(gateway).await == "soldOut" }).await;
    }
    shop.audit("s1", &[first, accepted.job()]).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_pays_and_a_paid_order_stays_paid() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[5]).await;
    let paid = bought(&shop, &shop.mint("s1", 1, &[])[0]).await;
    let started = act(&shop, 0, &paid, "payments", "buyer-1").await;
    assert_eq!((started.status, &started.json["amount"]["amount"]), (201, &json!(PRICE)), "{started:?}");
    assert_eq!(act(&shop, 0, &paid, "payments", "buyer-2").await.status, 404, "somebody else's order is not found");
    becomes(&shop, &paid, "buyer-1", "paid").await;
    assert_eq!(act(&shop, 0, &paid, "cancel", "buyer-1").await.code(), "conflict");
    assert_eq!(act(&shop, 0, &paid, "payments", "buyer-1").await.code(), "conflict");
    let ledger = shop.settled("s1").await;
    assert_eq!((&ledger["items"][0]["held"], &ledger["items"][0]["paid"]), (&json!(0), &json!(1)), "{ledger}");
    assert_eq!(payments(&shop).await.len(), 1, "pressed twice, it would be the same payment");
    shop.audit("s1", &[paid]).await;
    shop.close().await;
}

/// Fault matrix I11: units and allowance come back in the same step.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_unit_and_its_allowance_come_back_within_two_seconds() {
    let shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[1]).await;
    let bodies = shop.mint("s1", 1, &["--per-buyer", "3"]);
    let first = bought(&shop, &bodies[0]).await;
    assert_eq!(shop.client.buy(1, "s1", &bodies[1]).await.code(), "limit-reached");
    assert_eq!(act(&shop, 1, &first, "cancel", "buyer-2").await.status, 404);
    for _ in 0..2 {
        let cancelled = act(&shop, 1, &first, "cancel", "buyer-1").await;
        assert_eq!((cancelled.status, &cancelled.json["status"]), (200, &json!("cancelled")), "{cancelled:?}");
    }
    // The token of the cancelled order leads to its job, and buys nothing again.
    let again = shop.client.buy(0, "s1", &bodies[0]).await;
    assert_eq!((again.status, again.job()), (202, first.clone()));
    eventually("the same buyer can buy again", Duration::from_secs(2), || async {
        shop.client.buy(0, "s1", &bodies[1]).await.status == 202
    })
    .await;
    let second = bought(&shop, &bodies[1]).await;
    assert_eq!(act(&shop, 0, &first, "payments", "buyer-1").await.code(), "conflict");
    assert_eq!(shop.live_orders("s1").await, 1);
    shop.audit("s1", &[first, second]).await;
    shop.close().await;
}

/// Fault matrix H16, I2, I4, I5.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_believed_by_its_signature_counted_once_and_may_come_before_its_order() {
    let mut shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[10]).await;
    let bodies = shop.mint("s1", 4, &[]);
    let id = bought(&shop, &bodies[0]).await;
    let client = &shop.client;

    // Nothing that is not signed is even read.
    let unsigned = client.post_on(0, "/api/v1/payments/webhook", "{\"type\":\"payment.succeeded\"}").await.unwrap();
    assert_eq!(unsigned.code(), "unauthenticated");
    let body = json!({ "type": "payment.succeeded", "data": {
        "paymentId": "forged", "orderId": id, "amount": { "amount": PRICE, "currency": "CNY" } } });
    let now = chrono::Utc::now().timestamp();
    let other: domain::webhook::WebhookSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse().unwrap();
    let ours: domain::webhook::WebhookSecret = crate::common::WEBHOOK_SECRET.parse().unwrap();
    let text = body.to_string();
    for (why, at, signature) in [
        ("another secret", now, other.sign("e0", now, text.as_bytes())),
        ("another body", now, ours.sign("e0", now, b"{}")),
        ("another id", now, ours.sign("e1", now, text.as_bytes())),
        ("ten minutes ago", now - 600, ours.sign("e0", now - 600, text.as_bytes())),
        ("in ten minutes", now + 600, ours.sign("e0", now + 600, text.as_bytes())),
    ] {
        let request = client.http.post(format!("{}/api/v1/payments/webhook", client.bases[0])).body(text.clone());
        let request = request.header("webhook-id", "e0").header("webhook-timestamp", at);
        let answer = client.send(request.header("webhook-signature", signature)).await.unwrap();
        assert_eq!(answer.code(), "unauthenticated", "{why}");
    }
    assert!(payments(&shop).await.is_empty(), "nothing was acted on");

    // The same event twenty times, and another event about the same payment: paid once.
    let answers =
        futures_util::future::join_all((0..20).map(|_| client.report(0, "e1", "payment.succeeded", "p1", &id, PRICE)));
    assert!(answers.await.iter().all(|answer| answer.status == 204));
    assert_eq!(client.report(0, "e2", "payment.succeeded", "p1", &id, PRICE).await.status, 204);
    assert_eq!(client.report(0, "e3", "payment.failed", "p1", &id, PRICE).await.status, 204, "too late to fail");
    assert_eq!(client.report(0, "e4", "something.else", "p1", &id, PRICE).await.status, 204);
    becomes(&shop, &id, "buyer-1", "paid").await;
    assert_eq!(payments(&shop).await, [("p1".into(), "settled".into(), String::new())]);

    // A second payment for the same order, the wrong amount for another, a failed one for a third.
    let (wrong, failed) = (bought(&shop, &bodies[1]).await, bought(&shop, &bodies[2]).await);
    client.report(0, "e5", "payment.succeeded", "p2", &id, PRICE).await;
    client.report(0, "e6", "payment.succeeded", "p3", &wrong, PRICE - 1).await;
    client.report(0, "e7", "payment.failed", "p4", &failed, PRICE).await;
    eventually("both go back", Duration::from_secs(20), || async {
        payments(&shop).await.iter().filter(|(_, state, _)| state == "refunded").count() == 2
    })
    .await;
    let seen = payments(&shop).await;
    let state =
        |of: &str| seen.iter().find(|(id, ..)| id == of).map(|(_, state, why)| (state.as_str(), why.as_str())).unwrap();
    assert_eq!(state("p2"), ("refunded", "paid-twice"));
    assert_eq!(state("p3"), ("refunded", "wrong-amount"));
    assert_eq!(state("p4"), ("failed", ""));
    assert_eq!(order(&shop, &wrong, "buyer-2").await["status"], "pending_payment");
    assert_eq!(order(&shop, &failed, "buyer-3").await["status"], "pending_payment");

    // A payment that is faster than its order waits for it.
    shop.consumers[0].kill9();
    let early = shop.client.insist(0, "s1", &bodies[3]).await.job();
    assert_eq!(shop.client.report(0, "e8", "payment.succeeded", "p5", &early, PRICE).await.status, 204);
    shop.consumers[0].start_again();
    becomes(&shop, &early, "buyer-4", "paid").await;
    shop.audit("s1", &[id, wrong, failed, early]).await;
    shop.close().await;
}

/// Fault matrix I3: G8.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_gets_its_unit_while_one_is_free_and_its_money_back_once_when_not() {
    let shop = TestShop::start(1, 1).await;
    shop.sale_paid_within("s1", 1, &[1], 10).await;
    let bodies = shop.mint("s1", 2, &[]);
    let client = &shop.client;
    let first = bought(&shop, &bodies[0]).await;
    becomes(&shop, &first, "buyer-1", "expired").await;
    assert_eq!(shop.settled("s1").await["items"][0]["free"], 1);
    client.report(0, "e1", "payment.succeeded", "p1", &first, PRICE).await;
    becomes(&shop, &first, "buyer-1", "paid").await;
    assert_eq!(client.buy(0, "s1", &bodies[1]).await.code(), "sold-out", "the unit is nobody else's");
    assert_eq!(shop.settled("s1").await["items"][0]["paid"], 1);

    // The next one loses its unit to somebody else before the money arrives.
    shop.sale_paid_within("s2", 1, &[1], 10).await;
    let bodies = shop.mint("s2", 2, &[]);
    let accepted = client.insist(0, "s2", &bodies[0]).await.job();
    client.finished(0, &accepted).await;
    becomes(&shop, &accepted, "buyer-1", "expired").await;
    let taken = client.insist(0, "s2", &bodies[1]).await;
    assert_eq!(taken.status, 202, "{taken:?}");
    client.finished(0, &taken.job()).await;
    client.report(0, "e2", "payment.succeeded", "p2", &accepted, PRICE).await;
    eventually("the money goes back", Duration::from_secs(20), || async {
        order(&shop, &accepted, "buyer-1").await["refund"] == "refunded"
    })
    .await;
    assert_eq!(order(&shop, &accepted, "buyer-1").await["status"], "expired");
    client.report(0, "e3", "payment.succeeded", "p2", &accepted, PRICE).await;
    assert_eq!(payments(&shop).await[1], ("p2".into(), "refunded".into(), "late".into()));

    // Paying a cancelled order buys nothing.
    assert_eq!(act(&shop, 0, &taken.job(), "cancel", "buyer-2").await.status, 200);
    client.report(0, "e4", "payment.succeeded", "p3", &taken.job(), PRICE).await;
    eventually("the money goes back", Duration::from_secs(20), || async {
        payments(&shop).await.iter().any(|(id, state, why)| id == "p3" && state == "refunded" && why == "order-ended")
    })
    .await;
    assert_eq!(shop.settled("s2").await["items"][0]["free"], 1);
    shop.audit("s1", &[first]).await;
    shop.audit("s2", &[accepted, taken.job()]).await;
    shop.close().await;
}

/// Fault matrix I1, I6: through every layer at once.
#[tokio::test(flavor = "multi_thread")]
async fn payment_cancellation_and_deadline_meet_at_one_instant_and_each_order_ends_once() {
    const ORDERS: u32 = 2_000;
    let shop = TestShop::start(2, 2).await;
    shop.sale("s1", 1, &[i64::from(ORDERS)]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", ORDERS, &[]), 50).await;
    assert_eq!(seen.accepted.len(), ORDERS as usize);
    shop.settled("s1").await;
    sqlx::query("update orders set expires_at = now() + interval '1 second'").execute(&shop.db).await.unwrap();
    let buyers: Vec<(String, String)> =
        sqlx::query_as("select id::text, buyer_id from orders order by id").fetch_all(&shop.db).await.unwrap();
    tokio::time::sleep(Duration::from_millis(800)).await;
    use futures_util::{StreamExt as _, stream};
    stream::iter(buyers.iter().enumerate())
        .for_each_concurrent(64, |(n, (id, buyer))| {
            let shop = &shop;
            async move {
                let (event, payment) = (format!("e{n}"), format!("p{n}"));
                // Each of the three is first in its turn.
                let (pay_after, cancel_after) = [(0, 2), (2, 0), (40, 40)][n % 3];
                let pay = async {
                    tokio::time::sleep(Duration::from_millis(pay_after)).await;
                    shop.client.report(n % 2, &event, "payment.succeeded", &payment, id, PRICE).await
                };
                let cancel = async {
                    tokio::time::sleep(Duration::from_millis(cancel_after)).await;
                    act(shop, (n + 1) % 2, id, "cancel", buyer).await
                };
                let (paid, cancelled) = tokio::join!(pay, cancel);
                assert_eq!(paid.status, 204, "{paid:?}");
                assert!(cancelled.status == 200 || cancelled.code() == "conflict", "{cancelled:?}");
            }
        })
        .await;
    eventually("every payment is settled or refunded", Duration::from_secs(60), || async {
        let open: i64 = sqlx::query_scalar("select count(*) from payments where state in ('open', 'refund_due')")
            .fetch_one(&shop.db)
            .await
            .unwrap();
        open == 0
    })
    .await;
    let count = async |sql: &'static str| -> i64 { sqlx::query_scalar(sql).fetch_one(&shop.db).await.unwrap() };
    let paid = count("select count(*) from orders where status = 'paid'").await;
    let cancelled = count("select count(*) from orders where status = 'cancelled'").await;
    let expired = count("select count(*) from orders where status = 'expired'").await;
    println!("{ORDERS} orders: {paid} paid, {cancelled} cancelled, {expired} expired");
    assert_eq!(paid + cancelled + expired, i64::from(ORDERS));
    assert_eq!(count("select count(*) from payments").await, i64::from(ORDERS), "no payment is dropped");
    let settled = count("select count(*) from payments p join orders o on o.id = p.order_id where p.state = 'settled' and o.status = 'paid'").await;
    assert_eq!(settled, paid, "each paid order has its payment");
    let refunded = count("select count(*) from payments p join orders o on o.id = p.order_id where p.state = 'refunded' and o.status <> 'paid'").await;
    assert_eq!(refunded, i64::from(ORDERS) - paid, "and each other payment went back");
    let ledger = shop.settled("s1").await;
    assert_eq!(ledger["items"][0]["free"], i64::from(ORDERS) - paid, "{ledger}");
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}
