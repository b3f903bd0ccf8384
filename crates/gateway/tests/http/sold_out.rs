//! The sold-out answer from memory: given to strangers only, and only while it is certain.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::ports::Gate as _;
use domain::{Hold, ItemIndex, JobId, Outcome};
use serde_json::json;

use crate::shop::{Answer, Shop, unlimited};

/// A shop where `stock` buyers have bought everything and one stranger's refusal in a look is reason for a lease.
async fn sold_out(stock: i64) -> (Shop, Vec<(String, String)>) {
    let mut settings = unlimited();
    settings.sold_out.from_per_s = 1;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", stock, 1).await;
    let mut bought = Vec::new();
    for n in 0..stock {
        let (token, job) = shop.token(&format!("owner-{n}"), "s1").await;
        shop.buy_with("s1", &token, 1).await.expect(202);
        bought.push((token, job));
    }
    (shop, bought)
}

fn asked(shop: &Shop) -> u64 {
    shop.world.faults.asked.load(Ordering::SeqCst)
}

/// Strangers press until one of them is answered without the gate.
async fn flooded(shop: &Shop) -> Answer {
    for n in 0..1_000 {
        let (token, _) = shop.token(&format!("stranger-{n}"), "s1").await;
        let before = asked(shop);
        let answer = shop.buy_with("s1", &token, 1).await.expect_problem(409, "sold-out");
        if asked(shop) == before {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("each of a thousand was asked for at the gate");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_told_sold_out_without_a_question_and_whoever_was_admitted_is_never_denied() {
    let (shop, bought) = sold_out(3).await;
    let (stranger, _) = shop.token("bob", "s1").await;
    let (again, _) = shop.token("owner-0", "s1").await;
    let from_the_gate = shop.buy_with("s1", &stranger, 1).await.expect_problem(409, "sold-out");
    let from_memory = flooded(&shop).await;
    for field in ["type", "title", "status", "detail", "code", "retryable", "mayReturnUntil"] {
        assert_eq!(from_memory.json[field], from_the_gate.json[field], "{field}");
    }

    // Nothing can be asked now: what is answered comes from memory.
    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    shop.buy_with("s1", &stranger, 1).await.expect_problem(409, "sold-out");
    for (token, _) in &bought {
        shop.buy_with("s1", token, 1).await.expect_problem(503, "not-ready");
    }
    shop.buy_with("s1", &again, 1).await.expect_problem(503, "not-ready");
    // Without an answer to the next question the lease runs out.
    shop.eventually(|shop| async { shop.buy_with("s1", &stranger, 1).await.status == 503 }).await;
    shop.world.faults.gate_away.store(false, Ordering::SeqCst);

    flooded(&shop).await;
    for (token, job) in &bought {
        assert_eq!(shop.buy_with("s1", token, 1).await.expect(202).json["jobId"], json!(job));
    }
    shop.buy_with("s1", &again, 1).await.expect_problem(409, "limit-reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_not_simply_sold_out_is_asked_for() {
    let (shop, _) = sold_out(1).await;
    let (late, _) = shop.token("zoe", "s1").await;
    shop.clock.go_on(130_000);
    flooded(&shop).await;
    let (token, _) = shop.token("bob", "s1").await;
    shop.buy_with("s1", &late, 1).await.expect_problem(403, "token-expired");
    shop.buy_with("s1", &token, 2).await.expect_problem(422, "quantity-invalid");
    let unknown = json!({ "token": token, "item": "blue", "quantity": 1 }).to_string();
    shop.post("/api/v1/sales/s1/orders", unknown).await.expect_problem(404, "not-found");
    shop.operate("POST", "/admin/v1/sales/s1/pause", None).await.expect(200);
    shop.eventually(|shop| async { shop.buy_with("s1", &token, 1).await.json["code"] == "sale-paused" }).await;
    shop.operate("POST", "/admin/v1/sales/s1/close", None).await.expect(200);
    shop.eventually(|shop| async { shop.buy_with("s1", &token, 1).await.json["code"] == "sale-ended" }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_comes_back_is_sold_once_and_its_buyer_is_known_from_then_on() {
    let (shop, bought) = sold_out(1).await;
    flooded(&shop).await;
    let job: JobId = bought[0].1.parse().unwrap();
    let back = Hold {
        job,
        rev: 2,
        buyer: Some("owner-0".parse().unwrap()),
        item: Some(ItemIndex::new(0)),
        quantity: 1,
        units: 0,
        outcome: Outcome::Placed,
        at: domain::ports::Clock::now(&*shop.clock),
    };
    shop.world.gate.hold(job.route(), &[back], None).await.unwrap();
    let (token, _) = shop.token("bob", "s1").await;
    // Not before the last lease has run out; its time is the gate's, which stands still here.
    shop.buy_with("s1", &token, 1).await.expect_problem(409, "sold-out");
    shop.clock.go_on(1_500);
    shop.eventually(|shop| async { shop.buy_with("s1", &token, 1).await.status == 202 }).await;
    flooded(&shop).await;
    for _ in 0..20 {
        shop.buy_with("s1", &token, 1).await.expect(202);
    }
    shop.buy_with("s1", &bought[0].0, 1).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_refusals_are_no_reason_to_hold_up_units() {
    let shop = Shop::selling(0, 1).await;
    for n in 0..60 {
        let (token, _) = shop.token(&format!("stranger-{n}"), "s1").await;
        let before = asked(&shop);
        shop.buy_with("s1", &token, 1).await.expect_problem(409, "sold-out");
        assert_eq!(asked(&shop), before + 1, "the gate is asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_with_more_jobs_than_memory_is_for_asks_the_gate() {
    let mut settings = unlimited();
    settings.sold_out.from_per_s = 1;
    settings.sold_out.jobs_max = 1;
    let shop = Shop::start_with(settings).await;
    shop.open("s1", 2, 1).await;
    for n in 0..42 {
        let (token, _) = shop.token(&format!("buyer-{n}"), "s1").await;
        let before = asked(&shop);
        shop.buy_with("s1", &token, 1).await.expect(if n < 2 { 202 } else { 409 });
        assert_eq!(asked(&shop), before + 1);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_panics_is_followed_by_another_one() {
    let (shop, _) = sold_out(1).await;
    shop.world.faults.records_panic.store(true, Ordering::SeqCst);
    let mut strangers = 0;
    while shop.world.faults.records_panic.load(Ordering::SeqCst) {
        assert!(strangers < 1_000, "nobody reads");
        shop.buy(&format!("early-{strangers}"), 1).await.expect_problem(409, "sold-out");
        strangers += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    flooded(&shop).await;
}
