//! The outbox: at least once, whatever dies in between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::ports::{Deliver, Health, OrderStore, Outage, Outbox, OutboxRow, Sink};

use super::support::{Receiver, crowd, events_of, holds_of, in_a_database, wants};

/// Delivers, and dies before it can say so.
struct Crashes(Arc<Receiver>);

#[async_trait]
impl Deliver for Crashes {
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage> {
        self.0.deliver(rows).await?;
        panic!("the process dies here");
    }
}

/// Delivers the first rows only.
struct First(usize);

#[async_trait]
impl Deliver for First {
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage> {
        Ok(rows.iter().take(self.0).map(|row| row.id).collect())
    }
}

/// Loses its database connection while it delivers.
struct LosesTheDatabase {
    url: String,
    receiver: Receiver,
}

#[async_trait]
impl Deliver for LosesTheDatabase {
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage> {
        let kill = "select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()";
        super::support::execute(&self.url, kill).await;
        self.receiver.deliver(rows).await
    }
}

fn ids(rows: &[OutboxRow]) -> Vec<i64> {
    rows.iter().map(|row| row.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_delivery_and_mark_delivers_again() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[9], 1).await;
        for n in 0..3 {
            bench.place(&crowd(&sale, n, 1, 0)).await;
        }
        let first = Arc::new(Receiver::default());
        let crashed = bench.postgres.relay(Sink::Gate, 10, Arc::new(Crashes(first.clone()))).await;
        assert!(matches!(crashed, Err(Outage::Unknown(_))), "{crashed:?}");
        assert_eq!(first.rows().len(), 3);

        let lost = Arc::new(LosesTheDatabase { url: bench.url.clone(), receiver: Receiver::default() });
        assert!(bench.postgres.relay(Sink::Gate, 10, lost.clone()).await.is_err());
        assert_eq!(lost.receiver.rows(), first.rows());

        assert_eq!(bench.relay_all(Sink::Gate).await, first.rows(), "the same rows in the same order");
        assert!(bench.relay_all(Sink::Gate).await.is_empty());
        assert!(first.rows().iter().all(|row| holds_of(row).len() == 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_in_part_goes_on_where_it_stopped() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[9], 1).await;
        for n in 0..5 {
            bench.place(&crowd(&sale, n, 1, 0)).await;
        }
        let relayed = bench.postgres.relay(Sink::Events, 4, Arc::new(First(3))).await.unwrap();
        assert_eq!((relayed.rows, relayed.more), (3, true));
        let rest = bench.relay_all(Sink::Events).await;
        assert_eq!(rest.iter().flat_map(|row| events_of(row).events).count(), 2);
        assert!(ids(&rest).is_sorted());
        assert_eq!(bench.postgres.backlog(Sink::Events).await.unwrap(), (0, 0.0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_relay_in_the_order_of_the_versions_and_nothing_twice() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[1_000], 1).await;
        let receiver = Arc::new(Receiver::default());
        let mut relays = Vec::new();
        for _ in 0..3 {
            let (process, receiver) = (bench.neighbour().await, receiver.clone());
            relays.push(tokio::spawn(async move {
                while receiver.rows().len() < 60 {
                    process.relay(Sink::Gate, 7, receiver.clone()).await.unwrap();
                    process.wait(Sink::Gate, Duration::from_millis(20)).await;
                }
            }));
        }
        for n in 0..60 {
            bench.place(&crowd(&sale, n, 1, 0)).await;
        }
        for relay in relays {
            relay.await.unwrap();
        }
        let versions: Vec<i64> = receiver.rows().iter().map(|row| row.version.unwrap().1).collect();
        assert_eq!(versions, (2..62).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_written_by_another_process_wakes_a_relay() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[9], 1).await;
        let other = bench.neighbour().await;
        // Listening begins with the first wait.
        other.wait(Sink::Gate, Duration::from_millis(500)).await;
        let listening = "select count(*) from pg_stat_activity
                         where datname = current_database() and query ilike 'listen%'";
        while bench.number(listening).await == 0 {}
        let started = Instant::now();
        let waiting = tokio::spawn(async move { other.wait(Sink::Gate, Duration::from_secs(20)).await });
        bench.place(&[wants(&sale, 1, "ann", 0, 1)]).await;
        waiting.await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_was_cut_off_listens_again() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[9], 1).await;
        let other = bench.neighbour().await;
        other.wait(Sink::Events, Duration::from_millis(500)).await;
        let listening = "select count(*) from pg_stat_activity
                         where datname = current_database() and query ilike 'listen%'";
        while bench.number(listening).await == 0 {}
        bench
            .execute(
                "select pg_terminate_backend(pid) from pg_stat_activity
                      where datname = current_database() and pid <> pg_backend_pid()",
            )
            .await;
        while bench.number(listening).await == 0 {}
        // Being cut off is a reason to look; that permit is used up here.
        other.wait(Sink::Events, Duration::from_millis(500)).await;
        let started = Instant::now();
        let waiting = tokio::spawn(async move { other.wait(Sink::Events, Duration::from_secs(20)).await });
        while bench.postgres.check().await.is_err() {}
        bench.postgres.place(&[wants(&sale, 1, "ann", 0, 1)]).await.unwrap();
        waiting.await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    })
    .await;
}
