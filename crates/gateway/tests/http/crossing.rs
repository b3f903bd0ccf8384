//! What browsers are told: which other sites may ask, and what a page may do.

use serde_json::json;

use crate::shop::{ADMIN_KEY, Shop, unlimited};

const SHOP: &str = "https://shop.example";

async fn open_to_the_shop() -> Shop {
    let mut settings = unlimited();
    settings.cors_origins = serde_json::from_value(json!([SHOP, "http://127.0.0.1:3000"])).unwrap();
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 1, 1).await;
    shop
}

fn asking(shop: &Shop, origin: &str) -> reqwest::RequestBuilder {
    let request = shop.request("OPTIONS", "/api/v1/sales/s1/orders").header("origin", origin);
    request.header("access-control-request-method", "POST").header("access-control-request-headers", "content-type")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_site_may_ask_unless_it_is_listed() {
    let shop = Shop::selling(1, 1).await;
    shop.send(asking(&shop, SHOP)).await.expect_problem(405, "method-not-allowed");
    let answer = shop.send(shop.request("GET", "/api/v1/sales").header("origin", SHOP)).await.expect(200);
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{answer:?}");
    assert_eq!(answer.header("vary"), "", "closed, it costs nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_site_asks_first_and_reads_the_documented_headers() {
    let shop = open_to_the_shop().await;
    let preflight = shop.send(asking(&shop, SHOP)).await.expect(204);
    assert_eq!(preflight.header("access-control-allow-origin"), SHOP);
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, POST");
    for header in ["Authorization", "Content-Type", "Prefer"] {
        assert!(preflight.header("access-control-allow-headers").contains(header), "{preflight:?}");
    }
    assert_eq!(preflight.header("access-control-max-age"), "600");
    assert!(preflight.headers.get("access-control-allow-credentials").is_none());

    let (token, _) = shop.token("ann", "s1").await;
    let body = json!({ "token": token, "item": "red", "quantity": 1 });
    let order = shop.request("POST", "/api/v1/sales/s1/orders").header("origin", SHOP).json(&body);
    let answer = shop.send(order).await.expect(202);
    let refused = shop.request("POST", "/api/v1/sales/s1/orders").header("origin", SHOP).json(&json!({}));
    for answer in [answer, shop.send(refused).await.expect_problem(400, "malformed")] {
        assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (SHOP, "Origin"));
        let exposed = answer.header("access-control-expose-headers");
        for header in ["Location", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id", "ETag", "Date"] {
            assert!(exposed.split(", ").any(|name| name == header), "{header} in {exposed}");
        }
        assert!(answer.headers.get("access-control-allow-credentials").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_not_listed_and_the_operators_port_stay_closed() {
    let shop = open_to_the_shop().await;
    for origin in ["https://evil.example", "null", "*", "https://shop.example.evil", "https://shop.example:444", ""] {
        shop.send(asking(&shop, origin)).await.expect_problem(405, "method-not-allowed");
        let answer = shop.send(shop.request("GET", "/api/v1/sales").header("origin", origin)).await.expect(200);
        assert!(answer.headers.get("access-control-allow-origin").is_none(), "{origin}");
        assert_eq!(answer.header("vary"), "Origin", "a cache must not give one site's answer to another");
    }
    let operators = shop.operation("GET", "/admin/v1/sales").header("origin", SHOP).bearer_auth(ADMIN_KEY);
    let answer = shop.send(operators).await.expect(200);
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    let asks = shop.operation("OPTIONS", "/admin/v1/sales").header("origin", SHOP);
    shop.send(asks.header("access-control-request-method", "POST")).await.expect_problem(405, "method-not-allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let shop = Shop::selling(1, 1).await;
    let (token, job) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    let answers = [
        (shop.get("/").await, "public, max-age=60"),
        (shop.get("/api/v1/sales").await, "public, max-age=1"),
        (shop.get("/api/v1/time").await, "no-store"),
        (shop.get(&format!("/api/v1/jobs/{job}")).await, "no-store"),
        (shop.get_as("ann", "/api/v1/me/orders?sale=s1").await, "no-store"),
        (shop.get("/nothing").await, "no-store"),
        (shop.operate("GET", "/admin/v1/sales", None).await, "no-store"),
        (shop.operate("GET", "/docs", None).await, "no-store"),
    ];
    for (answer, cached) in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
        assert_eq!((answer.header("x-frame-options"), answer.header("referrer-policy")), ("DENY", "no-referrer"));
        assert_eq!(answer.header("cache-control"), cached, "{answer:?}");
        let page = answer.header("content-type").starts_with("text/html");
        let policy = answer.header("content-security-policy");
        assert_eq!(
            page,
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
    }
}
