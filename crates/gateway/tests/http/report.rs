//! How a sale went, on one page.

use std::sync::atomic::Ordering;

use domain::ports::OrderLife as _;
use serde_json::json;

use crate::shop::Shop;

const REPORT: &str = "/admin/v1/sales/s1/report";

#[tokio::test(flavor = "multi_thread")]
async fn the_report_adds_up_and_is_the_same_after_the_end_and_without_the_gate() {
    let shop = Shop::selling(3, 2).await;
    let (ann, job) = shop.token("ann", "s1").await;
    shop.buy_with("s1", &ann, 2).await.expect(202);
    shop.buy_with("s1", &ann, 2).await.expect(202);
    shop.buy("bob", 1).await.expect(202);
    shop.buy("eve", 1).await.expect_problem(409, "sold-out");
    shop.place().await;
    shop.world.store.cancel(job.parse().unwrap(), &"ann".parse().unwrap()).await.unwrap().unwrap();
    shop.activity_of("s1", 4).await;
    let report = shop.operate("GET", REPORT, None).await.expect(200).json;
    for (name, value) in [
        ("sale", json!("s1")),
        ("title", json!("Sneakers")),
        ("phase", json!("open")),
        ("asked", json!(4)),
        ("accepted", json!(2)),
        ("repeated", json!(1)),
        ("refused", json!({ "sold-out": 1 })),
        ("buyers", json!(1)),
        ("expired", json!(0)),
        ("cancelled", json!(1)),
        ("rejected", json!(0)),
        ("refunded", json!(0)),
        ("missing", json!([])),
        (
            "items",
            json!([{ "id": "red", "title": "Red", "stock": 3, "sold": 1, "paid": 0, "unpaid": 1, "returned": 2,
                           "revenue": { "amount": 0, "currency": "CNY" } }]),
        ),
    ] {
        assert_eq!(report[name], value, "{name} of {report:#}");
    }
    assert!(report["ledgerDifference"].is_u64(), "{report:#}");
    assert_eq!(report["slowestMinute"]["asked"], 4);
    assert!(report["slowestMinute"]["p99Ms"].as_f64().is_some_and(|ms| ms > 0.0), "{report:#}");
    assert!(report["busiestSecond"]["asked"].as_u64().is_some_and(|asked| (1..=4).contains(&asked)), "{report:#}");

    shop.operate("POST", "/admin/v1/sales/s1/close", None).await.expect(200);
    shop.world.faults.gate_away.store(true, Ordering::SeqCst);
    let after = shop.operate("GET", REPORT, None).await.expect(200).json;
    assert_eq!((&after["phase"], &after["missing"]), (&json!("ended"), &json!(["ledger"])));
    assert!(after["ledgerDifference"].is_null());
    for same in ["asked", "refused", "buyers", "items", "busiestSecond"] {
        assert_eq!(after[same], report[same], "{same}");
    }
    shop.world.faults.store_away.store(true, Ordering::SeqCst);
    shop.operate("GET", REPORT, None).await.expect_problem(503, "not-ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_never_was_has_none_and_a_draft_an_empty_one() {
    let shop = Shop::start().await;
    shop.operate("GET", REPORT, None).await.expect_problem(404, "not-found");
    shop.operate("POST", "/admin/v1/sales", Some(shop.draft("s1", 10, 2))).await.expect(201);
    let report = shop.operate("GET", REPORT, None).await.expect(200).json;
    assert_eq!((&report["phase"], &report["asked"], &report["refused"]), (&json!("draft"), &json!(0), &json!({})));
    assert_eq!((&report["ledgerDifference"], &report["items"][0]["sold"]), (&json!(0), &json!(0)));
    assert!(report["slowestMinute"].is_null() && report["soldOutAt"].is_null());
}
