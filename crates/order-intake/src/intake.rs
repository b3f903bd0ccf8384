//! The path of one purchase, and the grouping that makes it cheap.
//!
//! Attempts of one route wait in a bounded queue while a call of the gate is in flight; the next call takes all that
//! wait, and what it admits is one message. Only a few messages are on their way to their confirms at a time. An idle
//! system adds no delay, a busy one shares each round trip among many. What is decided does not depend on the caller
//! staying: the work runs in tasks of its own, and a buyer who hangs up loses only the answer.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use control::{Counted, Meter, lock};
use domain::ports::{ADMIT_MAX, Gate, Outage, Queue};
use domain::{Attempt, JobId, JobRecord, JobState, Refusal, Reservation, Route, Stage, Verdict};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tracing::{debug, warn};

use crate::confirmed::{Confirmed, TOLD_AFTER};
use crate::publishing::Publishing;

/// Attempts of one route that may wait for the gate. Above this the caller is told at once that we are overloaded:
/// at a hundred thousand a second this is a wait of some forty milliseconds, and a longer one helps nobody.
const WAITING_MAX: usize = 4096;

/// A purchase that has waited so long for its turn is refused instead: while the gate does not answer, the ones behind
/// it would wait for minutes, and take units for buyers who have gone.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Confirmed jobs that ride on one call of the gate: twice as many as a call admits, so that they never pile up.
const MARKS_PER_CALL: usize = 2 * ADMIT_MAX;

/// Messages of one route on their way to their confirms. A broker confirms many at once, and each costs it far more than
/// the orders in it: with more of them all get smaller, and nobody's answer comes earlier.
const MESSAGES_IN_FLIGHT: usize = 4;

/// While the broker is stuck, purchases go on to the gate all the same after this time, each to its own outcome.
const SLOT_WAIT_MAX: Duration = Duration::from_millis(250);

/// What a purchase is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The broker has confirmed it, now or before; this is its job.
    Accepted {
        /// As it stands now.
        record: JobRecord,
        /// Had this token been admitted before?
        repeated: bool,
    },
    /// The gate said no, and took nothing.
    Refused(Refusal),
    /// It may have been accepted. The same token will always lead to the same job.
    Unknown(JobId),
    /// The gate is away. Nothing happened.
    NotReady,
    /// Too many are waiting already. Nothing happened.
    Overloaded,
}

/// The order intake: one for each process, shared by everything that sells.
pub struct Intake {
    gate: Arc<dyn Gate>,
    meter: Arc<Meter>,
    publishing: Publishing,
    lanes: Mutex<HashMap<Route, Arc<RouteLane>>>,
    in_flight: AtomicUsize,
}

/// What one route has waiting.
struct RouteLane {
    waiting: mpsc::Sender<Waiting>,
    confirmed: Mutex<Confirmed>,
}

struct Waiting {
    attempt: Attempt,
    since: Instant,
    answer: oneshot::Sender<Answer>,
}

/// Admitted, and waiting for its confirm before it is answered.
struct Unconfirmed {
    record: JobRecord,
    repeated: bool,
    answer: oneshot::Sender<Answer>,
}

impl Intake {
    /// An intake between this gate and this queue, whose calls `meter` times. Has to be called inside the runtime that will do its work.
    pub fn new(gate: Arc<dyn Gate>, queue: Arc<dyn Queue>, meter: Arc<Meter>) -> Arc<Self> {
        Arc::new(Self {
            gate,
            publishing: Publishing::new(queue, meter.clone()),
            meter,
            lanes: Mutex::default(),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// Purchases that wait for their answer.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Decides one purchase; an accepted one has been published and confirmed when this returns.
    pub async fn purchase(self: &Arc<Self>, attempt: Attempt) -> Answer {
        let job = attempt.job;
        let (answer, answered) = oneshot::channel();
        let lane = self.lane(job.route());
        if lane.waiting.try_send(Waiting { attempt, since: Instant::now(), answer }).is_err() {
            return Answer::Overloaded;
        }
        let _counted = Counted::up(&self.in_flight);
        answered.await.unwrap_or(Answer::Unknown(job))
    }

    /// Publishes reservations of one route again, confirmed, and notes the confirm. For the watch.
    pub(crate) async fn publish_again(self: &Arc<Self>, route: Route, overdue: Vec<Reservation>) -> Result<(), Outage> {
        let jobs: Vec<JobId> = overdue.iter().map(|one| one.job).collect();
        let publishes = self.publishing.start(route, overdue);
        for publish in publishes {
            publish.confirmed().await?;
        }
        self.note_confirmed(route, jobs);
        Ok(())
    }

    /// Tells the gate what was confirmed so long ago and found no call to ride on.
    pub(crate) async fn flush_marks(&self, age: Duration) {
        let lanes: Vec<_> = lock(&self.lanes).iter().map(|(route, lane)| (*route, lane.clone())).collect();
        for (route, lane) in lanes {
            loop {
                let marks = lock(&lane.confirmed).take(MARKS_PER_CALL, age);
                if marks.is_empty() {
                    break;
                }
                if let Err(outage) = self.gate.mark_queued(route, &marks).await {
                    debug!(%route, %outage, "marks are kept until the gate answers again");
                    lock(&lane.confirmed).add(marks);
                    break;
                }
            }
        }
    }

    /// Ends the lanes of all other routes, where nothing is left to be told; a purchase that comes all the same begins one
    /// anew. Each takes some kilobytes, and there are sales every day.
    pub(crate) fn keep_lanes(&self, routes: &[Route]) {
        let routes: HashSet<&Route> = routes.iter().collect();
        lock(&self.lanes).retain(|route, lane| routes.contains(route) || !lock(&lane.confirmed).is_empty());
    }

    fn lane(self: &Arc<Self>, route: Route) -> Arc<RouteLane> {
        let mut lanes = lock(&self.lanes);
        let lane = lanes.entry(route).or_insert_with(|| {
            let (waiting, attempts) = mpsc::channel(WAITING_MAX);
            let lane = Arc::new(RouteLane { waiting, confirmed: Mutex::default() });
            // Ends when nobody has the lane any more: its sender is gone then.
            tokio::spawn(self.clone().admit_groups(route, Arc::downgrade(&lane), attempts));
            lane
        });
        lane.clone()
    }

    /// A few groups of each route on their way at a time; the next one takes everything that waits by then.
    async fn admit_groups(self: Arc<Self>, route: Route, lane: Weak<RouteLane>, mut attempts: mpsc::Receiver<Waiting>) {
        let slots = Arc::new(Semaphore::new(MESSAGES_IN_FLIGHT));
        let mut group = Vec::with_capacity(ADMIT_MAX);
        while attempts.recv_many(&mut group, ADMIT_MAX).await > 0 {
            let slot = tokio::time::timeout(SLOT_WAIT_MAX, slots.clone().acquire_owned()).await;
            while group.len() < ADMIT_MAX
                && let Ok(one) = attempts.try_recv()
            {
                group.push(one);
            }
            let (waited_too_long, in_time): (Vec<Waiting>, Vec<Waiting>) =
                group.drain(..).partition(|one| one.since.elapsed() > WAIT_MAX);
            waited_too_long.into_iter().for_each(|one| drop(one.answer.send(Answer::Overloaded)));
            if in_time.is_empty() {
                continue;
            }
            let (asked, answers): (Vec<Attempt>, Vec<_>) =
                in_time.into_iter().map(|one| (one.attempt, one.answer)).unzip();
            let marks = lane.upgrade().map(|lane| lock(&lane.confirmed).take(MARKS_PER_CALL, TOLD_AFTER));
            let intake = self.clone();
            tokio::spawn(async move {
                let unconfirmed = intake.admit(route, &asked, answers, marks.unwrap_or_default()).await;
                if !unconfirmed.is_empty() {
                    intake.publish_and_answer(route, unconfirmed).await;
                }
                drop(slot);
            });
        }
    }

    /// One call of the gate. Answers refusals and finished jobs at once; what has to be confirmed first is left.
    async fn admit(
        self: &Arc<Self>,
        route: Route,
        asked: &[Attempt],
        answers: Vec<oneshot::Sender<Answer>>,
        marks: Vec<JobId>,
    ) -> Vec<Unconfirmed> {
        let started = Instant::now();
        let decided = self.gate.admit(route, asked, &marks).await;
        let took = started.elapsed();
        metrics::histogram!("seckill_stage_seconds", "stage" => "admit").record(took);
        self.meter.tally(route.sale).took(Stage::Admit, took);
        let verdicts = match decided {
            Ok(verdicts) => verdicts,
            Err(outage) => {
                self.note_confirmed(route, marks);
                for (attempt, answer) in asked.iter().zip(answers) {
                    let _ = answer.send(match &outage {
                        Outage::NotSent(_) => Answer::NotReady,
                        Outage::Unknown(_) => Answer::Unknown(attempt.job),
                    });
                }
                return Vec::new();
            }
        };
        let mut unconfirmed = Vec::with_capacity(verdicts.len());
        for (verdict, answer) in verdicts.into_iter().zip(answers) {
            let (record, repeated) = match verdict {
                Verdict::Refused(refusal) => {
                    let _ = answer.send(Answer::Refused(refusal));
                    continue;
                }
                // The first answer may have been lost before its publish was confirmed: no 202 without a confirm.
                Verdict::Admitted(record) => (record, false),
                Verdict::Repeated(record) => (record, true),
            };
            if record.state == JobState::Unpublished && !(repeated && self.is_confirmed(record.job)) {
                unconfirmed.push(Unconfirmed { record, repeated, answer });
            } else {
                let _ = answer.send(Answer::Accepted { record, repeated });
            }
        }
        unconfirmed
    }

    /// Publishes these as one message, joins the messages that some of them travel in already, and answers everyone of a
    /// message with its confirm.
    async fn publish_and_answer(self: Arc<Self>, route: Route, mut unconfirmed: Vec<Unconfirmed>) {
        let reservations = unconfirmed.iter().filter_map(|one| one.record.reservation()).collect();
        let publishes = self.publishing.start(route, reservations);
        let mut confirmed = Vec::with_capacity(unconfirmed.len());
        for publish in publishes {
            let outcome = publish.confirmed().await;
            for Unconfirmed { record, repeated, answer } in
                unconfirmed.extract_if(.., |one| publish.carries(one.record.job))
            {
                let answered = match &outcome {
                    Ok(()) => {
                        confirmed.push(record.job);
                        Answer::Accepted { record, repeated }
                    }
                    // The reservation stays watched, so a publish without an answer is late, not lost.
                    Err(_) => Answer::Unknown(record.job),
                };
                let _ = answer.send(answered);
            }
            if let Err(outage) = outcome {
                let jobs = publish.jobs();
                warn!(jobs, %outage, "reservations could not be confirmed in time; they will be published again");
            }
        }
        // No reservation, though it is unpublished: the gate has answered what it cannot. Its job is as it was.
        unconfirmed.into_iter().for_each(|one| drop(one.answer.send(Answer::Unknown(one.record.job))));
        self.note_confirmed(route, confirmed);
    }

    fn is_confirmed(self: &Arc<Self>, job: JobId) -> bool {
        lock(&self.lane(job.route()).confirmed).has(job)
    }

    fn note_confirmed(self: &Arc<Self>, route: Route, jobs: Vec<JobId>) {
        if jobs.is_empty() {
            return;
        }
        lock(&self.lane(route).confirmed).add(jobs);
    }
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
