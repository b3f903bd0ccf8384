//! The console's session.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::shop::{ADMIN_KEY, Answer, METRICS_KEY, Shop, unlimited};

const SESSION: &str = "/admin/v1/session";
const CSRF: &str = "x-csrf-token";

async fn sign_in(shop: &Shop, key: &str) -> Answer {
    shop.send(shop.operation("POST", SESSION).json(&json!({ "key": key }))).await
}

/// What a browser would send back, and the second word.
struct Signed {
    cookie: String,
    csrf: String,
}

impl Signed {
    async fn in_to(shop: &Shop) -> Self {
        Self::of(&sign_in(shop, ADMIN_KEY).await.expect(200))
    }

    fn of(answer: &Answer) -> Self {
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { cookie, csrf: answer.json["csrfToken"].as_str().unwrap().to_owned() }
    }

    fn asks(&self, shop: &Shop, method: &str, path: &str) -> RequestBuilder {
        shop.operation(method, path).header("cookie", format!("theme=dark; {}", self.cookie))
    }
}

async fn title(shop: &Shop) -> Value {
    shop.operate("GET", "/admin/v1/sales/s1", None).await.expect(200).json["title"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_once_and_then_a_cookie_that_no_script_and_no_other_site_can_use() {
    let shop = Shop::selling(5, 1).await;
    let answer = sign_in(&shop, ADMIN_KEY).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let cookie = answer.header("set-cookie").to_owned();
    let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    assert!(cookie.starts_with("seckill_operator="), "{cookie}");
    assert_eq!(attributes, ["Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict"], "no TLS, so not Secure");
    assert!(!cookie.contains(ADMIN_KEY) && !answer.text.contains(ADMIN_KEY));
    let ends: chrono::DateTime<chrono::Utc> = answer.json["expiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(ends.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), shop.at(43_200)[..19].to_owned() + "Z");

    let signed = Signed::of(&answer);
    let again = shop.send(signed.asks(&shop, "GET", SESSION)).await.expect(200);
    assert_eq!((&again.json, again.header("set-cookie")), (&answer.json, ""), "the same session");
    shop.send(signed.asks(&shop, "GET", "/admin/v1/sales")).await.expect(200);
    shop.send(signed.asks(&shop, "GET", "/metrics")).await.expect(200);
    shop.send(shop.request("GET", "/admin/v1/sales").header("cookie", &signed.cookie)).await.expect(404);
    let with_key = shop.operate("GET", SESSION, None).await.expect(200);
    assert!(with_key.header("set-cookie").starts_with("seckill_operator="), "the key begins one");

    let out = shop.send(signed.asks(&shop, "DELETE", SESSION).header(CSRF, &signed.csrf)).await.expect(204);
    assert!(out.header("set-cookie").starts_with("seckill_operator=; Path=/; Max-Age=0; HttpOnly"), "{out:?}");
    shop.clock.go_on(43_200_000 - 1);
    shop.send(signed.asks(&shop, "GET", SESSION)).await.expect(200);
    shop.clock.go_on(1);
    for path in [SESSION, "/admin/v1/sales"] {
        shop.send(signed.asks(&shop, "GET", path)).await.expect_problem(401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_without_the_second_word_changes_nothing() {
    let shop = Shop::selling(5, 1).await;
    let signed = Signed::in_to(&shop).await;
    let other = Signed::in_to(&shop).await;
    let patch = || signed.asks(&shop, "PATCH", "/admin/v1/sales/s1").json(&json!({ "title": "Stolen" }));
    for request in [patch(), patch().header(CSRF, ""), patch().header(CSRF, "x"), patch().header(CSRF, &other.csrf)] {
        shop.send(request).await.expect_problem(403, "forbidden");
        assert_eq!(title(&shop).await, "Sneakers");
    }
    for (method, path) in [("POST", "/admin/v1/sales/s1/close"), ("PUT", "/admin/v1/limits"), ("DELETE", SESSION)] {
        let refused = shop.send(signed.asks(&shop, method, path)).await.expect_problem(403, "forbidden");
        assert_eq!(refused.header("set-cookie"), "");
    }
    assert_eq!(shop.operate("GET", "/admin/v1/sales/s1", None).await.json["state"], "open");
    shop.send(patch().header(CSRF, &signed.csrf)).await.expect(200);
    assert_eq!(title(&shop).await, "Stolen");

    // A browser sends the password of Basic by itself as well, but says which site asked it to.
    let basic = |site: &str| {
        let request = shop.operation("PATCH", "/admin/v1/sales/s1").basic_auth("x", Some(ADMIN_KEY));
        request.header("sec-fetch-site", site).json(&json!({ "title": "Boots" }))
    };
    for foreign in ["cross-site", "same-site"] {
        shop.send(basic(foreign)).await.expect_problem(403, "forbidden");
        assert_eq!(title(&shop).await, "Stolen");
    }
    shop.send(basic("same-origin")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_of_its_admin_key_and_good_on_every_gateway_with_it() {
    let (shop, twin) = (Shop::selling(5, 1).await, Shop::selling(5, 1).await);
    let elsewhere = Shop::start_with_key(unlimited(), "the-admin-key-of-somebody-else-entirely").await;
    let signed = Signed::in_to(&shop).await;
    twin.send(signed.asks(&twin, "GET", "/admin/v1/sales")).await.expect(200);
    twin.send(signed.asks(&twin, "POST", "/admin/v1/sales/s1/pause").header(CSRF, &signed.csrf)).await.expect(200);
    let foreign = signed.asks(&elsewhere, "GET", "/admin/v1/sales");
    elsewhere.send(foreign).await.expect_problem(401, "unauthenticated");
    let beside = signed.asks(&shop, "GET", "/admin/v1/sales").bearer_auth("wrong");
    shop.send(beside).await.expect_problem(401, "unauthenticated");
    for cookie in ["seckill_operator=", "seckill_operator=1.2.3", &format!("{}x", signed.cookie), &signed.cookie[1..]] {
        let forged = shop.operation("GET", SESSION).header("cookie", cookie);
        shop.send(forged).await.expect_problem(401, "unauthenticated");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_refused_and_many_of_them_are_limited_for_their_address_alone() {
    let settings = gateway::GatewaySettings { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..unlimited() };
    let shop = Shop::start_with(settings).await;
    for wrong in ["", "x", METRICS_KEY] {
        let refused = sign_in(&shop, wrong).await.expect_problem(401, "unauthenticated");
        assert_eq!(
            (refused.header("www-authenticate"), refused.header("set-cookie")),
            ("Bearer realm=\"operators\"", "")
        );
    }
    for (body, status, code) in [("{}", 400, "malformed"), ("{\"key\":1}", 400, "malformed")] {
        let request = shop.operation("POST", SESSION).header("content-type", "application/json").body(body);
        shop.send(request).await.expect_problem(status, code);
    }
    let form = shop.operation("POST", SESSION).body(format!("{{\"key\":\"{ADMIN_KEY}\"}}"));
    shop.send(form).await.expect_problem(415, "unsupported-media-type");
    let from = |address: &str, key: &str| {
        let request = shop.operation("POST", SESSION).header("x-forwarded-for", address).json(&json!({ "key": key }));
        shop.send(request)
    };
    let mut limited = 0;
    for _ in 0..40 {
        limited += usize::from(from("192.0.2.1", "guess").await.status == 429);
    }
    assert!(limited >= 10, "{limited}");
    from("192.0.2.1", ADMIN_KEY).await.expect_problem(429, "rate-limited");
    from("192.0.2.2", ADMIN_KEY).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_for_tls_alone_where_a_trusted_proxy_says_that_there_is_some() {
    let settings = gateway::GatewaySettings { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..unlimited() };
    let (behind, bare) = (Shop::start_with(settings).await, Shop::start().await);
    for (shop, secure) in [(&behind, true), (&bare, false)] {
        let request = shop.operation("POST", SESSION).header("x-forwarded-proto", "https");
        let answer = shop.send(request.json(&json!({ "key": ADMIN_KEY }))).await.expect(200);
        assert_eq!(answer.header("set-cookie").ends_with("; Secure"), secure, "{answer:?}");
    }
}

/// A browser shows its own question for a password where Basic is offered: not over the console's form.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_not_offered_basic_and_a_person_is() {
    let shop = Shop::start().await;
    for (mode, schemes) in [(Some("cors"), 1), (Some("same-origin"), 1), (Some("navigate"), 2), (None, 2)] {
        let request = shop.operation("GET", SESSION);
        let request = mode.into_iter().fold(request, |request, mode| request.header("sec-fetch-mode", mode));
        let answer = shop.send(request).await.expect_problem(401, "unauthenticated");
        assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), schemes, "{mode:?}");
    }
}
