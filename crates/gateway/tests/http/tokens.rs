//! Who gets a token, when, and what it is good for.

use domain::ports::Clock as _;
use domain::{JobId, Route, SaleNumber, SaleToken, Shard, TokenKey, TokenKeys};
use serde_json::{Value, json};

use crate::shop::Shop;

async fn scheduled(opens_in_s: i64) -> Shop {
    let shop = Shop::start().await;
    let mut draft = shop.draft("s1", 5, 1);
    draft["opensAt"] = json!(shop.at(opens_in_s));
    shop.operate("POST", "/admin/v1/sales", Some(draft)).await.expect(201);
    shop.ask_token("ann", "s1", "{}").await.expect_problem(404, "not-found");
    shop.operate("POST", "/admin/v1/sales/s1/warm", None).await.expect(200);
    shop.ask_token("ann", "s1", "{}").await.expect_problem(404, "not-found");
    shop.operate("POST", "/admin/v1/sales/s1/open", None).await.expect(200);
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_issued_from_ten_minutes_before_the_opening_and_live_two_minutes_from_it() {
    let shop = scheduled(900).await;
    let early = shop.ask_token("ann", "s1", "{}").await.expect_problem(409, "sale-not-open");
    assert_eq!((early.json["opensAt"].clone(), early.header("retry-after")), (json!(shop.at(900)), "900"));
    assert_eq!(early.json["serverTime"], json!(shop.at(0)));
    shop.clock.go_on(299_999);
    shop.ask_token("ann", "s1", "{}").await.expect_problem(409, "sale-not-open");
    shop.clock.go_on(1);
    let issued = shop.ask_token("ann", "s1", "{}").await.expect(201);
    let time = |name: &str| issued.json[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let opening = shop.clock.now() + chrono::TimeDelta::seconds(600);
    assert_eq!(time("notBefore"), opening);
    assert_eq!(time("expiresAt"), opening + chrono::TimeDelta::seconds(120));
    assert_eq!(issued.header("cache-control"), "no-store");

    let token = issued.json["token"].as_str().unwrap();
    shop.buy_with("s1", token, 1).await.expect_problem(409, "sale-not-open");
    // Within the leeway it is the gate that says no.
    shop.clock.go_on(599_000);
    shop.buy_with("s1", token, 1).await.expect_problem(409, "sale-not-open");
    shop.clock.go_on(1_000);
    shop.buy_with("s1", token, 1).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_issued_while_the_sale_is_open_lives_two_minutes_from_its_issue() {
    let shop = Shop::selling(5, 5).await;
    let issued = shop.ask_token("ann", "s1", "").await.expect(201);
    assert_eq!(issued.json["notBefore"], json!(shop.at(0)));
    let token = issued.json["token"].as_str().unwrap();
    shop.clock.go_on(121_000);
    shop.buy_with("s1", token, 1).await.expect(202); // still within the leeway of two seconds
    let (other, _) = shop.token("bob", "s1").await;
    shop.clock.go_on(122_000);
    shop.buy_with("s1", &other, 1).await.expect_problem(403, "token-expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_needs_a_login_a_sale_and_at_most_a_channel() {
    let shop = Shop::selling(5, 5).await;
    shop.post("/api/v1/sales/s1/tokens", "{}").await.expect_problem(401, "unauthenticated");
    let expired = shop.login_with(json!({ "sub": "ann", "exp": 1 }));
    let path = "/api/v1/sales/s1/tokens";
    for wrong in [expired.as_str(), "nonsense", ""] {
        let answer = shop.send(shop.request("POST", path).bearer_auth(wrong)).await;
        assert!(answer.expect_problem(401, "unauthenticated").header("www-authenticate").starts_with("Bearer"));
    }
    shop.ask_token("ann", "nowhere", "{}").await.expect_problem(404, "not-found");
    shop.ask_token("ann", "a%20b", "{}").await.expect_problem(404, "not-found");
    shop.ask_token("ann", "s1", "{\"channel\":\"Web!\"}").await.expect_problem(422, "validation-failed");
    shop.ask_token("ann", "s1", "{\"channel\":1}").await.expect_problem(400, "malformed");
    shop.ask_token("ann", "s1", "{\"shoe\":1}").await.expect_problem(400, "malformed");
    let issued = shop.ask_token("ann", "s1", "{\"channel\":\"web\"}").await.expect(201);
    assert_eq!(channel(&issued.json), "web");
    let login = shop.login_with(json!({ "sub": "ann", "exp": 9_999_999_999_u64, "channel": "app" }));
    let request = shop.request("POST", path).bearer_auth(login).header("content-type", "application/json");
    let issued = shop.send(request.body("{\"channel\":\"web\"}")).await.expect(201);
    assert_eq!(channel(&issued.json), "app", "the login's channel wins");
}

fn keys() -> TokenKeys {
    TokenKeys::new(vec![TokenKey::new("t", &[9; 32]).unwrap()]).unwrap()
}

fn channel(body: &Value) -> String {
    keys().verify(body["token"].as_str().unwrap()).unwrap().channel
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_truncated_and_foreign_tokens_buy_nothing() {
    let shop = Shop::selling(5, 5).await;
    shop.open("s2", 5, 5).await;
    let (token, job) = shop.token("ann", "s1").await;
    let forger = TokenKeys::new(vec![TokenKey::new("t", &[8; 32]).unwrap()]).unwrap();
    let forged = forger.sign(&keys().verify(&token).unwrap());
    let swapped = token.replace('A', "B");
    for wrong in [forged.as_str(), &swapped, &token[..token.len() - 1], &format!("{token}A"), "", "v1.t..", "ü"] {
        shop.buy_with("s1", wrong, 1).await.expect_problem(403, "token-invalid");
    }
    shop.buy_with("s2", &token, 1).await.expect_problem(403, "token-mismatch");
    shop.buy_with("s3", &token, 1).await.expect_problem(404, "not-found");
    let body = json!({ "token": token, "item": "red", "quantity": 1 });
    let request = || shop.request("POST", "/api/v1/sales/s1/orders").json(&body);
    shop.send(request().bearer_auth(shop.login("bob"))).await.expect_problem(403, "token-mismatch");
    shop.send(request().bearer_auth("nonsense")).await.expect_problem(401, "unauthenticated");
    shop.get(&format!("/api/v1/jobs/{job}")).await.expect_problem(404, "not-found");
    shop.send(request().bearer_auth(shop.login("ann"))).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_ours_for_a_sale_that_never_was_is_a_mismatch() {
    let shop = Shop::selling(5, 5).await;
    let route = Route { sale: SaleNumber::new(77).unwrap(), shard: Shard::default() };
    let token = keys().sign(&SaleToken {
        job: JobId::new(1, route, [0; 6]),
        buyer: "ann".parse().unwrap(),
        channel: String::new(),
        not_before: shop.clock.now(),
        expires_at: shop.clock.now() + chrono::TimeDelta::seconds(60),
    });
    shop.buy_with("s1", &token, 1).await.expect_problem(403, "token-mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_makes_anybody_a_buyer() {
    let shop = Shop::selling(5, 5).await;
    let buyer = shop.post("/api/v1/demo/buyers", "{}").await.expect(201).json;
    let login = buyer["accessToken"].as_str().unwrap();
    assert!(buyer["buyer"].as_str().is_some_and(|id| id.starts_with("demo-")));
    shop.send(shop.request("POST", "/api/v1/sales/s1/tokens").bearer_auth(login)).await.expect(201);
    shop.post("/api/v1/demo/buyers", "{\"name\":1}").await.expect_problem(400, "malformed");

    let mut settings = crate::shop::unlimited();
    settings.demo = false;
    let shop = Shop::start_with(settings).await;
    shop.post("/api/v1/demo/buyers", "{}").await.expect_problem(404, "not-found");
}
