//! Carries outbox rows where they belong: effects back to the gate, events out to the world.
//!
//! At least once, in order. The gate tells a repeated effect by its revision, a listener a repeated event by its
//! sequence number.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use control::Backoff;
use domain::ports::{Clock, Deliver, EventBus, Gate, HOLD_MAX, Held, Outage, Outbox, OutboxRow, SaleStore, Sink};
use domain::{Effect, Hold, SaleId, WarmSale};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::pace::Pace;

/// Rows in one round.
const ROWS_MAX: usize = 100;

/// The net below a missed wake-up.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// One round stops after this time and notes what it has delivered: with a slow gate, too, each round makes progress.
const ROUND_MAX: Duration = Duration::from_secs(2);

/// How soon rows that the gate was not ready for are tried again.
const HELD_BACK_EVERY: Duration = Duration::from_millis(200);

/// Serves one sink until stopped, woken by each commit.
pub(crate) async fn serve<D>(outbox: Arc<dyn Outbox>, sink: Sink, to: Arc<D>, stop: CancellationToken)
where
    D: Deliver + HoldsBack + 'static,
{
    let mut backoff = Backoff::default();
    let mut pace = Pace::default();
    while stop.run_until_cancelled(pace.rest()).await.is_some() {
        pace.begin(false);
        let wait = match outbox.relay(sink, ROWS_MAX, to.clone()).await {
            Ok(relayed) => {
                backoff.reset();
                metrics::counter!("seckill_relayed_total", "sink" => sink.as_str()).increment(relayed.rows as u64);
                match (relayed.more, to.holds_back()) {
                    (true, false) => {
                        pace.begin(true);
                        continue;
                    }
                    (_, true) => HELD_BACK_EVERY,
                    (false, false) => SWEEP_EVERY,
                }
            }
            Err(outage) => {
                warn!(sink = sink.as_str(), %outage, "the outbox could not be relayed; its rows stay");
                stop.run_until_cancelled(tokio::time::sleep(backoff.wait())).await;
                continue;
            }
        };
        stop.run_until_cancelled(outbox.wait(sink, wait)).await;
    }
}

/// Did the last round leave rows that should be tried again soon?
pub(crate) trait HoldsBack {
    fn holds_back(&self) -> bool {
        false
    }
}

/// Effects, back to the gate.
pub(crate) struct ToGate {
    gate: Arc<dyn Gate>,
    sales: Arc<dyn SaleStore>,
    clock: Arc<dyn Clock>,
    held_back: AtomicBool,
}

impl ToGate {
    pub(crate) fn new(gate: Arc<dyn Gate>, sales: Arc<dyn SaleStore>, clock: Arc<dyn Clock>) -> Self {
        Self { gate, sales, clock, held_back: AtomicBool::new(false) }
    }

    async fn apply(&self, row: &OutboxRow) -> Result<Held, Outage> {
        let holds: Vec<Hold> = match serde_json::from_str(&row.body) {
            Ok(Effect::Holds(holds)) => holds,
            Ok(Effect::Stock(effect)) => {
                let version = row.version.map(|(_, version)| version);
                return self.gate.restock(row.route, &effect, version).await;
            }
            Err(why) => {
                // Cannot happen with rows that we wrote. Left where it is, it would stop the outbox for good.
                error!(outbox.id = row.id, %why, "an outbox row cannot be read and is passed over; the keeper's ledger will show it");
                metrics::counter!("seckill_outbox_unreadable_total").increment(1);
                return Ok(Held::Applied(0));
            }
        };
        let mut applied = 0;
        let now = self.clock.now();
        for part in holds.chunks(HOLD_MAX) {
            match self.gate.hold(row.route, part, row.version).await? {
                Held::Applied(some) => applied += some,
                Held::NotReady => return Ok(Held::NotReady),
            }
        }
        if let Some(first) = holds.first() {
            let age = (now - first.at).as_seconds_f64().max(0.0);
            metrics::histogram!("seckill_stage_seconds", "stage" => "relay").record(age);
        }
        Ok(Held::Applied(applied))
    }

    /// The gate forgets a sale a day after everything about it is settled; nobody waits for its effects then.
    async fn is_over(&self, sale: &SaleId) -> Result<bool, Outage> {
        let sale = self.sales.sale(sale).await?;
        Ok(sale.is_none_or(|sale| self.clock.now() >= WarmSale::new(&sale, sale.epoch).forget_at))
    }
}

impl HoldsBack for ToGate {
    fn holds_back(&self) -> bool {
        self.held_back.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Deliver for ToGate {
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage> {
        let started = Instant::now();
        let mut delivered = Vec::with_capacity(rows.len());
        let mut failure = None;
        // One sale that is being loaded, or whose data at the gate are damaged, does not stop the others of this round.
        let mut not_now: HashMap<&SaleId, bool> = HashMap::new();
        for row in rows {
            if started.elapsed() > ROUND_MAX {
                break;
            }
            let over = match not_now.get(&row.sale) {
                Some(over) => *over,
                None => {
                    let over = match self.apply(row).await {
                        Ok(Held::Applied(_)) => {
                            delivered.push(row.id);
                            continue;
                        }
                        Ok(Held::NotReady) => self.is_over(&row.sale).await?,
                        Err(outage) => {
                            failure = Some(outage);
                            false
                        }
                    };
                    not_now.insert(&row.sale, over);
                    over
                }
            };
            if over {
                delivered.push(row.id);
            }
        }
        if let Some(outage) = failure {
            if delivered.is_empty() {
                return Err(outage);
            }
            warn!(%outage, "the effects of a sale could not be applied; those of others were");
        }
        self.held_back.store(delivered.len() < rows.len(), Ordering::Relaxed);
        Ok(delivered)
    }
}

/// Events, out to the world.
pub(crate) struct ToWorld(pub(crate) Arc<dyn EventBus>);

impl HoldsBack for ToWorld {}

#[async_trait]
impl Deliver for ToWorld {
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage> {
        let out = self.0.announce(rows).await?;
        Ok(rows.iter().take(out).map(|row| row.id).collect())
    }
}
