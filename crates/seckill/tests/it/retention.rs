//! Sales that are long over, on the whole product.

use std::time::Duration;

use crate::common::{Servers, TestShop, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_clears_what_is_long_over_and_settled_and_leaves_what_runs() {
    let mut shop = TestShop::start_on(Servers::shared(), 1, 1, "[retention]\nsales_days = 30\n").await;
    shop.sale("over", 1, &[3]).await;
    shop.sale("runs", 1, &[3]).await;
    for sale in ["over", "runs"] {
        let seen = shop.client.crowd(sale, shop.mint(sale, 3, &[]), 3).await;
        assert_eq!(seen.accepted.len(), 3);
        shop.audit(sale, &seen.accepted).await;
    }
    sqlx::query("update orders set status = 'paid'").execute(&shop.db).await.unwrap();
    sqlx::query("update sale_items set paid = sold").execute(&shop.db).await.unwrap();
    let long_ago = "update sales set closes_at = now() - interval '31 days', opens_at = now() - interval '32 days'
                    where id = 'over'";
    sqlx::query(long_ago).execute(&shop.db).await.unwrap();
    // The first one looks once a minute; a new one looks at once.
    shop.add_consumer();
    let count = async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&shop.db).await.unwrap();
    eventually("the sale that is over is gone", Duration::from_secs(30), async || {
        count("select count(*) from sales").await == 1
    })
    .await;
    assert_eq!(count("select count(*) from orders").await, 3);
    assert_eq!(count("select count(*) from orders where sale_id = 'runs'").await, 3);
    assert_eq!(shop.client.operate("GET", "/admin/v1/sales/over", None).await.status, 404);
    let log = shop.client.operate("GET", "/admin/v1/audit-log?sale=over", None).await;
    assert!(log.json.to_string().contains(r#""action":"clear""#), "{log:?}");
    assert!(shop.metric(&shop.consumers[1].url(), "seckill_cleared_rows_total", "").await >= 5.0);
    shop.close().await;
}
