//! What concerns the whole broker: alarms, and every connection closed at once. A test binary of its own, because cargo
//! runs those one after the other; `RABBITMQCTL` names the command that steers the broker.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "rabbitmq/support.rs"]
#[allow(dead_code)] // the other tests use more of it
mod support;

use std::time::Duration;

use domain::ports::{Delivery, DeliveryTag, Queue};

use support::{Bench, eventually, job, reservation, shard, take_all};

fn tags(deliveries: &[Delivery]) -> Vec<DeliveryTag> {
    deliveries.iter().map(|one| one.tag).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_alarm_shuts_the_gate_and_consumers_go_on() {
    let ctl = |arguments: &[&str]| {
        let ctl = std::env::var("RABBITMQCTL").expect("set RABBITMQCTL, or run cargo xtask test");
        assert!(std::process::Command::new(ctl).args(arguments).output().unwrap().status.success());
    };
    let bench = Bench::start(1).await;
    let mut lane = bench.rabbit.lane(shard());
    bench.rabbit.publish(shard(), &[reservation(1)]).await.unwrap();
    let taken = take_all(&mut lane, 1).await;

    ctl(&["set_vm_memory_high_watermark", "0"]);
    bench.shuts().await;
    lane.ack(&tags(&taken)).await.unwrap();
    // Longer than any of our patience: the gate must not flutter while the alarm lasts.
    for _ in 0..80 {
        assert!(!bench.rabbit.is_open());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ctl(&["set_vm_memory_high_watermark", "0.4"]);
    bench.opens().await;
    bench.rabbit.publish(shard(), &[reservation(2)]).await.unwrap();
    assert_eq!(take_all(&mut lane, 1).await[0].jobs, [job(2, shard())]);

    ctl(&["close_all_connections", "test"]);
    eventually(|| async { bench.rabbit.publish(shard(), &[reservation(3)]).await.ok() }).await;
    take_all(&mut lane, 1).await;
    drop(lane);
    bench.end().await;
}
