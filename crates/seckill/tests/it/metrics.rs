//! What can be scraped: the funnel, the stages, the ledger, and the twelve figures that the seeds ask for.

use crate::common::{ADMIN_KEY, TestShop};

/// The seeds' twelve key figures, each with the metric that carries it and the process that has it.
const KPIS: [(&str, &str, Process); 12] = [
    ("job_queue_size", "seckill_jobs_waiting{", Process::Gateway),
    ("job_processing_time", "seckill_job_seconds_bucket{", Process::Consumer),
    ("job_success_rate", "seckill_jobs_total{outcome=\"placed\"", Process::Consumer),
    ("job_retry_count", "seckill_job_retries_total", Process::Consumer),
    ("connection_pool_usage", "seckill_db_pool_connections{", Process::Consumer),
    ("query_response_time", "seckill_db_query_seconds_bucket{", Process::Consumer),
    ("transaction_duration", "seckill_db_transaction_seconds_bucket{", Process::Consumer),
    ("deadlock_count", "seckill_db_deadlocks_total", Process::Consumer),
    ("request_rate", "seckill_http_requests_total{", Process::Gateway),
    ("response_time_p95", "seckill_http_request_seconds_bucket{", Process::Gateway),
    ("error_rate", "seckill_http_requests_total{", Process::Gateway),
    ("concurrent_connections", "seckill_http_connections", Process::Gateway),
];

#[derive(Clone, Copy, PartialEq)]
enum Process {
    Gateway,
    Consumer,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_funnel_the_stages_the_ledger_and_each_of_the_twelve_figures_can_be_scraped() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[5]).await;
    let seen = shop.client.crowd("s1", shop.mint("s1", 20, &[]), 10).await;
    shop.audit("s1", &seen.accepted).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await; // gauges are taken once a second

    let scrape = async |url: String| {
        let answer = shop.client.http.get(format!("{url}/metrics")).bearer_auth(ADMIN_KEY).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    let gateway = scrape(shop.client.operators[0].clone()).await;
    let consumer = scrape(shop.consumers[0].url()).await;
    for (kpi, metric, process) in KPIS {
        let text = if process == Process::Gateway { &gateway } else { &consumer };
        assert!(text.lines().any(|line| line.starts_with(metric)), "{kpi}: no {metric} in\n{text}");
    }
    let value = |text: &str, series: &str| -> f64 {
        let line =
            text.lines().find(|line| line.starts_with(series)).unwrap_or_else(|| panic!("no {series} in\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(value(&gateway, r#"seckill_purchases_total{code="accepted"}"#), 5.0);
    assert_eq!(value(&gateway, r#"seckill_purchases_total{code="sold-out"}"#), 15.0);
    assert_eq!(value(&consumer, r#"seckill_jobs_total{outcome="placed"}"#), 5.0);
    assert_eq!(value(&gateway, r#"seckill_ledger_difference{sale="s1",item="item-0"}"#), 0.0);
    assert_eq!(value(&gateway, r#"seckill_ledger_units{sale="s1",item="item-0",term="held"}"#), 5.0);
    for (text, stage) in [(&gateway, "admit"), (&gateway, "publish"), (&consumer, "place"), (&consumer, "relay")] {
        let series = format!(r#"seckill_stage_seconds_count{{stage="{stage}"}}"#);
        assert!(value(text, &series) >= 1.0, "{stage}");
    }
    let anonymous = shop.client.http.get(format!("{}/metrics", shop.client.operators[0])).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);
    shop.close().await;
}
