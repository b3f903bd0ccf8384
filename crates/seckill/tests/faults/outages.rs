//! Long outages. Both at the same time, each on servers of its own, because most of them is waiting.

use std::time::{Duration, Instant};

use crate::bench::{Breakable, RefusedLate, Rush};
use crate::common::crowd::Crowd;
use crate::common::{TestShop, eventually};

/// How long Postgres is away.
const POSTGRES_AWAY: Duration = Duration::from_secs(60);

/// How long the alarm lasts.
const ALARM: Duration = Duration::from_secs(30);

/// The longest until nobody is admitted any more.
const SHUT_WITHIN: Duration = Duration::from_secs(1);

/// Some hundred presses a second, for eighty seconds.
const LONG: Rush =
    Rush { sale: "s1", stock: 8_000, buyers: 9_000, connections: 40, pause: Duration::from_millis(380), fault_at: 300 };

/// Likewise for a minute.
const SHORTER: Rush = Rush { stock: 5_000, buyers: 5_400, ..LONG };

/// Fault matrix D3 and B3.
#[tokio::test(flavor = "multi_thread")]
async fn a_minute_without_postgres_and_half_a_minute_of_a_memory_alarm_lose_nothing_and_nobody_is_restarted() {
    tokio::join!(a_minute_without_postgres(), half_a_minute_of_a_memory_alarm());
}

/// Buyers go on; the consumer holds what it has, and the broker keeps the rest.
async fn a_minute_without_postgres() {
    let mut all = Breakable::start(1).await;
    let pids = all.pids();
    let seen = all
        .rush_with(LONG, async |all, crowd| {
            all.services.postgres.kill9();
            let away = Instant::now();
            let mut accepted = crowd.so_far(|seen| seen.accepted.len());
            while away.elapsed() < POSTGRES_AWAY {
                tokio::time::sleep(POSTGRES_AWAY / 6).await;
                let now = crowd.so_far(|seen| seen.accepted.len());
                assert!(now > accepted + 50, "buyers go on: {now} after {accepted}");
                accepted = now;
            }
            let url = all.shop.consumers[0].url();
            let retries = all.shop.metric(&url, "seckill_job_retries_total", "place").await;
            assert!(retries > 0.0 && retries <= 120.0 * 500.0, "{retries} jobs tried again: a batch every half second");
            all.services.postgres.start_again().unwrap();
            let back = Instant::now();
            all.shop.reaches(LONG.sale, accepted as i64).await;
            eprintln!("{accepted} orders {:.1} s after Postgres was back", back.elapsed().as_secs_f64());
        })
        .await;
    all.still_there(&pids);
    for code in ["not-ready", "overloaded", "outcome-unknown"] {
        eprintln!("without Postgres: {} answers were {code}", seen.count(code));
    }
    all.sold_out(LONG, &seen, RefusedLate::Never).await;
    // The consumer sends nothing back: what comes a second time are the copies of the watch, the first after half a minute
    // and each later one after as long as the job has waited by then.
    let repeated = all.shop.metric(&all.shop.consumers[0].url(), "seckill_jobs_total", "repeated").await;
    let gateway = all.shop.gateways[0].operators_url();
    let copies = all.shop.metric(&gateway, "seckill_job_retries_total", "publish").await;
    eprintln!("without Postgres: {copies} jobs were published again, {repeated} were met again");
    assert!(repeated <= copies, "the broker delivered something again");
    assert!(copies <= 2.0 * seen.accepted.len() as f64);
    all.no_dead_letters().await;
    all.close().await;
}

impl TestShop {
    /// So many orders within 30 s.
    async fn reaches(&self, sale: &str, orders: i64) {
        eventually("what was accepted is placed", Duration::from_secs(30), async || {
            self.live_orders(sale).await >= orders
        })
        .await;
    }
}

/// Nothing is admitted, and everything that was goes on.
async fn half_a_minute_of_a_memory_alarm() {
    let mut all = Breakable::start(1).await;
    let pids = all.pids();
    let mut asked = Instant::now();
    let mut closed_for = (asked, asked);
    let seen = all
        .rush_with(SHORTER, async |all, crowd| {
            asked = Instant::now();
            alarm(all, "0").await;
            let raised = Instant::now();
            tokio::time::sleep(SHUT_WITHIN).await;
            nothing_moves_until(all, crowd, raised + ALARM).await;
            closed_for = (raised, Instant::now());
            alarm(all, "0.4").await;
            let healed = Instant::now();
            let before = crowd.so_far(|seen| seen.accepted.len());
            eventually("somebody is accepted again", Duration::from_secs(10), async || {
                crowd.so_far(|seen| seen.accepted.len()) > before + 20
            })
            .await;
            eprintln!("open again {:.1} s after the alarm was over", healed.elapsed().as_secs_f64());
        })
        .await;
    all.still_there(&pids);
    let (told, last) = (closed_for.0 - asked, seen.longest_silence(asked).0 - asked);
    eprintln!("the alarm was asked for in {told:.2?}; the last 202 came after {last:.2?}");
    let during: std::collections::BTreeMap<&str, usize> = seen
        .answers
        .iter()
        .filter(|(at, _)| *at >= closed_for.0 + SHUT_WITHIN && *at <= closed_for.1)
        .fold(Default::default(), |mut codes, (_, code)| {
            *codes.entry(code.as_str()).or_default() += 1;
            codes
        });
    eprintln!("during the alarm: {during:?}");
    assert!(during.keys().all(|code| ["not-ready", "overloaded", "outcome-unknown"].contains(code)), "{during:?}");
    assert!(during.get("not-ready").is_some_and(|count| *count > 100), "{during:?}");
    all.sold_out(SHORTER, &seen, RefusedLate::Never).await;
    all.no_dead_letters().await;
    all.close().await;
}

/// Returns as soon as the broker was told.
async fn alarm(all: &Breakable, watermark: &str) {
    let ctl = all.services.rabbitmq.rabbitmqctl_script();
    let watermark = watermark.to_owned();
    let told = tokio::task::spawn_blocking(move || {
        std::process::Command::new(ctl).args(["set_vm_memory_high_watermark", &watermark]).output().unwrap()
    });
    assert!(told.await.unwrap().status.success());
}

/// No unit is taken and nobody is accepted; consumers acknowledge what waits until nothing does.
async fn nothing_moves_until(all: &Breakable, crowd: &Crowd, end: Instant) {
    let (accepted, first) = (crowd.so_far(|seen| seen.accepted.len()), all.shop.ledger("s1").await);
    let free = &first["items"][0]["free"];
    let mut queued = first["items"][0]["queued"].clone();
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let ledger = all.shop.ledger("s1").await;
        assert_eq!(&ledger["items"][0]["free"], free, "a unit was taken that cannot be published: {ledger}");
        assert_eq!(crowd.so_far(|seen| seen.accepted.len()), accepted, "nobody is accepted");
        queued = ledger["items"][0]["queued"].clone();
    }
    assert_eq!(queued, 0, "consumers go on");
}
