//! RabbitMQ dies, loses its queue, and answers nobody.

use std::time::{Duration, Instant};

use lapin::{Connection, ConnectionProperties};

use crate::bench::{Breakable, RefusedLate, Rush};
use crate::common::crowd::Crowd;
use crate::common::eventually;
use crate::common::proxy::Way;

/// Fault matrix B1, B2.
#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_killed_and_restarted_during_a_sale_loses_nothing_and_nobody_is_restarted() {
    let mut all = Breakable::start(2).await;
    let pids = all.pids();
    let seen = all
        .crowd_with(6_000, 12_000, async |all| {
            all.services.rabbitmq.kill9();
            tokio::time::sleep(Duration::from_secs(1)).await;
            all.services.rabbitmq.start_again().unwrap();
        })
        .await;
    all.still_there(&pids);
    all.sold_out_cleanly(6_000, 12_000, seen).await;
}

/// Messages that a gateway may have unconfirmed: `publish_in_flight`, and the probe.
const UNCONFIRMED_MAX: f64 = 513.0;

/// The broker takes what is published; for so long nobody hears of it.
async fn without_confirms(all: &Breakable, way: Way, lasts: Duration) {
    let proxy = all.proxy.as_ref().unwrap();
    proxy.make(way);
    let until = Instant::now() + lasts;
    while Instant::now() < until {
        for gateway in &all.shop.gateways {
            let unconfirmed = all.shop.metric(&gateway.operators_url(), "seckill_broker_unconfirmed", "").await;
            assert!(unconfirmed <= UNCONFIRMED_MAX, "{unconfirmed} messages wait for a confirm");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    proxy.make(Way::Open);
}

/// People are accepted again.
async fn goes_on(crowd: &Crowd) {
    let before = crowd.so_far(|seen| seen.accepted.len());
    eventually("somebody is accepted", Duration::from_secs(10), async || {
        crowd.so_far(|seen| seen.accepted.len()) > before + 50
    })
    .await;
}

/// Fault matrix B5, B6: the message is stored and the confirm is lost, or late.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_that_never_comes_back_is_said_to_be_unknown_and_costs_neither_a_unit_nor_an_order() {
    let mut all = Breakable::start_behind_a_proxy(2).await;
    let (pids, rush) = (all.pids(), Rush::new("s1", 6_000, 8_000));
    let seen = all
        .rush_with(rush, async |all, crowd| {
            // Shorter than the patience of the connection, longer than it, and so late that every confirm misses.
            without_confirms(all, Way::Mute, Duration::from_millis(1_500)).await;
            goes_on(crowd).await;
            without_confirms(all, Way::Mute, Duration::from_secs(4)).await;
            goes_on(crowd).await;
            without_confirms(all, Way::Slow(Duration::from_millis(1_200)), Duration::from_secs(3)).await;
        })
        .await;
    all.still_there(&pids);
    eprintln!(
        "{} jobs were told outcome-unknown; {} answers not-ready, {} overloaded",
        seen.unknown.len(),
        seen.count("not-ready"),
        seen.count("overloaded")
    );
    assert!(seen.unknown.len() >= 50, "only {} buyers were told outcome-unknown", seen.unknown.len());
    let accepted: std::collections::HashSet<&String> = seen.accepted.iter().collect();
    assert!(seen.unknown.iter().all(|job| accepted.contains(job)), "who was told unknown was accepted in the end");
    all.sold_out(rush, &seen, RefusedLate::Never).await;
    all.no_dead_letters().await;
    all.close().await;
}

async fn delete_the_queue(all: &Breakable) -> u32 {
    let broker = Connection::connect(&all.services.rabbitmq.url(), ConnectionProperties::default()).await.unwrap();
    let channel = broker.create_channel().await.unwrap();
    let queue = format!("{}.orders.0", all.shop.namespace);
    let lost = channel.queue_delete(queue.as_str().into(), Default::default()).await.unwrap();
    broker.close(200, "done".into()).await.unwrap();
    lost
}

/// Fault matrix B9, B10: confirmed messages are gone, and the next ones have nowhere to go.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_deleted_while_messages_wait_or_are_published_comes_back_and_every_202_has_its_order() {
    let mut all = Breakable::start(2).await;
    let (first, second) = (Rush::new("s1", 1_000, 1_200), Rush::new("s2", 6_000, 8_000));

    all.shop.sale(first.sale, 1, &[first.stock]).await;
    let mut bodies = all.shop.mint(first.sale, first.buyers, &[]);
    let last = bodies.split_off(900);
    let (took, well) = all.shop.consumers[0].terminate();
    assert!(well, "{took:?}");
    let mut waiting = all.shop.client.crowd(first.sale, bodies, first.connections).await;
    assert_eq!(waiting.accepted.len(), 900);
    let lost = delete_the_queue(&all).await;
    assert!(lost > 0, "messages were waiting");
    // With no consumer there, it is the gateways who declare the queue again.
    let rest = all.shop.client.stubborn_crowd(first.sale, last, first.connections, Duration::ZERO).end().await;
    waiting.accepted.extend(rest.accepted);
    waiting.refused.extend(rest.refused);
    all.shop.consumers[0].start_again();

    let pids = all.pids();
    let pressed = all
        .rush_with(second, async |all, crowd| {
            for _ in 0..3 {
                delete_the_queue(all).await;
                goes_on(crowd).await;
            }
        })
        .await;
    all.still_there(&pids);
    let mut returned = 0.0;
    for gateway in &all.shop.gateways {
        returned += all.shop.metric(&gateway.operators_url(), "seckill_broker_returned_total", "").await;
    }
    eprintln!("{lost} messages were lost with the queue; {returned} had no queue");
    // A confirmed job without an order is published again after 30 s.
    all.sold_out(first, &waiting, RefusedLate::Never).await;
    all.sold_out(second, &pressed, RefusedLate::Never).await;
    all.no_dead_letters().await;
    all.close().await;
}
