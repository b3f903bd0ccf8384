//! The outbox, and the books that are taken through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::ports::{Deliver, Outage, OutboxRow, Relayed, Sink};
use domain::{ItemIndex, OrderEvent};

use super::bench::{Bench, PLACED, Receiver, events_of, holds_of, job, operator, wants};

pub(super) async fn what_was_written_is_relayed_in_order_and_once(bench: Bench) {
    let sale = bench.open("s", &[2], 1).await;
    for n in 0..5 {
        bench.outcomes(&[wants(&sale, n, &format!("buyer-{n}"), 0, 1)]).await;
    }
    for sink in [Sink::Gate, Sink::Events] {
        let (waiting, oldest_s) = bench.outbox.backlog(sink).await.unwrap();
        assert_eq!(waiting, 5);
        assert!((0.0..60.0).contains(&oldest_s), "{oldest_s}");
        let receiver = Arc::new(Receiver::default());
        let mut counts = Vec::new();
        for _ in 0..4 {
            counts.push(bench.outbox.relay(sink, 2, receiver.clone()).await.unwrap());
        }
        assert_eq!(counts.iter().map(|relayed| relayed.rows).collect::<Vec<_>>(), [2, 2, 1, 0]);
        assert_eq!(counts.iter().map(|relayed| relayed.more).collect::<Vec<_>>(), [true, true, false, false]);
        let rows = receiver.rows();
        assert!(rows.is_sorted_by(|one, next| one.id < next.id), "in order");
        assert!(rows.iter().all(|row| row.route == sale.route() && row.sale == sale.id));
        assert_eq!(bench.outbox.backlog(sink).await.unwrap(), (0, 0.0));
    }
}

/// Takes only the first of what it is given, or nothing at all.
struct Reluctant {
    away: AtomicBool,
}

#[async_trait]
impl Deliver for Reluctant {
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Outage::Unknown("the other side is away".to_owned()));
        }
        Ok(rows.iter().take(1).map(|row| row.id).collect())
    }
}

pub(super) async fn what_did_not_arrive_comes_again(bench: Bench) {
    let sale = bench.open("s", &[9], 1).await;
    for n in 0..3 {
        bench.outcomes(&[wants(&sale, n, &format!("buyer-{n}"), 0, 1)]).await;
    }
    let reluctant = Arc::new(Reluctant { away: AtomicBool::new(true) });
    assert!(bench.outbox.relay(Sink::Gate, 10, reluctant.clone()).await.is_err());
    assert_eq!(bench.outbox.backlog(Sink::Gate).await.unwrap().0, 3);
    reluctant.away.store(false, Ordering::SeqCst);
    assert_eq!(bench.outbox.relay(Sink::Gate, 10, reluctant).await.unwrap(), Relayed { rows: 1, more: false });
    let left = bench.effects().await;
    assert_eq!(left.iter().map(|hold| hold.job).collect::<Vec<_>>(), [job(&sale, 1), job(&sale, 2)]);
    assert_eq!(bench.outbox.backlog(Sink::Events).await.unwrap().0, 3, "the other sink is on its own");
}

pub(super) async fn the_effect_and_the_event_of_an_order_say_the_same(bench: Bench) {
    let sale = bench.open("s", &[2, 9], 2).await;
    let batch = [wants(&sale, 1, "ann", 0, 2), wants(&sale, 2, "bob", 0, 1), wants(&sale, 3, "cid", 1, 1)];
    bench.outcomes(&batch).await;
    let (holds, messages) = (bench.relay_all(Sink::Gate).await, bench.relay_all(Sink::Events).await);
    assert_eq!((holds.len(), messages.len()), (2, 2), "one for each item");

    for (at, row) in [(0, &holds[0]), (1, &holds[1])] {
        let (item, version) = row.version.unwrap();
        assert_eq!(item, ItemIndex::new(at));
        assert_eq!(version, bench.sales.versions(sale.number).await.unwrap()[usize::from(at)]);
    }
    let holds: Vec<_> = holds.iter().flat_map(holds_of).collect();
    let numbers: Vec<(u32, u16, u16)> = holds.iter().map(|hold| (hold.rev, hold.quantity, hold.units)).collect();
    assert_eq!(numbers, [(1, 2, 2), (1, 1, 0), (1, 1, 1)]);
    assert!(holds.iter().zip(&batch).all(|(hold, one)| hold.job == one.job && hold.buyer.as_ref() == Some(&one.buyer)));
    assert!(holds.iter().zip(&batch).all(|(hold, one)| hold.item == Some(one.item)));

    let messages: Vec<_> = messages.iter().map(events_of).collect();
    assert!(messages.iter().all(|message| message.schema == 1 && message.sale == sale.id));
    assert_eq!(
        messages.iter().map(|message| message.item.clone().unwrap().to_string()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    let events: Vec<OrderEvent> = messages.into_iter().flat_map(|message| message.events).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["order.placed", "order.rejected", "order.placed"]);
    assert_eq!(events[0].amount.unwrap().amount, 200);
    assert_eq!(events[1].reason, Some(domain::RefusedReason::SoldOut));
    for (event, hold) in events.iter().zip(&holds) {
        assert_eq!((event.order_id, event.seq, event.at), (hold.job, hold.rev, hold.at));
        assert_eq!((&event.buyer_id, event.quantity), (&hold.buyer, hold.quantity));
    }
}

/// Notices when it is called a second time before it has answered the first.
#[derive(Default)]
struct Slow {
    inside: AtomicUsize,
    overlapped: AtomicBool,
    rows: AtomicUsize,
}

#[async_trait]
impl Deliver for Slow {
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage> {
        if self.inside.fetch_add(1, Ordering::SeqCst) > 0 {
            self.overlapped.store(true, Ordering::SeqCst);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.rows.fetch_add(rows.len(), Ordering::SeqCst);
        self.inside.fetch_sub(1, Ordering::SeqCst);
        Ok(rows.iter().map(|row| row.id).collect())
    }
}

pub(super) async fn one_relay_at_a_time(bench: Bench) {
    let sale = bench.open("s", &[9], 1).await;
    for n in 0..6 {
        bench.outcomes(&[wants(&sale, n, &format!("buyer-{n}"), 0, 1)]).await;
    }
    let slow = Arc::new(Slow::default());
    let relays: Vec<_> = (0..4)
        .map(|_| {
            let (bench, slow) = (bench.clone(), slow.clone());
            tokio::spawn(async move { bench.outbox.relay(Sink::Gate, 2, slow).await })
        })
        .collect();
    for relay in relays {
        // One that finds another at work may say so instead of waiting.
        let _ = relay.await.unwrap();
    }
    while bench.outbox.backlog(Sink::Gate).await.unwrap().0 > 0 {
        bench.outbox.relay(Sink::Gate, 2, slow.clone()).await.unwrap();
    }
    assert!(!slow.overlapped.load(Ordering::SeqCst));
    assert_eq!(slow.rows.load(Ordering::SeqCst), 6, "each row once");
}

pub(super) async fn a_waiting_relay_is_woken_by_a_row(bench: Bench) {
    let sale = bench.open("s", &[9], 1).await;
    // Whatever was noted before is used up.
    for _ in 0..2 {
        bench.outbox.wait(Sink::Gate, Duration::from_millis(200)).await;
    }
    let started = Instant::now();
    bench.outbox.wait(Sink::Gate, Duration::from_millis(100)).await;
    assert!(started.elapsed() >= Duration::from_millis(90), "nothing was written");

    let waiter = bench.clone();
    let waiting = tokio::spawn(async move {
        let started = Instant::now();
        waiter.outbox.wait(Sink::Gate, Duration::from_secs(20)).await;
        started.elapsed()
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    bench.outcomes(&[wants(&sale, 1, "ann", 0, 1)]).await;
    let waited = waiting.await.unwrap();
    assert!(waited < Duration::from_secs(10), "{waited:?}");
}

pub(super) async fn delivered_rows_are_swept_and_waiting_ones_kept(bench: Bench) {
    let sale = bench.open("s", &[9], 1).await;
    bench.outcomes(&[wants(&sale, 1, "ann", 0, 1)]).await;
    bench.relay_all(Sink::Gate).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(bench.outbox.sweep(3_600).await.unwrap(), 0, "too young");
    assert_eq!(bench.outbox.sweep(0).await.unwrap(), 1);
    assert_eq!(bench.outbox.sweep(0).await.unwrap(), 0);
    assert_eq!(bench.relay_all(Sink::Events).await.len(), 1);
}

pub(super) async fn totals_are_taken_back_to_the_version_that_was_seen(bench: Bench) {
    let sale = bench.open("s", &[9, 9], 5).await;
    let start = bench.sales.versions(sale.number).await.unwrap();
    let mut versions = vec![start.clone()];
    for n in 0..3 {
        bench.outcomes(&[wants(&sale, n, &format!("buyer-{n}"), 0, n + 1)]).await;
        versions.push(bench.sales.versions(sale.number).await.unwrap());
    }
    bench.outcomes(&[wants(&sale, 5, "ann", 1, 2)]).await;
    let after = async |seen: &[i64]| {
        let totals = bench.orders.totals(sale.number, seen).await.unwrap();
        assert_eq!(totals.iter().map(|line| line.held).collect::<Vec<_>>(), [6, 2]);
        assert_eq!(totals.iter().map(|line| line.item.to_string()).collect::<Vec<_>>(), ["a", "b"]);
        totals.iter().map(|line| line.after).collect::<Vec<_>>()
    };
    // Whether the rows have been delivered makes no difference: what counts is what the gate has applied.
    for _ in 0..2 {
        for (seen, expected) in versions.iter().zip([[6, 2], [5, 2], [3, 2], [0, 2]]) {
            assert_eq!(after(seen).await, expected);
        }
        let newest = bench.sales.versions(sale.number).await.unwrap();
        assert_eq!(after(&newest).await, [0, 0]);
        bench.relay_all(Sink::Gate).await;
    }

    // Neither a rejection nor a repeated delivery moves a version; an epoch does, and moves no units.
    let newest = bench.sales.versions(sale.number).await.unwrap();
    bench.place(&[wants(&sale, 6, "bob", 0, 5), wants(&sale, 5, "ann", 1, 2)]).await;
    assert_eq!(bench.sales.versions(sale.number).await.unwrap(), newest);
    bench.sales.next_epoch(&sale.id, &domain::ports::Operator::default()).await.unwrap();
    assert_eq!(after(&newest).await, [0, 0]);
    let nowhere = domain::SaleNumber::new(9_999).unwrap();
    assert!(bench.orders.totals(nowhere, &[]).await.unwrap().is_empty());

    bench.sales.set_state(&sale.id, domain::SaleState::Closed, &operator()).await.unwrap();
    let accepted = bench.outcomes(&[wants(&sale, 7, "cid", 0, 1)]).await;
    assert_eq!(accepted, [PLACED], "closing stops admission only");
}
