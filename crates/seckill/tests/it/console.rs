//! What the console asks for, on real servers: readiness, dry runs, orders and stories; the same from every gateway.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{ADMIN_KEY, TestShop, eventually};

const DRY_RUN: &str = "/admin/v1/sales/s1/dry-run";

async fn on(shop: &TestShop, gateway: usize, method: &str, path: &str) -> Value {
    let url = format!("{}{path}", shop.client.operators[gateway]);
    let request = shop.client.http.request(method.parse().unwrap(), url).timeout(Duration::from_secs(60));
    let answer = shop.client.send(request.bearer_auth(ADMIN_KEY)).await.unwrap();
    assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
    answer.json
}

fn wanting(readiness: &Value) -> Vec<&str> {
    let checks = readiness["checks"].as_array().unwrap_or_else(|| panic!("{readiness}"));
    checks.iter().filter(|check| check["ok"] != true).map(|check| check["name"].as_str().unwrap()).collect()
}

async fn books(shop: &TestShop, sale: &str) -> Value {
    on(shop, 0, "GET", &format!("/admin/v1/sales/{sale}/ledger")).await["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_goes_through_every_server_and_every_gateway_knows_how_it_ended() {
    let mut shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[10]).await;
    // The limits are off in this shop, and nothing was tried yet.
    for gateway in 0..2 {
        let readiness = on(&shop, gateway, "GET", "/admin/v1/sales/s1/readiness").await;
        assert_eq!(wanting(&readiness), ["limits", "dry-run", "reconcile"], "{readiness}");
    }
    // The sale of dry runs is made by whoever is first.
    let (one, other) = tokio::join!(on(&shop, 0, "POST", DRY_RUN), on(&shop, 1, "POST", DRY_RUN));
    for done in [&one, &other, &on(&shop, 1, "POST", DRY_RUN).await] {
        let names: Vec<&Value> = done["steps"].as_array().unwrap().iter().map(|step| &step["name"]).collect();
        assert_eq!(json!(names), json!(["token", "admit", "publish", "place", "effect", "undo"]), "{done}");
        assert!(done["ok"] == true && done["remembered"] == true, "{done}");
    }
    let own = books(&shop, "seckill-dry-run").await;
    assert_eq!((&own["free"], &own["held"], &own["difference"]), (&own["stock"], &json!(0), &json!(0)), "{own}");
    assert_eq!(books(&shop, "s1").await["free"], 10, "the sale itself is not touched");
    on(&shop, 0, "POST", "/admin/v1/sales/s1/reconcile").await;
    for gateway in 0..2 {
        let readiness = on(&shop, gateway, "GET", "/admin/v1/sales/s1/readiness").await;
        assert_eq!(wanting(&readiness), ["limits"], "{readiness}");
        let clocks = readiness["checks"][6]["detail"].as_str().unwrap();
        assert!(clocks.contains("redis") && clocks.contains("postgres"), "{readiness}");
    }

    // Without a consumer it fails where it should, and its unit comes back with the next one.
    for consumer in &mut shop.consumers {
        consumer.kill9();
    }
    shop.consumers.clear();
    let stuck = on(&shop, 0, "POST", DRY_RUN).await;
    let failed: Vec<&Value> =
        stuck["steps"].as_array().unwrap().iter().filter(|step| step["ok"] != true).map(|step| &step["name"]).collect();
    assert_eq!((&stuck["ok"], json!(failed)), (&json!(false), json!(["place", "undo"])), "{stuck}");
    eventually("nobody consumes", Duration::from_secs(20), || async {
        let readiness = on(&shop, 1, "GET", "/admin/v1/sales/s1/readiness").await;
        let wanting = wanting(&readiness);
        wanting.contains(&"consumers") && wanting.contains(&"queue-empty") && wanting.contains(&"dry-run")
    })
    .await;
    shop.add_consumer();
    eventually("the unit is back", Duration::from_secs(30), || async {
        let own = books(&shop, "seckill-dry-run").await;
        own["free"] == own["stock"] && own["difference"] == 0
    })
    .await;
    assert_eq!(on(&shop, 1, "POST", DRY_RUN).await["ok"], true);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_stories_are_the_same_on_every_gateway() {
    let shop = TestShop::start(2, 1).await;
    shop.sale("s1", 1, &[2_500]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", 2_500, &[]), 50).await;
    shop.audit("s1", &seen.accepted).await;
    let mut bought = seen.accepted.clone();
    bought.sort();

    let url = format!("{}/admin/v1/sales/s1/orders", shop.client.operators[1]);
    let stream = shop.client.http.get(url).header("accept", "application/x-ndjson").bearer_auth(ADMIN_KEY);
    let text = stream.send().await.unwrap().text().await.unwrap();
    let streamed: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&str> = streamed.iter().map(|order| order["id"].as_str().unwrap()).collect();
    assert_eq!(ids, bought);
    let (mut paged, mut path) = (Vec::new(), "/admin/v1/sales/s1/orders?limit=1000".to_owned());
    loop {
        let page = on(&shop, 0, "GET", &path).await;
        paged.extend(page["orders"].as_array().unwrap().clone());
        let Some(next) = page["nextCursor"].as_str() else { break };
        path = format!("/admin/v1/sales/s1/orders?limit=1000&cursor={next}");
    }
    assert_eq!(paged, streamed);
    assert_eq!(on(&shop, 0, "GET", "/admin/v1/sales/s1/orders?status=paid").await, json!({ "orders": [] }));

    let (job, buyer) = (&bought[7], streamed[7]["buyer"].as_str().unwrap());
    for text in [job.as_str(), buyer] {
        let told = on(&shop, 0, "GET", &format!("/admin/v1/search?q={text}")).await;
        assert_eq!(told["found"], on(&shop, 1, "GET", &format!("/admin/v1/search?q={text}")).await["found"], "{told}");
        let found = &told["found"][0];
        let story: Vec<&Value> = found["story"].as_array().unwrap().iter().map(|line| &line["what"]).collect();
        assert_eq!(json!(story), json!(["tokenIssued", "admitted", "published", "placed"]), "{told}");
        assert_eq!((&found["jobId"], &found["status"]), (&json!(job), &json!("pending_payment")), "{told}");
    }
    shop.close().await;
}
