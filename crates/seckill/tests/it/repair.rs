//! A difference in the books is explained, raises the alarm, and is repaired.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{TestShop, eventually};

async fn reconcile(shop: &TestShop, body: Value) -> Value {
    let answer = shop.client.operate("POST", "/admin/v1/sales/s1/reconcile", Some(body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json
}

/// One command on a key of the sale in Redis, behind everybody's back.
async fn tamper(shop: &TestShop, command: &str, key: &str, field: &[u8], value: Option<i64>) {
    let number: i32 = sqlx::query_scalar("select number from sales").fetch_one(&shop.db).await.unwrap();
    let client = redis::Client::open(shop.servers.redis.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(command);
    command.arg(format!("{}:{{{number}.0}}:{key}", shop.namespace)).arg(field);
    if let Some(value) = value {
        command.arg(value);
    }
    let _: i64 = command.query_async(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_unit_of_a_difference_is_explained_alarmed_and_repaired_by_loading_the_sale_again() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[10]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", 4, &[]), 4).await;
    shop.audit("s1", &seen.accepted).await;
    let clean = reconcile(&shop, json!({})).await;
    assert_eq!((&clean["balanced"], &clean["findings"]), (&json!(true), &json!([])), "{clean}");
    assert_eq!((&clean["records"], &clean["orders"]), (&json!(4), &json!(4)));

    // A counter that somebody overwrote, each way.
    for (planted, units, word) in [(1, -1, "invented"), (-2, 1, "lost")] {
        tamper(&shop, "HINCRBY", "sale", b"f0", Some(planted)).await;
        let found = reconcile(&shop, json!({})).await;
        assert_eq!(found["balanced"], false);
        assert_eq!(found["items"][0]["difference"], units);
        let findings = found["findings"].as_array().unwrap();
        assert_eq!((findings.len(), &findings[0]["units"]), (1, &json!(units)), "{found}");
        assert!(findings[0]["what"].as_str().unwrap().contains(word), "{found}");
    }
    // A record that vanished: the gate forgets a unit that is sold. Nothing shows in the counters, the jobs tell.
    let job: uuid::Uuid = seen.accepted[0].parse().unwrap();
    tamper(&shop, "HDEL", "jobs", job.as_bytes(), None).await;
    let found = reconcile(&shop, json!({})).await;
    let findings = found["findings"].as_array().unwrap();
    let about =
        findings.iter().find(|finding| finding["jobId"] == seen.accepted[0]).unwrap_or_else(|| panic!("{found}"));
    assert!(about["what"].as_str().unwrap().contains("never heard"), "{about}");

    // After thirty seconds everybody who watches is told.
    eventually("the alarm is raised", Duration::from_secs(45), || async {
        let metrics = shop.client.http.get(format!("{}/metrics", shop.client.operators[0]));
        let text = metrics.bearer_auth(crate::common::ADMIN_KEY).send().await.unwrap().text().await.unwrap();
        text.contains("seckill_ledger_alarm{sale=\"s1\"} 1")
    })
    .await;
    assert!(shop.gateways[0].log().contains("have not balanced for 30 s"));

    let repaired = reconcile(&shop, json!({ "repair": true, "reason": "a test" })).await;
    assert_eq!(repaired["repairedInEpoch"], 2, "{repaired}");
    let clean = reconcile(&shop, json!({ "repair": true })).await;
    assert_eq!((&clean["balanced"], &clean["repairedInEpoch"]), (&json!(true), &Value::Null), "nothing to repair");
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}

/// Mistakes 8 and 9: neither a restart, nor a warm-up, nor a reconciliation in the middle of a sale moves a unit.
#[tokio::test(flavor = "multi_thread")]
async fn restarts_warm_ups_and_reconciliations_under_load_change_nothing_that_is_sold() {
    let mut shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[2_000]).await;
    let bodies = shop.mint("s1", 4_000, &[]);
    let crowd = shop.client.stubborn_crowd("s1", bodies, 50, Duration::from_millis(120));
    let mut rounds = 0;
    while rounds < 20 || !crowd.is_finished() {
        shop.gateways[1].kill9();
        shop.gateways[1].start_again();
        let warm = shop.client.operate("POST", "/admin/v1/sales/s1/warm", None).await;
        assert_eq!((warm.status, &warm.json["changed"]), (200, &json!(false)), "{warm:?}");
        let found = reconcile(&shop, json!({ "repair": true })).await;
        assert_eq!((&found["balanced"], &found["repairedInEpoch"]), (&json!(true), &Value::Null), "{found}");
        shop.client.ready(1).await;
        rounds += 1;
    }
    let seen = crowd.end().await;
    println!("{rounds} restarts, warm-ups and reconciliations while the crowd bought");
    shop.settled("s1").await;
    shop.audit("s1", &seen.accepted).await;
    assert_eq!(shop.live_orders("s1").await, 2_000);
    let epoch: i32 = sqlx::query_scalar("select epoch from sales").fetch_one(&shop.db).await.unwrap();
    assert_eq!(epoch, 1, "it was loaded once");
    shop.close().await;
}

/// The gate loses the sale again and again while orders are cancelled: some in the middle of a rebuild, some tokens
/// are sent again after it.
#[tokio::test(flavor = "multi_thread")]
async fn orders_cancelled_during_a_rebuild_and_their_tokens_sent_again_after_it_move_each_unit_once() {
    const ORDERS: usize = 2_000;
    let shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[ORDERS as i64]).await;
    let bodies = shop.mint("s1", ORDERS as u32, &[]);
    let seen = shop.client.crowd("s1", bodies.clone(), 50).await;
    assert_eq!(seen.accepted.len(), ORDERS);
    shop.settled("s1").await;
    let orders: Vec<(String, String)> =
        sqlx::query_as("select id::text, buyer_id from orders order by id").fetch_all(&shop.db).await.unwrap();
    let mut cancelled = 0;
    for round in orders[..1_000].chunks(200) {
        shop.lose("s1").await;
        // The keeper looks twice a second: these fall before, into and after the loading.
        for (id, buyer) in round {
            let path = format!("/api/v1/orders/{id}/cancel");
            let answer = shop.client.as_buyer(cancelled % 2, "POST", &path, buyer).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            cancelled += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    eventually("each cancelled unit is free", Duration::from_secs(30), || async {
        shop.settled("s1").await["items"][0]["free"] == cancelled
    })
    .await;
    let epoch: i32 = sqlx::query_scalar("select epoch from sales").fetch_one(&shop.db).await.unwrap();
    assert!(epoch >= 5, "the sale was loaded again in most rounds, and not {epoch} times");

    // A token whose order was cancelled before the last loss leads to its job, and takes nothing.
    shop.lose("s1").await;
    let jobs: std::collections::HashSet<&str> = orders.iter().map(|(id, _)| id.as_str()).collect();
    for body in &bodies[..100] {
        let again = shop.client.insist(0, "s1", body).await;
        assert_eq!(again.status, 202, "{again:?}");
        assert!(jobs.contains(again.job().as_str()), "another job: {again:?}");
    }
    assert_eq!(shop.settled("s1").await["items"][0]["free"], cancelled, "the tokens took nothing");
    let rest = shop.client.crowd("s1", shop.mint("s1", 1_500, &["--prefix", "late-"]), 50).await;
    assert_eq!(rest.accepted.len(), cancelled, "each unit that came back is sold once");
    shop.audit("s1", &[seen.accepted, rest.accepted].concat()).await;
    shop.close().await;
}

/// Tombstones: the row comes first, and a message that arrives later finds it.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_hangs_is_ended_by_an_operator_and_its_message_changes_nothing_later() {
    let mut shop = TestShop::start(1, 2).await;
    shop.sale("s1", 1, &[2]).await;
    let bodies = shop.mint("s1", 2, &[]);
    let placed = shop.client.insist(0, "s1", &bodies[0]).await.job();
    shop.client.finished(0, &placed).await;
    // Nobody consumes; the message waits.
    shop.consumers.iter_mut().for_each(crate::common::Running::kill9);
    let hanging = shop.client.insist(0, "s1", &bodies[1]).await.job();
    let discard = async |job: &str| {
        let body = Some(json!({ "reason": "a test" }));
        shop.client.operate("POST", &format!("/admin/v1/jobs/{job}/discard"), body).await
    };
    let ended = discard(&hanging).await;
    assert_eq!((ended.status, &ended.json["status"], &ended.json["changed"]), (200, &json!("refused"), &json!(true)));
    let kept = discard(&placed).await;
    assert_eq!((&kept.json["status"], &kept.json["changed"]), (&json!("placed"), &json!(false)), "{kept:?}");
    assert_eq!(discard("01a1fe3a-4b22-8000-8040-94994eff9019").await.code(), "not-found");
    shop.consumers.iter_mut().for_each(crate::common::Running::start_again);
    let job = shop.client.finished(0, &hanging).await;
    assert_eq!((&job["status"], &job["reason"]), (&json!("refused"), &json!("discarded")), "{job}");
    let ledger = shop.settled("s1").await;
    assert_eq!((&ledger["items"][0]["free"], &ledger["items"][0]["held"]), (&json!(1), &json!(1)), "{ledger}");
    shop.audit("s1", &[placed, hanging]).await;
    shop.close().await;
}

/// A sale that an older version has loaded knows no revision of its stock: it is loaded again, and restocks work.
#[tokio::test(flavor = "multi_thread")]
async fn a_sale_loaded_by_an_older_version_is_loaded_again_by_itself() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[3]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", 2, &[]), 2).await;
    shop.settled("s1").await;
    for field in ["s0", "r0"] {
        tamper(&shop, "HDEL", "sale", field.as_bytes(), None).await;
    }
    eventually("it is loaded again", Duration::from_secs(10), || async {
        let epoch: i32 = sqlx::query_scalar("select epoch from sales").fetch_one(&shop.db).await.unwrap();
        epoch == 2 && shop.ledger("s1").await["items"][0]["free"] == 1
    })
    .await;
    let body = json!({ "id": "more", "item": "item-0", "delta": 4 });
    let answer = shop.client.operate("POST", "/admin/v1/sales/s1/restock", Some(body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    eventually("the gate has heard of it", Duration::from_secs(10), || async {
        shop.settled("s1").await["items"][0]["free"] == 5
    })
    .await;
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}
