//! Limits per address and per buyer, with their answers.

use crate::common::{Servers, TestShop};

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_one_address_is_refused_with_429_and_a_buyer_with_a_token_is_not() {
    let limits = "[limits]\nper_ip = { enabled = true, per_second = 5, burst = 20 }\norder_per_buyer = { enabled = true, per_second = 1, burst = 3 }\n";
    let shop = TestShop::start_on(Servers::shared(), 1, 1, limits).await;
    let now = chrono::Utc::now();
    let sale = serde_json::json!({ "id": "s1", "title": "S", "opensAt": now, "closesAt": now + chrono::TimeDelta::hours(1),
        "items": [{ "id": "a", "title": "A", "stock": 10, "price": { "amount": 100, "currency": "CNY" } }] });
    let file = shop.config_dir().join("sale.json");
    std::fs::write(&file, sale.to_string()).unwrap();
    shop.run(&["sale", "create", file.to_str().unwrap()]).unwrap();
    shop.run(&["sale", "warm", "s1"]).unwrap();
    shop.run(&["sale", "open", "s1"]).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;

    let mut refused = 0;
    for _ in 0..60 {
        let answer = shop.client.buy(0, "s1", r#"{"token":"forged","item":"a","quantity":1}"#).await;
        match answer.status {
            403 => {}
            429 => {
                assert_eq!(answer.code(), "rate-limited");
                assert!(answer.retry_after.is_some_and(|seconds| seconds >= 1), "{answer:?}");
                refused += 1;
            }
            _ => panic!("{answer:?}"),
        }
    }
    assert!(refused >= 20, "only {refused} of 60 were refused");

    let body = shop.mint("s1", 1, &[]).remove(0);
    let answers: Vec<_> = futures_util::future::join_all((0..10).map(|_| shop.client.buy(0, "s1", &body))).await;
    assert!(answers.iter().any(|answer| answer.status == 202), "the address' limit does not hold up a good token");
    assert!(answers.iter().any(|answer| answer.code() == "rate-limited"), "the buyer's own limit does");
    let job = answers.iter().find(|answer| answer.status == 202).unwrap().job();
    shop.audit("s1", &[job]).await;
    shop.close().await;
}

/// G12: strangers without number, each from an address of their own, take no more memory than a few.
#[tokio::test(flavor = "multi_thread")]
async fn sixty_thousand_strangers_do_not_make_the_gateway_grow() {
    let extra = "[gateway]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[limits]\nper_ip = { enabled = true, per_second = 5, burst = 20 }\n";
    let shop = TestShop::start_on(Servers::shared(), 1, 0, extra).await;
    let resident_kib = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", shop.gateways[0].pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<i64>().unwrap()
    };
    // From each address a forged purchase, a job that nobody has, and a login that is none.
    let strangers = async |range: std::ops::Range<u32>| {
        use futures_util::{StreamExt as _, stream};
        let client = &shop.client;
        stream::iter(range)
            .for_each_concurrent(64, |n| async move {
                let [_, a, b, c] = n.to_be_bytes();
                let from = format!("10.{a}.{b}.{c}");
                let base = &client.bases[0];
                let request = match n % 3 {
                    0 => client
                        .http
                        .post(format!("{base}/api/v1/sales/s{n}/orders"))
                        .body(format!("{{\"token\":\"{n}\"}}")),
                    1 => client.http.get(format!("{base}/api/v1/jobs/{}", uuid::Uuid::new_v4())),
                    _ => client.http.get(format!("{base}/api/v1/me/orders")).bearer_auth(n),
                };
                let answer = client.send(request.header("x-forwarded-for", from)).await.unwrap();
                assert!((400..500).contains(&answer.status), "{answer:?}");
            })
            .await;
    };
    strangers(0..5_000).await;
    let before = resident_kib();
    strangers(5_000..60_000).await;
    let grown_kib = resident_kib() - before;
    println!("55,000 more strangers took {grown_kib} KiB of {before}");
    assert!(grown_kib < 32 * 1024, "the gateway grew by {grown_kib} KiB");
    shop.close().await;
}
