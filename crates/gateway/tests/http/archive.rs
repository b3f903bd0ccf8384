//! What operators read about orders: lists, streams, and one story at a time.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::paying;
use crate::shop::{ADMIN_KEY, Answer, Shop};

const ORDERS: &str = "/admin/v1/sales/s1/orders";

async fn read(shop: &Shop, path: &str) -> Value {
    shop.operate("GET", path, None).await.expect(200).json
}

async fn found(shop: &Shop, text: &str) -> Vec<Value> {
    let answer = shop.operate("GET", &format!("/admin/v1/search?q={text}"), None).await.expect(200).json;
    assert_eq!(answer["query"], text);
    answer["found"].as_array().unwrap().clone()
}

fn job(answer: &Answer) -> String {
    answer.json["jobId"].as_str().unwrap().to_owned()
}

fn told(story: &Value) -> Vec<&str> {
    story["story"].as_array().unwrap().iter().map(|line| line["what"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_read_page_by_page_or_line_by_line() {
    let shop = Shop::selling(20, 1).await;
    let mut jobs = Vec::new();
    for n in 0..7 {
        jobs.push(job(&shop.buy(&format!("buyer-{n}"), 1).await.expect(202)));
    }
    shop.place().await;
    let cancel = format!("/api/v1/orders/{}/cancel", jobs[2]);
    let cancel = shop.request("POST", &cancel).bearer_auth(shop.login("buyer-2"));
    shop.send(cancel).await.expect(200);

    let (mut all, mut path) = (Vec::new(), format!("{ORDERS}?limit=3"));
    loop {
        let page = read(&shop, &path).await;
        all.extend(page["orders"].as_array().unwrap().clone());
        assert!(page["orders"].as_array().unwrap().len() <= 3, "{page}");
        let Some(next) = page["nextCursor"].as_str() else { break };
        path = format!("{ORDERS}?limit=3&cursor={next}");
    }
    let ids = |orders: &[Value]| orders.iter().map(|order| order["id"].clone()).collect::<Vec<_>>();
    let mut sorted = jobs.clone();
    sorted.sort();
    assert_eq!(json!(ids(&all)), json!(sorted));
    let first = &all[all.iter().position(|order| order["id"] == jobs[0]).unwrap()];
    assert_eq!((&first["buyer"], &first["item"], &first["quantity"]), (&json!("buyer-0"), &json!("red"), &json!(1)));
    assert_eq!((&first["status"], &first["jobId"]), (&json!("pending_payment"), &first["id"]));
    assert!(first["expiresAt"].is_string() && first["createdAt"].is_string() && first.get("paidAt").is_none());
    let cancelled = read(&shop, &format!("{ORDERS}?status=cancelled")).await;
    assert_eq!(
        (json!(ids(cancelled["orders"].as_array().unwrap())), &cancelled["nextCursor"]),
        (json!([jobs[2]]), &Value::Null)
    );

    let lines = shop.operation("GET", ORDERS).header("accept", "application/x-ndjson").bearer_auth(ADMIN_KEY);
    let lines = shop.send(lines).await.expect(200);
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    let streamed: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(streamed, all);

    for wrong in ["limit=0", "limit=1001", "status=lost", "cursor=x", "page=2"] {
        shop.operate("GET", &format!("{ORDERS}?{wrong}"), None).await.expect_problem(422, "validation-failed");
    }
    shop.operate("GET", "/admin/v1/sales/s9/orders", None).await.expect_problem(404, "not-found");
    shop.world.faults.store_away.store(true, Ordering::SeqCst);
    shop.operate("GET", ORDERS, None).await.expect_problem(503, "not-ready");
}

/// More than one page of a stream, and none of it twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_stream_has_every_order_once() {
    let shop = Shop::selling(2_500, 1).await;
    let sale = domain::ports::SaleStore::sale(&*shop.world.store, &"s1".parse().unwrap()).await.unwrap().unwrap();
    let batch: Vec<domain::Reservation> = (0..2_500_u16)
        .map(|n| domain::Reservation {
            job: domain::JobId::new(
                1_795_000_000_000,
                sale.route(),
                [0, 0, 0, 0, n.to_be_bytes()[0], n.to_be_bytes()[1]],
            ),
            buyer: format!("b{n}").parse().unwrap(),
            item: domain::ItemIndex::new(0),
            quantity: domain::Quantity::try_from(1_u64).unwrap(),
            admitted_at: domain::from_ms(1_795_000_000_000),
        })
        .collect();
    domain::ports::OrderStore::place(&*shop.world.store, &batch).await.unwrap();
    let lines =
        shop.operation("GET", ORDERS).header("accept", "text/plain, application/x-ndjson").bearer_auth(ADMIN_KEY);
    let text = shop.send(lines).await.expect(200).text;
    let ids: Vec<Value> = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(json!(ids), json!(batch.iter().map(|one| one.job).collect::<Vec<_>>()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_is_found_by_order_job_buyer_and_request() {
    let shop = Shop::selling(5, 1).await;
    let bought = shop.buy("ann", 1).await.expect(202);
    let (id, request) = (job(&bought), bought.header("x-request-id").to_owned());
    for text in [&id, &request] {
        let waiting = &found(&shop, text).await[0];
        assert_eq!(
            (&waiting["status"], &waiting["sale"], &waiting["buyer"]),
            (&json!("queued"), &json!("s1"), &json!("ann"))
        );
        assert_eq!(told(waiting)[..2], ["tokenIssued", "admitted"], "{waiting}");
    }
    assert_eq!(found(&shop, &id).await[0]["kind"], "job", "there is no order yet");
    assert_eq!(found(&shop, "ann").await, Vec::<Value>::new(), "nor is it found by its buyer");

    shop.place().await;
    for (text, kind) in [(&id, "order"), (&request, "request"), (&"ann".to_owned(), "buyer")] {
        let placed = found(&shop, text).await;
        assert_eq!((placed.len(), &placed[0]["kind"], &placed[0]["jobId"]), (1, &json!(kind), &json!(id)));
        assert_eq!(placed[0]["status"], "pending_payment");
        assert_eq!(told(&placed[0]), ["tokenIssued", "admitted", "published", "placed"]);
    }
    paying::act(&shop, "ann", &id, "payments").await.expect(201);
    shop.eventually(|shop| async { paying::status(shop, "ann", &id).await == "paid" }).await;
    let paid = &found(&shop, &id).await[0];
    let told_of = told(paid);
    assert!(
        told_of.ends_with(&["paid", "paymentReceived"]) || told_of.ends_with(&["paymentReceived", "paid"]),
        "{paid}"
    );
    let moments: Vec<&str> = paid["story"].as_array().unwrap().iter().filter_map(|line| line["at"].as_str()).collect();
    assert!(moments.is_sorted() && moments.len() >= 5, "{paid}");

    // What was refused left nothing, and the answer says so instead of guessing.
    let (token, refused) = shop.token("bob", "s1").await;
    shop.buy_with("s1", &token, 9).await.expect_problem(422, "quantity-invalid");
    for nothing in [refused.as_str(), "bob", "never-seen", "0123456789abcdef"] {
        let answer = shop.operate("GET", &format!("/admin/v1/search?q={nothing}"), None).await.expect(200).json;
        assert_eq!(answer["found"], json!([]), "{nothing}");
        assert!(answer["hints"][0].as_str().unwrap().contains("leaves nothing behind"), "{answer}");
    }
    for wrong in ["", "?q=", "?q=%20", "?text=x", &format!("?q={}", "x".repeat(65))] {
        let path = format!("/admin/v1/search{wrong}");
        shop.operate("GET", &path, None).await.expect_problem(422, "validation-failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_tells_of_dead_letters_refusals_and_what_it_could_not_ask() {
    let shop = Shop::selling(5, 1).await;
    let id = job(&shop.buy("ann", 1).await.expect(202));
    let mut lane = shop.world.queue.lane(domain::Shard::default());
    for delivery in lane.take(10).await.unwrap() {
        lane.dead_letter(&delivery, "a test buried it").await.unwrap();
        lane.ack(&[delivery.tag]).await.unwrap();
    }
    let buried = &found(&shop, &id).await[0];
    assert_eq!(*told(buried).last().unwrap(), "deadLettered", "{buried}");
    assert!(buried["story"].to_string().contains("a test buried it"), "{buried}");
    shop.operate("POST", "/admin/v1/dead-letters/discard", Some(json!({ "all": true }))).await.expect(200);
    let ended = &found(&shop, &id).await[0];
    assert_eq!((&ended["status"], told(ended).last()), (&json!("rejected"), Some(&"refused")));
    assert_eq!(ended["story"].as_array().unwrap().last().unwrap()["detail"], "discarded");

    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    let answer = shop.operate("GET", &format!("/admin/v1/search?q={id}"), None).await.expect(200).json;
    assert_eq!(answer["found"][0]["status"], "rejected");
    assert!(answer["hints"].to_string().contains("The gate does not answer"), "{answer}");
    shop.world.faults.store_away.store(true, Ordering::SeqCst);
    shop.operate("GET", &format!("/admin/v1/search?q={id}"), None).await.expect_problem(503, "not-ready");
}
