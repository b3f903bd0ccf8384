//! A job as a stream of events, for pages that would otherwise poll. Written by hand: it is three lines of text.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpRequest, HttpResponse};
use domain::ports::JobLookup;
use domain::{JobRecord, JobStatus};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::OwnedSemaphorePermit;

use super::jobs::find;
use crate::catalog::Listed;
use crate::edge::Edge;
use crate::load::Shed;
use crate::problem::Problem;
use crate::views::JobBody;

/// Between two looks at the job: a stream is a convenience, the gate's time belongs to purchases.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A comment this often keeps proxies from closing a silent stream.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// After this long the client connects again, if it still cares.
const LONGEST: Duration = Duration::from_secs(60);

/// The states of a job, as they come: one event `job` for each, with the job as data.
#[utoipa::path(get, path = "/api/v1/jobs/{jobId}/events", tag = "purchases",
    params(("jobId" = String, Path, description = "As the token and the purchase named it")),
    extensions(("x-problems" = json!(["not-found", "rate-limited", "overloaded", "not-ready"]))),
    responses((status = 200, description = "Ends when the job has ended, or after a minute.", body = String,
               content_type = "text/event-stream")))]
pub async fn stream(request: HttpRequest, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let (record, listed) = find(&request, &edge).await?;
    let permit = edge.streams.clone().try_acquire_owned().map_err(|_| {
        Shed::Streams.count();
        Problem::overloaded()
    })?;
    let watched = Watched {
        edge: edge.into_inner(),
        listed,
        record,
        told: false,
        started: Instant::now(),
        last_word: Instant::now(),
        _permit: permit,
    };
    Ok(HttpResponse::Ok()
        .insert_header(("content-type", "text/event-stream"))
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events(watched)))
}

struct Watched {
    edge: Arc<Edge>,
    listed: Arc<Listed>,
    record: JobRecord,
    /// Has the client been told of this record?
    told: bool,
    started: Instant,
    last_word: Instant,
    _permit: OwnedSemaphorePermit,
}

fn events(watched: Watched) -> impl Stream<Item = Result<Bytes, Error>> {
    unfold(watched, |mut watched| async move {
        let word = watched.next_word().await?;
        watched.last_word = Instant::now();
        Some((Ok(word), watched))
    })
}

impl Watched {
    /// What to say next, once there is something; `None` at the end.
    async fn next_word(&mut self) -> Option<Bytes> {
        loop {
            if !self.told {
                self.told = true;
                let body = serde_json::to_string(&JobBody::new(&self.record, &self.listed.sale)).ok()?;
                return Some(format!("event: job\ndata: {body}\n\n").into());
            }
            let ended = self.record.state.status() != JobStatus::Queued;
            if ended || self.started.elapsed() > LONGEST || self.edge.stop.is_cancelled() {
                return None;
            }
            if self.last_word.elapsed() > KEEP_ALIVE {
                return Some(Bytes::from_static(b": still here\n\n"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
            let looked = self.edge.within(self.edge.jobs.look(self.record.job)).await;
            if let Ok(JobLookup::Found(newer)) = looked {
                // Unpublished and queued are the same to the buyer.
                self.told = newer.state.status() == self.record.state.status();
                self.record = newer;
            }
        }
    }
}
