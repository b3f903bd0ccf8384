//! What the program does not start with.

use crate::common::{Servers, TestShop, process};

#[test]
fn every_finding_is_printed_at_once_and_nothing_starts() {
    let dir = std::env::temp_dir().join(format!("seckill-safety-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&dir).unwrap();
    let text = "profile = \"demo\"\n[gateway]\nlisten = \"0.0.0.0:0\"\noperators = \"[::]:0\"\ncors_origins = [\"*\"]\n\
        trusted_proxies = [\"0.0.0.0/0\"]\n[redis]\nurl = \"redis://cache.example/0\"\n\
        [rabbitmq]\nurl = \"amqp://guest:guest@broker.example/%2f\"\n\
        [postgres]\nurl = \"postgres://postgres:postgres@db.example/shop\"\n[secrets]\nadmin_key_file = \"/nowhere/key\"\n";
    std::fs::write(dir.join("seckill.toml"), text).unwrap();
    for command in ["check", "gateway", "consumer", "migrate", "all"] {
        let said = process::run(&dir, &[command]).unwrap_err();
        let keys = [
            "redis.url",
            "rabbitmq.url",
            "postgres.url",
            "not an origin",
            "secrets.admin_key_file",
            "secrets.token_keys",
        ];
        for key in keys {
            assert!(said.starts_with("exit 1") && said.contains(key), "{command}: {key} is missing in {said}");
        }
    }
    let text = text.replace("cors_origins = [\"*\"]\n", "");
    std::fs::write(dir.join("seckill.toml"), text).unwrap();
    let said = process::run(&dir, &["check"]).unwrap_err();
    for key in ["gateway.listen", "gateway.operators", "gateway.trusted_proxies"] {
        assert!(said.contains(key), "{key} is missing in {said}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_from_the_command_line_is_judged_like_one_from_the_file() {
    let shop = TestShop::start(0, 0).await;
    let open = ["gateway", "--listen", "0.0.0.0:0", "--operators", "none"];
    let said = shop.run(&open).unwrap_err();
    assert!(said.contains("gateway.listen"), "{said}");
    let said = shop.run(&["gateway", "--listen", "127.0.0.1:0", "--operators", "0.0.0.0:0"]).unwrap_err();
    assert!(said.contains("gateway.operators"), "{said}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_lose_what_it_has_committed_is_not_sold_with() {
    let shop = TestShop::start_on(Servers::shared(), 0, 0, "").await;
    let sql = format!("alter database {} set synchronous_commit = off", shop.namespace);
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&shop.db).await.unwrap();
    for command in [&["gateway", "--listen", "127.0.0.1:0", "--operators", "none"][..], &["consumer"], &["check"]] {
        let said = shop.run(command);
        let failed = said.as_ref().is_err_and(|said| said.starts_with("exit 1"));
        assert!(failed, "{command:?}: {said:?}");
        let told = said.unwrap_err().contains("synchronous_commit = off");
        assert!(told || command == ["check"], "{command:?}"); // which says it in its table
    }
    shop.close().await;
}
