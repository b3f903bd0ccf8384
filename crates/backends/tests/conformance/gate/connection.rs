//! What the gate says of its connection, and that it makes a new one.

use domain::ports::Health as _;

use super::bench::redis_gate_at;
use super::tap::Tap;
use crate::support::{eventually, required};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_connection_to_redis_is_noticed_and_made_anew() {
    let tap = Tap::on(&required("REDIS_URL")).await;
    let gate = redis_gate_at(tap.url.clone()).await;
    let connections = || gate.connections().unwrap();
    assert_eq!((connections().open, connections().renewed), (0, 0), "it is made when it is needed");
    gate.check().await.unwrap();
    assert_eq!((connections().open, connections().in_use, connections().renewed), (1, 0, 0));

    let client = redis::Client::open(required("REDIS_URL")).unwrap();
    let mut admin = client.get_multiplexed_async_connection().await.unwrap();
    let ours = tap.seen_from().pop().unwrap().to_string();
    let () = redis::cmd("CLIENT").arg("KILL").arg(&ours).query_async(&mut admin).await.unwrap();
    eventually("it is well again on another connection", || async {
        gate.check().await.is_ok() && (connections().open, connections().renewed) == (1, 1)
    })
    .await;
    assert!(tap.seen_from().len() > 1);
    gate.check().await.unwrap();
    assert_eq!(connections().renewed, 1, "once");
}
