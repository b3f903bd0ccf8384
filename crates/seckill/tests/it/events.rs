//! What the world hears.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::{Connection, ConnectionProperties};
use serde_json::Value;

use crate::common::TestShop;

#[tokio::test(flavor = "multi_thread")]
async fn every_order_is_announced_on_the_events_exchange_at_once_and_in_order() {
    let shop = TestShop::start(1, 1).await;
    shop.sale("s1", 1, &[100]).await;
    let connection = Connection::connect(&shop.servers.amqp, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions { exclusive: true, ..Default::default() };
    let queue = channel.queue_declare("".into(), options, Default::default()).await.unwrap();
    let (name, exchange) = (queue.name().as_str().to_owned(), format!("{}.events", shop.namespace));
    let bind = QueueBindOptions::default();
    channel
        .queue_bind(name.as_str().into(), exchange.as_str().into(), "sale.s1.#".into(), bind, Default::default())
        .await
        .unwrap();
    let consume = BasicConsumeOptions::default();
    let mut events = channel.basic_consume(name.as_str().into(), "".into(), consume, Default::default()).await.unwrap();

    // The first one alone: announced at once, long before any sweep of five seconds.
    let bodies = shop.mint("s1", 60, &[]);
    let started = std::time::Instant::now();
    let first = shop.client.buy(0, "s1", &bodies[0]).await;
    let mut seen: HashMap<String, Vec<u64>> = HashMap::new();
    let mut note = async |seen: &mut HashMap<String, Vec<u64>>| {
        let delivery = tokio::time::timeout(Duration::from_secs(10), events.next())
            .await
            .expect("an event in time")
            .unwrap()
            .unwrap();
        let message: Value = serde_json::from_slice(&delivery.data).unwrap();
        assert_eq!(
            (&message["schema"], message["sale"].as_str(), message["item"].as_str()),
            (&1.into(), Some("s1"), Some("item-0"))
        );
        for event in message["events"].as_array().unwrap() {
            assert_eq!(event["type"], "order.placed");
            seen.entry(event["orderId"].as_str().unwrap().to_owned()).or_default().push(event["seq"].as_u64().unwrap());
        }
        delivery.ack(BasicAckOptions::default()).await.unwrap();
    };
    note(&mut seen).await;
    assert!(seen.contains_key(&first.job()));
    assert!(started.elapsed() < Duration::from_secs(3), "announced only after {:?}", started.elapsed());

    let crowd = shop.client.crowd("s1", bodies[1..].to_vec(), 20).await;
    while seen.len() < 60 {
        note(&mut seen).await;
    }
    for job in crowd.accepted.iter().chain([&first.job()]) {
        let mut sequence = seen[job].clone();
        sequence.dedup();
        assert_eq!(sequence, [1], "{job}");
    }
    shop.audit("s1", &crowd.accepted).await;
    let _ = connection.close(200, "done".into()).await;
    shop.close().await;
}
