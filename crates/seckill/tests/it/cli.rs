//! The command line and the configuration.

use crate::common::{TestShop, process};

#[tokio::test(flavor = "multi_thread")]
async fn commands_create_steer_and_show_a_sale() {
    let shop = TestShop::start(1, 1).await;
    let now = chrono::Utc::now();
    let sale = serde_json::json!({ "id": "cli", "title": "By hand", "opensAt": now, "closesAt": now + chrono::TimeDelta::hours(1),
        "items": [{ "id": "a", "title": "A", "stock": 3, "price": { "amount": 100, "currency": "CNY" } }] });
    let file = shop.config_dir().join("sale.json");
    std::fs::write(&file, sale.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let ok = |arguments: &[&str]| shop.run(arguments).unwrap_or_else(|why| panic!("{arguments:?}: {why}"));
    assert!(ok(&["sale", "create", file]).contains("draft"));
    let fails = |arguments: &[&str], exit: &str, with: &str| {
        let said = shop.run(arguments).expect_err("it fails");
        assert!(said.starts_with(exit) && said.contains(with), "{arguments:?}: {said}");
    };
    fails(&["sale", "create", file], "exit 1", "seckill: there is a sale cli already");
    fails(&["sale", "open", "cli"], "exit 1", "not warm");
    assert!(ok(&["sale", "warm", "cli"]).contains("is loaded (epoch 1)"));
    assert!(ok(&["sale", "warm", "cli"]).contains("nothing was changed"));
    assert!(ok(&["sale", "open", "cli"]).contains("open"));
    assert!(ok(&["sale", "list", "-o", "json"]).contains("\"cli\""));
    assert!(ok(&["sale", "reconcile", "cli"]).contains("difference"));
    assert!(ok(&["check"]).contains("balances"));
    fails(&["sale", "show", "nope"], "exit 1", "seckill: there is no sale nope");
    fails(&["sale", "shew"], "exit 2", "shew");
    fails(&["tokens", "mint", "--sale", "cli", "--buyers", "0"], "exit 2", "--buyers");
    shop.close().await;
}

/// A unit that appears or vanishes in Redis behind our back shows, by its number, and a rebuild mends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_planted_difference_is_seen_as_exit_3_and_repaired() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[10]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", 4, &[]), 4).await;
    shop.audit("s1", &seen.accepted).await;
    let number: i32 = sqlx::query_scalar("select number from sales").fetch_one(&shop.db).await.unwrap();
    let key = format!("{}:{{{number}.0}}:sale", shop.namespace);
    let client = redis::Client::open(shop.servers.redis.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for (planted, difference) in [(1, "-1"), (-2, "1")] {
        let _: i64 = redis::cmd("HINCRBY").arg(&key).arg("f0").arg(planted).query_async(&mut connection).await.unwrap();
        let shown = shop.ledger("s1").await["items"][0]["difference"].to_string();
        assert_eq!(shown, difference);
        assert!(shop.run(&["sale", "reconcile", "s1"]).unwrap_err().starts_with("exit 3"));
        assert!(shop.run(&["check"]).unwrap_err().starts_with("exit 3"));
    }
    shop.run(&["sale", "reconcile", "s1", "--repair"]).unwrap();
    shop.run(&["sale", "reconcile", "s1"]).unwrap();
    shop.audit("s1", &seen.accepted).await;
    shop.close().await;
}

#[test]
fn a_wrong_or_unknown_key_is_refused_at_start_with_its_name() {
    let dir = std::env::temp_dir().join(format!("seckill-config-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&dir).unwrap();
    let good = "[secrets]\nadmin_key = \"0123456789abcdef01234567\"\ntoken_key = \"k1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n[buyers]\nhs256_secret = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n";
    let cases = [
        ("spelling = 1", "spelling"),
        ("[redis]\nurll = \"redis://x\"", "urll"),
        ("[redis]\nurl = \"http://x\"", "redis.url"),
        ("[rabbitmq]\nurl = \"redis://x\"", "rabbitmq.url"),
        ("[postgres]\nurl = \"mysql://x\"", "postgres.url"),
        ("[postgres]\npool_size = \"many\"", "pool_size"),
        ("[gateway]\nlisten = \"here\"", "gateway.listen"),
        ("[gateway]\nbody_max = 1", "body_max"),
        ("[limits]\nper_ip = { enabled = false, typo = 1 }", "typo"),
        ("namespace = \"a:b\"", "namespace"),
        ("[secrets]\nadmin_key = \"short\"", "admin_key"),
        ("[secrets]\nadmin_key = \"0123456789abcdef01234567\"\ntoken_key = \"k1:short\"", "token_key"),
        ("[log]\nformat = \"xml\"", "format"),
    ];
    for (text, name) in cases {
        let config = if text.contains("[secrets]") { text.to_owned() } else { format!("{text}\n{good}") };
        std::fs::write(dir.join("seckill.toml"), config).unwrap();
        let refused = process::run(&dir, &["check"]).unwrap_err();
        assert!(refused.starts_with("exit 1: seckill: ") && refused.contains(name), "{text}: {refused}");
    }
    std::fs::write(dir.join("seckill.toml"), "").unwrap();
    let refused = process::run(&dir, &["gateway"]).unwrap_err();
    assert!(refused.contains("secrets."), "no secret has a default: {refused}");
    std::fs::remove_dir_all(&dir).unwrap();
}
