//! Turns jobs into rows: all of a batch in one transaction, each job once.
//!
//! [`read`] finds what is there, [`judge`] decides without any I/O, [`write`] writes it under guards that fail when
//! somebody else wrote in between. Then the whole attempt is undone and made again with the rows locked, so that it
//! cannot be overtaken a second time. Nothing is decided twice, and nothing by guessing.
//!
//! Nearly all jobs are new, and their buyers hold nothing: the gate has turned the others away. So the first attempt looks
//! no job and no buyer up, and leaves it to the guards to find out. Where jobs come again, as after a crash or a long
//! backlog, it looks them up until a batch is all new.

mod judge;
mod outbox;
mod read;
mod write;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ports::{Outage, PlaceError, Placement, Unplaced};
use domain::{ItemIndex, JobId, Outcome, RefusedReason, Reservation, Route};
use futures_util::FutureExt as _;
use tracing::{debug, warn};

use self::judge::judge;
use super::Postgres;
use super::failure::Failure;
use super::rows::Order;
use super::session::Session;

/// Attempts at one batch before its caller is asked to wait: the second one locks what it works on, so that more
/// are only needed while others lock as well.
pub(super) const ATTEMPTS_MAX: u32 = 5;

/// Longest wait before the second attempt; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(4);

/// A job to be ended: by an order if there is one to be had, or as refused for a reason that is known already.
struct Ask {
    job: JobId,
    reservation: Option<Reservation>,
    refused: Option<RefusedReason>,
}

impl Ask {
    fn item(&self) -> Option<ItemIndex> {
        self.reservation.as_ref().map(|reservation| reservation.item)
    }
}

/// Everything that one transaction wrote or found for one outbox row: one route and item.
#[derive(Default)]
struct Change<'o> {
    written: Vec<&'o Order>,
    repeated: Vec<&'o Order>,
    units: i64,
}

/// Do jobs come that have a row? Until the first batch nobody knows.
pub(super) struct Wary(AtomicBool);

impl Default for Wary {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

/// How an attempt begins: what it looks up before it judges.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Only at the items.
    Trusting,
    /// Also at rows that the jobs have already.
    AtJobs,
    /// At all of it, with the items locked.
    Locked,
}

type Changes<'o> = BTreeMap<(Route, Option<ItemIndex>), Change<'o>>;

impl Postgres {
    /// See `OrderStore::place`.
    pub(super) async fn place_batch(&self, batch: &[Reservation]) -> Result<Vec<Placement>, PlaceError> {
        let ask = |one: &Reservation| Ask { job: one.job, reservation: Some(one.clone()), refused: None };
        Ok(self.settle("place", batch.iter().map(ask).collect()).await?)
    }

    /// See `OrderStore::refuse`.
    pub(super) async fn refuse_jobs(&self, jobs: &[Unplaced], reason: RefusedReason) -> Result<Vec<Placement>, Outage> {
        let ask = |one: &Unplaced| Ask {
            job: one.job,
            // A reservation of another job would end the wrong one.
            reservation: one.reservation.clone().filter(|reservation| reservation.job == one.job),
            refused: Some(reason),
        };
        Ok(self.settle("refuse", jobs.iter().map(ask).collect()).await?)
    }

    async fn settle(&self, kind: &'static str, asks: Vec<Ask>) -> Result<Vec<Placement>, Failure> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        // A job that has to be refused is one that made trouble: it may well be there already.
        let first = if kind == "refuse" || self.wary.0.load(Ordering::Relaxed) { Look::AtJobs } else { Look::Trusting };
        let asks: Arc<[Ask]> = asks.into();
        let mut last = String::new();
        for attempt in 0..ATTEMPTS_MAX {
            let work = asks.clone();
            let look = if attempt > 0 { Look::Locked } else { first };
            let outcome = self
                .database
                .transaction(kind, move |session| async move { settle_once(session, &work, look).await }.boxed());
            match outcome.await {
                Err(Failure::Raced(why)) => {
                    debug!(attempt, why, "a batch was overtaken and starts over");
                    metrics::counter!("seckill_job_retries_total", "stage" => "place").increment(asks.len() as u64);
                    tokio::time::sleep(pause(attempt)).await;
                    last = why;
                }
                Ok(placements) => {
                    self.wary.0.store(placements.iter().any(|placement| placement.duplicate), Ordering::Relaxed);
                    self.wake.signal();
                    return Ok(placements);
                }
                Err(failure) => {
                    // Perhaps it was committed all the same.
                    self.wary.0.store(true, Ordering::Relaxed);
                    return Err(failure);
                }
            }
        }
        Err(Failure::not_sent(format!("overtaken {ATTEMPTS_MAX} times, at last by: {last}")))
    }
}

async fn settle_once(mut session: Session<'_>, asks: &[Ask], look: Look) -> Result<Vec<Placement>, Failure> {
    let facts = read::facts(&mut session, asks, look == Look::Locked).await?;
    let mut known = Vec::with_capacity(asks.len());
    for ask in asks {
        if facts.sales.contains_key(&ask.job.route().sale) {
            known.push(ask);
        } else if ask.refused.is_some() {
            // No row can name its sale, and no gate can have admitted it.
            warn!(job.id = %ask.job, "job {} belongs to no sale and is dropped", ask.job);
        } else {
            let number = ask.job.route().sale.get();
            let why = format!("job {} belongs to sale number {number}, which is unknown", ask.job);
            return Err(Failure::Poison(why));
        }
    }
    // Always the same order of rows, so that transactions wait for each other in a line and not in a circle.
    known.sort_by_key(|ask| (ask.job.route(), ask.item(), ask.job));
    // Whatever a message says: one row per job.
    let mut seen = HashSet::with_capacity(known.len());
    known.retain(|ask| seen.insert(ask.job));
    let earlier = match look {
        Look::Trusting => HashMap::new(),
        Look::AtJobs | Look::Locked => read::orders(&mut session, &known).await?,
    };
    let new: Vec<&Ask> = known.iter().copied().filter(|ask| !earlier.contains_key(&ask.job)).collect();
    let held = match look {
        Look::Trusting | Look::AtJobs => judge::Held::new(),
        Look::Locked => read::held(&mut session, &facts, &new).await?,
    };
    let orders = judge(&facts, held, &new);

    let mut changes = Changes::new();
    for order in &orders {
        let change = changes.entry((order.job.route(), order.item)).or_default();
        change.units += i64::from(order.units());
        change.written.push(order);
    }
    for order in earlier.values() {
        changes.entry((order.job.route(), order.item)).or_default().repeated.push(order);
    }
    write::orders(&mut session, &facts, &orders).await?;
    // Allowances come last, like everywhere: see `life`.
    write::items(&mut session, &facts, &changes).await?;
    write::allowances(&mut session, &facts, &orders).await?;
    outbox::write(&mut session, &facts, &changes).await?;
    Ok(placements(asks, &orders, &earlier))
}

/// One answer per ask, in their order. A job that was asked for twice is new the first time only.
fn placements(asks: &[Ask], orders: &[Order], earlier: &HashMap<JobId, Order>) -> Vec<Placement> {
    let mut new: HashMap<JobId, (Outcome, bool)> =
        orders.iter().map(|order| (order.job, (order.outcome(), false))).collect();
    let answer = |ask: &Ask| {
        let job = ask.job;
        if let Some(order) = earlier.get(&job) {
            return Some(Placement { job, outcome: order.outcome(), duplicate: true });
        }
        let (outcome, answered) = new.get_mut(&job)?;
        Some(Placement { job, outcome: *outcome, duplicate: std::mem::replace(answered, true) })
    };
    asks.iter().filter_map(answer).collect()
}

/// How long to stand back after this attempt: a random part, so that those who met do not meet again.
pub(super) fn pause(attempt: u32) -> Duration {
    let part = f64::from(uuid::Uuid::new_v4().into_bytes()[0]) / 255.0;
    (FIRST_WAIT * 2_u32.pow(attempt)).mul_f64(part)
}

/// What is asked of the database under locks, for a test of its plans.
#[cfg(test)]
pub(super) mod statements {
    pub(in crate::postgres) use super::read::{COUNTED, EXCLUSIVE};
}
