//! Publishes each reservation once at a time: whoever asks for a job that is being published joins that publish.
//!
//! A thousand clicks with one token are one message, and all of them wait for its one confirm.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use domain::ports::{Outage, Queue};
use domain::{JobId, Reservation, Route, Stage};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use control::{Meter, lock};

/// One message on its way to its confirm.
#[derive(Clone)]
pub(crate) struct Publish {
    jobs: Arc<HashSet<JobId>>,
    outcome: Shared<BoxFuture<'static, Result<(), Outage>>>,
}

impl Publish {
    /// How many jobs travel in it.
    pub(crate) fn jobs(&self) -> usize {
        self.jobs.len()
    }

    /// Does this job travel in it?
    pub(crate) fn carries(&self, job: JobId) -> bool {
        self.jobs.contains(&job)
    }

    /// Waits for the confirm.
    pub(crate) async fn confirmed(&self) -> Result<(), Outage> {
        self.outcome.clone().await
    }
}

pub(crate) struct Publishing {
    queue: Arc<dyn Queue>,
    meter: Arc<Meter>,
    under_way: Arc<Mutex<HashMap<JobId, Publish>>>,
}

impl Publishing {
    pub(crate) fn new(queue: Arc<dyn Queue>, meter: Arc<Meter>) -> Self {
        Self { queue, meter, under_way: Arc::default() }
    }

    /// Starts one message with those of `group` that are not under way; answers it and the ones that are joined.
    pub(crate) fn start(&self, route: Route, mut group: Vec<Reservation>) -> Vec<Publish> {
        let mut under_way = lock(&self.under_way);
        let mut publishes: Vec<Publish> = Vec::new();
        let mut jobs = HashSet::with_capacity(group.len());
        group.retain(|one| {
            if publishes.iter().any(|joined| joined.carries(one.job)) {
                return false;
            }
            if let Some(joined) = under_way.get(&one.job) {
                publishes.push(joined.clone());
                return false;
            }
            jobs.insert(one.job)
        });
        if group.is_empty() {
            return publishes;
        }
        let jobs = Arc::new(jobs);
        let queue = self.queue.clone();
        let tally = self.meter.tally(route.sale);
        let done = Arc::clone(&self.under_way);
        let finished = Arc::clone(&jobs);
        let outcome = async move {
            let started = Instant::now();
            let outcome = queue.publish(route.shard, &group).await;
            let took = started.elapsed();
            metrics::histogram!("seckill_stage_seconds", "stage" => "publish").record(took);
            tally.took(Stage::Publish, took);
            metrics::histogram!("seckill_group_jobs", "stage" => "publish").record(group.len() as f64);
            let mut under_way = lock(&done);
            finished.iter().for_each(|job| drop(under_way.remove(job)));
            outcome
        };
        let publish = Publish { jobs: Arc::clone(&jobs), outcome: outcome.boxed().shared() };
        jobs.iter().for_each(|job| drop(under_way.insert(*job, publish.clone())));
        // Driven by a task of its own, so that it ends whether or not anyone still waits for it.
        tokio::spawn(publish.outcome.clone());
        publishes.push(publish);
        publishes
    }
}
