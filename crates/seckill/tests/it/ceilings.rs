//! How often Redis and the broker are asked. Counted, never timed: what costs more than this is noticed on any machine.

use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::common::tap::Tap;
use crate::common::{Servers, TestShop, eventually};

/// One gateway and one consumer that reach Redis through a tap each.
async fn tapped(stock: i64) -> (TestShop, Tap, Tap) {
    let servers = Servers::shared();
    let (edge, worker) = (Tap::on(&servers.redis).await, Tap::on(&servers.redis).await);
    let mut shop = TestShop::start_on(servers, 0, 0, "").await;
    shop.gateway_env = vec![("SECKILL__REDIS__URL", edge.url.clone())];
    shop.add_gateway().await;
    shop.consumer_env = vec![("SECKILL__REDIS__URL", worker.url.clone())];
    shop.add_consumer();
    shop.sale("s1", 1, &[stock]).await;
    (shop, edge, worker)
}

/// The job that a purchase's token names: the first sixteen bytes of its payload.
fn job(body: &str) -> Vec<u8> {
    let body: Value = serde_json::from_str(body).unwrap();
    let payload = body["token"].as_str().unwrap().split('.').nth(2).unwrap();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()[..16].to_vec()
}

/// Messages that the gateway has published to the consumers.
async fn published(shop: &TestShop) -> f64 {
    shop.metric(&shop.gateways[0].operators_url(), "seckill_group_jobs_count", "publish").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_one_call_of_redis_and_one_message_before_its_202_and_two_calls_after_it() {
    let (shop, edge, worker) = tapped(2).await;
    let client = &shop.client;
    let token = client.as_buyer_with(0, "POST", "/api/v1/sales/s1/tokens", "ann", Some(json!({}))).await;
    assert_eq!(token.status, 201, "{token:?}");
    let body = json!({ "token": token.json["token"], "item": "item-0", "quantity": 1 }).to_string();
    let ann = job(&body);
    assert_eq!(edge.about(&ann), [""; 0], "a token is signed, not stored");

    let accepted = client.buy(0, "s1", &body).await;
    assert_eq!(accepted.code(), "accepted", "{accepted:?}");
    let before = edge.about(&ann);
    assert_eq!(before.iter().filter(|name| *name != "mark_queued").collect::<Vec<_>>(), ["admit"]);
    assert_eq!(published(&shop).await, 1.0);
    client.finished(0, &accepted.job()).await;
    shop.settled("s1").await;
    assert_eq!(worker.about(&ann), ["hold"], "the consumer tells of the order once");
    eventually("the confirm is noted", Duration::from_secs(5), async || {
        edge.about(&ann).contains(&"mark_queued".to_owned()) || edge.calls().len() > 10_000
    })
    .await;
    let asked = edge.about(&ann);
    let calls = |name: &str| asked.iter().filter(|one| *one == name).count();
    assert_eq!((calls("admit"), calls("mark_queued")), (1, 1), "{asked:?}");

    // Polls: one question each, and nothing else names the job.
    let polls = calls("HMGET");
    assert_eq!(asked.len(), polls + 2, "{asked:?}");
    for _ in 0..10 {
        assert_eq!(client.get_on(0, &format!("/api/v1/jobs/{}", accepted.job())).await.status, 200);
    }
    assert_eq!(edge.about(&ann).len(), asked.len() + 10);

    // The same token again, another one of the same buyer, and a stranger when nothing is left: one call each, and no
    // message.
    let again = client.buy(0, "s1", &body).await;
    assert_eq!((again.code().as_str(), again.job()), ("accepted", accepted.job()));
    assert_eq!(edge.about(&ann).len(), asked.len() + 11);
    let bodies = shop.mint("s1", 3, &[]);
    let second = client.as_buyer_with(0, "POST", "/api/v1/sales/s1/tokens", "ann", Some(json!({}))).await;
    let second = json!({ "token": second.json["token"], "item": "item-0", "quantity": 1 }).to_string();
    assert_eq!(client.buy(0, "s1", &second).await.code(), "limit-reached");
    assert_eq!(edge.about(&job(&second)), ["admit"]);
    let last = client.buy(0, "s1", &bodies[0]).await;
    assert_eq!(last.code(), "accepted");
    assert_eq!(client.buy(0, "s1", &bodies[1]).await.code(), "sold-out");
    assert_eq!(edge.about(&job(&bodies[1])), ["admit"]);
    assert_eq!(published(&shop).await, 2.0);
    shop.audit("s1", &[accepted.job(), last.job()]).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_shares_its_calls_and_its_messages() {
    const BUYERS: usize = 2_000;
    let (shop, edge, worker) = tapped(BUYERS as i64).await;
    let bodies = shop.mint("s1", BUYERS as u32, &[]);
    let count = |tap: &Tap, name: &str| tap.calls().iter().filter(|call| call.name == name).count();
    let seen = shop.client.crowd("s1", bodies.clone(), 64).await;
    assert_eq!(seen.accepted.len(), BUYERS, "{:?}", seen.refused);
    shop.settled("s1").await;
    let (admits, marks, holds) = (count(&edge, "admit"), count(&edge, "mark_queued"), count(&worker, "hold"));
    let messages = published(&shop).await as usize;
    eprintln!("{BUYERS} buyers: {admits} admits, {marks} marks of their own, {holds} holds, {messages} messages");
    // Of 64 that press at once, a slow machine groups more of them, a quick one fewer.
    assert!(admits <= BUYERS / 2, "{admits} calls to admit {BUYERS} buyers over 64 connections");
    assert!(messages <= admits, "{messages} messages for {admits} groups");
    // Marks ride on later calls; those that find none go every half second.
    assert!(marks <= 60 + BUYERS / 100, "{marks} calls of their own for marks");
    assert!(holds <= messages, "{holds} calls for the effects of {messages} messages");
    // However they are grouped, each buyer is named three times, and never again.
    for body in bodies.iter().step_by(97) {
        assert_eq!(worker.about(&job(body)), ["hold"]);
        let asked = edge.about(&job(body));
        assert!(asked.len() <= 2, "once to be admitted, once to be marked: {asked:?}");
    }

    // And everybody asks what became of it.
    let asks = seen.accepted.chunks(BUYERS / 64 + 1).map(async |jobs| {
        for job in jobs {
            assert_eq!(shop.client.get_on(0, &format!("/api/v1/jobs/{job}")).await.status, 200);
        }
    });
    futures_util::future::join_all(asks).await;
    let looks = edge.calls().into_iter().filter(|call| call.name == "HMGET");
    // Script calls of the gateway are no HMGET; the job ids of one call are what follows its key.
    let looks: Vec<usize> = looks.map(|call| call.words.len().saturating_sub(2)).collect();
    eprintln!("{} polls: {} looks", looks.iter().sum::<usize>(), looks.len());
    assert_eq!(looks.iter().sum::<usize>(), BUYERS, "each poll is one question");
    assert!(looks.len() <= BUYERS * 3 / 4, "{} calls for {BUYERS} polls over 64 connections", looks.len());
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}
