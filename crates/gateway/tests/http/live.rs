//! The stream that consoles watch.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::shop::{ADMIN_KEY, Shop};

/// One console.
struct Console {
    answer: reqwest::Response,
    text: String,
}

impl Console {
    async fn open(shop: &Shop, sale: &str) -> Self {
        let path = format!("/admin/v1/sales/{sale}/live");
        let answer = shop.operation("GET", &path).bearer_auth(ADMIN_KEY).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        Self { answer, text: String::new() }
    }

    /// The next event; `None` when the stream has ended.
    async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if event.starts_with(':') {
                    continue;
                }
                let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
                return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
            }
            let chunk = self.answer.chunk().await.ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn expect(&mut self, name: &str) -> Value {
        let (found, data) = self.event().await.expect("the stream goes on");
        assert_eq!(found, name, "{data}");
        data
    }

    /// The first `live` that is so.
    async fn until(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..15 {
            let (name, data) = self.event().await.expect("the stream goes on");
            if name == "live" && holds(&data) {
                return data;
            }
            last = data;
        }
        panic!("not within fifteen events; at last {last:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_sees_the_whole_sale_and_then_each_second() {
    let shop = Shop::selling(4, 1).await;
    shop.buy("ann", 1).await.expect(202);
    shop.buy("bob", 1).await.expect(202);
    shop.place().await;
    shop.buy("ann", 1).await.expect_problem(409, "limit-reached");
    shop.activity_of("s1", 3).await;
    let mut console = Console::open(&shop, "s1").await;
    let history = console.expect("history").await;
    assert_eq!(history["stepSeconds"], 1);
    let points = history["points"].as_array().unwrap();
    let sum = |name: &str| points.iter().filter_map(|point| point[name].as_u64()).sum::<u64>();
    assert_eq!((sum("asked"), sum("accepted"), sum("refused")), (3, 2, 1), "{history}");
    assert!(points.iter().any(|point| point["p99Ms"].as_f64().is_some_and(|ms| ms > 0.0)), "{history}");

    let settled = |live: &Value| live["items"][0]["held"] == 2 && live["funnel"]["asked"] == 3;
    let live = console.until(settled).await;
    assert_eq!((&live["phase"], &live["missing"]), (&json!("open"), &json!([])), "{live:#}");
    let item = json!({ "id": "red", "title": "Red", "stock": 4, "free": 2, "unpublished": 0, "queued": 0, "held": 2,
                       "paid": 0, "difference": 0 });
    assert_eq!(live["items"], json!([item]));
    let funnel = json!({ "asked": 3, "accepted": 2, "repeated": 0, "refused": { "limit-reached": 1 } });
    assert_eq!(live["funnel"], funnel);
    assert_eq!((&live["queue"]["depth"], &live["deadLetters"]), (&json!(0), &json!(0)));
    assert_eq!(live["gateways"][0]["instance"], "gateway-of-a-tes");
    assert_eq!((&live["dependencies"][0]["name"], &live["dependencies"][0]["ok"]), (&json!("embedded"), &json!(true)));
    for quantile in ["p50", "p95", "p99"] {
        assert!(live["latencyMs"]["answer"][quantile].as_f64().is_some_and(|ms| ms > 0.0), "{live:#}");
    }

    // Once a second, and what is new is told.
    let started = Instant::now();
    shop.buy("kim", 1).await.expect(202);
    shop.buy("lea", 1).await.expect(202);
    shop.place().await;
    let sold_out = console.until(|live| live["phase"] == "soldOut" && live["items"][0]["soldOutAt"].is_string()).await;
    assert_eq!((&sold_out["items"][0]["free"], &sold_out["items"][0]["held"]), (&json!(0), &json!(4)));
    for _ in 0..3 {
        console.expect("live").await;
    }
    let took = started.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_secs(9)).contains(&took), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_watch_the_stores_are_asked_once_a_second_and_not_at_all_when_nobody_does() {
    let shop = Shop::selling(4, 1).await;
    let asked = || shop.world.faults.activity_read.load(Ordering::SeqCst);
    let mut consoles = Vec::new();
    for _ in 0..20 {
        consoles.push(Console::open(&shop, "s1").await);
    }
    for console in &mut consoles {
        console.expect("history").await;
        console.expect("live").await;
    }
    let (before, started) = (asked(), Instant::now());
    for _ in 0..4 {
        for console in &mut consoles {
            console.expect("live").await;
        }
    }
    let seconds = started.elapsed().as_secs() + 1;
    assert!((3..=seconds + 1).contains(&(asked() - before)), "{} in {seconds} s", asked() - before);
    drop(consoles);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let before = asked();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(asked(), before, "nobody watches");
    Console::open(&shop, "s1").await.expect("history").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_cannot_be_read_is_missing_and_named_and_the_rest_is_told() {
    let shop = Shop::selling(4, 1).await;
    shop.buy("ann", 1).await.expect(202);
    shop.activity_of("s1", 1).await;
    shop.world.faults.store_away.store(true, Ordering::SeqCst);
    let mut console = Console::open(&shop, "s1").await;
    let history = console.expect("history").await;
    assert_eq!(history["points"], json!([]), "it cannot be read yet");
    let missing = |live: &Value, part: &str| live["missing"].as_array().unwrap().contains(&json!(part));
    let live = console.until(|live| missing(live, "ledger")).await;
    assert!(missing(&live, "activity") && missing(&live, "gateways") && !missing(&live, "queue"), "{live:#}");
    assert!(live["funnel"].is_null() && live["perSecond"].is_null() && live["items"][0]["free"].is_null(), "{live:#}");
    assert_eq!((&live["queue"]["depth"], &live["items"][0]["stock"]), (&json!(1), &json!(4)));
    shop.world.faults.store_away.store(false, Ordering::SeqCst);
    // The past is told as soon as it can be read.
    loop {
        let (name, data) = console.event().await.unwrap();
        if name == "history" {
            assert!(!data["points"].as_array().unwrap().is_empty());
            break;
        }
    }
    console.until(|live| live["missing"] == json!([]) && live["funnel"]["accepted"] == 1).await;
    drop(console);

    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    let mut console = Console::open(&shop, "s1").await;
    let live = console.until(|live| missing(live, "queue")).await;
    assert!(missing(&live, "ledger") && !missing(&live, "activity"), "{live:#}");
    assert_eq!(live["dependencies"][0]["ok"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_and_there_is_none_of_no_sale() {
    let shop = Shop::selling(4, 1).await;
    let mut consoles = Vec::new();
    for _ in 0..64 {
        consoles.push(Console::open(&shop, "s1").await);
    }
    shop.operate("GET", "/admin/v1/sales/s1/live", None).await.expect_problem(503, "overloaded");
    consoles.truncate(60);
    shop.eventually(|shop| {
        let request = shop.operation("GET", "/admin/v1/sales/s1/live").bearer_auth(ADMIN_KEY).send();
        async move { request.await.unwrap().status() == 200 }
    })
    .await;
    shop.operate("GET", "/admin/v1/sales/none/live", None).await.expect_problem(404, "not-found");
    shop.operate("GET", "/admin/v1/sales/NO%20ID/live", None).await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_the_server_stops_and_holds_nobody_up() {
    let mut shop = Shop::selling(4, 1).await;
    let mut console = Console::open(&shop, "s1").await;
    console.expect("history").await;
    let started = Instant::now();
    shop.stop.cancel();
    while console.event().await.is_some() {}
    shop.served.take().unwrap().await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}
