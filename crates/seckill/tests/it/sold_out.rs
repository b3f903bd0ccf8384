//! The sold-out answer from memory, with two gateways and a real Redis.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::common::{Servers, TestShop, eventually};

/// One refusal in a look is reason enough for a lease.
const AT_ONCE: &str = "[gateway.sold_out]\nfrom_per_s = 1\n";

/// Everything that is sent to Redis on its way through here.
struct Tap {
    url: String,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    async fn on(url: &str) -> Self {
        let (before, rest) = url.rsplit_once('@').unwrap_or(("redis:/", url.trim_start_matches("redis://")));
        let (server, path) = rest.split_once('/').unwrap_or((rest, "0"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let joint = if url.contains('@') { "@" } else { "/" };
        let url = format!("{before}{joint}{}/{path}", listener.local_addr().unwrap());
        let (sent, server) = (Arc::new(Mutex::new(Vec::new())), server.to_owned());
        let heard = sent.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let redis = TcpStream::connect(&server).await.unwrap();
                let ((mut from_client, mut to_client), (mut from_redis, mut to_redis)) =
                    (client.into_split(), redis.into_split());
                let heard = heard.clone();
                tokio::spawn(async move {
                    let mut bytes = vec![0; 64 * 1024];
                    while let Ok(count) = from_client.read(&mut bytes).await {
                        heard.lock().unwrap().extend(&bytes[..count]);
                        if count == 0 || to_redis.write_all(&bytes[..count]).await.is_err() {
                            return;
                        }
                    }
                });
                tokio::spawn(async move { tokio::io::copy(&mut from_redis, &mut to_client).await });
            }
        });
        Self { url, sent }
    }

    /// Was this job ever named to Redis?
    fn named(&self, job: &[u8]) -> bool {
        self.sent.lock().unwrap().windows(job.len()).any(|bytes| bytes == job)
    }
}

/// The job that a purchase's token names: the first sixteen bytes of its payload.
fn job(body: &str) -> Vec<u8> {
    use base64::Engine as _;
    let body: Value = serde_json::from_str(body).unwrap();
    let payload = body["token"].as_str().unwrap().split('.').nth(2).unwrap();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()[..16].to_vec()
}

async fn from_memory(shop: &TestShop, gateway: usize) -> f64 {
    shop.metric(&shop.gateways[gateway].operators_url(), "seckill_sold_out_from_memory_total", "").await
}

/// Strangers press until the gateway answers some of them from memory.
async fn flood(shop: &TestShop, gateway: usize, bodies: &mut impl Iterator<Item = String>) {
    let before = from_memory(shop, gateway).await;
    for _ in 0..200 {
        for body in bodies.take(2) {
            assert_eq!(shop.client.buy(gateway, "s1", &body).await.code(), "sold-out");
        }
        if from_memory(shop, gateway).await > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("gateway {gateway} asks for each of four hundred");
}

#[tokio::test(flavor = "multi_thread")]
async fn sold_out_from_memory_sends_nothing_to_redis_and_an_admitted_token_is_answered_by_a_gateway_that_never_saw_it()
{
    let servers = Servers::shared();
    let tap = Tap::on(&servers.redis).await;
    let mut shop = TestShop::start_on(servers, 1, 1, AT_ONCE).await;
    shop.gateway_env = vec![("SECKILL__REDIS__URL", tap.url.clone())];
    shop.add_gateway().await;
    shop.sale("s1", 1, &[5]).await;
    let bodies = shop.mint("s1", 1_000, &[]);
    let mut accepted = Vec::new();
    for body in &bodies[..5] {
        let answer = shop.client.buy(0, "s1", body).await;
        assert_eq!(answer.code(), "accepted", "{answer:?}");
        accepted.push(answer.job());
    }
    let mut strangers = bodies[5..].iter().cloned();
    flood(&shop, 1, &mut strangers).await;

    let before = from_memory(&shop, 1).await;
    let pressed: Vec<String> = strangers.take(200).collect();
    for (n, body) in pressed.iter().enumerate() {
        assert_eq!(shop.client.buy(1, "s1", body).await.code(), "sold-out");
        let known = shop.client.buy(1, "s1", &bodies[n % 5]).await;
        assert_eq!((known.code().as_str(), known.job()), ("accepted", accepted[n % 5].clone()), "in the middle of it");
    }
    let answered = (from_memory(&shop, 1).await - before) as usize;
    let asked = pressed.iter().filter(|body| tap.named(&job(body))).count();
    assert_eq!(answered + asked, 200, "an answer from memory names nothing to Redis");
    assert!(answered >= 100, "only {answered} of 200 were answered from memory");
    assert!(bodies[..5].iter().all(|body| tap.named(&job(body))), "whoever was admitted is asked for");
    shop.audit("s1", &accepted).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_is_cancelled_while_two_gateways_answer_from_memory_is_sold_to_one_stranger_who_is_never_denied() {
    let shop = TestShop::start_on(Servers::shared(), 2, 1, AT_ONCE).await;
    shop.sale("s1", 1, &[3]).await;
    let bodies = shop.mint("s1", 4_000, &[]);
    let mut accepted = Vec::new();
    for body in &bodies[..3] {
        accepted.push(shop.client.buy(0, "s1", body).await.job());
    }
    shop.client.finished(0, &accepted[0]).await;
    let mut strangers = bodies[3..].iter().cloned();
    flood(&shop, 0, &mut strangers).await;
    flood(&shop, 1, &mut strangers).await;

    let path = format!("/api/v1/orders/{}/cancel", accepted[0]);
    let cancelled = shop.client.as_buyer(0, "POST", &path, "buyer-1").await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let started = std::time::Instant::now();
    let (gateway, winner, answer) = loop {
        let (gateway, body) = (started.elapsed().as_millis() as usize % 2, strangers.next().unwrap());
        let answer = shop.client.buy(gateway, "s1", &body).await;
        if answer.code() == "accepted" {
            break (gateway, body, answer);
        }
        assert_eq!(answer.code(), "sold-out", "{answer:?}");
        assert!(started.elapsed() < Duration::from_secs(20), "nobody gets the unit");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    eprintln!("sold again {:.1} s after it was cancelled", started.elapsed().as_secs_f64());
    accepted.push(answer.job());

    // While both gateways learn of it and answer from memory again, the winner presses on both.
    let before = [from_memory(&shop, 0).await, from_memory(&shop, 1).await];
    eventually("both answer from memory again", Duration::from_secs(30), async || {
        for at in [gateway, 1 - gateway] {
            let again = shop.client.buy(at, "s1", &winner).await;
            assert_eq!((again.code().as_str(), again.job()), ("accepted", answer.job()), "gateway {at}");
            let first = shop.client.buy(at, "s1", &bodies[0]).await;
            assert_eq!(first.code(), "accepted", "the cancelled one is answered too: {first:?}");
            assert_eq!(shop.client.buy(at, "s1", &bodies[3_900 + at]).await.code(), "sold-out");
        }
        from_memory(&shop, 0).await > before[0] && from_memory(&shop, 1).await > before[1]
    })
    .await;
    shop.audit("s1", &accepted).await;
    shop.close().await;
}
