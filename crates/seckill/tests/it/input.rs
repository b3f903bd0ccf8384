//! Bad input gets the code of the contract, loses nothing and breaks nothing.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::{Value, json};

use crate::common::{TestShop, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn bad_purchases_get_their_code_and_leave_the_stock_alone() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 2, &[5]).await;
    shop.sale("s2", 2, &[5]).await;
    let good: Value = serde_json::from_str(&shop.mint("s1", 1, &[])[0]).unwrap();
    let token = good["token"].as_str().unwrap();
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body.to_string()
    };
    let raw_quantity = |text: &str| format!(r#"{{"token":"{token}","item":"item-0","quantity":{text}}}"#);
    let without = |key: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(key);
        body.to_string()
    };
    let deep = "[".repeat(2_000);
    let expired = shop.mint("s1", 1, &["--ttl", "1s", "--prefix", "late-"]).remove(0);
    let foreign = shop.mint("s2", 1, &[]).remove(0);
    tokio::time::sleep(std::time::Duration::from_millis(3_500)).await; // past the expiry and its leeway

    let cases: Vec<(String, u16, &str)> = vec![
        ("".into(), 400, "malformed"),
        ("{".into(), 400, "malformed"),
        ("null".into(), 400, "malformed"),
        (deep, 400, "malformed"),
        (format!("{good} {{}}"), 400, "malformed"),
        (format!("\u{feff}{good}"), 400, "malformed"),
        (with("extra", json!(1)), 400, "malformed"),
        (format!(r#"{{"token":"{token}","item":"item-0","item":"item-0","quantity":1}}"#), 400, "malformed"),
        (without("token"), 400, "malformed"),
        (without("item"), 400, "malformed"),
        (without("quantity"), 400, "malformed"),
        (with("token", json!(7)), 400, "malformed"),
        (raw_quantity("NaN"), 400, "malformed"),
        (raw_quantity("0"), 422, "quantity-invalid"),
        (raw_quantity("-1"), 422, "quantity-invalid"),
        (raw_quantity("1.5"), 422, "quantity-invalid"),
        (raw_quantity("\"5\""), 422, "quantity-invalid"),
        (raw_quantity("[5]"), 422, "quantity-invalid"),
        (raw_quantity("9223372036854775808"), 422, "quantity-invalid"),
        (raw_quantity("1e400"), 422, "quantity-invalid"),
        (raw_quantity("3"), 422, "quantity-invalid"),
        (with("item", json!("no-such-item")), 404, "not-found"),
        (with("token", json!("")), 403, "token-invalid"),
        (with("token", json!(token[..token.len() - 1])), 403, "token-invalid"),
        (with("token", json!(format!("{token}A"))), 403, "token-invalid"),
        (with("token", json!(token.replace("v1.t1.", "v1.zz."))), 403, "token-invalid"),
        (expired, 403, "token-expired"),
        (foreign, 403, "token-mismatch"),
        (with("item", json!("x".repeat(5_000))), 413, "too-large"),
    ];
    for (body, status, code) in cases {
        let answer = shop.client.buy(0, "s1", &body).await;
        let shown: String = body.chars().take(120).collect();
        // A number that JSON cannot hold at all is either not JSON or not a quantity; both are true.
        let either = shown.contains("1e400") && answer.code() == "malformed";
        assert!(either || (answer.status, answer.code().as_str()) == (status, code), "{shown}: {answer:?}");
        assert_eq!(answer.content_type, "application/problem+json", "{shown}");
        for field in ["type", "title", "status", "detail", "code", "retryable", "requestId"] {
            assert!(!answer.json[field].is_null(), "{shown}: no {field} in {answer:?}");
        }
    }
    let post = |kind: &str| {
        let request = shop.client.http.post(format!("{}/api/v1/sales/s1/orders", shop.client.bases[0]));
        request.header("content-type", kind.to_owned()).body(good.to_string())
    };
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=gb2312"] {
        let answer = shop.client.send(post(kind)).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (415, "unsupported-media-type"), "{kind}");
    }
    for (path, status, code) in [
        ("/api/v1/sales/nope/orders", 404, "not-found"),
        ("/api/v1/sales/a%20b/orders", 404, "not-found"),
        ("/api/v1/sales/s1/order", 404, "not-found"),
        ("/api/v1/time", 405, "method-not-allowed"),
    ] {
        let answer = shop.client.post_on(0, path, &good.to_string()).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}: {answer:?}");
    }
    for job in ["x", "00000000-0000-0000-0000-000000000000", "01a1ee56-5e00-8000-80c0-010203040506"] {
        assert_eq!(shop.client.get_on(0, &format!("/api/v1/jobs/{job}")).await.status, 404, "{job}");
    }
    let ledger = shop.settled("s1").await;
    assert_eq!(ledger["items"][0]["free"], 5, "nothing was taken by any of it");
    let bought = shop.client.buy(0, "s1", &good.to_string()).await;
    assert_eq!(bought.status, 202, "and the token is still good: {bought:?}");
    assert!(!shop.gateways[0].log().contains("panic"), "no panic");
    assert!(!shop.gateways[0].log().contains(token), "no token in a log line");
    shop.audit("s1", &[bought.job()]).await;
    shop.close().await;
}

/// Whatever stands on the queue, its neighbours are placed and its jobs come to an end.
#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_message_is_dead_lettered_its_job_ends_and_its_neighbours_are_unharmed() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[50]).await;
    // A job that was admitted and then corrupted on its way: its token was used by nobody else.
    let spare: Value = serde_json::from_str(&shop.mint("s1", 1, &["--prefix", "spare-"])[0]).unwrap();
    let job = job_of(spare["token"].as_str().unwrap());

    let connection = Connection::connect(&shop.servers.amqp, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let publish = async |body: &[u8], jobs: Option<&str>| {
        let mut headers = lapin::types::FieldTable::default();
        if let Some(jobs) = jobs {
            headers.insert("jobs".into(), lapin::types::AMQPValue::LongString(jobs.into()));
        }
        let properties =
            BasicProperties::default().with_message_id("bad".into()).with_headers(headers).with_delivery_mode(2);
        let exchange = format!("{}.orders", shop.namespace);
        let confirm = channel
            .basic_publish(exchange.as_str().into(), "0".into(), BasicPublishOptions::default(), body, properties)
            .await
            .unwrap();
        assert!(confirm.await.unwrap().is_ack());
    };
    let bodies = shop.mint("s1", 40, &[]);
    let first = shop.client.crowd("s1", bodies[..20].to_vec(), 10).await;
    publish(b"\x01[{not json", Some(&job)).await;
    publish(b"\x09[]", Some(&job)).await;
    publish(b"", None).await;
    publish(&vec![b'x'; 1_000_000], None).await;
    publish(br#"[{"job":1}]"#, None).await;
    let second = shop.client.crowd("s1", bodies[20..].to_vec(), 10).await;

    let accepted: Vec<String> = first.accepted.into_iter().chain(second.accepted).collect();
    assert_eq!(accepted.len(), 40);
    for job in &accepted {
        assert_eq!(shop.client.finished(0, job).await["status"], "placed");
    }
    let ended = shop.client.finished(0, &job).await;
    assert_eq!((&ended["status"], &ended["reason"]), (&json!("refused"), &json!("unplaceable")), "{ended}");
    eventually("five dead letters", std::time::Duration::from_secs(10), || async {
        let letters: Value = serde_json::from_str(&shop.run(&["dlq", "list", "-o", "json"]).unwrap()).unwrap();
        letters.as_array().unwrap().len() == 5
    })
    .await;
    assert!(shop.consumers.iter().all(|consumer| !consumer.log().contains("panic")));
    shop.audit("s1", &accepted).await;
    let said = shop.run(&["dlq", "discard", "--all"]).unwrap();
    assert!(said.contains("5 dead letters discarded"), "{said}");
    let _ = connection.close(200, "done".into()).await;
    shop.close().await;
}

/// The job that a token names: the first sixteen bytes of its payload.
fn job_of(token: &str) -> String {
    use base64::Engine as _;
    let payload = token.split('.').nth(2).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    uuid::Uuid::from_slice(&bytes[..16]).unwrap().to_string()
}
