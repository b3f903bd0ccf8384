//! Each caller's own limits.

use serde_json::{Value, json};

use crate::shop::{Answer, Shop};

async fn limited(limits: Value) -> Shop {
    let mut all = json!({ "per_ip": { "enabled": false }, "token_per_buyer": { "enabled": false },
        "order_per_buyer": { "enabled": false }, "status": { "enabled": false } });
    all.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
    let settings = json!({ "workers": 1, "demo": true, "limits": all, "trusted_proxies": ["127.0.0.0/8"] });
    let shop = Shop::start_with(serde_json::from_value(settings).unwrap()).await;
    shop.open("s1", 100, 5).await;
    shop
}

fn expect_limited(answer: Answer, policy: &str) {
    let answer = answer.expect_problem(429, "rate-limited");
    assert!(answer.header("ratelimit").starts_with(&format!("\"{policy}\";r=0;t=")), "{answer:?}");
    assert!(answer.header("ratelimit-policy").starts_with(&format!("\"{policy}\";q=")), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_is_limited_by_name_and_nobody_else_with_it() {
    let slow = json!({ "per_second": 1, "burst": 2 });
    let shop = limited(json!({ "token_per_buyer": slow, "order_per_buyer": slow })).await;
    let (token, _) = shop.token("ann", "s1").await;
    shop.token("ann", "s1").await;
    expect_limited(shop.ask_token("ann", "s1", "{}").await, "token");
    shop.token("bob", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    shop.buy_with("s1", &token, 1).await.expect(202);
    expect_limited(shop.buy_with("s1", &token, 1).await, "order");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_limited_for_what_shows_nothing_valid_and_only_for_that() {
    let shop = limited(json!({ "per_ip": { "per_second": 1, "burst": 3 } })).await;
    let (token, _) = shop.token("ann", "s1").await;
    let from = |address: &str, body: &str| {
        let request = shop.request("POST", "/api/v1/sales/s1/orders").header("x-forwarded-for", address);
        shop.send(request.header("content-type", "application/json").body(body.to_owned()))
    };
    let good = json!({ "token": token, "item": "red", "quantity": 1 }).to_string();
    for _ in 0..3 {
        from("192.0.2.1", "nonsense").await.expect_problem(400, "malformed");
    }
    expect_limited(from("192.0.2.1", "nonsense").await, "ip");
    expect_limited(from("192.0.2.1", &json!({ "token": "x", "item": "red", "quantity": 1 }).to_string()).await, "ip");
    from("192.0.2.1", &good).await.expect(202);
    from("6.6.6.6, 192.0.2.2", "nonsense").await.expect_problem(400, "malformed");
    for address in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
        from(address, "nonsense").await.expect_problem(400, "malformed");
    }
    expect_limited(from("2001:db8::4", "nonsense").await, "ip");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_limited_by_itself() {
    let shop = limited(json!({ "status": { "per_second": 1, "burst": 2 } })).await;
    let first = shop.buy("ann", 1).await.expect(202).json["statusUrl"].as_str().unwrap().to_owned();
    let second = shop.buy("bob", 1).await.expect(202).json["statusUrl"].as_str().unwrap().to_owned();
    shop.get(&first).await.expect(200);
    shop.get(&first).await.expect(200);
    expect_limited(shop.get(&first).await, "status");
    shop.get(&second).await.expect(200);
}
