//! Probes and measures.

use std::net::TcpListener;
use std::sync::atomic::Ordering;

use gateway::MetricsKeys;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::shop::{ADMIN_KEY, METRICS_KEY, Shop, prometheus};
use crate::world::{Faulty, TestClock};

#[tokio::test(flavor = "multi_thread")]
async fn ready_means_able_to_admit_and_alive_only_means_alive() {
    let shop = Shop::selling(5, 1).await;
    let verbose = shop.get("/readyz?verbose").await.expect(200).json;
    let names: Vec<_> = verbose["checks"].as_array().unwrap().iter().map(|check| check["name"].clone()).collect();
    for name in ["embedded", "queue open", "sales read", "running"] {
        assert!(names.contains(&json!(name)), "{name} in {verbose}");
    }
    assert!(verbose["checks"][0]["ageMs"].as_u64().is_some_and(|age| age < 5_000));
    assert_eq!(shop.get("/readyz").await.expect(200).json, json!({ "ready": true }));
    shop.world.faults.broker_away.store(true, Ordering::SeqCst);
    assert_eq!(shop.get("/readyz").await.expect(503).json, json!({ "ready": false }));
    shop.world.faults.broker_away.store(false, Ordering::SeqCst);
    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    shop.eventually(|shop| async { shop.get("/readyz").await.status == 503 }).await;
    shop.get("/livez").await.expect(200);
    shop.world.faults.gate_away.store(false, Ordering::SeqCst);
    shop.eventually(|shop| async { shop.get("/readyz").await.status == 200 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_measured() {
    let shop = Shop::selling(1, 1).await;
    let (token, _) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    shop.buy("bob", 1).await.expect_problem(409, "sold-out");
    shop.post("/api/v1/sales/s1/orders", "nonsense").await.expect_problem(400, "malformed");
    shop.place().await;
    shop.buy_with("s1", &token, 1).await.expect(202);
    shop.send(shop.request("BREW", "/nothing")).await.expect(404);
    let lines = [
        "seckill_http_requests_total{route=\"/api/v1/sales/{sale}/orders\",method=\"POST\",status=\"202\"}",
        "seckill_http_requests_total{route=\"none\",method=\"other\",status=\"404\"}",
        "seckill_http_request_seconds_bucket{route=\"/api/v1/sales/{sale}/orders\",le=\"0.005\"}",
        "seckill_purchases_total{code=\"accepted\"}",
        "seckill_purchases_total{code=\"repeated\"}",
        "seckill_purchases_total{code=\"sold-out\"}",
        "seckill_purchases_total{code=\"malformed\"}",
        "seckill_ledger_units{sale=\"s1\",item=\"red\",term=\"stock\"}",
        "seckill_ledger_difference{sale=\"s1\",item=\"red\"} 0",
        "seckill_jobs_waiting{sale=\"s1\"}",
        "seckill_dependency_up{name=\"embedded\"}",
        "seckill_http_connections",
        "# HELP seckill_purchases_total",
    ];
    shop.eventually(|shop| async {
        let text = shop.operate("GET", "/metrics", None).await.expect(200).text;
        lines.iter().all(|line| text.contains(line))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_no_gateway_shows_its_state_too() {
    let world = Faulty::new(TestClock::new());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let keys = MetricsKeys { admin: ADMIN_KEY.to_owned().into(), metrics: Some(METRICS_KEY.to_owned().into()) };
    let stop = CancellationToken::new();
    let serving = tokio::spawn(gateway::serve_status(listener, vec![world], prometheus(), keys, stop.clone()));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let status = async |path: &str, key: &str| {
        http.get(format!("{base}{path}")).bearer_auth(key).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("/livez", "").await, 200);
    for _ in 0..100 {
        if status("/readyz", "").await == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(status("/readyz", "").await, 200);
    assert_eq!((status("/metrics", METRICS_KEY).await, status("/metrics", "wrong").await), (200, 401));
    assert_eq!(status("/admin/v1/sales", ADMIN_KEY).await, 404);
    stop.cancel();
    serving.await.unwrap().unwrap();
}
