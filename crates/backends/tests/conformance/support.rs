//! What every suite needs: addresses, names that nobody else uses, and a clock that is moved by hand.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::ports::Clock;
use domain::{Timestamp, from_ms};

/// An address from the environment.
pub(crate) fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("set {name}, or run cargo xtask test"))
}

/// A name that no other test uses: letters and digits only.
pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}{}", uuid::Uuid::new_v4().simple())
}

/// A clock that stands still until it is moved.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn at_ms(ms: i64) -> Self {
        Self(AtomicI64::new(ms))
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        from_ms(self.0.load(Ordering::SeqCst))
    }
}

/// Waits until it is so; for what a server does in its own time.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    for _ in 0..200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within ten seconds: {what}");
}

/// Runs a scenario to its end, whatever that is, so that its caller can clean up before failing.
pub(crate) async fn finish(scenario: impl Future<Output = ()> + Send + 'static) -> Result<(), Panic> {
    tokio::spawn(scenario).await.map_err(|error| Panic(error.into_panic()))
}

/// How a scenario failed.
#[must_use]
pub(crate) struct Panic(Box<dyn std::any::Any + Send>);

impl Panic {
    pub(crate) fn resume(self) -> ! {
        std::panic::resume_unwind(self.0)
    }
}
