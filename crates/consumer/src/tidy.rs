//! Measures the outbox and keeps it short.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Outbox, Sink};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How often the backlog is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// Delivered rows are kept this long: the ledger looks back over effects that are on their way.
const KEEP_S: u32 = 600;

/// Rounds of measuring between two rounds of clearing.
const SWEEP_EVERY_ROUNDS: u32 = 10;

pub(crate) async fn serve(outbox: Arc<dyn Outbox>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(MEASURE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round = 0_u32;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        round = round.wrapping_add(1);
        for sink in [Sink::Gate, Sink::Events] {
            if let Ok((rows, oldest_s)) = outbox.backlog(sink).await {
                metrics::gauge!("seckill_outbox_rows", "sink" => sink.as_str()).set(rows as f64);
                metrics::gauge!("seckill_outbox_oldest_seconds", "sink" => sink.as_str()).set(oldest_s);
            }
        }
        if round.is_multiple_of(SWEEP_EVERY_ROUNDS)
            && let Ok(rows) = outbox.sweep(KEEP_S).await
            && rows > 0
        {
            debug!(rows, "delivered outbox rows are cleared");
        }
    }
}
