//! HTTP that nobody honest sends: group G of the faults. Bodies that are no purchase, media types and methods are in
//! `input`, clients that go away in `disconnects`.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::raw::{Wire, refused, status};
use crate::shop::{Shop, unlimited};

const ORDERS: &str = "/api/v1/sales/s1/orders";
const GET: &str = "GET /api/v1/time HTTP/1.1\r\nhost: x\r\n";

fn order_head(more: &str) -> String {
    format!("POST {ORDERS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{more}\r\n\r\n")
}

/// What a shopper does, and is answered, whatever others do.
async fn sells(shop: &Shop, buyer: &str) {
    let (token, job) = shop.token(buyer, "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    shop.get(&format!("/api/v1/jobs/{job}")).await.expect(200);
}

/// Requirement G-1.
#[tokio::test(flavor = "multi_thread")]
async fn heads_that_come_byte_by_byte_are_not_waited_for_and_nobody_notices() {
    let mut settings = unlimited();
    settings.head_timeout_ms = 1_000;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 100, 1).await;
    let mut slow = Vec::new();
    for _ in 0..300 {
        slow.push(Wire::to(&shop).await);
    }
    let drip = slow.into_iter().map(|mut wire| async {
        for byte in GET.bytes() {
            if !wire.says([byte]).await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        wire.hears_the_end().await
    });
    let buyers = async {
        for n in 0..50 {
            sells(&shop, &format!("buyer-{n}")).await;
        }
    };
    let (answers, ()) = tokio::join!(join_all(drip), buyers);
    for answer in answers {
        assert!(matches!(status(&answer), 0 | 408), "{answer}");
    }
}

/// Requirement G-2.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_come_byte_by_byte_are_not_waited_for_and_nobody_notices() {
    let mut settings = unlimited();
    settings.body_timeout_ms = 500;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 100, 1).await;
    let drip = (0..100).map(|_| async {
        let mut wire = Wire::to(&shop).await;
        assert!(wire.says(order_head("content-length: 4000")).await);
        for _ in 0..50 {
            if !wire.says("[").await {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        wire.hears_the_end().await
    });
    let buyers = async {
        for n in 0..20 {
            sells(&shop, &format!("buyer-{n}")).await;
        }
    };
    let (answers, ()) = tokio::join!(join_all(drip), buyers);
    for answer in answers {
        assert!(matches!(status(&answer), 0 | 400), "{answer}");
        assert!(answer.is_empty() || answer.contains("malformed"), "{answer}");
    }
}

/// Requirement G-3.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_an_end_is_cut_off_soon() {
    let shop = Shop::selling(5, 5).await;
    let mut wire = Wire::to(&shop).await;
    assert!(wire.says(order_head("content-length: 10737418240")).await);
    let answer = wire.hears("too-large").await;
    assert_eq!(status(&answer), 413, "{answer}");

    for head in [order_head("content-length: 10737418240"), order_head("transfer-encoding: chunked")] {
        let mut wire = Wire::to(&shop).await;
        assert!(wire.says(&head).await);
        let piece =
            if head.contains("chunked") { format!("10000\r\n{}\r\n", " ".repeat(65_536)) } else { " ".repeat(65_536) };
        // Whatever is poured in before the connection ends is thrown away.
        let pour = async { while wire.says(&piece).await {} };
        let closed = tokio::time::timeout(Duration::from_secs(20), pour).await;
        assert!(closed.is_ok(), "the connection does not end: {head}");
    }
    // Nor where nobody wanted a body: a wrong path, a wrong media type, a read.
    let chunked = "host: x\r\ntransfer-encoding: chunked\r\n\r\n";
    for line in ["POST /nothing", "POST /api/v1/sales/s1/orders", "GET /api/v1/time", "DELETE /api/v1/time"] {
        let mut wire = Wire::to(&shop).await;
        assert!(wire.says(format!("{line} HTTP/1.1\r\n{chunked}")).await);
        let piece = format!("10000\r\n{}\r\n", " ".repeat(65_536));
        let pour = async { while wire.says(&piece).await {} };
        assert!(
            tokio::time::timeout(Duration::from_secs(20), pour).await.is_ok(),
            "the connection does not end: {line}"
        );
    }
    sells(&shop, "ann").await;
}

/// Requirement G-4, where `input` has not said it: every route that reads JSON.
#[tokio::test(flavor = "multi_thread")]
async fn no_json_however_bad_does_more_than_be_refused() {
    let shop = Shop::selling(5, 5).await;
    let (token, _) = shop.token("ann", "s1").await;
    let deep = |open: &str| open.repeat(2_000);
    let bad: Vec<Vec<u8>> = [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "99999999999999999999",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "{\"token\":NaN,\"item\":\"red\",\"quantity\":1}",
        "{\"token\":1e400,\"item\":\"red\",\"quantity\":1}",
        "{\"token\":\"\\u0000\",\"item\":\"red\",\"quantity\":1}",
        "{\"token\":\"x\",\"item\":\"\\ud800\",\"quantity\":1}",
        "{\"token\":\"x\",\"token\":\"x\",\"item\":\"red\",\"quantity\":1}",
        "{} trailing",
        "\u{feff}{}",
        "'single'",
        "{\"a\":}",
        "{,}",
        "\"",
        "\\",
        "\u{0}",
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([deep("["), deep("{\"a\":"), deep("[{\"token\":")[..4_000].to_owned()].map(String::into_bytes))
    .chain([b"\xff\xfe".to_vec(), b"{\"token\":\"\xc3\x28\"}".to_vec(), b"\xed\xa0\x80".to_vec()])
    .collect();
    for path in [ORDERS, "/api/v1/sales/s1/tokens", "/api/v1/demo/buyers", "/api/v1/payments/webhook"] {
        for body in &bad {
            let request = shop.request("POST", path).bearer_auth(shop.login("ann"));
            let answer = shop.send(request.header("content-type", "application/json").body(body.clone())).await;
            let shown = String::from_utf8_lossy(body);
            assert!(answer.status < 500, "{path} {shown}: {answer:?}");
            if path == ORDERS {
                assert!(matches!(answer.status, 400 | 401 | 403 | 413), "{shown}: {answer:?}");
            }
        }
    }
    for number in ["1e400", "99999999999999999999", "-1e400"] {
        let body = format!(r#"{{"token":"{token}","item":"red","quantity":{number}}}"#);
        shop.post(ORDERS, body).await.expect_problem(422, "quantity-invalid");
    }
    let odd = json!({ "token": token, "item": "re\u{0}d", "quantity": 1 }).to_string();
    shop.post(ORDERS, odd).await.expect_problem(404, "not-found");
    shop.buy_with("s1", &token, 1).await.expect(202);
}

/// Requirement G-5.
#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_too_large_are_refused() {
    let shop = Shop::selling(5, 5).await;
    let headers = |count: usize| (0..count).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    for (what, head) in [
        ("97 headers", format!("{GET}{}\r\n", headers(97))),
        ("10,000 headers", format!("{GET}{}\r\n", headers(10_000))),
        ("a header of 200 KB", format!("{GET}x: {}\r\n\r\n", "y".repeat(200_000))),
        ("a header without an end", format!("{GET}x: {}", "y".repeat(400_000))),
        ("a URL of 64 KB", format!("GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(65_536))),
        ("a method of 64 KB", format!("{} / HTTP/1.1\r\nhost: x\r\n\r\n", "A".repeat(65_536))),
    ] {
        let mut wire = Wire::to(&shop).await;
        wire.says(head).await;
        refused(&wire.hears_the_end().await, what);
    }
    sells(&shop, "ann").await;
}

/// Requirement G-6: whatever two servers in a row could read differently.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_can_be_read_in_two_ways_is_refused() {
    let shop = Shop::selling(5, 5).await;
    let (token, job) = shop.token("ann", "s1").await;
    let body = json!({ "token": token, "item": "red", "quantity": 1 }).to_string();
    let length = body.len();
    let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let post = |headers: &str, body: &str| {
        format!("POST {ORDERS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n\r\n{body}")
    };
    let get = |line: &str, headers: &str| format!("{line}\r\n{headers}\r\n");
    for (what, text) in [
        ("CL and TE", post(&format!("content-length: {length}\r\ntransfer-encoding: chunked"), &chunked)),
        ("TE and CL", post(&format!("transfer-encoding: chunked\r\ncontent-length: {length}"), &chunked)),
        ("two lengths", post(&format!("content-length: {length}\r\ncontent-length: 0"), &body)),
        ("the same length twice", post(&format!("content-length: {length}\r\ncontent-length: {length}"), &body)),
        ("a list of lengths", post(&format!("content-length: {length}, {length}"), &body)),
        ("a signed length", post(&format!("content-length: +{length}"), &body)),
        ("a negative length", post("content-length: -1", &body)),
        ("a hexadecimal length", post(&format!("content-length: 0x{length:x}"), &body)),
        ("an unknown coding", post("transfer-encoding: xchunked", &chunked)),
        ("chunked twice", post("transfer-encoding: chunked\r\ntransfer-encoding: chunked", &chunked)),
        ("chunked, then another", post("transfer-encoding: chunked, identity", &chunked)),
        ("a space before the colon", post(&format!("content-length : {length}"), &body)),
        ("a folded header", post(&format!("x-a: 1\r\n  2\r\ncontent-length: {length}"), &body)),
        ("a bare line feed in a chunk", post("transfer-encoding: chunked", &chunked.replacen("\r\n", "\n", 1))),
        ("a chunk with a sign", post("transfer-encoding: chunked", &format!("+{chunked}"))),
        ("a huge chunk", post("transfer-encoding: chunked", "ffffffffffffffffff\r\n")),
        ("no host", get("GET /api/v1/time HTTP/1.1", "connection: close\r\n")),
        ("two hosts", get("GET /api/v1/time HTTP/1.1", "host: a\r\nhost: b\r\nconnection: close\r\n")),
        ("a nul in a header", get("GET /api/v1/time HTTP/1.1", "host: x\r\nx: a\u{0}b\r\n")),
        ("a carriage return in a header", get("GET /api/v1/time HTTP/1.1", "host: x\r\nx: a\rb\r\n")),
        ("another version", get("GET /api/v1/time HTTP/3.7", "host: x\r\n")),
        ("a line without a version", get("GET /api/v1/time", "")),
    ] {
        let mut wire = Wire::to(&shop).await;
        wire.says(text).await;
        let answer = wire.hears_the_end().await;
        refused(&answer, what);
    }
    shop.get(&format!("/api/v1/jobs/{job}")).await.expect_problem(404, "not-found");
}

/// Requirement G-7: HTTP/2 is not spoken, so it cannot be abused.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_at_once_on_one_connection_are_answered_and_http_2_is_not_spoken() {
    let shop = Shop::selling(5, 5).await;
    let many = format!("{GET}\r\n").repeat(9_999) + GET + "connection: close\r\n\r\n";
    let wire = Wire::to(&shop).await;
    let (read, mut write) = wire.0.into_split();
    let send = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        let _ = write.write_all(many.as_bytes()).await;
        write
    });
    let hear = async {
        use tokio::io::AsyncReadExt as _;
        let (mut read, mut heard) = (read, Vec::new());
        read.read_to_end(&mut heard).await.unwrap();
        String::from_utf8(heard).unwrap()
    };
    let buyers = async {
        for _ in 0..5 {
            shop.get("/livez").await.expect(200);
        }
    };
    let (heard, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(30), hear), buyers);
    let answers = heard.unwrap().matches("HTTP/1.1 200 OK").count();
    assert_eq!(answers, 10_000);
    drop(send.await);

    let settings = "\0\0\0\x04\0\0\0\0\0";
    let mut wire = Wire::to(&shop).await;
    wire.says(format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{settings}")).await;
    refused(&wire.hears_the_end().await, "the preface of HTTP/2");
    let upgrade = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n";
    let mut wire = Wire::to(&shop).await;
    assert!(wire.says(format!("{GET}{upgrade}\r\n")).await);
    assert_ne!(status(&wire.hears("\r\n\r\n").await), 101);
}

/// Requirement G-8.
#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_idle_connections_are_closed_and_everybody_is_served() {
    let mut settings = unlimited();
    settings.keep_alive_s = 1;
    settings.head_timeout_ms = 1_000;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 5, 1).await;
    let mut idle = Vec::new();
    for n in 0..2_000 {
        let mut wire = Wire::to(&shop).await;
        // One in four has asked something before it fell silent.
        if n % 4 == 0 {
            assert!(wire.says(format!("{GET}\r\n")).await);
        }
        idle.push(wire);
    }
    sells(&shop, "ann").await;
    for wire in idle {
        let heard = wire.hears_the_end().await;
        assert!(matches!(status(&heard), 0 | 200 | 408), "{heard}");
    }
}

/// Requirement G-8: the cap. Whoever comes later waits in the system's backlog, and is served when somebody has gone.
#[tokio::test(flavor = "multi_thread")]
async fn above_the_cap_connections_wait_and_are_served_when_others_have_gone() {
    let mut settings = unlimited();
    settings.max_connections = 20;
    settings.keep_alive_s = 1;
    settings.head_timeout_ms = 1_000;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 5, 1).await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(Wire::to(&shop).await);
    }
    let mut last = Wire::to(&shop).await;
    assert!(last.says(format!("{GET}connection: close\r\n\r\n")).await);
    drop(idle.split_off(40));
    assert_eq!(status(&last.hears_the_end().await), 200);
    sells(&shop, "ann").await;
}

/// Requirement G-10, where `input` has not said it: no route unpacks a body.
#[tokio::test(flavor = "multi_thread")]
async fn a_packed_body_is_not_unpacked_anywhere() {
    let shop = Shop::selling(5, 5).await;
    // The head of a gzip stream that would become a gigabyte: what matters is that nobody begins to read it.
    let packed = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xed; 1_000]].concat();
    for coding in ["gzip", "br", "deflate", "zstd", "gzip, gzip"] {
        for path in [ORDERS, "/api/v1/sales/s1/tokens", "/api/v1/payments/webhook"] {
            let request = shop.request("POST", path).bearer_auth(shop.login("ann")).body(packed.clone());
            let request = request.header("content-type", "application/json").header("content-encoding", coding);
            let answer = shop.send(request).await;
            assert!(matches!(answer.status, 400 | 401 | 415), "{path} {coding}: {answer:?}");
        }
    }
}
