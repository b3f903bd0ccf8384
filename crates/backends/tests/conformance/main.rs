//! One suite per port, run against every backend of it: the in-process set, and Redis, RabbitMQ and Postgres.
//!
//! The scenarios know nothing but the ports. The real servers are named by `REDIS_URL`, `AMQP_URL` and
//! `DATABASE_URL`; without them the tests of the real backends fail, because a test that was not run proves nothing.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod gate;
mod limits;
mod locks;
mod queue;
mod quota;
mod store;
mod support;

/// Makes one test of each scenario for each way to run it.
macro_rules! suite {
    ($scenarios:path: $($backend:ident by $run:path),+; $names:tt) => {
        $($crate::suite!(@backend $backend, $run, $scenarios, $names);)+
    };
    (@backend $backend:ident, $run:path, $scenarios:path, [$($name:ident),+ $(,)?]) => {
        mod $backend {
            use $scenarios as scenarios;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    $run(scenarios::$name).await;
                }
            )+
        }
    };
}
pub(crate) use suite;
