//! Publishes what was admitted and has no confirm after two seconds, or no order after thirty.
//!
//! With it, a process that dies between the gate and the broker, a deleted queue or a broker that lost its disk
//! loses nothing: the gate's check index remembers every reservation until its effect has been applied.

use std::sync::Arc;
use std::time::Duration;

use control::{Concurrency, Task};
use domain::Route;
use domain::ports::{Gate, Queue};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::confirmed::TOLD_AFTER;
use crate::intake::Intake;
use crate::keeper::Routes;

/// How often the index is read. With the two seconds of patience, a lost publish is repeated within three.
const EVERY: Duration = Duration::from_millis(500);

/// Reservations published again in one message.
const PER_MESSAGE: usize = 64;

/// Messages repeated for one route in one round, so that no route starves another.
const MESSAGES_PER_ROUND: usize = 50;

/// Runs until stopped.
pub async fn watch(
    intake: Arc<Intake>,
    gate: Arc<dyn Gate>,
    queue: Arc<dyn Queue>,
    routes: Arc<Routes>,
    concurrency: Arc<Concurrency>,
    stop: CancellationToken,
) {
    metrics::counter!("seckill_job_retries_total", "stage" => "publish").increment(0);
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        intake.flush_marks(TOLD_AFTER).await;
        intake.keep_lanes(&routes.all());
        if !queue.is_open() {
            continue; // claiming what cannot be published would only postpone it
        }
        let round = async {
            for route in routes.all() {
                repeat_overdue(&intake, gate.as_ref(), route).await;
            }
        };
        // Without a token nothing is claimed, and so nothing is postponed: the next round does it.
        if let Err(busy) = concurrency.attempt(Task::Publish, round).await {
            debug!(%busy, "overdue reservations wait for the next round");
        }
    }
    intake.flush_marks(Duration::ZERO).await;
}

async fn repeat_overdue(intake: &Arc<Intake>, gate: &dyn Gate, route: Route) {
    for _ in 0..MESSAGES_PER_ROUND {
        let overdue = match gate.claim_overdue(route, PER_MESSAGE).await {
            Ok(overdue) if overdue.is_empty() => return,
            Ok(overdue) => overdue,
            Err(outage) => {
                warn!(%route, %outage, "the check index cannot be read");
                return;
            }
        };
        let jobs = overdue.len();
        metrics::counter!("seckill_job_retries_total", "stage" => "publish").increment(jobs as u64);
        match intake.publish_again(route, overdue).await {
            Ok(()) => info!(%route, jobs, "published {jobs} overdue reservations again"),
            Err(outage) => {
                warn!(%route, jobs, %outage, "overdue reservations could not be published; they stay in the index");
                return;
            }
        }
    }
}
