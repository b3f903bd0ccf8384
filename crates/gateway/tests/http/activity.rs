//! Every answer is counted once, under its code.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use domain::ports::{ActivityStore as _, SaleStore as _};
use domain::{Activity, Stage};
use serde_json::json;

use crate::shop::Shop;

impl Shop {
    /// What was written of a sale so far.
    pub async fn activity(&self, sale: &str) -> Activity {
        let sale = self.world.store.sale(&sale.parse().unwrap()).await.unwrap().unwrap();
        let mut sum = Activity::default();
        let noted = self.world.store.activity(sale.number, 0, 10_000).await.unwrap();
        noted.iter().for_each(|noted| sum.add(&noted.row.activity));
        sum
    }

    /// What was written, once so many answers are.
    pub async fn activity_of(&self, sale: &str, asked: u64) -> Activity {
        self.eventually(|shop| async move { shop.activity(sale).await.asked() >= asked }).await;
        self.activity(sale).await
    }
}

fn counts(activity: &Activity) -> BTreeMap<&str, u64> {
    activity.answers.iter().map(|(code, count)| (code.as_str(), *count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_counted_once_by_its_code_and_they_add_up() {
    let shop = Shop::selling(3, 1).await;
    shop.open("other", 5, 1).await;
    let orders = "/api/v1/sales/s1/orders";
    let (ann, _) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &ann, 1).await.expect(202);
    shop.buy_with("s1", &ann, 1).await.expect(202);
    shop.place().await;
    shop.buy("ann", 1).await.expect_problem(409, "limit-reached");
    shop.buy("bob", 1).await.expect(202);
    shop.buy("eve", 1).await.expect(202);
    for buyer in ["kim", "lea", "mia"] {
        shop.buy(buyer, 1).await.expect_problem(409, "sold-out");
    }
    shop.post(orders, "nonsense").await.expect_problem(400, "malformed");
    shop.post(orders, json!({ "token": "x", "item": "red", "quantity": 1 }).to_string())
        .await
        .expect_problem(403, "token-invalid");
    let plain = shop.request("POST", orders).header("content-type", "text/plain").body("x");
    shop.send(plain).await.expect_problem(415, "unsupported-media-type");
    let (elsewhere, _) = shop.token("zoe", "other").await;
    shop.buy_with("s1", &elsewhere, 1).await.expect_problem(403, "token-mismatch");
    shop.buy("noa", 0).await.expect_problem(422, "quantity-invalid");
    shop.operate("POST", "/admin/v1/sales/s1/pause", None).await.expect(200);
    shop.buy("oli", 1).await.expect_problem(503, "sale-paused");
    let (pam, _) = shop.token("pam", "s1").await;
    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    shop.buy_with("s1", &pam, 1).await.expect_problem(503, "not-ready");
    shop.world.faults.gate_away.store(false, Ordering::SeqCst);
    // A sale that there is not is nobody's.
    shop.buy_with("none", &pam, 1).await.expect_problem(404, "not-found");

    let seen = shop.activity_of("s1", 15).await;
    let expected = BTreeMap::from([
        ("accepted", 3),
        ("repeated", 1),
        ("limit-reached", 1),
        ("sold-out", 3),
        ("malformed", 1),
        ("token-invalid", 1),
        ("unsupported-media-type", 1),
        ("token-mismatch", 1),
        ("quantity-invalid", 1),
        ("sale-paused", 1),
        ("not-ready", 1),
    ]);
    assert_eq!(counts(&seen), expected);
    assert_eq!(seen.asked(), seen.accepted() + seen.repeated() + seen.refused().map(|(_, count)| count).sum::<u64>());
    let timed = |stage| Vec::from(seen.latencies[&stage].clone()).chunks(2).map(|pair| pair[1]).sum::<u64>();
    assert_eq!(timed(Stage::Answer), 15, "each answer was timed");
    assert!(timed(Stage::Admit) >= 8 && timed(Stage::Publish) >= 3, "{seen:?}");
    assert!(shop.activity("other").await.answers.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_the_database_is_away_is_told_when_it_is_back() {
    let shop = Shop::selling(1, 1).await;
    let bodies: Vec<_> = [shop.token("ann", "s1").await, shop.token("bob", "s1").await].into();
    shop.world.faults.store_away.store(true, Ordering::SeqCst);
    shop.buy_with("s1", &bodies[0].0, 1).await.expect(202);
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    shop.buy_with("s1", &bodies[1].0, 1).await.expect_problem(409, "sold-out");
    assert_eq!(shop.activity("s1").await.asked(), 0);
    shop.world.faults.store_away.store(false, Ordering::SeqCst);
    let seen = shop.activity_of("s1", 2).await;
    assert_eq!(counts(&seen), BTreeMap::from([("accepted", 1), ("sold-out", 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_second_is_written_when_the_gateway_stops() {
    let mut shop = Shop::selling(1, 1).await;
    let before = shop.activity("s1").await.asked();
    shop.buy("ann", 1).await.expect(202);
    shop.stop.cancel();
    shop.served.take().unwrap().await.unwrap().unwrap();
    assert_eq!((before, shop.activity("s1").await.asked()), (0, 1));
}
