//! H9: SQL, Lua and JSON in every text that somebody may send. It is a text and stays one.

use serde_json::json;

use crate::common::TestShop;

const EVIL: [&str; 6] = [
    "'; drop table orders; --",
    "\" or \"\"=\"",
    "x' union select id::text from sales --",
    "$1; select pg_sleep(5)",
    "'); redis.call('FLUSHALL'); --",
    "\\'; {\"$ne\": null} %s %n ${jndi:ldap://127.0.0.1/a}",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_never_a_statement() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 2, &[5]).await;
    let operate = async |method: &str, path: &str, body| shop.client.operate(method, path, body).await;
    for (number, evil) in EVIL.iter().enumerate() {
        let path = encoded(evil);
        for get in [
            format!("/admin/v1/sales/{path}"),
            format!("/admin/v1/sales/{path}/ledger"),
            format!("/admin/v1/audit-log?sale={path}"),
            format!("/admin/v1/audit-log?before={path}"),
            format!("/admin/v1/dead-letters?why={path}"),
            format!("/admin/v1/dead-letters?sale={path}"),
            format!("/admin/v1/dead-letters?messageId={path}"),
        ] {
            let answer = operate("GET", &get, None).await;
            assert!([200, 404, 422].contains(&answer.status), "{get}: {answer:?}");
        }
        for get in [
            format!("/api/v1/sales/{path}"),
            format!("/api/v1/jobs/{path}"),
            format!("/api/v1/orders/{path}"),
            format!("/api/v1/me/orders?sale={path}"),
        ] {
            let answer = shop.client.as_buyer(0, "GET", &get, "ann").await;
            assert!([200, 404, 422].contains(&answer.status), "{get}: {answer:?}");
        }
        // A buyer's name comes from somebody else.
        let answer = shop.client.as_buyer(0, "GET", "/api/v1/me/orders", evil).await;
        assert!([200, 401].contains(&answer.status), "{evil}: {answer:?}");

        let id = format!("evil-{number}");
        let now = chrono::Utc::now();
        let sale = json!({ "id": id, "title": evil, "opensAt": now, "closesAt": now + chrono::TimeDelta::hours(1),
            "items": [{ "id": "a", "title": evil, "stock": 3, "price": { "amount": 100, "currency": "CNY" } }] });
        assert_eq!(operate("POST", "/admin/v1/sales", Some(sale)).await.status, 201);
        let kept = operate("GET", &format!("/admin/v1/sales/{id}"), None).await.json;
        assert_eq!((&kept["title"], &kept["items"][0]["title"]), (&json!(evil), &json!(evil)), "kept as it is");
        let patch = json!({ "title": format!("{evil}2"), "reason": evil });
        assert_eq!(
            operate("PATCH", &format!("/admin/v1/sales/{id}"), Some(patch)).await.json["title"],
            format!("{evil}2")
        );
        let log = operate("GET", &format!("/admin/v1/audit-log?sale={id}"), None).await.json;
        assert_eq!(log["entries"][0]["reason"], *evil);
        for (path, body) in [
            ("/admin/v1/sales".to_owned(), json!({ "id": evil, "title": "x" })),
            ("/admin/v1/sales/s1/restock".to_owned(), json!({ "item": evil, "delta": 1, "id": "r1" })),
            ("/admin/v1/sales/s1/restock".to_owned(), json!({ "item": "item-0", "delta": 1, "id": evil })),
            ("/admin/v1/dead-letters/replay".to_owned(), json!({ "why": evil, "reason": evil })),
            ("/admin/v1/dead-letters/discard".to_owned(), json!({ "messageId": evil })),
            (format!("/admin/v1/jobs/{path}/discard"), json!({ "reason": evil })),
        ] {
            let answer = operate("POST", &path, Some(body)).await;
            assert!([200, 400, 404, 422].contains(&answer.status), "{path}: {answer:?}");
        }
        let item = json!({ "token": evil, "item": evil, "quantity": 1 }).to_string();
        let answer = shop.client.buy(0, "s1", &item).await;
        assert!([403, 404, 422].contains(&answer.status), "{answer:?}");
    }
    let seen = shop.client.crowd("s1", shop.mint("s1", 5, &[]), 2).await;
    assert_eq!(seen.accepted.len(), 5, "nothing is gone, and it sells: {seen:?}");
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}
