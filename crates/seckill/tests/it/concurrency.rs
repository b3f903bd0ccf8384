//! The operators' hand on what is in flight: the requirements' own lines, and what they promise.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{ADMIN_KEY, Servers, TestShop, client::Answer, eventually};

/// What the requirements call the default.
fn default() -> Value {
    json!({
        "global_max": 0,
        "platform_max": { "douyin": 0, "xiaohongshu": 0, "kuaishou": 0, "bilibili": 0, "channels": 0 },
        "account_max": 1,
        "task_type_max": { "publish": 0, "batch_publish": 0 },
        "enabled": true,
        "timeout": 300
    })
}

/// The curl lines of the requirements, in their order. Only address and key are put in their place.
const CURL: [&str; 9] = [
    r#"curl http://localhost:7000/api/v1/concurrency/config"#,
    r#"curl -X PUT http://localhost:7000/api/v1/concurrency/config \
  -H "Content-Type: application/json" \
  -d '{
    "platform_max": {
      "xiaohongshu": 3
    }
  }'"#,
    r#"curl -X PUT http://localhost:7000/api/v1/concurrency/config \
  -H "Content-Type: application/json" \
  -d '{
    "global_max": 20
  }'"#,
    r#"curl -X PUT http://localhost:7000/api/v1/concurrency/config \
  -H "Content-Type: application/json" \
  -d '{
    "global_max": 0,
    "platform_max": {
      "xiaohongshu": 0
    }
  }'"#,
    r#"curl -X PUT http://localhost:7000/api/v1/concurrency/config \
  -H "Content-Type: application/json" \
  -d '{
    "account_max": 2
  }'"#,
    r#"curl -X PUT http://localhost:7000/api/v1/concurrency/config \
  -H "Content-Type: application/json" \
  -d '{"enabled": false}'"#,
    r#"curl http://localhost:7000/api/v1/concurrency/config"#,
    r#"curl http://localhost:7000/api/v1/concurrency/usage"#,
    r#"curl -X POST http://localhost:7000/api/v1/concurrency/reset"#,
];

/// The monitor of the requirements.
const MONITOR: &str = r#"
import requests
import time

def monitor_concurrency():
    while True:
        response = requests.get("http://localhost:7000/api/v1/concurrency/usage")
        data = response.json()["data"]

        print(f"🌐 全局: {data['global']['current']}/{data['global']['max']}")

        for platform, info in data['platforms'].items():
            print(f"📱 {platform}: {info['current']}/{info['max']}")

        time.sleep(5)

if __name__ == "__main__":
    monitor_concurrency()
"#;

/// With our address and key in the place of theirs.
fn ours(shop: &TestShop, text: &str) -> String {
    let address = shop.client.operators[0].replace("http://", &format!("http://operator:{ADMIN_KEY}@"));
    text.replace("http://localhost:7000", &address)
}

fn shell(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A `redis-cli` line of the requirements, with our server and prefix.
fn redis_cli(shop: &TestShop, line: &str) -> String {
    let ours = line
        .replace("redis-cli ", &format!("redis-cli --no-auth-warning -u '{}' ", shop.servers.redis))
        .replace("\"concurrency:", &format!("\"{}:concurrency:", shop.namespace));
    shell(&ours).trim().to_owned()
}

async fn put(shop: &TestShop, body: Value) -> Answer {
    let answer = shop.client.operate("PUT", "/api/v1/concurrency/config", Some(body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

async fn usage(shop: &TestShop) -> Value {
    let answer = shop.client.operate("GET", "/api/v1/concurrency/usage", None).await;
    assert_eq!((answer.status, &answer.json["success"]), (200, &json!(true)), "{answer:?}");
    answer.json["data"].clone()
}

async fn stats(shop: &TestShop) -> Value {
    shop.client.operate("GET", "/api/v1/concurrency/stats", None).await.json["data"].clone()
}

/// Must show 4.
#[tokio::test(flavor = "multi_thread")]
async fn the_requirements_own_curl_lines_get_the_documented_answers() {
    let shop = TestShop::start(1, 0).await;
    let mut expected = default();
    for (step, line) in CURL.iter().enumerate() {
        let answer: Value = serde_json::from_str(&shell(&ours(&shop, line).replace("curl ", "curl -s "))).unwrap();
        match step {
            1 => expected["platform_max"]["xiaohongshu"] = json!(3),
            2 => expected["global_max"] = json!(20),
            3 => {
                expected["global_max"] = json!(0);
                expected["platform_max"]["xiaohongshu"] = json!(0);
            }
            4 => expected["account_max"] = json!(2),
            5 => expected["enabled"] = json!(false),
            8 => expected = default(),
            _ => {}
        }
        let documented = match step {
            0 | 6 => json!({ "success": true, "data": expected }),
            7 => {
                let unused = json!({ "current": 0, "max": 0 });
                let platforms = ["douyin", "xiaohongshu", "kuaishou", "bilibili", "channels"];
                let platforms: Value = platforms.iter().map(|name| ((*name).to_owned(), unused.clone())).collect();
                json!({ "success": true, "data": { "global": unused, "platforms": platforms,
                    "task_types": { "publish": unused, "batch_publish": unused } } })
            }
            8 => json!({ "success": true, "data": expected, "message": answer["message"] }),
            _ => json!({ "success": true, "data": expected, "message": "并发配置更新成功，已立即生效" }),
        };
        assert_eq!(answer, documented, "{line}");
    }
    // Who changed what is in the log.
    let log = shop.client.operate("GET", "/admin/v1/audit-log", None).await;
    let entries = log.json["entries"].as_array().unwrap();
    assert_eq!(entries.iter().filter(|entry| entry["action"] == "set-concurrency").count(), 6, "{log:?}");
    shop.close().await;
}

/// Must show 4.
#[tokio::test(flavor = "multi_thread")]
async fn the_requirements_own_redis_lines_and_monitor_show_what_is_in_flight() {
    let shop = TestShop::start(1, 0).await; // nobody settles anything
    shop.sale("s1", 1, &[10]).await;
    put(&shop, json!({ "global_max": 10, "platform_max": { "douyin": 5 }, "task_type_max": { "publish": 10 } })).await;
    let mut jobs = Vec::new();
    for (buyer, channel) in [("ann", "douyin"), ("bob", "douyin"), ("acc123", "")] {
        let body = body_by(&shop, buyer, channel).await;
        let accepted = shop.client.buy(0, "s1", &body).await;
        assert_eq!(accepted.status, 202, "{accepted:?}");
        jobs.push(accepted.job());
    }
    let used = usage(&shop).await;
    assert_eq!(used["global"], json!({ "current": 3, "max": 10 }));
    assert_eq!(used["platforms"]["douyin"], json!({ "current": 2, "max": 5 }));
    assert_eq!(used["task_types"]["publish"]["max"], 10);

    assert_eq!(redis_cli(&shop, r#"redis-cli ZCARD "concurrency:semaphore:global""#), "3");
    assert_eq!(redis_cli(&shop, r#"redis-cli ZCARD "concurrency:semaphore:platform:douyin""#), "2");
    let line = r#"redis-cli ZRANGE "concurrency:semaphore:account:账号ID" 0 -1 WITHSCORES"#;
    let of_account = redis_cli(&shop, &line.replace("账号ID", "acc123"));
    let (token, expiry) = of_account.split_once('\n').unwrap();
    let lives_s = expiry.parse::<i64>().unwrap() - chrono::Utc::now().timestamp();
    assert!(token == jobs[2] && (270..=301).contains(&lives_s), "{of_account}");
    let sets = redis_cli(&shop, r#"redis-cli KEYS "concurrency:semaphore:*""#);
    assert_eq!(sets.lines().count(), 5, "{sets}"); // global, douyin, three accounts
    let all = redis_cli(&shop, r#"redis-cli ZRANGE "concurrency:semaphore:global" 0 -1 WITHSCORES"#);
    assert!(jobs.iter().all(|job| all.contains(job)), "{all}");
    let rules: Value = serde_json::from_str(&redis_cli(&shop, r#"redis-cli GET "concurrency:config""#)).unwrap();
    assert_eq!(rules, shop.client.operate("GET", "/api/v1/concurrency/config", None).await.json["data"]);
    let counted = stats(&shop).await;
    assert_eq!((&counted["acquired:total"], &counted["released:total"]), (&json!(3), &json!(0)), "{counted}");
    assert_eq!(counted["acquired:platform:douyin"], 2);

    let said = monitor_for_a_moment(&ours(&shop, MONITOR));
    for line in ["🌐 全局: 3/10", "📱 douyin: 2/5", "📱 xiaohongshu: 0/0"] {
        assert!(said.contains(line), "{line} in {said}");
    }

    // Cleared by hand, as the requirements advise; what is in flight goes on, and what comes is counted.
    redis_cli(&shop, r#"redis-cli EVAL "redis.call('del', KEYS[1])" 1 "concurrency:semaphore:global""#);
    redis_cli(&shop, r#"redis-cli DEL "concurrency:semaphore:platform:douyin""#);
    assert_eq!(usage(&shop).await["global"], json!({ "current": 0, "max": 10 }));
    let body = shop.mint("s1", 1, &[]).remove(0);
    assert_eq!(shop.client.buy(0, "s1", &body).await.status, 202);
    assert_eq!(usage(&shop).await["global"]["current"], 1);
    shop.close().await;
}

/// A purchase with a token that this buyer asked for in this channel.
async fn body_by(shop: &TestShop, buyer: &str, channel: &str) -> String {
    let claims = json!({ "sub": buyer, "exp": chrono::Utc::now().timestamp() + 600 });
    let key = jsonwebtoken::EncodingKey::from_secret(&[0xb0; 32]);
    let login = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
    let wishes = if channel.is_empty() { json!({}) } else { json!({ "channel": channel }) };
    let request = shop.client.http.post(format!("{}/api/v1/sales/s1/tokens", shop.client.bases[0]));
    let token = shop.client.send(request.bearer_auth(login).json(&wishes)).await.unwrap();
    assert_eq!(token.status, 201, "{token:?}");
    json!({ "token": token.json["token"], "item": "item-0", "quantity": 1 }).to_string()
}

/// The first Python, or the system's, that has the module which the script imports.
fn python_with_requests() -> &'static str {
    let has = |python: &&str| {
        let tried = Command::new(python).args(["-c", "import requests"]).stderr(std::process::Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(has)
        .expect("python3 with requests: apt-get install python3-requests")
}

/// What the script has printed after its first round.
fn monitor_for_a_moment(script: &str) -> String {
    use std::io::{BufRead as _, BufReader};
    let mut python = Command::new(python_with_requests())
        .args(["-u", "-c", script])
        .env("PYTHONIOENCODING", "utf-8")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3 is there");
    // One line for all, and one for each channel.
    let lines = BufReader::new(python.stdout.take().unwrap()).lines().take(6);
    let said = lines.map(Result::unwrap).collect::<Vec<_>>().join("\n");
    python.kill().unwrap();
    python.wait().unwrap();
    said
}

/// Must show 5: whoever holds tokens is killed and gives none back.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_process_that_was_killed_end_and_the_usage_recovers() {
    let mut shop = TestShop::start(2, 0).await;
    shop.sale("s1", 1, &[10]).await;
    put(&shop, json!({ "global_max": 2, "timeout": 3 })).await;
    let bodies = shop.mint("s1", 3, &[]);
    for body in &bodies[..2] {
        assert_eq!(shop.client.buy(0, "s1", body).await.status, 202);
    }
    let refused = shop.client.buy(0, "s1", &bodies[2]).await;
    assert_eq!((refused.status, refused.code().as_str(), refused.retry_after), (503, "overloaded", Some(1)));
    assert_eq!(usage(&shop).await["global"], json!({ "current": 2, "max": 2 }));
    // Nobody is left who could give them back: the only consumer never ran.
    shop.gateways[0].kill9();
    shop.client.operators.swap(0, 1);
    eventually("the tokens have ended", Duration::from_secs(15), || async {
        usage(&shop).await["global"]["current"] == 0
    })
    .await;
    assert_eq!(shop.client.buy(1, "s1", &bodies[2]).await.status, 202);
    // What was accepted is placed all the same, and gives back its own.
    shop.add_consumer();
    shop.gateways[0].start_again();
    shop.client.ready(0).await;
    shop.settled("s1").await;
    assert_eq!(shop.live_orders("s1").await, 3);
    eventually("nothing is in flight", Duration::from_secs(5), || async {
        usage(&shop).await["global"]["current"] == 0
    })
    .await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_on_one_gateway_is_obeyed_by_the_other_when_it_is_answered() {
    let shop = TestShop::start(2, 0).await;
    shop.sale("s1", 3, &[100]).await;
    let mut bodies = shop.mint("s1", 40, &[]).into_iter();
    // Each round: as many as the first gateway was told are admitted by the second, and not one more.
    for global_max in [1, 3, 7] {
        put(&shop, json!({ "global_max": 0 })).await;
        put(&shop, json!({ "global_max": global_max })).await;
        for _ in 0..global_max {
            let answer = shop.client.buy(1, "s1", &bodies.next().unwrap()).await;
            assert_eq!(answer.status, 202, "{answer:?}");
        }
        assert_eq!(shop.client.buy(1, "s1", &bodies.next().unwrap()).await.code(), "overloaded");
    }
    put(&shop, json!({ "enabled": false })).await;
    assert_eq!(shop.client.buy(1, "s1", &bodies.next().unwrap()).await.status, 202);

    // One order of a buyer at a time, by default; two where it was said.
    let reset = shop.client.operate("POST", "/api/v1/concurrency/reset", Some(json!({ "reason": "enough" }))).await;
    assert_eq!((reset.status, &reset.json["data"]), (200, &default()), "{reset:?}");
    let own = shop.mint("s1", 1, &["--per-buyer", "3", "--prefix", "one"]);
    assert_eq!(shop.client.buy(1, "s1", &own[0]).await.status, 202);
    let busy = shop.client.buy(1, "s1", &own[1]).await;
    assert_eq!((busy.status, busy.code().as_str(), busy.retry_after), (429, "rate-limited", Some(1)), "{busy:?}");
    put(&shop, json!({ "account_max": 2 })).await;
    assert_eq!(shop.client.buy(1, "s1", &own[1]).await.status, 202);
    assert_eq!(shop.client.buy(1, "s1", &own[2]).await.code(), "rate-limited");

    // What a hand has changed in Redis, or Redis has lost, is told again.
    for line in [
        r#"redis-cli DEL "concurrency:config" "concurrency:config:version""#,
        r#"redis-cli SET "concurrency:config" x"#,
    ] {
        redis_cli(&shop, line);
        eventually("the rules are told again", Duration::from_secs(5), || async {
            redis_cli(&shop, r#"redis-cli GET "concurrency:config""#).contains(r#""account_max":2"#)
        })
        .await;
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_makes_no_sense_is_refused_and_changes_nothing() {
    let shop = TestShop::start(1, 0).await;
    let put = async |body: Value| shop.client.operate("PUT", "/api/v1/concurrency/config", Some(body)).await;
    for (body, field) in [
        (json!({ "global_max": -1 }), "global_max"),
        (json!({ "global_max": 1_000_001 }), "global_max"),
        (json!({ "global_max": 5_000_000_000_u64 }), "global_max"),
        (json!({ "account_max": 1.5 }), "account_max"),
        (json!({ "account_max": "1" }), "account_max"),
        (json!({ "timeout": 0 }), "timeout"),
        (json!({ "enabled": "yes" }), "enabled"),
        (json!({ "platform_max": { "douyin": -3 } }), "platform_max.douyin"),
        (json!({ "global_max": 5, "task_type_max": { "Not a name": 1 } }), "task_type_max"),
    ] {
        let answer = put(body.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "validation-failed"), "{body}");
        assert_eq!(
            (answer.json["field"].as_str(), answer.content_type.as_str()),
            (Some(field), "application/problem+json")
        );
    }
    for body in [json!({ "unknown": 1 }), json!({ "platform_max": 3 }), json!([])] {
        assert_eq!(put(body).await.code(), "malformed");
    }
    let url = format!("{}/api/v1/concurrency/config", shop.client.operators[0]);
    assert_eq!(shop.client.send(shop.client.http.get(&url)).await.unwrap().code(), "unauthenticated");
    assert_eq!(shop.client.get_on(0, "/api/v1/concurrency/config").await.status, 404, "not on the buyers' port");
    assert_eq!(put(json!({})).await.json["data"], default());
    shop.close().await;
}

/// Must show 7: counted by Redis itself, and by what was handed to the broker, with the default rules and limits.
#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_waits_for_one_call_of_redis_and_one_message() {
    let shop = TestShop::start(1, 0).await;
    shop.sale("s1", 1, &[100]).await;
    let bodies = shop.mint("s1", 20, &["--prefix", "counted-"]);
    let mut monitor = Monitor::start(&shop).await;
    for body in &bodies {
        assert_eq!(shop.client.buy(0, "s1", body).await.status, 202);
        tokio::time::sleep(Duration::from_millis(40)).await; // a confirm is told after a third of a second
    }
    let calls = monitor.until(&shop, "counted-20").await;
    let purchases: Vec<&String> = calls.iter().filter(|call| call.contains("\"counted-")).collect();
    assert_eq!(purchases.len(), 20, "{calls:?}");
    let mut marks = 0;
    for (at, call) in purchases.iter().enumerate() {
        let words: Vec<&str> = call.split("\" \"").collect();
        assert!(words[0].ends_with("\"EVALSHA"), "{call}");
        assert!(call.contains(&format!("\"counted-{}\"", at + 1)), "one for each, in their order: {call}");
        // The hash, four keys, and how many confirms ride along.
        marks += words[7].parse::<usize>().unwrap();
    }
    assert!(marks > 0, "confirms ride on the purchases that come later");
    let messages = shop.metric(&shop.client.operators[0], "seckill_group_jobs_count", "publish").await;
    assert_eq!(messages, 20.0, "one message for each purchase that came alone");
    // Every other call is one of those that come by the clock: none of them names a buyer or waits with one.
    assert!(calls.iter().all(|call| call.contains("\"EVALSHA\"")), "{calls:?}");
    shop.close().await;
}

/// Everything that clients say to Redis about one shop.
struct Monitor(tokio::io::Lines<tokio::io::BufReader<tokio::net::TcpStream>>);

impl Monitor {
    async fn start(shop: &TestShop) -> Self {
        use redis::IntoConnectionInfo as _;
        use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
        let info = shop.servers.redis.as_str().into_connection_info().unwrap();
        let redis::ConnectionAddr::Tcp(host, port) = info.addr().clone() else { panic!("plain TCP is expected") };
        let mut stream = tokio::net::TcpStream::connect((host, port)).await.unwrap();
        if let Some(password) = info.redis_settings().password() {
            let name = info.redis_settings().username().unwrap_or("default");
            stream.write_all(format!("AUTH {name} {password}\r\n").as_bytes()).await.unwrap();
        }
        stream.write_all(b"MONITOR\r\n").await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        while !lines.next_line().await.unwrap().unwrap().contains("OK") {}
        Self(lines)
    }

    /// What was said up to the call that has this word; what a script says to itself is left out.
    async fn until(&mut self, shop: &TestShop, word: &str) -> Vec<String> {
        let mut calls = Vec::new();
        let read = async {
            loop {
                let line = self.0.next_line().await.unwrap().unwrap();
                if line.contains(" lua]") || !line.contains(&shop.namespace) {
                    continue;
                }
                let is_last = line.contains(word);
                calls.push(line);
                if is_last {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("the last purchase is seen");
        calls
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_keeps_to_the_limits_of_tasks() {
    let shop = TestShop::start_on(Servers::shared(), 1, 1, "[concurrency]\nwait_s = 1\n").await;
    shop.sale("s1", 1, &[5]).await;
    let commands: [(&str, &[&str]); 3] = [
        ("rebuild", &["sale", "warm", "s1"]),
        ("reconcile", &["sale", "reconcile", "s1"]),
        ("batch_publish", &["dlq", "replay", "--all"]),
    ];
    put(&shop, json!({ "task_type_max": { "rebuild": 1, "reconcile": 1, "batch_publish": 1 } })).await;
    let ends = chrono::Utc::now().timestamp() + 300;
    for (task, command) in commands {
        let set = format!("\"concurrency:semaphore:task_type:{task}\"");
        redis_cli(&shop, &format!("redis-cli ZADD {set} {ends} another"));
        let said = shop.run(command).expect_err("somebody else is at it");
        assert!(said.starts_with("exit 1") && said.contains(&format!("as many {task} tasks as may")), "{said}");
        redis_cli(&shop, &format!("redis-cli ZREM {set} another"));
        shop.run(command).unwrap();
        assert_eq!(usage(&shop).await["task_types"][task], json!({ "current": 0, "max": 1 }), "given back");
    }
    shop.close().await;
}
