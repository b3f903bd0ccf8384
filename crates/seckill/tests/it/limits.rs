//! Limits per address and per buyer, with their answers.

use std::time::{Duration, Instant};

use crate::common::{ADMIN_KEY, Servers, TestShop, eventually};

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
    tokio::time::sleep(Duration::from_millis(1_500)).await;

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

/// H13, G12: strangers without number, each from an address or with a token of their own, take no more memory than a few.
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
    // And buyers without number, each with a token of their own; nothing is left for them.
    shop.sale("s1", 1, &[0]).await;
    let bodies = shop.mint("s1", 10_020, &[]);
    let buyers = async |range: std::ops::Range<usize>| {
        use futures_util::{StreamExt as _, stream};
        let answers = stream::iter(&bodies[range]).map(|body| shop.client.buy(0, "s1", body));
        answers.buffer_unordered(64).for_each(async |answer| assert_ne!(answer.status, 429, "{answer:?}")).await;
    };
    strangers(0..5_000).await;
    buyers(20..1_000).await;
    let before = resident_kib();
    let over = tokio_util::sync::CancellationToken::new();
    // Twenty who were there before press every half second, far below their limit.
    let known = async {
        let mut pressed = 0;
        while !over.is_cancelled() {
            for body in &bodies[..20] {
                let answer = shop.client.buy(0, "s1", body).await;
                assert_ne!(answer.status, 429, "a known buyer is held up by strangers: {answer:?}");
                pressed += usize::from(answer.code() == "sold-out");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        pressed
    };
    let flood = async {
        futures_util::future::join(strangers(5_000..60_000), buyers(1_000..10_020)).await;
        over.cancel();
    };
    let (pressed, ()) = futures_util::future::join(known, flood).await;
    let grown_kib = resident_kib() - before;
    println!("64,000 more strangers took {grown_kib} KiB of {before}; known buyers pressed {pressed} times");
    assert!(pressed > 0 && grown_kib < 32 * 1024, "the gateway grew by {grown_kib} KiB");
    let keys = shop.metric(&shop.client.operators[0], "seckill_limiter_keys", "").await;
    assert!(keys <= 400_000.0, "{keys} callers are remembered");
    shop.close().await;
}

/// A shop of two gateways with a shared rule, obeyed by both.
async fn two_gateways(rules: serde_json::Value) -> TestShop {
    let shop = TestShop::start(2, 0).await;
    shop.sale("s1", 1, &[0]).await;
    let put = shop.client.operate("PUT", "/admin/v1/limits", Some(serde_json::json!({ "shared": rules }))).await;
    assert_eq!((put.status, &put.json["version"]), (200, &serde_json::json!(1)), "{put:?}");
    eventually("the other gateway obeys", Duration::from_secs(10), || async {
        let url = format!("{}/admin/v1/limits", shop.client.operators[1]);
        let now = shop.client.send(shop.client.http.get(url).bearer_auth(ADMIN_KEY)).await.unwrap();
        now.json["limits"]["shared"] == put.json["after"]["shared"]
    })
    .await;
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_limit_lets_exactly_its_number_through_over_two_gateways_and_no_more_in_any_window() {
    const LIMIT: usize = 20;
    let window = Duration::from_secs(2);
    let rule = serde_json::json!([{ "name": "two", "action": "token", "subject": "buyer", "limit": LIMIT,
        "windowSeconds": window.as_secs() }]);
    let shop = two_gateways(rule).await;
    let ask = async |gateway: usize| {
        let sent = Instant::now();
        let answer = shop.client.as_buyer(gateway, "POST", "/api/v1/sales/s1/tokens", "ann").await;
        match answer.status {
            201 => Some((sent, Instant::now())),
            _ => {
                assert_eq!(answer.code(), "rate-limited", "{answer:?}");
                assert!(answer.retry_after.is_some_and(|wait| (1..=2).contains(&wait)), "{answer:?}");
                None
            }
        }
    };
    // Two gateways are asked without a pause, from before the first window to after the third.
    let mut through: Vec<(Instant, Instant)> = Vec::new();
    let started = Instant::now();
    while through.len() < 3 * LIMIT {
        let asked = futures_util::future::join_all((0..16).map(|n| ask(n % 2))).await;
        through.extend(asked.into_iter().flatten());
        assert!(started.elapsed() < Duration::from_secs(60), "only {} were let through", through.len());
        if through.len() == LIMIT && started.elapsed() > window / 2 {
            tokio::time::sleep(Duration::from_millis(5)).await; // leave some time to the others
        }
    }
    through.sort_by_key(|(_, answered)| *answered);
    let first = through.iter().map(|(sent, _)| *sent).min().unwrap();
    for (windows, at) in [(1, LIMIT), (2, 2 * LIMIT)] {
        let after = through[at].1 - first;
        assert!(after >= window * windows, "request {} was let through after {after:?}", at + 1);
    }
    // Whatever was sent and answered inside one window was decided inside it.
    for (from, _) in &through {
        let inside = through.iter().filter(|(sent, answered)| sent >= from && *answered < *from + window).count();
        assert!(inside <= LIMIT, "{inside} in one window");
    }
    let last = (through[3 * LIMIT - 1].1 - first).as_secs_f64();
    println!("{} let through in {last:.3} s, windows of {window:?}", 3 * LIMIT);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_changed_on_one_gateway_is_obeyed_by_the_other_and_by_one_that_starts_later() {
    let mut shop = two_gateways(serde_json::json!([])).await;
    let refused = async |shop: &TestShop, gateway: usize, buyer: String| {
        let ask = || shop.client.as_buyer(gateway, "POST", "/api/v1/sales/s1/tokens", &buyer);
        let answers = futures_util::future::join_all((0..5).map(|_| ask())).await;
        answers.iter().filter(|answer| answer.code() == "rate-limited").count()
    };
    assert_eq!(refused(&shop, 1, "before".to_owned()).await, 0);
    let change = serde_json::json!({ "local": { "tokenPerBuyer": { "enabled": true, "perSecond": 1, "burst": 2 } } });
    let changed = Instant::now();
    assert_eq!(shop.client.operate("PUT", "/admin/v1/limits", Some(change)).await.status, 200);
    assert!(refused(&shop, 0, "here".to_owned()).await > 0, "at once, where it was changed");
    let buyer = std::sync::atomic::AtomicU32::new(0);
    eventually("the other gateway obeys", Duration::from_secs(10), || async {
        let n = buyer.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        refused(&shop, 1, format!("there-{n}")).await > 0
    })
    .await;
    println!("obeyed by the other gateway after {:?}", changed.elapsed());
    shop.add_gateway().await;
    assert!(refused(&shop, 2, "later".to_owned()).await > 0, "from its first request on");
    shop.close().await;
}
