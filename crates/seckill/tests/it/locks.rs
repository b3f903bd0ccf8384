//! One at a time over processes: on Redis, and without it.

use std::time::Duration;

use serde_json::json;

use crate::common::proxy::{Proxy, Way};
use crate::common::{Servers, TestShop, eventually};

async fn epoch(shop: &TestShop) -> i32 {
    sqlx::query_scalar("select epoch from sales").fetch_one(&shop.db).await.unwrap()
}

/// Without the lock, gateways that look at the same time all load it, and epochs decide afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_sale_is_loaded_again_by_one_of_three_gateways() {
    let shop = TestShop::start(3, 1).await;
    shop.sale("s1", 1, &[5]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", 2, &[]), 2).await;
    shop.settled("s1").await;
    let before = epoch(&shop).await;
    for round in 1..=3 {
        shop.lose("s1").await;
        eventually("it is there again", Duration::from_secs(15), || async {
            epoch(&shop).await > before + round - 1 && shop.settled("s1").await["items"][0]["free"] == 3
        })
        .await;
    }
    assert_eq!(epoch(&shop).await, before + 3, "each loss was repaired once");
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}

/// Locks are in Postgres then; said once, counted, and over by itself.
#[tokio::test(flavor = "multi_thread")]
async fn without_redis_an_order_is_cancelled_under_a_lock_of_the_database() {
    let servers = Servers::shared();
    let port = |url: &str| url.rsplit(':').next().unwrap().split('/').next().unwrap().parse::<u16>().unwrap();
    let proxy = Proxy::start(port(&servers.redis)).await;
    let redis = servers.redis.replace(&port(&servers.redis).to_string(), &proxy.port.to_string());
    let shop = TestShop::start_on(Servers { redis, ..servers }, 1, 1, "").await;
    shop.sale("s1", 1, &[2]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", 1, &[]), 1).await;
    shop.settled("s1").await;
    let (order, buyer): (uuid::Uuid, String) =
        sqlx::query_as("select id, buyer_id from orders").fetch_one(&shop.db).await.unwrap();
    let locks = async || shop.client.operate("GET", "/admin/v1/performance", None).await.json["locks"].clone();
    assert_eq!(locks().await["fallback"], false);

    proxy.make(Way::Mute);
    let path = format!("/api/v1/orders/{order}/cancel");
    let answer = shop.client.as_buyer(0, "POST", &path, &buyer).await;
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("cancelled")), "{answer:?}");
    let now = locks().await;
    assert_eq!((&now["fallback"], &now["fallbacks"], &now["active"]), (&json!(true), &json!(1), &json!(0)), "{now}");
    let url = shop.gateways[0].operators_url();
    assert_eq!(shop.metric(&url, "seckill_fallbacks_total", r#"what="locks""#).await, 1.0);

    proxy.make(Way::Open);
    eventually("locks are in Redis again", Duration::from_secs(15), async || locks().await["fallback"] == false).await;
    eventually("the unit is for sale again", Duration::from_secs(30), async || {
        shop.ledger("s1").await["items"][0]["free"] == 2
    })
    .await;
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}
