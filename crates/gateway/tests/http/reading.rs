//! Sales and the time, from memory.

use std::sync::atomic::Ordering;

use domain::ports::Clock as _;
use serde_json::json;

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn shoppers_see_sales_and_no_drafts() {
    let shop = Shop::selling(10, 2).await;
    shop.operate("POST", "/admin/v1/sales", Some(shop.draft("secret", 5, 1))).await.expect(201);
    let answer = shop.get("/api/v1/sales").await.expect(200);
    let sales = answer.json["sales"].as_array().unwrap();
    assert_eq!(sales.len(), 1);
    assert_eq!(
        sales[0],
        json!({ "id": "s1", "title": "Sneakers", "phase": "open", "opensAt": sales[0]["opensAt"],
            "tokensFrom": sales[0]["tokensFrom"],
            "closesAt": sales[0]["closesAt"], "limitPerBuyer": 2,
            "items": [{ "id": "red", "title": "Red", "price": { "amount": 19900, "currency": "CNY" },
                        "stockLevel": "plenty", "soldPercent": 0 }] })
    );
    assert_eq!(shop.get("/api/v1/sales/s1").await.expect(200).json, sales[0]);
    for hidden in ["secret", "nowhere", "a%20b"] {
        shop.get(&format!("/api/v1/sales/{hidden}")).await.expect_problem(404, "not-found");
    }
}

async fn phase(shop: &Shop) -> String {
    shop.get("/api/v1/sales/s1").await.expect(200).json["phase"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn phases_and_levels_follow_the_clock_and_the_gate() {
    let shop = Shop::selling(2, 2).await;
    shop.buy("ann", 2).await.expect(202);
    shop.eventually(|shop| async { phase(shop).await == "soldOut" }).await;
    let item = shop.get("/api/v1/sales/s1").await.json["items"][0].clone();
    assert_eq!((&item["stockLevel"], &item["soldPercent"]), (&json!("none"), &json!(100)));
    shop.operate("POST", "/admin/v1/sales/s1/pause", None).await.expect(200);
    assert_eq!(phase(&shop).await, "paused");
    shop.operate("POST", "/admin/v1/sales/s1/resume", None).await.expect(200);
    let change = json!({ "opensAt": shop.at(600) });
    shop.operate("PATCH", "/admin/v1/sales/s1", Some(change)).await.expect(200);
    assert_eq!(phase(&shop).await, "scheduled");
    shop.clock.go_on(3_600_000);
    assert_eq!(phase(&shop).await, "ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_has_not_changed_is_not_sent_again() {
    let shop = Shop::selling(10, 2).await;
    for path in ["/api/v1/sales", "/api/v1/sales/s1"] {
        let first = shop.get(path).await.expect(200);
        assert_eq!(first.header("cache-control"), "public, max-age=1");
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2);
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = shop.send(shop.request("GET", path).header("if-none-match", known)).await.expect(304);
            assert_eq!((again.text.as_str(), again.header("etag")), ("", tag.as_str()));
        }
        shop.send(shop.request("GET", path).header("if-none-match", "\"other\"")).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_is_the_clock_that_decides() {
    let shop = Shop::start().await;
    shop.clock.go_on(86_400_000);
    let answer = shop.get("/api/v1/time").await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let now: chrono::DateTime<chrono::Utc> = answer.json["now"].as_str().unwrap().parse().unwrap();
    assert_eq!(now, shop.clock.now());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_known_sales_are_shown_while_the_database_is_away() {
    let shop = Shop::selling(10, 2).await;
    let faults = &shop.world.faults;
    faults.store_away.store(true, Ordering::SeqCst);
    faults.gate_away.store(true, Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert_eq!(shop.get("/api/v1/sales/s1").await.expect(200).json["phase"], "open");
    shop.ask_token("ann", "s1", "{}").await.expect(201);
    shop.get_as("ann", "/api/v1/me/orders").await.expect_problem(503, "not-ready");
}
