//! What the gateway says of itself, and what it does one at a time.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::shop::Shop;

async fn figures(shop: &Shop) -> Value {
    shop.operate("GET", "/admin/v1/performance", None).await.expect(200).json
}

fn operation<'f>(figures: &'f Value, name: &str) -> &'f Value {
    let all = figures["operations"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {figures}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_process_connections_locks_and_tasks_are_shown() {
    let shop = Shop::selling(2, 1).await;
    for buyer in ["ann", "bob", "cid"] {
        shop.buy(buyer, 1).await;
    }
    shop.world.faults.gate_away.store(true, std::sync::atomic::Ordering::SeqCst);
    let (token, _) = shop.token("dan", "s1").await;
    shop.buy_with("s1", &token, 1).await.expect_problem(503, "not-ready");
    shop.world.faults.gate_away.store(false, std::sync::atomic::Ordering::SeqCst);

    let figures = figures(&shop).await;
    let orders = operation(&figures, "/api/v1/sales/{sale}/orders");
    assert_eq!((&orders["count"], &orders["succeeded"]), (&json!(4), &json!(3)), "a refusal is an answer: {orders}");
    assert_eq!((&orders["errors"], &orders["successRate"]), (&json!({ "503": 1 }), &json!(0.75)));
    assert_eq!(orders["recorded"], 4);
    let times: Vec<f64> =
        ["minMs", "p50Ms", "p90Ms", "p99Ms", "maxMs"].iter().map(|name| orders[name].as_f64().unwrap()).collect();
    assert!(times[0] > 0.0 && times.is_sorted(), "{orders}");
    assert!((times[0]..=times[4]).contains(&orders["meanMs"].as_f64().unwrap()));
    assert!(figures["process"]["memoryBytes"].as_u64().unwrap() > 1 << 20, "{figures}");
    assert!(figures["process"]["diskFreeBytes"].is_u64() && figures["process"]["cpuSeconds"].is_f64());
    let names: Vec<_> = figures["pools"].as_array().unwrap().iter().map(|pool| &pool["name"]).collect();
    assert_eq!(names, [&json!("embedded")], "dependencies only");
    let locks = &figures["locks"];
    assert_eq!((&locks["active"], &locks["waiting"], &locks["lockTimeoutS"]), (&json!(0), &json!(0), &json!(30)));
    assert_eq!((&locks["limitedUsers"], &locks["remembered"]), (&json!(0), &json!(1)), "the sale was loaded");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_a_limit_holds_back_are_counted_as_the_limits_count_them() {
    let settings =
        json!({ "workers": 1, "demo": true, "limits": { "token_per_buyer": { "per_second": 1, "burst": 1 } } });
    let shop = Shop::start_with(serde_json::from_value(settings).unwrap()).await;
    shop.open("s1", 10, 1).await;
    for buyer in ["ann", "bob"] {
        shop.token(buyer, "s1").await;
        shop.ask_token(buyer, "s1", "{}").await.expect_problem(429, "rate-limited");
    }
    assert_eq!(figures(&shop).await["locks"]["limitedUsers"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_two_operators_warm_at_once_is_loaded_once() {
    let shop = Shop::start().await;
    shop.operate("POST", "/admin/v1/sales", Some(shop.draft("s1", 5, 1))).await.expect(201);
    let warmed = join_all((0..8).map(|_| shop.operate("POST", "/admin/v1/sales/s1/warm", None))).await;
    let changed =
        warmed.into_iter().map(|answer| answer.expect(200).json).filter(|body| body["changed"] == true).count();
    assert_eq!(changed, 1);
    let log = shop.operate("GET", "/admin/v1/audit-log?sale=s1", None).await.expect(200).json;
    let epochs = log["entries"].as_array().unwrap().iter().filter(|line| line["action"] == "next-epoch").count();
    assert_eq!(epochs, 1, "the others waited and found it there");
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_cancels_of_one_order_wait_for_each_other_and_all_find_it_cancelled() {
    let shop = Shop::selling(5, 1).await;
    let job = shop.buy("ann", 1).await.expect(202).json["jobId"].as_str().unwrap().to_owned();
    shop.place().await;
    let cancels = (0..10).map(|_| {
        let request = shop.request("POST", &format!("/api/v1/orders/{job}/cancel"));
        shop.send(request.bearer_auth(shop.login("ann")))
    });
    for answer in join_all(cancels).await {
        assert_eq!(answer.expect(200).json["status"], "cancelled");
    }
    let locks = &figures(&shop).await["locks"];
    assert_eq!((&locks["timeouts"], &locks["lost"], &locks["heldHere"]), (&json!(0), &json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_work_on_dead_letters_is_a_bounded_task_and_is_counted() {
    let shop = Shop::start().await;
    for _ in 0..3 {
        shop.operate("POST", "/admin/v1/dead-letters/replay", Some(json!({ "all": true }))).await.expect(200);
    }
    let figures = figures(&shop).await;
    let tasks: Vec<_> = figures["tasks"].as_array().unwrap().iter().map(|pool| &pool["name"]).collect();
    assert_eq!(tasks, [&json!("dead letters")]);
    assert_eq!((&figures["tasks"][0]["succeeded"], &figures["tasks"][0]["max"]), (&json!(3), &json!(4)));
    assert_eq!(operation(&figures, "task dead letters")["count"], 3);
}
