//! What processes have seen, second by second.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{Activity, ActivityRow, Instance, Latencies, Role, Sale, SaleNumber, Stage, Timestamp, from_ms};

use super::bench::{Bench, described, now, operator};

const DAY_S: u32 = 86_400;

fn instance(id: &str) -> Instance {
    Instance { id: id.to_owned(), role: Role::Gateway }
}

/// The beginning of the minute, so many minutes ago.
fn minute(ago: i64) -> Timestamp {
    from_ms((now().timestamp() / 60 - ago) * 60_000)
}

fn row(sale: &Sale, at: Timestamp, id: &str, sold_out: u64) -> ActivityRow {
    let mut activity = Activity { answers: BTreeMap::from([("sold-out".to_owned(), sold_out)]), ..Activity::default() };
    activity.latencies.entry(Stage::Answer).or_default().count(Latencies::bucket(3_000), sold_out);
    ActivityRow { sale: sale.number, at, seconds: 1, instance: id.to_owned(), activity }
}

impl Bench {
    async fn note(&self, id: &str, rows: &[ActivityRow]) {
        self.activity.note(&instance(id), rows).await.unwrap();
    }

    async fn all(&self, sale: SaleNumber) -> Vec<ActivityRow> {
        self.activity.activity(sale, 0, 10_000).await.unwrap().into_iter().map(|noted| noted.row).collect()
    }

    async fn sum(&self, sale: &Sale) -> Activity {
        let mut sum = Activity::default();
        self.all(sale.number).await.iter().for_each(|row| sum.add(&row.activity));
        sum
    }
}

pub(super) async fn rows_are_read_in_the_order_in_which_they_were_written_and_only_what_is_new(bench: Bench) {
    let (sale, other) = (bench.open("s", &[1], 1).await, bench.open("t", &[1], 1).await);
    let begin = minute(1);
    let at = |second| begin + TimeDelta::seconds(second);
    let written = [row(&sale, at(5), "a", 1), row(&sale, at(3), "a", 2), row(&sale, at(4), "a", 3)];
    bench.note("a", &[written[0].clone(), row(&other, at(5), "a", 9)]).await;
    bench.note("a", &written[1..]).await;
    let read = bench.activity.activity(sale.number, 0, 10).await.unwrap();
    assert!(read.is_sorted_by_key(|noted| noted.id));
    let mut rows: Vec<ActivityRow> = read.iter().map(|noted| noted.row.clone()).collect();
    rows[1..].sort_by_key(|row| row.activity.asked()); // of one statement: any order
    assert_eq!(rows, written);
    let page = bench.activity.activity(sale.number, read[0].id, 1).await.unwrap();
    assert_eq!(page, read[1..2]);
    assert_eq!(bench.activity.activity(sale.number, read[2].id, 10).await.unwrap(), []);
}

pub(super) async fn a_row_that_is_written_again_counts_once(bench: Bench) {
    let sale = bench.open("s", &[1], 1).await;
    let at = minute(1);
    let batch = [row(&sale, at, "a", 1), row(&sale, at + TimeDelta::seconds(1), "a", 2)];
    for _ in 0..3 {
        bench.note("a", &batch).await;
    }
    bench.note("b", &[row(&sale, at, "b", 4)]).await;
    assert_eq!((bench.all(sale.number).await.len(), bench.sum(&sale).await.asked()), (3, 7));
}

pub(super) async fn racing_instances_lose_nothing(bench: Bench) {
    let sale = bench.open("s", &[1], 1).await;
    let begin = minute(1);
    let writers = (0..8).map(|writer| {
        let (bench, sale) = (bench.clone(), sale.clone());
        tokio::spawn(async move {
            let id = format!("w{writer}");
            for second in 0..20 {
                bench.note(&id, &[row(&sale, begin + TimeDelta::seconds(second), &id, 1)]).await;
            }
        })
    });
    futures_util::future::join_all(writers).await.into_iter().for_each(|done| done.unwrap());
    assert_eq!(bench.sum(&sale).await.asked(), 160);
    assert_eq!(bench.activity.instances(60).await.unwrap().len(), 8);
}

pub(super) async fn who_is_alive_is_known_and_who_was_is_forgotten(bench: Bench) {
    bench.note("gateway-1", &[]).await;
    let consumer = Instance { id: "consumer-1".to_owned(), role: Role::Consumer };
    bench.activity.note(&consumer, &[]).await.unwrap();
    bench.note("gateway-1", &[]).await;
    let alive = bench.activity.instances(60).await.unwrap();
    let known: Vec<_> = alive.iter().map(|seen| (seen.id.as_str(), seen.role)).collect();
    assert_eq!(known, [("consumer-1", Role::Consumer), ("gateway-1", Role::Gateway)]);
    assert!(alive.iter().all(|seen| seen.age_ms < 30_000), "{alive:?}");
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    bench.note("gateway-2", &[]).await;
    let alive = bench.activity.instances(1).await.unwrap();
    assert_eq!(alive.iter().map(|seen| seen.id.as_str()).collect::<Vec<_>>(), ["gateway-2"]);
    assert_eq!(bench.activity.condense(1, 10).await.unwrap(), 0);
    assert_eq!(bench.activity.instances(600).await.unwrap().len(), 1);
}

pub(super) async fn old_seconds_become_minutes_and_no_count_is_lost(bench: Bench) {
    let sale = bench.open("s", &[1], 1).await;
    let (old, young) = (minute(90), minute(10));
    for (begin, id) in [(old, "a"), (old, "b"), (old + TimeDelta::minutes(1), "a"), (young, "a")] {
        let rows: Vec<_> = (0..60).map(|s| row(&sale, begin + TimeDelta::seconds(s), id, s as u64)).collect();
        bench.note(id, &rows).await;
    }
    let before = bench.sum(&sale).await;
    assert_eq!(bench.activity.condense(3_600, 1).await.unwrap(), 1, "as many as were asked for");
    assert_eq!(bench.activity.condense(3_600, 100).await.unwrap(), 1);
    assert_eq!(bench.activity.condense(3_600, 100).await.unwrap(), 0);
    let mut minutes: Vec<_> = bench.all(sale.number).await.into_iter().filter(|row| row.seconds == 60).collect();
    minutes.sort_by_key(|row| row.at);
    assert_eq!(minutes.iter().map(|row| row.at).collect::<Vec<_>>(), [old, old + TimeDelta::minutes(1)]);
    let busiest = minutes[0].activity.busiest.unwrap();
    assert_eq!((busiest.at, busiest.asked), (old + TimeDelta::seconds(59), 118), "over both instances");
    assert_eq!(bench.all(sale.number).await.len(), 62);
    let after = bench.sum(&sale).await;
    assert_eq!((after.answers, after.latencies), (before.answers.clone(), before.latencies.clone()));
    // A row that comes later than that is added.
    bench.note("c", &[row(&sale, old + TimeDelta::seconds(7), "c", 1_000)]).await;
    assert_eq!(bench.activity.condense(3_600, 100).await.unwrap(), 1);
    assert_eq!((bench.all(sale.number).await.len(), bench.sum(&sale).await.asked()), (62, before.asked() + 1_000));
}

pub(super) async fn racing_condensers_lose_nothing(bench: Bench) {
    let sale = bench.open("s", &[1], 1).await;
    let begin = minute(200);
    let rows: Vec<_> = (0..1_200).map(|s| row(&sale, begin + TimeDelta::seconds(s), "a", 1)).collect();
    bench.note("a", &rows).await;
    let condensers = (0..4).map(|_| {
        let bench = bench.clone();
        // Whoever is overtaken says so, and comes again.
        tokio::spawn(async move { while !matches!(bench.activity.condense(3_600, 5).await, Ok(0)) {} })
    });
    futures_util::future::join_all(condensers).await.into_iter().for_each(|done| done.unwrap());
    assert_eq!((bench.all(sale.number).await.len(), bench.sum(&sale).await.asked()), (20, 1_200));
}

pub(super) async fn it_goes_with_its_sale_and_comes_for_no_other(bench: Bench) {
    let closes_at = now() - TimeDelta::days(2);
    let new = domain::NewSale {
        closes_at,
        opens_at: closes_at - TimeDelta::hours(1),
        payment_window_seconds: 1,
        ..described("s", &[9], 1)
    };
    let (sale, other) = (bench.open_as(&new).await, bench.open("t", &[1], 1).await);
    let rows: Vec<_> = (0..7).map(|s| row(&sale, minute(1) + TimeDelta::seconds(s), "a", 1)).collect();
    bench.note("a", &rows).await;
    bench.note("a", &[row(&other, minute(1), "a", 1)]).await;
    while bench.retention.clear_ended(DAY_S, 3).await.unwrap() > 0 {}
    assert_eq!(bench.all(sale.number).await, []);
    assert_eq!(bench.sum(&other).await.asked(), 1);
    bench.note("a", &[row(&sale, minute(0), "a", 1)]).await;
    assert_eq!(bench.all(sale.number).await, [], "there is no such sale any more");
    assert!(bench.sales.create(&described("s", &[1], 1), &operator()).await.unwrap().is_some());
}
