//! Where a job is looked up: at the gate, and while that cannot say, in the orders. A bounded few at a time: buyers who
//! poll must not become a load on the database.

use std::sync::Arc;
use std::time::Duration;

use control::Fallback;
use domain::ports::{Gate, JobLookup, OrderStore, Outage};
use domain::{Hold, JobId, JobRecord, JobState, Outcome};
use tokio::sync::Semaphore;

use super::questions::Questions;

/// Jobs read from the orders at once; whoever comes when these are taken is told to ask again.
const READS_MAX: usize = 16;

/// How long a read may take.
const READ_MAX: Duration = Duration::from_secs(1);

/// Looks jobs up.
pub struct JobLookups {
    questions: Questions,
    orders: Arc<dyn OrderStore>,
    reads: Semaphore,
    fallback: Fallback,
}

impl JobLookups {
    /// Has to be called inside the runtime that asks the gate.
    pub fn new(gate: Arc<dyn Gate>, orders: Arc<dyn OrderStore>) -> Self {
        let fallback = Fallback::new("jobs", "jobs that have ended are read from the orders, a few at a time,");
        Self { questions: Questions::new(gate), orders, reads: Semaphore::new(READS_MAX), fallback }
    }

    /// The job as it stands. A job that has no order yet is known to the gate alone.
    pub async fn look(&self, job: JobId) -> Result<JobLookup, Outage> {
        let at_the_gate = self.questions.ask(job).await;
        let why = match &at_the_gate {
            Ok(JobLookup::Found(_) | JobLookup::Absent) => {
                self.fallback.not_needed();
                return at_the_gate;
            }
            Ok(JobLookup::NotReady) => "the sale is being loaded".to_owned(),
            Err(outage) => outage.to_string(),
        };
        match self.order(job, &why).await {
            Some(hold) => Ok(JobLookup::Found(record(hold))),
            None => at_the_gate,
        }
    }

    async fn order(&self, job: JobId, why: &str) -> Option<Hold> {
        let _read = self.reads.try_acquire().ok()?;
        self.fallback.taken(&why);
        tokio::time::timeout(READ_MAX, self.orders.hold(job)).await.ok()?.ok()?
    }
}

/// The order as the gate would know it.
fn record(hold: Hold) -> JobRecord {
    let Hold { job, rev, buyer, item, quantity, units, outcome, at } = hold;
    let state = match outcome {
        Outcome::Placed => JobState::Placed,
        Outcome::Refused(reason) => JobState::Refused(reason),
    };
    JobRecord { job, buyer, item, quantity, units, rev, state, admitted_at: at, updated_at: at }
}
