//! What was asked, over all gateways: the live stream and the report on real servers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{ADMIN_KEY, TestShop, eventually};

/// What a killed gateway may not have told: the second in which it was killed, and the time that a write takes.
const LAST_WORDS: Duration = Duration::from_millis(2_000);

async fn report_of(shop: &TestShop, gateway: usize) -> Value {
    let url = format!("{}/admin/v1/sales/s1/report", shop.client.operators[gateway]);
    let answer = shop.client.send(shop.client.http.get(url).bearer_auth(ADMIN_KEY)).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json
}

/// Answers by their code, as the report has them.
fn by_code(report: &Value) -> BTreeMap<String, u64> {
    let refused = report["refused"].as_object().unwrap().iter();
    let mut codes: BTreeMap<String, u64> = refused.map(|(code, n)| (code.clone(), n.as_u64().unwrap())).collect();
    for word in ["accepted", "repeated"] {
        codes.extend(report[word].as_u64().filter(|n| *n > 0).map(|n| (word.to_owned(), n)));
    }
    assert_eq!(report["asked"], codes.values().sum::<u64>(), "{report}");
    codes
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_are_one_sum_and_one_that_is_killed_is_counted_once_but_for_its_last_second() {
    let mut shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[30]).await;
    let bodies = shop.mint("s1", 100, &[]);
    let seen = shop.client.crowd("s1", bodies.clone(), 20).await;
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for (_, code) in &seen.answers {
        *expected.entry(code.clone()).or_default() += 1;
    }
    eventually("both gateways tell the same, and all of it", Duration::from_secs(10), async || {
        let reports = [report_of(&shop, 0).await, report_of(&shop, 1).await];
        reports.iter().all(|report| by_code(report) == expected)
    })
    .await;
    let each: Vec<(String, i64)> = sqlx::query_as(
        "select instance, sum((select sum(n::bigint) from jsonb_each_text(activity -> 'answers') as a(code, n)))::bigint
         from activity where activity ? 'answers' group by instance",
    )
    .fetch_all(&shop.db)
    .await
    .unwrap();
    assert_eq!(each.len(), 2, "both have answered: {each:?}");

    // One is asked until it is killed, and again when it is back.
    let mut answered = Vec::new();
    let began = Instant::now();
    for body in bodies.iter().cycle() {
        if began.elapsed() > Duration::from_secs(5) {
            break;
        }
        shop.client.buy(0, "s1", body).await;
        answered.push(Instant::now());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.gateways[0].kill9();
    let killed = Instant::now();
    shop.gateways[0].start_again();
    shop.client.ready(0).await;
    for body in bodies.iter().take(40) {
        shop.client.insist(0, "s1", body).await;
        shop.client.insist(1, "s1", body).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let reports = [report_of(&shop, 0).await, report_of(&shop, 1).await];
    assert_eq!(by_code(&reports[0]), by_code(&reports[1]));
    let asked = reports[0]["asked"].as_u64().unwrap();
    let (before, all) = (expected.values().sum::<u64>(), answered.len() as u64);
    let certain = answered.iter().filter(|at| **at + LAST_WORDS < killed).count() as u64;
    assert!(asked <= before + all + 80, "nothing counts twice: {asked} of {before} + {all} + 80");
    assert!(before + certain + 80 <= asked, "only the last second is lost: {asked} of {before} + {certain} + 80");
    assert_eq!(reports[0]["accepted"], 30);
    assert_eq!((&reports[0]["items"][0]["sold"], &reports[0]["buyers"]), (&json!(30), &json!(30)));
    assert_eq!((&reports[0]["ledgerDifference"], &reports[0]["missing"]), (&json!(0), &json!([])));
    assert!(reports[0]["soldOutAt"].is_string(), "{}", reports[0]);
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}

/// The events of a live stream, each with the moment at which it came.
async fn watch(shop: &TestShop, gateway: usize, during: Duration) -> Vec<(Instant, String, Value)> {
    let url = format!("{}/admin/v1/sales/s1/live", shop.client.operators[gateway]);
    let mut answer = shop.client.http.get(url).bearer_auth(ADMIN_KEY).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let (mut text, mut events, end) = (String::new(), Vec::new(), tokio::time::Instant::now() + during);
    while let Ok(chunk) = tokio::time::timeout_at(end, answer.chunk()).await {
        text.push_str(std::str::from_utf8(&chunk.unwrap().expect("the stream goes on")).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            if let Some((name, data)) = event.split_once("\ndata: ") {
                let name = name.strip_prefix("event: ").unwrap().to_owned();
                events.push((Instant::now(), name, serde_json::from_str(data).unwrap()));
            }
            text = rest.to_owned();
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_stream_tells_once_a_second_while_a_crowd_presses() {
    let shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[200]).await;
    let bodies = shop.mint("s1", 400, &[]);
    let pressing = async {
        let began = Instant::now();
        let mut seen = shop.client.crowd("s1", bodies.clone(), 64).await;
        let accepted = std::mem::take(&mut seen.accepted);
        let mut answers = seen.answers.len() as u64;
        while began.elapsed() < Duration::from_secs(10) {
            answers += shop.client.crowd("s1", bodies.clone(), 64).await.answers.len() as u64;
        }
        (accepted, answers)
    };
    let ((accepted, answers), events) = tokio::join!(pressing, watch(&shop, 1, Duration::from_secs(14)));
    assert_eq!(events[0].1, "history");
    let live: Vec<_> = events.iter().filter(|(_, name, _)| name == "live").collect();
    assert!(live.len() >= 11, "{} events in fourteen seconds", live.len());
    let gap = live.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
    assert!(gap < Duration::from_millis(2_500), "{gap:?} without a word");
    let last = &live.last().unwrap().2;
    assert_eq!((&last["funnel"]["asked"], &last["funnel"]["accepted"]), (&json!(answers), &json!(200)), "{last:#}");
    assert_eq!(last["missing"], json!([]), "{last:#}");
    assert_eq!(last["gateways"].as_array().unwrap().len(), 2, "{last:#}");
    assert!(last["items"][0]["soldOutAt"].is_string(), "{last:#}");
    let names: Vec<_> = last["dependencies"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, [json!("redis"), json!("rabbitmq"), json!("postgres")]);
    for stage in ["answer", "admit", "publish", "place"] {
        let timed = live.iter().any(|(_, _, live)| live["latencyMs"][stage]["p99"].as_f64().is_some_and(|ms| ms > 0.0));
        assert!(timed, "{stage} was never timed");
    }
    let some = |rate: &str| live.iter().any(|(_, _, live)| live["perSecond"][rate].as_f64().is_some_and(|n| n > 0.0));
    assert!(["asked", "accepted", "refused", "placed"].into_iter().all(some), "{last:#}");
    shop.audit("s1", &accepted).await;
    shop.close().await;
}

/// `docs/ARCHITECTURE.md`, "What accumulates".
#[tokio::test(flavor = "multi_thread")]
async fn the_report_outlives_redis() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[5]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", 20, &[]), 5).await;
    shop.audit("s1", &seen.accepted).await;
    eventually("all of it is written", Duration::from_secs(10), async || report_of(&shop, 0).await["asked"] == 20)
        .await;
    let closed = shop.client.operate("POST", "/admin/v1/sales/s1/close", None).await;
    assert_eq!(closed.status, 200, "{closed:?}");
    // As a day after the sale, when nothing of it is left there; nobody loads again what is over.
    let long_ago = "update sales set closes_at = now() - interval '2 days', opens_at = now() - interval '3 days'";
    sqlx::query(long_ago).execute(&shop.db).await.unwrap();
    shop.lose("s1").await;
    let report = report_of(&shop, 0).await;
    assert_eq!((&report["phase"], &report["missing"]), (&json!("ended"), &json!(["ledger"])), "{report:#}");
    assert_eq!((&report["accepted"], &report["refused"]["sold-out"]), (&json!(5), &json!(15)), "{report:#}");
    assert_eq!((&report["items"][0]["unpaid"], &report["buyers"]), (&json!(5), &json!(5)), "{report:#}");
    shop.close().await;
}
