//! The quotas of a gateway process.

use std::sync::Arc;
use std::time::Duration;

use control::{Live, QuotaLimits, QuotaParts, Quotas};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::world::World;

/// At the end, what waits to be written may take this long: requests in flight have been answered by then, and the
/// process has some seconds left.
pub const CLOSE_MAX: Duration = Duration::from_secs(3);

/// Starts them as configured.
pub fn start(world: &World, config: &Config) -> anyhow::Result<Arc<Quotas>> {
    let limits = QuotaLimits {
        purchases_per_buyer_and_day: config.quotas.purchases_per_buyer_and_day.min(QuotaLimits::MAX),
        requests_per_client_and_day: config.quotas.requests_per_client_and_day.min(QuotaLimits::MAX),
    };
    let parts = QuotaParts {
        gate: world.quota_gate.clone(),
        store: world.quota_store.clone(),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        limits: Live::new("quotas", world.setting_store.clone(), limits),
    };
    Quotas::start(config.quotas.clone(), parts).map_err(|why| anyhow::anyhow!("quotas.{why}"))
}

/// Follows what operators decide, and keeps counters and rows in order, until stopped.
pub async fn keep(quotas: Arc<Quotas>, stop: CancellationToken) {
    let limits = quotas.limits().clone();
    tokio::join!(limits.follow(stop.clone(), |_| {}), quotas.keep(stop));
}
