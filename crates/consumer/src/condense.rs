//! Makes minutes of the seconds in which activity was written, when they are an hour old: nobody looks at them more closely
//! by then, and a sale that runs for weeks stays small.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::ActivityStore;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Seconds are kept this long.
const KEEP_S: u32 = 3_600;

/// How often is looked.
const EVERY: Duration = Duration::from_secs(60);

/// Minutes of a sale in one round: a hundred sales that run at once take one each, and what an outage has left goes in a
/// few rounds.
const MINUTES_MAX: usize = 300;

pub(crate) async fn serve(store: Arc<dyn ActivityStore>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match store.condense(KEEP_S, MINUTES_MAX).await {
            Ok(0) => {}
            Ok(minutes) => debug!(minutes, "old activity is kept by the minute"),
            Err(outage) => warn!(%outage, "old activity could not be made minutes of; it stays"),
        }
    }
}
