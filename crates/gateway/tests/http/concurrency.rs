//! What is in flight, as buyers and operators meet it.

use domain::ports::{Acquired, Concurrency as _};
use serde_json::{Value, json};

use crate::shop::{Answer, Shop};

async fn put(shop: &Shop, rules: Value) -> Answer {
    shop.operate("PUT", "/api/v1/concurrency/config", Some(rules)).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyers_own_limit_is_429_and_everybody_elses_is_503() {
    let shop = Shop::selling(100, 5).await;
    shop.buy("ann", 1).await.expect(202);
    let busy = shop.buy("ann", 1).await.expect_problem(429, "rate-limited");
    assert_eq!(busy.header("retry-after"), "1");
    assert_eq!(busy.header("ratelimit"), "\"in-flight\";r=0;t=1");
    assert_eq!(busy.header("ratelimit-policy"), "\"in-flight\";q=1;qu=\"concurrent-requests\"");
    put(&shop, json!({ "global_max": 1, "platform_max": { "app": 1 } })).await;
    shop.buy("bob", 1).await.expect(202);
    let busy = shop.buy("cid", 1).await.expect_problem(503, "overloaded");
    assert_eq!((busy.header("retry-after"), busy.header("ratelimit")), ("1", ""));
    put(&shop, json!({ "global_max": 0 })).await;
    let in_the_app = async |buyer: &str| {
        let token = shop.ask_token(buyer, "s1", r#"{"channel":"app"}"#).await.expect(201).json["token"].clone();
        shop.buy_with("s1", token.as_str().unwrap(), 1).await
    };
    in_the_app("dan").await.expect(202);
    in_the_app("eve").await.expect_problem(503, "overloaded");
    shop.buy("eve", 1).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_finds_no_token_in_time_is_told_so_and_done_when_there_is_one() {
    let shop = Shop::selling(10, 1).await;
    put(&shop, json!({ "task_type_max": { "reconcile": 1, "batch_publish": 1, "rebuild": 1 } })).await;
    let tasks = [
        ("reconcile", "/admin/v1/sales/s1/reconcile", json!({})),
        ("batch_publish", "/admin/v1/dead-letters/replay", json!({ "all": true })),
        ("rebuild", "/admin/v1/sales/s1/warm", json!({})),
    ];
    for (task, path, body) in tasks {
        assert_eq!(shop.world.gate.acquire(task, "another process").await.unwrap(), Acquired::Taken);
        let used = shop.operate("GET", "/api/v1/concurrency/usage", None).await.expect(200);
        assert_eq!(used.json["data"]["task_types"][task], json!({ "current": 1, "max": 1 }));
        shop.operate("POST", path, Some(body.clone())).await.expect_problem(503, "overloaded");
        shop.world.gate.release(task, "another process").await.unwrap();
        shop.operate("POST", path, Some(body)).await.expect(200);
    }
}
