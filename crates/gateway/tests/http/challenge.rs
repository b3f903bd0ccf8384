//! A proof of work before a token, as ALTCHA's widget would go through it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gateway::GatewaySettings;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::shop::{Answer, Shop, unlimited};

const TOKENS: &str = "/api/v1/sales/s1/tokens";

fn settings() -> GatewaySettings {
    let mut settings = unlimited();
    let section = json!({ "enabled": true, "algorithm": "SHA-256", "cost": 1, "max_number": 300, "expires_s": 60 });
    settings.challenge = serde_json::from_value(section).unwrap();
    settings
}

async fn asking() -> Shop {
    let shop = Shop::start_with(settings()).await;
    shop.open("s1", 5, 1).await;
    shop
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// What the widget does with the algorithm SHA-256 and a cost of 1.
fn solve(challenge: &Value) -> String {
    let parameters = &challenge["parameters"];
    let prefix = bytes(&parameters["keyPrefix"]);
    let (counter, key) = (0_u32..)
        .map(|counter| {
            let whole =
                [bytes(&parameters["salt"]), bytes(&parameters["nonce"]), counter.to_be_bytes().to_vec()].concat();
            (counter, Sha256::digest(whole))
        })
        .find(|(_, key)| key.starts_with(&prefix))
        .unwrap();
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let solution = json!({ "counter": counter, "derivedKey": key, "time": 12.5 });
    BASE64.encode(json!({ "challenge": challenge, "solution": solution }).to_string())
}

async fn ask(shop: &Shop, buyer: &str, altcha: &str) -> Answer {
    let request = shop.request("POST", TOKENS).bearer_auth(shop.login(buyer));
    shop.send(request.json(&json!({ "altcha": altcha, "channel": "web" }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_given_for_a_solved_challenge_only() {
    let shop = asking().await;
    let required = shop.ask_token("ann", "s1", "{}").await.expect_problem(403, "challenge-required");
    let payload = solve(&required.json["challenge"]);
    let issued = ask(&shop, "ann", &payload).await.expect(201);
    shop.buy_with("s1", issued.json["token"].as_str().unwrap(), 1).await.expect(202);

    let again = ask(&shop, "ann", &payload).await.expect_problem(403, "challenge-failed");
    let fresh = solve(&again.json["challenge"]);
    ask(&shop, "bob", &fresh).await.expect_problem(403, "challenge-failed");
    ask(&shop, "ann", "nonsense").await.expect_problem(403, "challenge-failed");
    ask(&shop, "ann", "").await.expect_problem(403, "challenge-failed");
    ask(&shop, "ann", &fresh).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_can_be_fetched_by_its_buyer_and_expires() {
    let shop = asking().await;
    shop.get("/api/v1/challenge").await.expect_problem(401, "unauthenticated");
    let challenge = shop.get_as("ann", "/api/v1/challenge").await.expect(200);
    assert_eq!(challenge.header("cache-control"), "no-store");
    let expires = challenge.json["parameters"]["expiresAt"].as_i64().unwrap();
    assert_eq!(expires, domain::ports::Clock::now(&*shop.clock).timestamp() + 60);
    let payload = solve(&challenge.json);
    shop.clock.go_on(60_000);
    ask(&shop, "ann", &payload).await.expect_problem(403, "challenge-failed");
    let other = shop.get_as("ann", "/api/v1/challenge").await.expect(200).json;
    assert_ne!(other["parameters"]["nonce"], challenge.json["parameters"]["nonce"]);
    shop.clock.go_on(59_000);
    ask(&shop, "ann", &solve(&other)).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_works_for_a_token_that_cannot_be_had() {
    let shop = asking().await;
    let mut draft = shop.draft("s2", 5, 1);
    draft["opensAt"] = json!(shop.at(900));
    shop.operate("POST", "/admin/v1/sales", Some(draft)).await.expect(201);
    shop.operate("POST", "/admin/v1/sales/s2/warm", None).await.expect(200);
    shop.operate("POST", "/admin/v1/sales/s2/open", None).await.expect(200);
    shop.ask_token("ann", "s2", "{}").await.expect_problem(409, "sale-not-open");
    shop.ask_token("ann", "nowhere", "{}").await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_nothing_is_asked_and_a_solution_is_not_looked_at() {
    let shop = Shop::selling(5, 1).await;
    shop.get_as("ann", "/api/v1/challenge").await.expect_problem(404, "not-found");
    ask(&shop, "ann", "whatever").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn challenges_are_limited_like_tokens() {
    let mut limited = settings();
    limited.limits = serde_json::from_value(json!({ "per_ip": { "enabled": false },
        "token_per_buyer": { "per_second": 1, "burst": 2 } }))
    .unwrap();
    let shop = Shop::start_with(limited).await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(shop.get_as("ann", "/api/v1/challenge").await);
    }
    assert!(answers.iter().any(|answer| answer.status == 429), "{answers:?}");
    shop.get_as("bob", "/api/v1/challenge").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_knows_when_it_can_fetch_its_token() {
    let shop = Shop::selling(5, 1).await;
    let sale = shop.get("/api/v1/sales/s1").await.expect(200).json;
    let time = |name: &str| sale[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!(time("opensAt") - time("tokensFrom"), chrono::TimeDelta::seconds(600));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_solution_is_not_used_up_by_a_rule_and_a_question_for_a_challenge_does_not_count() {
    let shop = asking().await;
    let rule = json!({ "name": "one", "action": "token", "subject": "buyer", "limit": 1, "windowSeconds": 60 });
    shop.operate("PUT", "/admin/v1/limits", Some(json!({ "shared": [rule] }))).await.expect(200);
    for _ in 0..3 {
        shop.ask_token("ann", "s1", "{}").await.expect_problem(403, "challenge-required");
        ask(&shop, "ann", "nonsense").await.expect_problem(403, "challenge-failed");
    }
    let solution = async || solve(&shop.get_as("ann", "/api/v1/challenge").await.expect(200).json);
    ask(&shop, "ann", &solution().await).await.expect(201);
    shop.clock.go_on(30_000);
    let second = solution().await;
    ask(&shop, "ann", &second).await.expect_problem(429, "rate-limited");
    shop.clock.go_on(30_000);
    ask(&shop, "ann", &second).await.expect(201);
    shop.clock.go_on(25_000);
    ask(&shop, "ann", &second).await.expect_problem(429, "rate-limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_solution_of_a_buyer_who_has_logged_in_does_not_count_against_the_address() {
    let mut limited = settings();
    limited.limits = serde_json::from_value(json!({ "per_ip": { "per_second": 1, "burst": 2 },
        "token_per_buyer": { "enabled": false } }))
    .unwrap();
    let shop = Shop::start_with(limited).await;
    shop.open("s1", 5, 1).await;
    let rule = json!({ "name": "near", "action": "token", "subject": "ip", "limit": 1, "windowSeconds": 60 });
    shop.operate("PUT", "/admin/v1/limits", Some(json!({ "shared": [rule] }))).await.expect(200);
    for _ in 0..10 {
        ask(&shop, "ann", "nonsense").await.expect_problem(403, "challenge-failed");
    }
    // A neighbour with a typing error in the login still has the whole limit of the address.
    shop.send(shop.request("POST", TOKENS).bearer_auth("x")).await.expect_problem(401, "unauthenticated");
}
