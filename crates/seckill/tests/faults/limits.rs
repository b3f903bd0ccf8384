//! Limits when the server that they are shared through is away.

use std::time::Duration;

use serde_json::json;

use crate::bench::Breakable;
use crate::common::{TestShop, eventually};

/// Tokens asked for by this buyer on both gateways, at the same time; how many were issued.
async fn issued(shop: &TestShop, buyer: &str) -> usize {
    let ask = |n: usize| shop.client.as_buyer(n % 2, "POST", "/api/v1/sales/s1/tokens", buyer);
    let answers = futures_util::future::join_all((0..60).map(ask)).await;
    let code = |answer: &crate::common::client::Answer| answer.code();
    assert!(answers.iter().all(|answer| ["201", "rate-limited"].contains(&code(answer).as_str())), "{answers:?}");
    answers.iter().filter(|answer| answer.status == 201).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_hold_in_each_gateway_while_redis_is_away_and_are_shared_again_after_it() {
    let mut all = Breakable::start(2).await;
    all.shop.sale("s1", 1, &[5]).await;
    let rule = json!({ "name": "hour", "action": "token", "subject": "buyer", "limit": 10, "windowSeconds": 3600 });
    let put = all.shop.client.operate("PUT", "/admin/v1/limits", Some(json!({ "shared": [rule] }))).await;
    assert_eq!(put.status, 200, "{put:?}");
    eventually("the other gateway obeys", Duration::from_secs(10), async || {
        all.shop.gateways[1].log().contains("limits were changed")
    })
    .await;
    assert_eq!(issued(&all.shop, "ann").await, 10);

    all.services.redis.kill9();
    assert_eq!(issued(&all.shop, "bob").await, 20, "ten in each gateway");
    assert_eq!(issued(&all.shop, "bob").await, 0);
    for gateway in &all.shop.gateways {
        assert_eq!(gateway.log().matches("limits cannot be asked").count(), 1, "said once");
        assert!(all.shop.metric(&gateway.operators_url(), "seckill_fallbacks_total", "what=\"limits\"").await >= 10.0);
    }

    all.services.redis.start_again().unwrap();
    eventually("the limits are shared again", Duration::from_secs(20), async || {
        issued(&all.shop, "cid").await; // somebody has to ask
        all.shop.gateways.iter().all(|gateway| gateway.log().contains("limits can be asked again"))
    })
    .await;
    assert_eq!(issued(&all.shop, "dan").await, 10, "ten in both together");
    all.shop.close().await;
}
