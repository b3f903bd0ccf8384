//! What somebody tries who wants in.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::shop::{ADMIN_KEY, Shop};

async fn raw(address: SocketAddr, text: String) -> String {
    let talk = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

/// H12: ways around a route's guard that work elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_an_operators_route_opens_it() {
    let shop = Shop::selling(1, 1).await;
    let paths = [
        "/admin/v1/sales",
        "//admin/v1/sales",
        "/admin//v1/sales",
        "/admin/v1/sales/",
        "/./admin/v1/sales",
        "/%2e/admin/v1/sales",
        "/livez/../admin/v1/sales",
        "/livez/%2e%2e/admin/v1/sales",
        "/livez/..;/admin/v1/sales",
        "/%61dmin/v1/sales",
        "/admin%2fv1%2fsales",
        "/ADMIN/v1/sales",
        "/admin/v1/sales;x=1",
        "/admin/v1/sales%00",
        "/admin/v1/sales?key=",
        "/livez#/admin/v1/sales",
    ];
    let tricks = [
        String::new(),
        "X-Original-URL: /admin/v1/sales\r\n".to_owned(),
        "X-Rewrite-URL: /admin/v1/sales\r\n".to_owned(),
        "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\n".to_owned(),
        "X-HTTP-Method-Override: GET\r\n".to_owned(),
        format!("Authorization: Bearer {}\r\n", shop.login("ann")),
        "Authorization: Bearer null\r\n".to_owned(),
        "Authorization: Basic Og==\r\n".to_owned(),
        "Cookie: session=admin\r\n".to_owned(),
    ];
    for path in paths {
        for trick in &tricks {
            let host = shop.operators;
            let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{trick}Connection: close\r\n\r\n");
            let answer = raw(shop.operators, text).await;
            let fine = path.starts_with("/livez#") || [400, 401, 404].contains(&status(&answer));
            assert!(fine && !answer.contains("\"sales\""), "{path} with {trick:?}: {answer}");
        }
        // Not even with the key on the other port, whatever host it claims.
        for host in [shop.buyers.to_string(), shop.operators.to_string(), "localhost".to_owned()] {
            let key = format!("Authorization: Bearer {ADMIN_KEY}\r\nX-Original-URL: /admin/v1/sales\r\n");
            let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{key}Connection: close\r\n\r\n");
            let answer = raw(shop.buyers, text).await;
            let fine = path.starts_with("/livez#") || [400, 404].contains(&status(&answer));
            assert!(fine && !answer.contains("paymentWindowSeconds"), "{path}: {answer}");
        }
    }
    let overriding = shop.request("POST", "/api/v1/sales").header("x-http-method-override", "GET");
    shop.send(overriding).await.expect_problem(405, "method-not-allowed");
}

/// H2: whoever guesses learns nothing from the words.
#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_token_and_every_wrong_key_is_answered_in_the_same_words() {
    let shop = Shop::selling(5, 5).await;
    let (token, _) = shop.token("ann", "s1").await;
    let (head, mac) = token.rsplit_once('.').unwrap();
    let (version, payload) = head.rsplit_once('.').unwrap();
    let wrong = [
        format!("{head}.{}", "A".repeat(mac.len())),
        format!("{version}.{}.{mac}", "A".repeat(payload.len())),
        token.replacen("v1.t.", "v1.u.", 1),
        token.replacen("v1.", "v2.", 1),
        format!("{head}.{}", &mac[1..]),
        head.to_owned(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.".to_owned(),
        String::new(),
    ];
    let strip = |mut body: Value| {
        body["requestId"] = Value::Null;
        body
    };
    let mut said = Vec::new();
    for token in wrong {
        said.push(strip(shop.buy_with("s1", &token, 1).await.expect_problem(403, "token-invalid").json));
    }
    let mut keys = Vec::new();
    for key in ["", "x", &ADMIN_KEY[1..], &ADMIN_KEY[..ADMIN_KEY.len() - 1], &format!("{ADMIN_KEY}x")] {
        let answer = shop.send(shop.operation("GET", "/admin/v1/sales").bearer_auth(key)).await;
        keys.push(strip(answer.expect_problem(401, "unauthenticated").json));
    }
    assert!(
        said.iter().all(|body| *body == said[0]) && keys.iter().all(|body| *body == keys[0]),
        "{said:#?} {keys:#?}"
    );
    shop.buy_with("s1", &token, 1).await.expect(202);
}

/// H11: a job that is not one, that is nobody's, and that will be somebody's.
#[tokio::test(flavor = "multi_thread")]
async fn a_guessed_job_is_not_found_whatever_it_is_near_to() {
    let shop = Shop::selling(5, 5).await;
    let (token, job) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    let (_, unused) = shop.token("bob", "s1").await;
    let number = u128::from_str_radix(&job.replace('-', ""), 16).unwrap();
    let dashed = |number: u128| {
        let hex = format!("{number:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    };
    let mut guesses: Vec<String> = (1..=20).flat_map(|by| [dashed(number + by), dashed(number - by)]).collect();
    guesses.extend((0..128).step_by(3).map(|bit| dashed(number ^ (1 << bit))));
    guesses.extend([unused.clone(), "00000000-0000-0000-0000-000000000000".to_owned(), "f".repeat(32), "1".to_owned()]);
    guesses.extend(["2f1b2f64-9a0e-4b57-9b2c-000000000001".to_owned(), "%27%20or%201=1".to_owned(), "..".to_owned()]);
    let mut said: Option<Value> = None;
    // The next job in a row may be the one that was just promised to somebody else: it is not there until it is bought.
    for guess in guesses.iter().filter(|guess| **guess != job && guess.as_str() != "..") {
        let mut body = shop.get(&format!("/api/v1/jobs/{guess}")).await.expect_problem(404, "not-found").json;
        body["requestId"] = Value::Null;
        assert_eq!(*said.get_or_insert_with(|| body.clone()), body, "{guess}");
    }
    for foreign in [&job, &unused] {
        let path = format!("/api/v1/orders/{foreign}");
        shop.get_as("mallory", &path).await.expect_problem(404, "not-found");
    }
    shop.get(&format!("/api/v1/jobs/{job}")).await.expect(200);
}

/// H15: what a caller names appears nowhere as it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_caller_sends_comes_back_as_markup_or_as_a_header() {
    let shop = Shop::selling(1, 1).await;
    let evil = "<script>alert(1)</script>";
    for answer in [
        shop.get(&format!("/{evil}")).await,
        shop.get("/api/v1/sales/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await,
        shop.get("/api/v1/sales/x%0d%0aSet-Cookie:%20a=b").await,
        shop.post("/api/v1/sales/s1/orders", json!({ "token": evil, "item": evil, "quantity": 1 }).to_string()).await,
        shop.send(shop.request("GET", "/api/v1/sales").header("x-request-id", evil)).await,
    ] {
        assert!(!answer.text.contains("<script>") && answer.headers.get("set-cookie").is_none(), "{answer:?}");
        assert!(!answer.header("content-type").starts_with("text/html"), "{answer:?}");
        assert!(!answer.header("x-request-id").contains('<'), "{answer:?}");
    }
}
