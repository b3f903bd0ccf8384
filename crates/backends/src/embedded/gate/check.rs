//! When each job's confirm or effect is overdue.

use std::collections::{BTreeSet, HashMap};

use domain::{JobId, Timestamp};

/// One due time for each watched job, and the jobs in order of it.
#[derive(Default)]
pub(super) struct CheckIndex {
    due: HashMap<JobId, Timestamp>,
    order: BTreeSet<(Timestamp, JobId)>,
}

impl CheckIndex {
    /// Watches the job, or moves its due time.
    pub(super) fn set(&mut self, job: JobId, due: Timestamp) {
        self.remove(job);
        self.due.insert(job, due);
        self.order.insert((due, job));
    }

    /// Watches it no longer.
    pub(super) fn remove(&mut self, job: JobId) {
        if let Some(due) = self.due.remove(&job) {
            self.order.remove(&(due, job));
        }
    }

    /// Due by `now`, oldest first; those of one millisecond by id.
    pub(super) fn overdue(&self, now: Timestamp, limit: usize) -> Vec<JobId> {
        self.order.iter().take_while(|(due, _)| *due <= now).take(limit).map(|(_, job)| *job).collect()
    }

    /// The one in the middle, in order of their due times.
    pub(super) fn middle(&self) -> Option<JobId> {
        self.order.iter().nth(self.order.len() / 2).map(|(_, job)| *job)
    }

    /// All of them, in no order.
    pub(super) fn jobs(&self) -> impl Iterator<Item = JobId> {
        self.due.keys().copied()
    }

    /// Jobs watched.
    pub(super) fn len(&self) -> u64 {
        self.due.len() as u64
    }
}
