//! What a batch costs, in questions to the server: the same for one order and for five hundred.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backends::postgres::{Postgres, PostgresSettings};
use domain::ports::{OrderStore, Outbox, Sink};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

use super::line::address;
use super::support::{Receiver, crowd, in_a_database, patient};

/// Begin, items, orders, stock, outbox, commit; one more where allowances are counted.
const PLACE_MAX: u64 = 7;
/// Begin, turn, rows, mark, commit.
const RELAY_MAX: u64 = 5;
/// Beside it: others are told that there are rows; and a connection is asked when it leaves the pool and when it comes
/// back, for this and for that.
const BESIDE_MAX: u64 = 5;

/// Passes bytes on, and counts what waits for an answer: `Sync` and `Query`.
async fn counted(server: String, asked: Arc<AtomicU64>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(&server).await.unwrap().into_split();
            let asked = asked.clone();
            tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
            tokio::spawn(async move {
                // Messages have no type until the one that names the protocol's version 3.
                let mut started = false;
                loop {
                    let mut message = Vec::new();
                    if started {
                        message.push(from_client.read_u8().await?);
                        asked.fetch_add(u64::from(b"SQ".contains(&message[0])), Ordering::SeqCst);
                    }
                    let length = from_client.read_u32().await?;
                    message.extend(length.to_be_bytes());
                    let body = message.len();
                    message.resize(body + length as usize - 4, 0);
                    from_client.read_exact(&mut message[body..]).await?;
                    started |= message[body..].starts_with(&[0, 3, 0, 0]);
                    to_server.write_all(&message).await?;
                }
                #[allow(unreachable_code, reason = "says what `?` answers with")]
                std::io::Result::Ok(())
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_costs_the_same_few_questions_whatever_its_size() {
    in_a_database(|bench| async move {
        let asked = Arc::new(AtomicU64::new(0));
        let port = counted(address(&bench.url), asked.clone()).await;
        let url = bench.url.replacen(&address(&bench.url), &format!("127.0.0.1:{port}"), 1);
        // One connection, so that each statement is prepared once.
        let postgres = Postgres::connect(&PostgresSettings { pool_size: 1, ..patient(&url) }).await.unwrap();
        let counts = async |most: u64, what: &str| {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let count = asked.swap(0, Ordering::SeqCst);
            assert!((2..=most + BESIDE_MAX).contains(&count), "{what}: {count} questions");
        };
        for limit in [1, 3] {
            let sale = bench.open(&format!("s{limit}"), &[1_000], limit).await;
            for (round, size) in [(0, 1), (1, 1), (2, 1), (3, 50), (4, 500)] {
                let what = format!("limit {limit}, round {round}, {size} orders");
                let (placing, relaying) = if round < 2 { (30, 30) } else { (PLACE_MAX, RELAY_MAX) };
                postgres.place(&crowd(&sale, round * 1_000, size, 0)).await.unwrap();
                counts(placing, &format!("{what}: placing")).await;
                for sink in [Sink::Gate, Sink::Events] {
                    let relayed = postgres.relay(sink, 100, Arc::new(Receiver::default())).await.unwrap();
                    assert_eq!(relayed.rows, 1);
                    counts(relaying, &format!("{what}: relaying")).await;
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_come_again_are_found_and_the_next_batch_is_trusted_again() {
    in_a_database(|bench| async move {
        for limit in [1, 3] {
            let sale = bench.open(&format!("s{limit}"), &[1_000], limit).await;
            bench.place(&crowd(&sale, 0, 10, 0)).await;
            bench.place(&crowd(&sale, 10, 10, 0)).await;
            // Half of them were never seen.
            let mixed = bench.place(&crowd(&sale, 5, 20, 0)).await;
            assert_eq!(mixed.iter().filter(|placement| placement.duplicate).count(), 15);
            assert!(bench.place(&crowd(&sale, 0, 25, 0)).await.iter().all(|placement| placement.duplicate));
            assert!(bench.place(&crowd(&sale, 25, 10, 0)).await.iter().all(|placement| !placement.duplicate));
            assert!(bench.place(&crowd(&sale, 35, 10, 0)).await.iter().all(|placement| !placement.duplicate));
        }
    })
    .await;
}
