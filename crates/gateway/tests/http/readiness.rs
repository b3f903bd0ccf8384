//! Ready to open? And the purchase that is undone.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::shop::{Shop, unlimited};

const READINESS: &str = "/admin/v1/sales/s1/readiness";
const DRY_RUN: &str = "/admin/v1/sales/s1/dry-run";

const NAMES: [&str; 12] = [
    "database",
    "redis",
    "redis-settings",
    "broker",
    "consumers",
    "queue-empty",
    "clocks",
    "limits",
    "keys",
    "warm",
    "dry-run",
    "reconcile",
];

/// What is not well, with what to do about it.
async fn wanting(shop: &Shop) -> Vec<String> {
    let answer = shop.operate("GET", READINESS, None).await.expect(200).json;
    let checks = answer["checks"].as_array().unwrap();
    let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, NAMES, "{answer}");
    assert!(answer["checkedAt"].is_string(), "{answer}");
    for check in checks {
        assert!(check["detail"].as_str().is_some_and(|text| text.ends_with('.')), "{check}");
        assert_eq!(check["ok"] == true, check.get("todo").is_none(), "{check}");
        assert!(check.get("todo").is_none_or(|todo| todo.as_str().is_some_and(|text| text.ends_with('.'))), "{check}");
    }
    let wanting: Vec<String> = checks
        .iter()
        .filter(|check| check["ok"] != true)
        .map(|check| check["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(answer["ready"] == true, wanting.is_empty(), "{answer}");
    wanting
}

async fn ledger(shop: &Shop, sale: &str) -> Value {
    shop.operate("GET", &format!("/admin/v1/sales/{sale}/ledger"), None).await.expect(200).json["items"][0].clone()
}

/// With the limits on, as a shop should be.
async fn limited() -> Shop {
    let mut settings = unlimited();
    settings.limits = gateway::Limits::default();
    Shop::start_with(settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_becomes_ready_step_by_step() {
    let shop = limited().await;
    shop.operate("POST", "/admin/v1/sales", Some(shop.draft("s1", 10, 1))).await.expect(201);
    assert_eq!(wanting(&shop).await, ["consumers", "warm", "dry-run", "reconcile"]);
    let _consumer = shop.consume();
    shop.operate("POST", "/admin/v1/sales/s1/warm", None).await.expect(200);
    assert_eq!(wanting(&shop).await, ["dry-run", "reconcile"]);
    assert_eq!(shop.operate("POST", DRY_RUN, None).await.expect(200).json["ok"], true);
    let compared = shop.operate("POST", "/admin/v1/sales/s1/reconcile", None).await.expect(200).json;
    assert_eq!((&compared["balanced"], &compared["remembered"]), (&json!(true), &json!(true)));
    assert_eq!(wanting(&shop).await, Vec::<String>::new());
    shop.operate("POST", "/admin/v1/sales/s1/open", None).await.expect(200);
    assert_eq!(wanting(&shop).await, Vec::<String>::new());

    shop.clock.go_on(24 * 3_600_000 + 1_000);
    let old = wanting(&shop).await;
    assert!(old.contains(&"dry-run".to_owned()) && old.contains(&"reconcile".to_owned()), "{old:?}");
    shop.operate("GET", "/admin/v1/sales/s9/readiness", None).await.expect_problem(404, "not-found");
    shop.operate("POST", "/admin/v1/sales/s9/dry-run", None).await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_away_or_switched_off_is_named() {
    let shop = Shop::selling(10, 1).await;
    assert_eq!(wanting(&shop).await, ["consumers", "limits", "dry-run", "reconcile"]);
    shop.buy("ann", 1).await.expect(202);
    assert!(wanting(&shop).await.contains(&"queue-empty".to_owned()));
    let faults = &shop.world.faults;
    for (fault, named) in [
        (&faults.gate_away, vec!["redis", "warm"]),
        (&faults.broker_away, vec!["broker"]),
        (&faults.store_away, vec!["database"]),
    ] {
        fault.store(true, Ordering::SeqCst);
        let wanting = wanting(&shop).await;
        assert!(named.iter().all(|name| wanting.iter().any(|other| other == name)), "{named:?} of {wanting:?}");
        fault.store(false, Ordering::SeqCst);
    }
    shop.operate("POST", "/admin/v1/sales/s1/close", None).await.expect(200);
    assert!(wanting(&shop).await.contains(&"warm".to_owned()), "it is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_goes_all_the_way_and_leaves_the_sale_as_it_was() {
    let shop = Shop::selling(3, 1).await;
    let _consumer = shop.consume();
    shop.buy("ann", 1).await.expect(202);
    shop.eventually(|shop| async { ledger(shop, "s1").await["held"] == 1 }).await;
    let before = ledger(&shop, "s1").await;
    for time in 1..=3 {
        let done = shop.operate("POST", DRY_RUN, Some(json!({ "reason": "before the rush" }))).await.expect(200).json;
        let steps = done["steps"].as_array().unwrap();
        let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["token", "admit", "publish", "place", "effect", "undo"], "{done}");
        assert!(
            done["ok"] == true && done["remembered"] == true && steps.iter().all(|step| step["ok"] == true),
            "{done}"
        );
        assert!(done["ms"].is_u64() && steps.iter().all(|step| step["ms"].is_u64()), "{done}");
        assert_eq!(ledger(&shop, "s1").await, before, "the units of the sale are not touched");
        let own = ledger(&shop, "seckill-dry-run").await;
        assert_eq!(
            (&own["free"], &own["held"], &own["difference"]),
            (&own["stock"], &json!(0), &json!(0)),
            "{time}: {own}"
        );
    }
    let line = &shop.operate("GET", "/admin/v1/audit-log?sale=s1&limit=1", None).await.expect(200).json["entries"][0];
    assert_eq!(
        (&line["action"], &line["reason"], &line["after"]["ok"]),
        (&json!("dry-run"), &json!("before the rush"), &json!(true))
    );

    // Listeners know its orders by their sale, and hear them end; shoppers do not see it, nor can they buy from it.
    let announced = shop.world.queue.announced();
    let of_dry_runs: Vec<_> = announced.iter().filter(|row| row.body.contains("dry-run-")).collect();
    assert!(of_dry_runs.iter().all(|row| row.sale.as_str() == "seckill-dry-run"), "{announced:?}");
    let said: String = of_dry_runs.iter().map(|row| row.body.as_str()).collect();
    assert_eq!((said.matches("order.placed").count(), said.matches("order.cancelled").count()), (3, 3), "{said}");
    let listed = shop.get("/api/v1/sales").await.expect(200).json;
    assert_eq!((listed["sales"].as_array().unwrap().len(), &listed["sales"][0]["id"]), (1, &json!("s1")));
    shop.get("/api/v1/sales/seckill-dry-run").await.expect_problem(404, "not-found");
    shop.ask_token("ann", "seckill-dry-run", "{}").await.expect_problem(404, "not-found");
    let sales = shop.operate("GET", "/admin/v1/sales", None).await.expect(200).json;
    assert_eq!(sales["sales"].as_array().unwrap().len(), 1, "{sales}");
    let taken = shop.operate("POST", "/admin/v1/sales", Some(shop.draft("seckill-dry-run", 1, 1))).await;
    assert_eq!(taken.expect_problem(422, "validation-failed").json["field"], "id");
}

/// A day later its window has been moved along, and the gate has loaded it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_works_again_when_its_sale_is_over_and_forgotten() {
    let shop = Shop::selling(3, 1).await;
    let _consumer = shop.consume();
    assert_eq!(shop.operate("POST", DRY_RUN, None).await.expect(200).json["ok"], true);
    shop.clock.go_on(72 * 3_600_000);
    let run = async { shop.operate("POST", DRY_RUN, None).await.expect(200).json };
    // The clock of this test stands still, and a gate that was loaded again admits nobody for 1.5 s.
    let tick = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            shop.clock.go_on(500);
        }
    };
    let again = tokio::select! { done = run => done, () = tick => unreachable!() };
    assert_eq!(again["ok"], true, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_that_fails_says_where_and_is_undone() {
    let shop = Shop::selling(3, 1).await;
    let faults = &shop.world.faults;
    faults.broker_away.store(true, Ordering::SeqCst);
    let refused = shop.operate("POST", DRY_RUN, None).await.expect(200).json;
    assert_eq!((&refused["ok"], &refused["steps"][1]["name"]), (&json!(false), &json!("admit")));
    assert!(refused["steps"][1]["detail"].as_str().unwrap().contains("broker"), "{refused}");
    assert_eq!(refused["steps"].as_array().unwrap().len(), 2, "there is nothing to undo: {refused}");
    faults.broker_away.store(false, Ordering::SeqCst);

    // Nobody places it; its job is ended instead, and a consumer that comes later finds it ended.
    faults.unconfirmed.store(true, Ordering::SeqCst);
    let run = async { shop.operate("POST", DRY_RUN, None).await.expect(200).json };
    let consume = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let _consumer = shop.consume();
        std::future::pending::<()>().await;
    };
    let failed = tokio::select! { done = run => done, () = consume => unreachable!() };
    let steps = failed["steps"].as_array().unwrap();
    assert_eq!((&failed["ok"], &steps[2]["name"], &steps[2]["ok"]), (&json!(false), &json!("publish"), &json!(false)));
    assert_eq!((&steps[3]["name"], &steps[3]["ok"]), (&json!("undo"), &json!(true)), "{failed}");
    let own = ledger(&shop, "seckill-dry-run").await;
    assert_eq!((&own["free"], &own["difference"]), (&own["stock"], &json!(0)), "{own}");
    let check = shop.operate("GET", READINESS, None).await.expect(200).json["checks"][10].clone();
    assert!(check["ok"] == false && check["detail"].as_str().unwrap().contains("did not go well"), "{check}");
}
