//! Clients that go away in the middle: nothing of them stays.

use serde_json::json;

use crate::raw::{Wire, status};
use crate::shedding::pending;
use crate::shop::{Shop, unlimited};

const ORDERS: &str = "/api/v1/sales/s1/orders";

fn purchase(token: &str, more: &str) -> String {
    let body = json!({ "token": token, "item": "red", "quantity": 1 }).to_string();
    let length = body.len();
    format!(
        "POST {ORDERS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{more}\r\n{body}"
    )
}

/// Exactly so many can be in hand: not one has been left over by those who went away.
async fn nobody_is_left(shop: &Shop, in_flight_max: usize) {
    shop.eventually(|shop| async {
        let mut held = Vec::new();
        for _ in 0..in_flight_max - 1 {
            held.push(pending(shop).await);
        }
        // They have all begun once one more is refused; with one left over it would have been refused before.
        for _ in 0..50 {
            if shop.get("/api/v1/time").await.status == 503 {
                return false;
            }
        }
        held.push(pending(shop).await);
        for _ in 0..50 {
            if shop.get("/api/v1/time").await.status == 503 {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        false
    })
    .await;
}

/// Requirement G-9: at each point of a purchase, and at some of a long answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_at_any_byte_leaves_nothing_behind_and_the_books_balance() {
    let mut settings = unlimited();
    settings.in_flight_max = 8;
    settings.body_timeout_ms = 60_000;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 1_000, 1).await;
    let mut jobs = Vec::new();
    for step in 0..60 {
        let (token, job) = shop.token(&format!("buyer-{step}"), "s1").await;
        let text = purchase(&token, if step % 2 == 0 { "" } else { "prefer: wait=5\r\n" });
        let sent = (text.len() * (step + 1)).div_ceil(60);
        let mut wire = Wire::to(&shop).await;
        assert!(wire.says(&text[..sent]).await);
        if step % 3 == 0 {
            // Long enough for the request to be in the middle of something.
            tokio::time::sleep(std::time::Duration::from_millis(step as u64 % 7)).await;
        }
        drop(wire);
        jobs.push((token, job));
    }
    nobody_is_left(&shop, 8).await;

    // Streams and waits end with their clients too.
    let (token, job) = &jobs[59];
    shop.buy_with("s1", token, 1).await.expect(202);
    for _ in 0..20 {
        let mut stream = Wire::to(&shop).await;
        assert!(stream.says(format!("GET /api/v1/jobs/{job}/events HTTP/1.1\r\nhost: x\r\n\r\n")).await);
        assert!(stream.hears("queued").await.contains("event: job"));
        let mut wait = Wire::to(&shop).await;
        assert!(wait.says(format!("GET /api/v1/jobs/{job} HTTP/1.1\r\nhost: x\r\nprefer: wait=5\r\n\r\n")).await);
    }
    nobody_is_left(&shop, 8).await;

    // Whatever became of them, each token leads to one job, and no unit is lost.
    for (token, job) in &jobs {
        assert_eq!(shop.buy_with("s1", token, 1).await.expect(202).json["jobId"], json!(job));
    }
    let books = shop.operate("GET", "/admin/v1/sales/s1/ledger", None).await.expect(200).json["items"][0].clone();
    assert_eq!((&books["difference"], &books["free"]), (&json!(0), &json!(940)), "{books}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_holds_up_nobody_else() {
    let shop = Shop::selling(5, 1).await;
    let script = crate::pages::named(&shop.get("/").await.text).remove(0);
    let mut deaf = Vec::new();
    for _ in 0..20 {
        let mut wire = Wire::to(&shop).await;
        // More answers than the buffers of both sides hold; what cannot be sent any more is not waited for.
        let many = format!("GET {script} HTTP/1.1\r\nhost: x\r\n\r\n").repeat(500);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(100), wire.says(many)).await;
        deaf.push(wire);
    }
    let (token, _) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    let mut other = Wire::to(&shop).await;
    assert!(other.says("GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await);
    assert_eq!(status(&other.hears_the_end().await), 200);
}
