//! Clears sales that are over, where the operator wants that: a few rows at a time, so that nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use control::Backoff;
use domain::ports::Retention;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often it is asked whether a sale may go.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Rows of each table in one step, and the pause after it: a sale with a million orders is gone in a quarter of an hour, and no
/// order that is being written waits longer than for one small transaction.
const ROWS_MAX: usize = 1_000;
const STEP_EVERY: Duration = Duration::from_secs(1);

/// Whatever was still on its way, also a webhook of a payment that its provider sends again for days, has come by then.
const SALES_DAYS_MIN: u32 = 30;

/// The `[retention]` section.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// Sales that ended more than so many days ago, and that nothing is unsettled of, are removed from Postgres with their
    /// orders and payments; a line of the audit log keeps what was sold and paid of each item. 0: never, orders are the shop's
    /// books. Else 30 to 36,500.
    pub sales_days: u32,
}

impl RetentionSettings {
    /// What is wrong with it.
    ///
    /// # Errors
    /// Names the key and its bounds.
    pub fn check(&self) -> Result<(), String> {
        match self.sales_days {
            0 | SALES_DAYS_MIN..=36_500 => Ok(()),
            days => Err(format!("retention.sales_days: has to be 0 or {SALES_DAYS_MIN} to 36500, not {days}")),
        }
    }
}

pub(crate) async fn serve(store: Arc<dyn Retention>, settings: RetentionSettings, stop: CancellationToken) {
    metrics::counter!("seckill_cleared_rows_total").increment(0);
    if settings.sales_days == 0 {
        return;
    }
    let older_than_s = settings.sales_days.saturating_mul(86_400);
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let wait = match store.clear_ended(older_than_s, ROWS_MAX).await {
            Ok(0) => LOOK_EVERY,
            Ok(rows) => {
                info!(rows, "{rows} rows of a sale that is over are cleared");
                metrics::counter!("seckill_cleared_rows_total").increment(rows);
                STEP_EVERY
            }
            Err(outage) => {
                warn!(%outage, "sales that are over could not be cleared; they stay");
                backoff.wait().max(STEP_EVERY)
            }
        };
        stop.run_until_cancelled(tokio::time::sleep(wait)).await;
    }
}
