//! Redis keeps nothing of limits for longer than it says something.

use super::bench::{GCRA, WINDOW, limit, ms, redis_limits};
use crate::support::{eventually, required, unique};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_expires_with_its_window() {
    use domain::ports::SharedLimits as _;
    let namespace = unique("limits");
    let limits = redis_limits(required("REDIS_URL"), namespace.clone()).await;
    let long = ms(86_400_000);
    let day = [limit("w", WINDOW, 1, long), limit("g", GCRA, 2, long)];
    let moment = [limit("sw", WINDOW, 1, ms(50)), limit("sg", GCRA, 1, ms(50))];
    for one in [&day, &moment] {
        for _ in 0..3 {
            limits.spend(one).await.unwrap(); // the second and third are refused, and leave no key without an end
        }
    }
    let client = redis::Client::open(required("REDIS_URL")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut ttl = async |key: &str| -> i64 {
        let key = format!("{namespace}:{{limits}}:{key}");
        redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap()
    };
    let day_ms = 86_400_000;
    assert!((1..=day_ms + 2).contains(&ttl("w:w").await), "a window is remembered for a window");
    assert!((1..=day_ms / 2 + 2).contains(&ttl("g:g").await), "a GCRA until it is whole again");
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let gone = |key: &'static str| {
        let (key, mut connection) = (format!("{namespace}:{{limits}}:{key}"), connection.clone());
        async move { redis::cmd("EXISTS").arg(key).query_async::<i64>(&mut connection).await.unwrap() == 0 }
    };
    eventually("what is over is gone", || async { gone("w:sw").await && gone("g:sg").await }).await;
    let keys = ["w:w", "g:g"].map(|key| format!("{namespace}:{{limits}}:{key}"));
    let _: i64 = redis::cmd("DEL").arg(&keys).query_async(&mut connection).await.unwrap();
}
