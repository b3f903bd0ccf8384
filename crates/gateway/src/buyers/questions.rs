//! Asks the gate about many jobs with one call: what is asked while calls are under way goes with the next one.
//!
//! Polls are most of what a sale sends, and a call of its own for each costs Redis, the connection and this process more
//! than the answer. Nobody waits to be grouped: where nothing is under way, a question is asked at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::JobId;
use domain::ports::{Gate, JobLookup, Outage};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Questions that may wait. Above this the caller is told at once.
const WAITING_MAX: usize = 4096;

/// Jobs that one call asks for.
const GROUP_MAX: usize = 128;

/// Calls under way at a time: one is answered while the next one fills.
const CALLS_MAX: usize = 2;

/// A question that has waited so long for its turn is given up: the gate does not answer, and the ones behind it would
/// wait for as long again.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// What is to be asked.
pub struct Questions {
    waiting: mpsc::Sender<Question>,
}

struct Question {
    job: JobId,
    since: Instant,
    answer: oneshot::Sender<Result<JobLookup, Outage>>,
}

impl Questions {
    /// To this gate. Has to be called inside the runtime that will do the asking, which ends with the last question.
    pub fn new(gate: Arc<dyn Gate>) -> Self {
        let (waiting, questions) = mpsc::channel(WAITING_MAX);
        tokio::spawn(ask_in_groups(gate, questions));
        Self { waiting }
    }

    /// See [`Gate::jobs`].
    pub async fn ask(&self, job: JobId) -> Result<JobLookup, Outage> {
        let (answer, answered) = oneshot::channel();
        let question = Question { job, since: Instant::now(), answer };
        self.waiting.try_send(question).map_err(|_| too_many())?;
        answered.await.unwrap_or_else(|_| Err(too_many()))
    }
}

fn too_many() -> Outage {
    Outage::NotSent("too many jobs are asked for".to_owned())
}

async fn ask_in_groups(gate: Arc<dyn Gate>, mut questions: mpsc::Receiver<Question>) {
    let calls = Arc::new(Semaphore::new(CALLS_MAX));
    let mut group = Vec::with_capacity(GROUP_MAX);
    while questions.recv_many(&mut group, GROUP_MAX).await > 0 {
        let Ok(call) = calls.clone().acquire_owned().await else { return };
        while group.len() < GROUP_MAX
            && let Ok(one) = questions.try_recv()
        {
            group.push(one);
        }
        // Dropped without an answer, which is one: `too_many`.
        let mut asked: Vec<Question> = group.drain(..).filter(|one| one.since.elapsed() < WAIT_MAX).collect();
        let gate = gate.clone();
        tokio::spawn(async move {
            asked.sort_unstable_by_key(|one| one.job.route());
            while let Some(first) = asked.first() {
                let route = first.job.route();
                let rest = asked.split_off(asked.partition_point(|one| one.job.route() <= route));
                answer(gate.as_ref(), std::mem::replace(&mut asked, rest)).await;
            }
            drop(call);
        });
    }
}

/// Asks about jobs of one route.
async fn answer(gate: &dyn Gate, asked: Vec<Question>) {
    let jobs: Vec<JobId> = asked.iter().map(|one| one.job).collect();
    let Some(route) = jobs.first().map(|job| job.route()) else { return };
    match gate.jobs(route, &jobs).await {
        Ok(found) => asked.into_iter().zip(found).for_each(|(one, found)| drop(one.answer.send(Ok(found)))),
        Err(outage) => asked.into_iter().for_each(|one| drop(one.answer.send(Err(outage.clone())))),
    }
}
