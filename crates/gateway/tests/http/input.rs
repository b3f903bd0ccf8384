//! Whatever clients send is answered in the form of the contract.

use serde_json::json;

use crate::shop::Shop;

const ORDERS: &str = "/api/v1/sales/s1/orders";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_exactly_a_purchase_is_malformed() {
    let shop = Shop::selling(5, 5).await;
    let (token, _) = shop.token("ann", "s1").await;
    let good = json!({ "token": token, "item": "red", "quantity": 1 }).to_string();
    let with = |more: &str| good.replacen('{', &format!("{{{more},"), 1);
    let wrong = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "nonsense".to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}{good}"),
        format!("{good} x"),
        format!("\u{feff}{good}"),
        with("\"shoe\":1"),
        with("\"quantity\":1"),
        with(&format!("\"token\":\"{token}\"")),
        json!({ "token": token, "item": "red" }).to_string(),
        json!({ "token": token, "quantity": 1 }).to_string(),
        json!({ "item": "red", "quantity": 1 }).to_string(),
        json!({ "token": 1, "item": "red", "quantity": 1 }).to_string(),
        json!({ "token": token, "item": ["red"], "quantity": 1 }).to_string(),
        json!({ "token": token, "item": null, "quantity": 1 }).to_string(),
        "[".repeat(4_000),
        "{\"token\":".repeat(400),
    ];
    for body in wrong {
        shop.post(ORDERS, body.clone()).await.expect_problem(400, "malformed");
    }
    shop.post(ORDERS, b"{\"token\":\"\xff\"}".to_vec()).await.expect_problem(400, "malformed");
    let escaped = good.replacen("v1.", "\\u0076\\u0031.", 1);
    shop.post(ORDERS, format!(" \n{escaped}\t ")).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quantity_is_a_whole_number_from_one_to_the_limit() {
    let shop = Shop::selling(50, 5).await;
    let (token, job) = shop.token("ann", "s1").await;
    for quantity in [
        "0",
        "-1",
        "-0",
        "6",
        "10001",
        "65536",
        "4294967297",
        "9223372036854775808",
        "18446744073709551616",
        "1.0",
        "1.5",
        "1e0",
        "\"5\"",
        "\"\"",
        "null",
        "true",
        "[1]",
        "{}",
        "[[[[[[[[1]]]]]]]]",
    ] {
        let body = format!(r#"{{"token":"{token}","item":"red","quantity":{quantity}}}"#);
        let answer = shop.post(ORDERS, body).await.expect_problem(422, "quantity-invalid");
        assert_eq!(answer.json["limit"], 5, "{quantity}");
    }
    for quantity in ["01", "+1", ".5", "1,", "NaN", "0x1"] {
        let body = format!(r#"{{"token":"{token}","item":"red","quantity":{quantity}}}"#);
        shop.post(ORDERS, body).await.expect_problem(400, "malformed");
    }
    shop.get(&format!("/api/v1/jobs/{job}")).await.expect_problem(404, "not-found");
    shop.buy_with("s1", &token, 5).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_small_plain_json_is_read() {
    let shop = Shop::selling(5, 5).await;
    let (token, _) = shop.token("ann", "s1").await;
    let good = json!({ "token": token, "item": "red", "quantity": 1 }).to_string();
    let send = |kind: &'static str| shop.request("POST", ORDERS).header("content-type", kind).body(good.clone());
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/xml"]
    {
        shop.send(send(kind)).await.expect_problem(415, "unsupported-media-type");
    }
    shop.send(shop.request("POST", ORDERS).body(good.clone())).await.expect_problem(415, "unsupported-media-type");
    let packed = send("application/json").header("content-encoding", "gzip");
    shop.send(packed).await.expect_problem(415, "unsupported-media-type");

    shop.post(ORDERS, " ".repeat(4_097)).await.expect_problem(413, "too-large");
    shop.post(ORDERS, "[".repeat(10_000)).await.expect_problem(413, "too-large");
    shop.post("/api/v1/sales/s1/tokens", "x").await.expect_problem(401, "unauthenticated");
    // Without a length, the bytes that come are counted.
    let head = format!(
        "POST {ORDERS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    let chunk = format!("400\r\n{}\r\n", " ".repeat(1024));
    let answer = shop.raw(format!("{head}{}0\r\n\r\n", chunk.repeat(6))).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    shop.send(send("Application/JSON; charset=UTF-8")).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let mut settings = crate::shop::unlimited();
    settings.body_timeout_ms = 100;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 5, 5).await;
    let head =
        format!("POST {ORDERS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{");
    let started = std::time::Instant::now();
    let answer = shop.raw(head).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("malformed"), "{answer}");
    assert!(started.elapsed() < std::time::Duration::from_secs(9));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_problems_too() {
    let shop = Shop::selling(5, 5).await;
    for path in [
        "/nothing",
        "/api/v1",
        "/api/v1/sales/s1/",
        "/api/v1/sales/s1/nothing",
        "/admin/v1/sales",
        "/metrics",
        "//",
        "/%00",
        "/%ff",
    ] {
        shop.get(path).await.expect_problem(404, "not-found");
        shop.post(path, "{}").await.expect_problem(404, "not-found");
    }
    for (method, path, allow) in [
        ("GET", ORDERS, "POST"),
        ("DELETE", "/api/v1/sales", "GET"),
        ("PUT", "/api/v1/sales/s1", "GET"),
        ("BREW", "/api/v1/time", "GET"),
        ("OPTIONS", "/api/v1/sales/s1/tokens", "POST"),
    ] {
        let answer = shop.send(shop.request(method, path)).await.expect_problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
    let answer = shop.raw("nonsense\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_its_request_and_is_guarded() {
    let shop = Shop::selling(5, 5).await;
    for path in ["/", "/api/v1/sales", "/nothing", "/livez", "/assets/nothing.js"] {
        let answer = shop.send(shop.request("GET", path).header("x-request-id", "trace-1")).await;
        for (name, value) in [
            ("x-request-id", "trace-1"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("server", ""),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {path}");
        }
    }
    let ours = shop.send(shop.request("GET", "/nothing").header("x-request-id", "<script>")).await;
    assert!(ours.expect_problem(404, "not-found").header("x-request-id").bytes().all(|byte| byte.is_ascii_hexdigit()));
    let page = shop.get("/").await.expect(200);
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
    assert!(page.header("content-type").starts_with("text/html"));
}
