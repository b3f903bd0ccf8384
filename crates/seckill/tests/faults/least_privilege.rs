//! H17, and the files in `deploy/`: a sale with users who can do what their role does, and what they cannot do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use redis::AsyncCommands as _;
use serde_json::json;
use sqlx::PgPool;
use xtask::services::{Services, free_port};

use crate::common::client::Client;
use crate::common::{ADMIN_KEY, BUYERS_SECRET, Running, eventually, process};

const PASSWORDS: [&str; 3] = ["gateway-pw-7c1e", "consumer-pw-4b2d", "operator-pw-9f3a"];
const OWNER: &str = "owner-pw-55aa";

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file)
}

/// As an administrator of Postgres would.
fn run_roles(services: &Services) {
    let [gateway, consumer, _] = PASSWORDS;
    let output = Command::new("psql")
        .arg(services.postgres.url())
        .args(["-X", "-q", "-v", &format!("owner_password={OWNER}"), "-v", &format!("gateway_password={gateway}")])
        .args(["-v", &format!("consumer_password={consumer}"), "-f"])
        .arg(deploy("postgres/roles.sql"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn set_up(services: &Services) {
    // Redis: each line of the file, as `aclfile` reads it.
    let admin = redis::Client::open(services.redis.url()).unwrap();
    let mut admin = admin.get_multiplexed_async_connection().await.unwrap();
    let file = std::fs::read_to_string(deploy("redis/users.acl")).unwrap();
    for line in file.lines().rev() {
        let mut words: Vec<String> = line.split(' ').skip(1).map(str::to_owned).collect();
        for (role, password) in ["GATEWAYS", "CONSUMERS", "OPERATORS"].iter().zip(PASSWORDS) {
            let placeholder = format!("#SHA256-OF-THE-{role}-PASSWORD");
            words.iter_mut().filter(|word| **word == placeholder).for_each(|word| *word = format!(">{password}"));
        }
        assert!(!line.contains('#') || words.iter().any(|word| word.starts_with('>')), "{line}");
        // The administrator's own connection outlives `default off`.
        let _: () = redis::cmd("ACL").arg("SETUSER").arg(words).query_async(&mut admin).await.unwrap();
    }
    let definitions = deploy("rabbitmq/definitions.json");
    services.rabbitmq.rabbitmqctl(&["import_definitions", definitions.to_str().unwrap()]).unwrap();
    for (user, password) in ["seckill-gateway", "seckill-consumer"].iter().zip(PASSWORDS) {
        services.rabbitmq.rabbitmqctl(&["change_password", user, password]).unwrap();
    }
    run_roles(services);
}

/// The addresses of one role, below a folder of its own.
fn configure(
    dir: &Path,
    role: &str,
    redis: [&str; 2],
    amqp: [&str; 2],
    postgres: [&str; 2],
    all: &Services,
) -> PathBuf {
    let dir = dir.join(role);
    std::fs::create_dir_all(&dir).unwrap();
    let text = format!(
        "profile = \"demo\"\n[redis]\nurl = \"redis://{}:{}@127.0.0.1:{}/0\"\n\
         [rabbitmq]\nurl = \"amqp://{}:{}@127.0.0.1:{}/seckill\"\n\
         [postgres]\nurl = \"postgres://{}:{}@127.0.0.1:{}/seckill\"\n\
         [secrets]\nadmin_key = \"{ADMIN_KEY}\"\ntoken_key = \"t1:{}\"\n[buyers]\nhs256_secret = \"{BUYERS_SECRET}\"\n\
         [limits]\nper_ip = {{ enabled = false }}\n",
        redis[0],
        redis[1],
        all.redis.port(),
        amqp[0],
        amqp[1],
        all.rabbitmq.port(),
        postgres[0],
        postgres[1],
        all.postgres.port(),
        "a0".repeat(32),
    );
    std::fs::write(dir.join("seckill.toml"), text).unwrap();
    dir
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_runs_with_users_who_can_do_nothing_else() {
    let folder = Folder(std::env::temp_dir().join(format!("seckill-least-{}", uuid::Uuid::new_v4().simple())));
    let path = folder.0.clone();
    let services = tokio::task::spawn_blocking(move || Services::start(path).unwrap()).await.unwrap();
    set_up(&services).await;
    let [gateway_pw, consumer_pw, operator_pw] = PASSWORDS;
    let (redis, amqp) = (["seckill-gateway", gateway_pw], ["seckill-gateway", gateway_pw]);
    let owner = configure(&folder.0, "owner", redis, amqp, ["seckill_owner", OWNER], &services);
    let gateway_dir = configure(&folder.0, "gateway", redis, amqp, ["seckill_gateway", gateway_pw], &services);
    let (redis, amqp) = (["seckill-consumer", consumer_pw], ["seckill-consumer", consumer_pw]);
    let consumer_dir = configure(&folder.0, "consumer", redis, amqp, ["seckill_consumer", consumer_pw], &services);
    process::run(&owner, &["migrate"]).unwrap();
    run_roles(&services); // again after migrating, as its head says

    let (buyers, operators, status) = (free_port().unwrap(), free_port().unwrap(), free_port().unwrap());
    let (listen, admin) = (format!("127.0.0.1:{buyers}"), format!("127.0.0.1:{operators}"));
    let arguments = ["gateway", "--listen", &listen, "--operators", &admin];
    let gateway = Running::start(&gateway_dir, "gateway", &arguments, &[], buyers, operators);
    let arguments = ["consumer", "--status", &format!("127.0.0.1:{status}")];
    let consumer = Running::start(&consumer_dir, "consumer", &arguments, &[], status, status);
    let mut client = Client::new();
    client.bases.push(gateway.url());
    client.operators.push(gateway.operators_url());
    client.ready(0).await;

    let now = chrono::Utc::now();
    let sale = json!({ "id": "s1", "title": "T", "limitPerBuyer": 1, "opensAt": now,
        "closesAt": now + chrono::TimeDelta::hours(1), "paymentWindowSeconds": 900,
        "items": [{ "id": "item-0", "title": "A", "stock": 20, "price": { "amount": 100, "currency": "CNY" } }] });
    assert_eq!(client.operate("POST", "/admin/v1/sales", Some(sale)).await.status, 201);
    for action in ["warm", "open"] {
        let done = client.operate("POST", &format!("/admin/v1/sales/s1/{action}"), None).await;
        assert_eq!(done.status, 200, "{done:?}");
    }
    eventually("the sale is known", Duration::from_secs(10), || async {
        client.get_on(0, "/api/v1/sales/s1").await.status == 200
    })
    .await;
    let minted = process::run(&gateway_dir, &["tokens", "mint", "--sale", "s1", "--buyers", "30"]).unwrap();
    let seen = client.crowd("s1", minted.lines().map(str::to_owned).collect(), 10).await;
    assert_eq!(seen.accepted.len(), 20, "{seen:?}");
    let started = Instant::now();
    loop {
        let ledger = client.operate("GET", "/admin/v1/sales/s1/ledger", None).await.json;
        let item = &ledger["items"][0];
        if item["held"] == 20 && item["difference"] == 0 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{ledger}\n{}", consumer.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let more = json!({ "item": "item-0", "delta": 3, "id": "r1", "reason": "found" });
    assert_eq!(client.operate("POST", "/admin/v1/sales/s1/restock", Some(more)).await.status, 200);
    let letters = client.operate("GET", "/admin/v1/dead-letters", None).await;
    assert_eq!(letters.status, 200, "{letters:?}");
    // What the console asks for needs no more.
    let tried = client.operate("POST", "/admin/v1/sales/s1/dry-run", None).await;
    assert!(tried.json["ok"] == true && tried.json["remembered"] == true, "{tried:?}");
    let readiness = client.operate("GET", "/admin/v1/sales/s1/readiness", None).await.json;
    let wanting: Vec<_> = readiness["checks"].as_array().unwrap().iter().filter(|check| check["ok"] != true).collect();
    // Nobody has compared the books here, and this shop's limit by address is off: all its buyers have one.
    let known = |check: &&serde_json::Value| check["name"] == "reconcile" || check["name"] == "limits";
    assert!(wanting.iter().all(known), "{wanting:?}");
    let orders = client.operate("GET", "/admin/v1/sales/s1/orders?status=pending_payment", None).await;
    assert_eq!(orders.json["orders"].as_array().map(Vec::len), Some(20), "{orders:?}");
    for log in [gateway.log(), consumer.log()] {
        for word in ["NOPERM", "ACCESS_REFUSED", "permission denied"] {
            assert!(!log.contains(word), "{word} in\n{log}");
        }
    }

    // What was asked is written by both roles, and read by one.
    eventually("the report tells what the gateway and the consumer have counted", Duration::from_secs(10), || async {
        let report = client.operate("GET", "/admin/v1/sales/s1/report", None).await.json;
        (&report["accepted"], &report["refused"]["sold-out"]) == (&json!(20), &json!(10))
    })
    .await;
    let url = format!("postgres://seckill_gateway:{gateway_pw}@127.0.0.1:{}/seckill", services.postgres.port());
    let pool = PgPool::connect(&url).await.unwrap();
    let roles: Vec<String> =
        sqlx::query_scalar("select role from instances order by role").fetch_all(&pool).await.unwrap();
    assert_eq!(roles, ["consumer", "gateway"]);
    pool.close().await;

    redis_refuses(&services, [gateway_pw, consumer_pw, operator_pw]).await;
    rabbitmq_refuses(&services, gateway_pw, consumer_pw).await;
    postgres_refuses(&services, gateway_pw, consumer_pw).await;
}

async fn redis_refuses(services: &Services, [gateway, consumer, operator]: [&str; 3]) {
    let port = services.redis.port();
    let open = |user: &str, password: &str| format!("redis://{user}:{password}@127.0.0.1:{port}/0");
    for url in [
        format!("redis://127.0.0.1:{port}/0"),
        services.redis.url(),
        open("seckill-gateway", "wrong"),
        open("default", ""),
        open("seckill-gateway", "#SHA256-OF-THE-GATEWAYS-PASSWORD"),
    ] {
        let Ok(client) = redis::Client::open(url.as_str()) else { continue };
        let refused = match client.get_multiplexed_async_connection().await {
            Ok(mut connection) => redis::cmd("PING").query_async::<String>(&mut connection).await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "{url} is let in");
    }
    for (user, password) in
        [("seckill-gateway", gateway), ("seckill-consumer", consumer), ("seckill-operator", operator)]
    {
        let client = redis::Client::open(open(user, password)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        for forbidden in [
            "FLUSHALL",
            "FLUSHDB",
            "KEYS *",
            "CONFIG GET *",
            "DEBUG SLEEP 0",
            "SHUTDOWN NOSAVE",
            "SAVE",
            "MONITOR",
            "REPLICAOF NO ONE",
            "ACL LIST",
            "SCRIPT FLUSH",
            "CLIENT KILL ID 1",
            "MODULE LIST",
            "GET other:key",
            "SET other:key 1",
            "HGETALL orders",
            "FUNCTION LIST",
            "SWAPDB 0 1",
            "SELECT 1",
            "MIGRATE h 1 k 0 1",
        ] {
            let words: Vec<&str> = forbidden.split(' ').collect();
            let answer: Result<redis::Value, _> =
                redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await;
            let refused = answer.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(
                // DEBUG is off in the server as well, and that is said first.
                refused.contains("DEBUG command not allowed")
                    || refused.to_uppercase().contains("NOPERM")
                    || refused.contains("permission"),
                "{user}: {forbidden}: {refused:?}"
            );
        }
        let script = "return redis.call('GET', 'other:key')";
        let hidden: Result<redis::Value, _> = redis::cmd("EVAL").arg(script).arg(0).query_async(&mut connection).await;
        assert!(hidden.is_err(), "{user}: a script reaches a key that its user may not");
        let kept: Option<String> = connection.get("seckill:nothing").await.unwrap();
        assert_eq!(kept, None);
        let written: Result<(), _> = connection.set("seckill:probe", 1).await;
        assert_eq!(written.is_ok(), user != "seckill-operator", "{user}");
    }
}

async fn rabbitmq_refuses(services: &Services, gateway: &str, consumer: &str) {
    use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
    let port = services.rabbitmq.port();
    let connect = async |user: &str, password: &str, vhost: &str| {
        let url = format!("amqp://{user}:{password}@127.0.0.1:{port}/{vhost}");
        lapin::Connection::connect(&url, lapin::ConnectionProperties::default()).await
    };
    for (user, password, vhost) in [
        ("guest", "guest", "seckill"),
        ("guest", "guest", "%2f"),
        ("seckill-gateway", "", "seckill"),
        ("seckill-gateway", "wrong", "seckill"),
        ("seckill-gateway", gateway, "%2f"),
    ] {
        assert!(connect(user, password, vhost).await.is_err(), "{user} is let into {vhost}");
    }
    // A gateway takes no orders off their queue, and makes no queue of its own.
    let connection = connect("seckill-gateway", gateway, "seckill").await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let consume = channel.basic_consume(
        "seckill.orders.0".into(),
        "x".into(),
        BasicConsumeOptions::default(),
        Default::default(),
    );
    assert!(consume.await.is_err(), "a gateway may consume orders");
    let channel = connection.create_channel().await.unwrap();
    let declare = channel.queue_declare("mine".into(), QueueDeclareOptions::default(), Default::default());
    assert!(declare.await.is_err(), "a gateway may declare any queue");
    // Nobody speaks to an exchange that is not ours.
    for (user, password) in [("seckill-gateway", gateway), ("seckill-consumer", consumer)] {
        let connection = connect(user, password, "seckill").await.unwrap();
        for exchange in ["amq.topic", ""] {
            let channel = connection.create_channel().await.unwrap();
            channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
            let options = BasicPublishOptions::default();
            let publish = channel.basic_publish(exchange.into(), "x".into(), options, b"x", Default::default());
            let refused = match publish.await {
                Ok(confirm) => confirm.await.is_err(),
                Err(_) => true,
            };
            assert!(refused, "{user} may publish to {exchange:?}");
        }
    }
}

async fn postgres_refuses(services: &Services, gateway: &str, consumer: &str) {
    let port = services.postgres.port();
    let url = |user: &str, password: &str| format!("postgres://{user}:{password}@127.0.0.1:{port}/seckill");
    for (user, password) in
        [("postgres", "postgres"), ("seckill", "seckill"), ("seckill_gateway", ""), ("seckill_gateway", "wrong")]
    {
        assert!(PgPool::connect(&url(user, password)).await.is_err(), "{user}:{password} is let in");
    }
    for (user, password) in [("seckill_gateway", gateway), ("seckill_consumer", consumer)] {
        let pool = PgPool::connect(&url(user, password)).await.unwrap();
        for forbidden in [
            "create table mine (x int)",
            "alter table orders add column x int",
            "drop table orders",
            "truncate orders",
            "delete from audit_log",
            "update audit_log set reason = 'nothing happened'",
            "update activity set activity = '{}'",
            "truncate activity",
            "delete from _sqlx_migrations",
            "create role other",
            "create schema other",
            "alter role seckill_owner password 'x'",
            "set role seckill_owner",
            "select * from pg_authid",
            "copy orders to program 'cat'",
        ] {
            let error = sqlx::query(forbidden).execute(&pool).await.expect_err(forbidden);
            let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
            assert_eq!(code.as_deref(), Some("42501"), "{user}: {forbidden}: {error}");
        }
        let lines: i64 = sqlx::query_scalar("select count(*) from audit_log").fetch_one(&pool).await.unwrap();
        assert!(lines > 0, "{user} reads the log it writes");
        pool.close().await;
    }
}
