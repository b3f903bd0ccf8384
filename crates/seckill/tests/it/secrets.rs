//! H15: nothing secret is written down, and nothing that is written down can forge a line.

use std::time::Duration;

use crate::common::{ADMIN_KEY, BUYERS_SECRET, Servers, TestShop, WEBHOOK_SECRET, eventually};

/// The password in a server's address.
fn password(url: &str) -> String {
    url.split_once("://").unwrap().1.rsplit_once('@').unwrap().0.split_once(':').unwrap().1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_token_is_in_a_log_a_metric_or_an_answer() {
    let servers = Servers::shared();
    let shop = TestShop::start_on(servers.clone(), 1, 1, "[log]\nfilter = \"debug\"\n").await;
    shop.sale("s1", 1, &[3]).await;
    let bodies = shop.mint("s1", 5, &[]);
    let tokens: Vec<String> = bodies
        .iter()
        .map(|body| serde_json::from_str::<serde_json::Value>(body).unwrap()["token"].as_str().unwrap().to_owned())
        .collect();
    let seen = shop.client.crowd("s1", bodies.clone(), 3).await;
    assert_eq!(seen.accepted.len(), 3);
    for job in &seen.accepted {
        shop.client.finished(0, job).await;
    }
    // Wrong ones as well: an error is where a value slips into a line.
    let broken = bodies[0].replace("v1.", "v2.");
    assert_eq!(shop.client.buy(0, "s1", &broken).await.status, 403);
    let login = shop.client.as_buyer(0, "POST", "/api/v1/sales/s1/tokens", "ann").await;
    assert_eq!(login.status, 201, "{login:?}");
    let wrong_key = "a-key-that-somebody-mistyped-0123";
    for header in [format!("Bearer {wrong_key}"), "Basic YTphLWtleS10aGF0".to_owned()] {
        let request = shop.client.http.get(format!("{}/admin/v1/sales", shop.client.operators[0]));
        assert_eq!(request.header("authorization", header).send().await.unwrap().status(), 401);
    }
    shop.client.report(0, "evt-1", "payment.succeeded", "pay-1", &seen.accepted[0], 1999).await;
    let forged = shop.client.http.post(format!("{}/api/v1/payments/webhook", shop.client.bases[0]));
    let forged =
        forged.header("webhook-id", "e").header("webhook-timestamp", "1").header("webhook-signature", "v1,AAAA");
    assert_eq!(forged.header("content-type", "application/json").body("{}").send().await.unwrap().status(), 401);
    shop.audit("s1", &seen.accepted).await;

    let mut secrets = vec![
        ADMIN_KEY.to_owned(),
        BUYERS_SECRET.to_owned(),
        WEBHOOK_SECRET.trim_start_matches("whsec_").to_owned(),
        "a0a0a0a0a0a0a0a0".to_owned(),
        wrong_key.to_owned(),
        "Bearer ".to_owned(),
        "eyJ0eXAi".to_owned(), // how every JWT of these tests begins
        "v1.t1.".to_owned(),
        password(&servers.redis),
        password(&servers.amqp),
        password(&servers.postgres),
    ];
    secrets.push(login.json["token"].as_str().unwrap().rsplit_once('.').unwrap().1.to_owned());
    secrets.extend(tokens.iter().map(|token| token.rsplit_once('.').unwrap().1.to_owned()));
    let mut places = vec![("gateway's log", shop.gateways[0].log()), ("consumer's log", shop.consumers[0].log())];
    for url in [shop.gateways[0].operators_url(), shop.consumers[0].url()] {
        let metrics = shop.client.http.get(format!("{url}/metrics")).bearer_auth(ADMIN_KEY).send().await.unwrap();
        places.push(("metrics", metrics.text().await.unwrap()));
    }
    for path in ["/admin/v1/audit-log?limit=1000", "/admin/v1/sales", "/readyz?verbose"] {
        places.push(("operators' answer", shop.client.operate("GET", path, None).await.json.to_string()));
    }
    for (place, text) in &places {
        assert!(text.len() > 40, "{place} says nothing: {text:?}");
        for secret in &secrets {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert!(line.is_none(), "{secret:?} in the {place}: {line:?}");
        }
    }
    // Never a series for one buyer or one job.
    for (_, text) in places.iter().filter(|(place, _)| *place == "metrics") {
        for one in seen.accepted.iter().map(String::as_str).chain(["buyer-1", "\"ann\""]) {
            assert!(!text.contains(one), "{one} is a label");
        }
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_log_cannot_be_forged() {
    let shop = TestShop::start_on(Servers::shared(), 1, 1, "[log]\nfilter = \"debug\"\n").await;
    shop.sale("s1", 1, &[3]).await;
    let evil = "x\r\n2031-01-01T00:00:00.000000Z  INFO everything is fine\u{1b}[2J\u{1b}[31m";
    let body = serde_json::json!({ "reason": evil });
    for action in ["pause", "resume"] {
        let done = shop.client.operate("POST", &format!("/admin/v1/sales/s1/{action}"), Some(body.clone())).await;
        assert_eq!(done.status, 200, "{done:?}");
    }
    let letters = serde_json::json!({ "all": true, "reason": evil });
    assert_eq!(shop.client.operate("POST", "/admin/v1/dead-letters/discard", Some(letters)).await.status, 200);
    shop.client.get_on(0, "/api/v1/sales/%0d%0a2031-01-01%20INFO%20everything%20is%20fine%1b%5b2J").await;
    eventually("the deed is in the log", Duration::from_secs(5), || async {
        shop.gateways[0].log().contains("dead letters were discarded")
    })
    .await;
    let log = shop.gateways[0].log();
    assert!(log.lines().all(|line| !line.starts_with("2031")), "{log}");
    assert!(!log.contains('\u{1b}') && !log.contains('\r'), "control characters reach whoever reads the log");
    shop.close().await;
}
