//! The window of a sale, by the server's clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::common::TestShop;

fn time(value: &serde_json::Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("not a time: {value}")).parse().unwrap()
}

/// Buyers press all the time while the sale opens and closes. Whatever the gate answered, it says by which time; no
/// answer is on the wrong side, and on both sides the answers come within milliseconds of the edge.
#[tokio::test(flavor = "multi_thread")]
async fn not_a_millisecond_early_and_not_a_millisecond_late() {
    let shop = TestShop::start(1, 1).await;
    shop.sale_between("edge", 1, &[100_000], 4_000, 5_000).await;
    let sale = shop.client.get_on(0, "/api/v1/sales/edge").await.json;
    let (opens, closes) = (time(&sale["opensAt"]), time(&sale["closesAt"]));
    let bodies = Arc::new(Mutex::new(shop.mint("edge", 20_000, &[])));
    let early = Arc::new(Mutex::new(Vec::new()));
    let (accepted, late) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));

    let wait = (opens - Utc::now() - chrono::TimeDelta::milliseconds(300)).to_std().unwrap_or_default();
    tokio::time::sleep(wait).await;
    let presses: Vec<_> = (0..16)
        .map(|_| {
            let (client, bodies) = (shop.client.clone(), bodies.clone());
            let (early, accepted, late) = (early.clone(), accepted.clone(), late.clone());
            tokio::spawn(async move {
                let mut body = bodies.lock().unwrap().pop().unwrap();
                loop {
                    let sent = Utc::now();
                    let answer = client.buy(0, "edge", &body).await;
                    match answer.code().as_str() {
                        "sale-not-open" => early.lock().unwrap().push(time(&answer.json["serverTime"])),
                        "accepted" => {
                            accepted.lock().unwrap().push(answer.job());
                            body = bodies.lock().unwrap().pop().unwrap();
                        }
                        "sale-ended" => {
                            assert!(Utc::now() >= closes, "closed early: sent at {sent}");
                            *late.lock().unwrap() += 1;
                            return;
                        }
                        other => panic!("{other}: {answer:?}"),
                    }
                }
            })
        })
        .collect();
    for press in presses {
        press.await.unwrap();
    }

    let early = early.lock().unwrap().clone();
    assert!(early.iter().all(|at| *at < opens), "refused as too early at or after opening");
    assert!(
        early.iter().max().is_some_and(|at| opens - *at < chrono::TimeDelta::milliseconds(200)),
        "nobody tried just before"
    );
    assert_eq!(*late.lock().unwrap(), 16);
    let accepted = accepted.lock().unwrap().clone();
    assert!(!accepted.is_empty());
    shop.audit("edge", &accepted).await;
    let (first, last): (DateTime<Utc>, DateTime<Utc>) =
        sqlx::query_as("select min(admitted_at), max(admitted_at) from orders where sale_id = 'edge'")
            .fetch_one(&shop.db)
            .await
            .unwrap();
    assert!(first >= opens, "admitted {} before opening", opens - first);
    assert!(last < closes, "admitted {} after closing", last - closes);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_pauses_resumes_and_closes_and_what_was_accepted_is_placed() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[100]).await;
    let bodies = shop.mint("s1", 40, &[]);
    let mut accepted = Vec::new();
    let mut step = async |from: usize, action: &str, expected: &str| {
        if !action.is_empty() {
            let done = shop.client.operate("POST", &format!("/admin/v1/sales/s1/{action}"), None).await;
            assert_eq!(done.status, 200, "{done:?}");
        }
        for body in &bodies[from..from + 10] {
            let answer = shop.client.buy(0, "s1", body).await;
            assert_eq!(answer.code(), expected, "after {action:?}: {answer:?}");
            if answer.status == 202 {
                accepted.push(answer.job());
            }
        }
    };
    step(0, "", "accepted").await;
    step(10, "pause", "sale-paused").await;
    step(20, "resume", "accepted").await;
    step(30, "close", "sale-ended").await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let reopened = shop.client.operate("POST", "/admin/v1/sales/s1/open", None).await;
    assert_eq!((reopened.status, reopened.code().as_str()), (409, "conflict"));
    assert_eq!(accepted.len(), 20);
    shop.audit("s1", &accepted).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn warming_a_live_sale_again_changes_nothing_and_a_cold_one_does_not_open() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[10]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", 4, &[]), 4).await;
    for _ in 0..10 {
        let warm = shop.client.operate("POST", "/admin/v1/sales/s1/warm", None).await;
        assert_eq!(
            (warm.status, &warm.json["changed"], &warm.json["epoch"]),
            (200, &false.into(), &1.into()),
            "{warm:?}"
        );
        assert_eq!(warm.json["items"][0]["free"], 6);
    }
    shop.audit("s1", &seen.accepted).await;

    let now = Utc::now();
    let body = serde_json::json!({ "id": "cold", "title": "Cold", "opensAt": now, "closesAt": now + chrono::TimeDelta::hours(1),
        "items": [{ "id": "a", "title": "A", "stock": 1, "price": { "amount": 1, "currency": "CNY" } }] });
    assert_eq!(shop.client.operate("POST", "/admin/v1/sales", Some(body)).await.status, 201);
    let open = shop.client.operate("POST", "/admin/v1/sales/cold/open", None).await;
    assert_eq!((open.status, open.code().as_str()), (409, "conflict"));
    assert!(open.json["detail"].as_str().unwrap().contains("warm"), "{open:?}");
    shop.close().await;
}
