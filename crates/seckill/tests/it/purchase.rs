//! What a buyer may rely on.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;

use crate::common::TestShop;

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_gets_a_token_buys_polls_and_finds_the_order() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[5]).await;
    let client = &shop.client;
    let buyer = client.post_on(0, "/api/v1/demo/buyers", "").await.unwrap();
    let access = buyer.json["accessToken"].as_str().unwrap().to_owned();
    let with_bearer = |path: &str| client.http.get(format!("{}{path}", client.bases[0])).bearer_auth(&access);

    let request = client.http.post(format!("{}/api/v1/sales/s1/tokens", client.bases[0])).bearer_auth(&access);
    let token = client.send(request.json(&json!({}))).await.unwrap();
    assert_eq!(token.status, 201, "{token:?}");

    let body = json!({ "token": token.json["token"], "item": "item-0", "quantity": 1 }).to_string();
    let accepted = client.buy(0, "s1", &body).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    assert_eq!(accepted.job(), token.job(), "the job is known before the purchase is sent");
    assert_eq!(accepted.location.as_deref(), Some(format!("/api/v1/jobs/{}", accepted.job()).as_str()));
    assert!(accepted.retry_after.is_some());

    let done = client.finished(0, &accepted.job()).await;
    assert_eq!(
        (done["status"].as_str(), done["sale"].as_str(), done["item"].as_str()),
        (Some("placed"), Some("s1"), Some("item-0"))
    );
    assert!(!done.to_string().contains(buyer.json["buyer"].as_str().unwrap()), "a job says nothing about its buyer");

    let order = client.send(with_bearer(done["orderUrl"].as_str().unwrap())).await.unwrap();
    assert_eq!(order.status, 200, "{order:?}");
    let mine = client.send(with_bearer("/api/v1/me/orders?sale=s1")).await.unwrap();
    assert!(mine.json.to_string().contains(&accepted.job()), "{mine:?}");
    let foreign = client.get_on(0, done["orderUrl"].as_str().unwrap()).await;
    assert_eq!(foreign.status, 401);
    // Ten minutes until the sale closes, fifteen for the payment, and a day after that.
    assert!(
        shop.jobs_kept_s("s1").await >= 600 + 900 + 86_400 - 60,
        "a job is readable for a day after its last change"
    );
    shop.audit("s1", &[accepted.job()]).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_of_1_2_and_100_sells_exactly_1_2_and_100() {
    let shop = TestShop::start(2, 1).await;
    for stock in [1_u32, 2, 100] {
        let sale = format!("stock-{stock}");
        shop.sale(&sale, 1, &[i64::from(stock)]).await;
        let seen = shop.client.crowd(&sale, shop.mint(&sale, 10 * stock, &[]), 50).await;
        assert_eq!(seen.accepted.len(), stock as usize, "{seen:?}");
        assert_eq!(seen.refused.get("sold-out"), Some(&(9 * stock as usize)), "{seen:?}");
        assert_eq!(shop.settled(&sale).await["items"][0]["held"], stock);
        shop.audit(&sale, &seen.accepted).await;
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_buyer_with_a_thousand_tokens_at_once_gets_one_order_and_burns_one_unit() {
    let shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[10]).await;
    let bodies = shop.mint("s1", 1, &["--per-buyer", "1000"]);
    let seen = shop.client.crowd("s1", bodies, 100).await;
    assert_eq!(seen.accepted.len(), 1, "{seen:?}");
    assert_eq!(seen.refused, BTreeMap::from([("limit-reached".to_owned(), 999)]));
    let ledger = shop.settled("s1").await;
    assert_eq!((&ledger["items"][0]["free"], &ledger["items"][0]["held"]), (&json!(9), &json!(1)));
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_a_thousand_times_at_once_is_one_job_and_each_answer_names_it() {
    let shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[10]).await;
    let body = shop.mint("s1", 1, &[]).remove(0);
    let seen = shop.client.crowd("s1", vec![body; 1_000], 200).await;
    assert_eq!(seen.accepted.len(), 1_000, "{:?}", seen.refused);
    assert_eq!(seen.accepted.iter().collect::<HashSet<_>>().len(), 1);
    assert_eq!(shop.settled("s1").await["items"][0]["free"], 9);
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_sale_sold_out_paused_and_closed_every_winner_still_finds_the_job_through_another_gateway() {
    let shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[20]).await;
    let bodies = shop.mint("s1", 60, &[]);
    let mut winners = BTreeMap::new();
    for body in &bodies {
        let answer = shop.client.insist(0, "s1", body).await;
        if answer.status == 202 {
            winners.insert(body.clone(), answer.job());
        } else {
            assert_eq!(answer.code(), "sold-out");
        }
    }
    assert_eq!(winners.len(), 20);
    let again = |expected_refusal: &'static str| {
        let (shop, winners, bodies) = (&shop, &winners, &bodies);
        async move {
            for body in bodies {
                let answer = shop.client.buy(1, "s1", body).await;
                match winners.get(body) {
                    Some(job) => assert_eq!((answer.status, &answer.job()), (202, job), "{answer:?}"),
                    None => assert_eq!(answer.code(), expected_refusal),
                }
            }
        }
    };
    again("sold-out").await;
    for (action, refusal) in [("pause", "sale-paused"), ("resume", "sold-out"), ("close", "sale-ended")] {
        let done = shop.client.operate("POST", &format!("/admin/v1/sales/s1/{action}"), None).await;
        assert_eq!(done.status, 200, "{done:?}");
        again(refusal).await;
    }
    shop.audit("s1", &winners.into_values().collect::<Vec<_>>()).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_2_and_3_hold_exactly_over_several_items() {
    let shop = TestShop::start(2, 1).await;
    for limit in [2_u16, 3] {
        let sale = format!("limit-{limit}");
        shop.sale(&sale, limit, &[500, 500]).await;
        let mut bodies = shop.mint(&sale, 20, &["--per-buyer", "4", "--item", "item-0"]);
        bodies.extend(shop.mint(&sale, 20, &["--per-buyer", "4", "--item", "item-1"]));
        let seen = shop.client.crowd(&sale, bodies, 80).await;
        assert_eq!(seen.accepted.len(), 20 * usize::from(limit), "{seen:?}");
        assert_eq!(seen.refused.keys().collect::<Vec<_>>(), ["limit-reached"]);
        shop.audit(&sale, &seen.accepted).await;
        let exactly: i64 = sqlx::query_scalar(
            "select count(*) from (select 1 from orders where sale_id = $1 group by buyer_id having sum(quantity) = $2) all_of_it",
        )
        .bind(&sale)
        .bind(i64::from(limit))
        .fetch_one(&shop.db)
        .await
        .unwrap();
        assert_eq!(exactly, 20, "every buyer could have the whole allowance and nobody more");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_that_prefers_to_wait_is_answered_with_the_finished_job() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[5]).await;
    let body = shop.mint("s1", 1, &[]).remove(0);
    let request = shop.client.http.post(format!("{}/api/v1/sales/s1/orders", shop.client.bases[0]));
    let request = request.header("content-type", "application/json").header("prefer", "wait=5").body(body);
    let answer = shop.client.send(request).await.unwrap();
    assert_eq!((answer.status, answer.json["status"].as_str()), (200, Some("placed")), "{answer:?}");
    shop.audit("s1", &[answer.job()]).await;
    shop.close().await;
}
