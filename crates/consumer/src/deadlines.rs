//! Ends unpaid orders whose time is over. Deadlines are due rows, not timers: nothing is forgotten by a crash, and
//! several consumers share the work.

use std::sync::Arc;
use std::time::Duration;

use control::Backoff;
use domain::ports::OrderLife;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often due rows are looked for: with the relay's few milliseconds, this is how late a unit is for sale again.
const EVERY: Duration = Duration::from_millis(500);

/// Orders in one call.
const ORDERS_MAX: usize = 500;

pub(crate) async fn serve(life: Arc<dyn OrderLife>, stop: CancellationToken) {
    metrics::counter!("seckill_orders_expired_total").increment(0);
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let wait = match life.expire(ORDERS_MAX).await {
            Ok(0) => EVERY,
            Ok(orders) => {
                info!(orders, "{orders} unpaid orders have expired; their units are for sale again");
                metrics::counter!("seckill_orders_expired_total").increment(orders as u64);
                if orders == ORDERS_MAX { Duration::ZERO } else { EVERY }
            }
            Err(outage) => {
                warn!(%outage, "deadlines could not be looked at; they stay due");
                stop.run_until_cancelled(tokio::time::sleep(backoff.wait())).await;
                continue;
            }
        };
        backoff.reset();
        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
    }
}
