//! Takes what waits on a lane, writes it, acknowledges it. In that order, always.
//!
//! While a transaction runs, and for the rest of its [`Pace`], the next deliveries gather; the next transaction takes them
//! all. While Postgres is away
//! the batch is held: nothing is sent back to the broker, so nothing storms. A message that can never be placed is
//! found by halving, ends among the dead letters, and its jobs end as refused; its neighbours never notice.

use std::sync::Arc;
use std::time::Instant;

use control::{Backoff, Meter};
use domain::ports::{Clock, Delivery, DeliveryTag, Lane, OrderStore, Outage, PlaceError, Placement, Unplaced};
use domain::{JobId, Outcome, RefusedReason, Reservation, Stage, decode_group};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::pace::Pace;

/// Reservations in one transaction. Above this a transaction gets longer and an order no cheaper.
const BATCH_MAX: usize = 500;

/// Serves one lane until stopped.
pub(crate) async fn serve(
    mut lane: Box<dyn Lane>,
    orders: Arc<dyn OrderStore>,
    clock: Arc<dyn Clock>,
    meter: Arc<Meter>,
    stop: CancellationToken,
) {
    let mut placer = Placer { orders, clock, meter, stop: stop.clone() };
    let mut backoff = Backoff::default();
    let mut pace = Pace::default();
    loop {
        let next = async {
            pace.rest().await;
            lane.take(BATCH_MAX).await
        };
        let Some(taken) = stop.run_until_cancelled(next).await else { return };
        let jobs = taken.iter().flatten().map(|delivery| delivery.jobs.len()).sum::<usize>();
        pace.begin(jobs >= BATCH_MAX);
        let settled = match taken {
            Ok(deliveries) => placer.settle(lane.as_mut(), deliveries).await,
            Err(outage) => Err(outage),
        };
        match settled {
            Ok(()) => backoff.reset(),
            Err(outage) => {
                warn!(%outage, "the lane was interrupted; what was not acknowledged comes again");
                stop.run_until_cancelled(tokio::time::sleep(backoff.wait())).await;
            }
        }
    }
}

struct Placer {
    orders: Arc<dyn OrderStore>,
    clock: Arc<dyn Clock>,
    meter: Arc<Meter>,
    stop: CancellationToken,
}

/// A message that can be read.
struct Readable {
    delivery: Delivery,
    group: Vec<Reservation>,
}

impl Placer {
    /// Brings every delivery to its end and acknowledges it.
    async fn settle(&mut self, lane: &mut dyn Lane, deliveries: Vec<Delivery>) -> Result<(), Outage> {
        let (mut fresh, mut again, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for delivery in deliveries {
            match decode_group(&delivery.body) {
                Ok(group) if delivery.redelivered => again.push(Readable { delivery, group }),
                Ok(group) => fresh.push(Readable { delivery, group }),
                Err(why) => unreadable.push((delivery, why.to_string())),
            }
        }
        self.place_all(lane, fresh).await?;
        // Whatever was seen before may be what broke the last attempt: it does not share a transaction.
        for one in again {
            self.place_all(lane, vec![one]).await?;
        }
        // Last, so that its neighbours do not wait for it.
        for (delivery, why) in unreadable {
            let jobs = delivery.jobs.iter().map(|job| Unplaced { job: *job, reservation: None }).collect();
            self.bury(lane, &delivery, jobs, &why).await?;
            lane.ack(&[delivery.tag]).await?;
        }
        Ok(())
    }

    async fn place_all(&mut self, lane: &mut dyn Lane, messages: Vec<Readable>) -> Result<(), Outage> {
        if messages.is_empty() {
            return Ok(());
        }
        let batch: Vec<Reservation> = messages.iter().flat_map(|message| message.group.iter().cloned()).collect();
        let poisonous = self.place_or_halve(batch).await?;
        for (reservation, why) in poisonous {
            // The whole message is kept, so that it can be replayed; orders that exist already are not made twice.
            let source = messages.iter().find(|message| message.group.contains(&reservation));
            if let Some(message) = source {
                let job = Unplaced { job: reservation.job, reservation: Some(reservation) };
                self.bury(lane, &message.delivery, vec![job], &why).await?;
            }
        }
        let tags: Vec<DeliveryTag> = messages.iter().map(|message| message.delivery.tag).collect();
        lane.ack(&tags).await
    }

    /// Places a batch; where something in it cannot be placed, finds out what, by halving. Answers those.
    async fn place_or_halve(&mut self, batch: Vec<Reservation>) -> Result<Vec<(Reservation, String)>, Outage> {
        let mut poisonous = Vec::new();
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            match self.place_held(&part).await? {
                Ok(()) => {}
                Err(why) if part.len() == 1 => poisonous.extend(part.pop().map(|reservation| (reservation, why))),
                Err(_) => {
                    let half = part.split_off(part.len() / 2);
                    parts.extend([half, part]);
                }
            }
        }
        Ok(poisonous)
    }

    /// Places a batch, however long Postgres is away. An outage is answered only when we are told to stop.
    async fn place_held(&mut self, batch: &[Reservation]) -> Result<Result<(), String>, Outage> {
        let mut backoff = Backoff::default();
        loop {
            let started = Instant::now();
            let outage = match self.orders.place(batch).await {
                Ok(placements) => {
                    metrics::histogram!("seckill_stage_seconds", "stage" => "place").record(started.elapsed());
                    self.report(batch, &placements, started);
                    return Ok(Ok(()));
                }
                Err(PlaceError::Poison(why)) => return Ok(Err(why)),
                Err(PlaceError::Outage(outage)) => outage,
            };
            metrics::counter!("seckill_job_retries_total", "stage" => "place").increment(batch.len() as u64);
            self.hold(&mut backoff, outage, "a batch is held until the database answers again").await?;
        }
    }

    /// Copies a message to the dead letters and ends its jobs. The caller acknowledges it after that, not before.
    async fn bury(
        &mut self,
        lane: &mut dyn Lane,
        letter: &Delivery,
        jobs: Vec<Unplaced>,
        why: &str,
    ) -> Result<(), Outage> {
        lane.dead_letter(letter, why).await?;
        metrics::counter!("seckill_dead_letters_total").increment(1);
        error!(message.id = %letter.message_id, jobs = jobs.len(), why, "a message could not be placed and is a dead letter now");
        metrics::counter!("seckill_jobs_total", "outcome" => "refused").increment(jobs.len() as u64);
        let mut backoff = Backoff::default();
        while let Err(outage) = self.orders.refuse(&jobs, RefusedReason::Unplaceable).await {
            self.hold(&mut backoff, outage, "a dead letter waits for the database").await?;
        }
        jobs.iter().for_each(|one| self.count(one.job, crate::REJECTED));
        Ok(())
    }

    async fn hold(&self, backoff: &mut Backoff, outage: Outage, what: &str) -> Result<(), Outage> {
        warn!(%outage, "{what}");
        match self.stop.run_until_cancelled(tokio::time::sleep(backoff.wait())).await {
            Some(()) => Ok(()),
            None => Err(outage),
        }
    }

    fn count(&self, job: JobId, outcome: usize) {
        self.meter.tally(job.route().sale).count(outcome);
    }

    fn report(&self, batch: &[Reservation], placements: &[Placement], started: Instant) {
        let now = self.clock.now();
        let age = metrics::histogram!("seckill_job_seconds");
        let (mut placed, mut refused, mut repeated) = (0_u64, 0_u64, 0_u64);
        for (reservation, placement) in batch.iter().zip(placements) {
            match (placement.duplicate, placement.outcome) {
                (true, _) => repeated += 1,
                (false, Outcome::Placed) => placed += 1,
                (false, Outcome::Refused(_)) => refused += 1,
            }
            if !placement.duplicate {
                let waited = (now - reservation.admitted_at).to_std().unwrap_or_default();
                age.record(waited);
                let placed = placement.outcome == Outcome::Placed;
                self.count(placement.job, if placed { crate::PLACED } else { crate::REJECTED });
                self.meter.tally(placement.job.route().sale).took(Stage::Place, waited);
            }
        }
        metrics::histogram!("seckill_group_jobs", "stage" => "place").record(batch.len() as f64);
        for (outcome, jobs) in [("placed", placed), ("refused", refused), ("repeated", repeated)] {
            if jobs > 0 {
                metrics::counter!("seckill_jobs_total", "outcome" => outcome).increment(jobs);
            }
        }
        let ms = started.elapsed().as_millis() as u64;
        info!(placed, refused, repeated, ms, "a batch of {} is committed", batch.len());
    }
}
