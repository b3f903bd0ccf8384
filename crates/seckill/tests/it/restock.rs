//! Units that come and go while the sale runs.

use std::time::Duration;

use serde_json::json;

use crate::common::{TestShop, client::Answer, eventually};

async fn restock(shop: &TestShop, id: &str, item: &str, delta: i64) -> Answer {
    let body = json!({ "id": id, "item": item, "delta": delta, "reason": "a test" });
    shop.client.operate("POST", "/admin/v1/sales/s1/restock", Some(body)).await
}

/// Fault matrix C17.
#[tokio::test(flavor = "multi_thread")]
async fn units_are_added_once_per_id_while_the_sale_runs_and_sold_exactly() {
    let mut shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[100]).await;
    let bodies = shop.mint("s1", 400, &[]);
    let crowd = shop.client.stubborn_crowd("s1", bodies, 20, Duration::from_millis(20));
    // Both operators' ports, at once, with the same id.
    let mut both = shop.client.clone();
    both.operators.rotate_left(1);
    let body = json!({ "id": "more", "item": "item-0", "delta": 50 });
    let answers = futures_util::future::join_all((0..10).map(|n| {
        let client = if n % 2 == 0 { &shop.client } else { &both };
        client.operate("POST", "/admin/v1/sales/s1/restock", Some(body.clone()))
    }));
    let answers = answers.await;
    let changed = answers.iter().filter(|answer| answer.json["changed"] == true).count();
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.json["stock"] == 150), "{answers:?}");
    assert_eq!(changed, 1, "once per id");
    let seen = crowd.end().await;
    // The crowd may have been told "sold out" before the units came: whoever asks now gets them.
    let rest = shop.client.crowd("s1", shop.mint("s1", 400, &["--prefix", "late-"]), 20).await;
    let accepted = [seen.accepted, rest.accepted].concat();
    assert_eq!(accepted.len(), 150);
    let ledger = shop.settled("s1").await;
    assert_eq!((&ledger["items"][0]["stock"], &ledger["items"][0]["free"]), (&json!(150), &json!(0)), "{ledger}");
    shop.audit("s1", &accepted).await;
    for (delta, item, id) in [(50, "item-0", "more"), (0, "item-0", "x"), (5, "nope", "y"), (i64::MAX, "item-0", "z")] {
        let answer = restock(&shop, id, item, delta).await;
        let expected = match id {
            "more" => "200",
            "y" => "not-found",
            _ => "validation-failed",
        };
        assert_eq!(answer.code(), expected, "{answer:?}");
    }
    assert_eq!(restock(&shop, "more", "item-0", 51).await.code(), "conflict", "the id means something else");
    let said = shop.run(&["sale", "restock", "s1", "--item", "item-0", "--delta", "3", "--id", "by-hand"]).unwrap();
    assert!(said.contains("153"), "{said}");
    shop.gateways.clear();
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_taken_out_only_if_they_are_free_and_nobody_is_refused_late() {
    let shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[200]).await;
    let bodies = shop.mint("s1", 400, &[]);
    let crowd = shop.client.stubborn_crowd("s1", bodies, 20, Duration::from_millis(20));
    let mut out = 0;
    for n in 0..10 {
        let answer = restock(&shop, &format!("out-{n}"), "item-0", -10).await;
        match answer.code().as_str() {
            "200" => out += 10,
            "conflict" => assert_eq!(restock(&shop, &format!("out-{n}"), "item-0", -10).await.code(), "conflict"),
            code => panic!("{code}: {answer:?}"),
        }
    }
    let seen = crowd.end().await;
    assert!(out > 0, "the crowd was faster than every withdrawal");
    assert_eq!(seen.accepted.len(), 200 - out, "what was taken out was not sold, and nothing else is missing");
    let ledger = shop.settled("s1").await;
    assert_eq!(ledger["items"][0]["stock"], 200 - out);
    let refused: i64 =
        sqlx::query_scalar("select count(*) from orders where status = 'rejected'").fetch_one(&shop.db).await.unwrap();
    assert_eq!(refused, 0, "whoever was admitted has an order");
    assert_eq!(restock(&shop, "too-many", "item-0", -1).await.code(), "conflict", "nothing is free");
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}

/// Whoever began a withdrawal and died is followed by the next process that looks.
#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_withdrawal_is_finished_by_another_process() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[10]).await;
    sqlx::query(
        "insert into restocks (sale_id, id, item_id, delta, state, via, created_at)
                 values ('s1', 'left', 'item-0', -4, 'withdrawing', 'api', now() - interval '10 seconds')",
    )
    .execute(&shop.db)
    .await
    .unwrap();
    eventually("the stock is smaller", Duration::from_secs(20), || async {
        let ledger = shop.ledger("s1").await;
        ledger["items"][0]["stock"] == 6 && ledger["items"][0]["free"] == 6 && ledger["items"][0]["difference"] == 0
    })
    .await;
    let again = restock(&shop, "left", "item-0", -4).await;
    assert_eq!((again.status, &again.json["changed"]), (200, &json!(false)), "{again:?}");
    shop.audit("s1", &[]).await;
    shop.close().await;
}
