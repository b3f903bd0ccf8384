//! What operators watch while a sale runs: one reader for each sale that is watched on this gateway, however many consoles
//! watch it.
//!
//! A [`reader`] on the main runtime asks the stores what is new and adds it to the [`past`]; a teller on the thread of the
//! operators' port puts together once a second what is known by then, and never waits for a store: what could not be read
//! is named as missing. Both end when nobody watches. What they cost depends on seconds and processes, never on requests.

mod bodies;
mod past;
mod reader;
mod teller;
mod whole;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use actix_web::web::Bytes;
use control::lock;
use domain::{SaleId, SaleNumber};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::bodies::{HistoryBody, LiveBody};
use self::reader::Readings;
pub use self::whole::whole;
use crate::edge::Edge;
use crate::health::Status;

/// Consoles that watch at once, over all sales: people, and pages that they have forgotten.
const STREAMS_MAX: usize = 64;

/// Who watches what.
pub struct Hub {
    watched: Mutex<HashMap<SaleNumber, Weak<Watched>>>,
    streams: Arc<Semaphore>,
}

/// One sale that somebody watches.
struct Watched {
    readings: Arc<Readings>,
    latest: watch::Receiver<Bytes>,
    /// Ends reader and teller with the last of those who watch.
    _end: DropGuard,
}

/// One of those who watch.
pub struct Watching {
    watched: Arc<Watched>,
    latest: watch::Receiver<Bytes>,
    /// Was the past told, and was it known then?
    told: Option<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Hub {
    pub fn new() -> Self {
        Self { watched: Mutex::default(), streams: Arc::new(Semaphore::new(STREAMS_MAX)) }
    }

    /// One more who watches; `None` when there are too many. Has to be called on the thread of the operators' port.
    pub fn watch(&self, edge: &Arc<Edge>, status: &Arc<Status>, sale: SaleNumber, id: SaleId) -> Option<Watching> {
        let permit = self.streams.clone().try_acquire_owned().ok()?;
        let mut all = lock(&self.watched);
        all.retain(|_, watched| watched.strong_count() > 0);
        // One whose teller has ended tells nothing any more.
        let known = all.get(&sale).and_then(Weak::upgrade).filter(|known| known.latest.has_changed().is_ok());
        let watched = known.unwrap_or_else(|| {
            let watched = begin(edge, status, sale, id);
            all.insert(sale, Arc::downgrade(&watched));
            watched
        });
        let latest = watched.latest.clone();
        Some(Watching { watched, latest, told: None, _permit: permit })
    }
}

fn begin(edge: &Arc<Edge>, status: &Arc<Status>, sale: SaleNumber, id: SaleId) -> Arc<Watched> {
    let (readings, end) = (Arc::new(Readings::default()), CancellationToken::new());
    let (tell, latest) = watch::channel(Bytes::new());
    let reading = reader::read(edge.clone(), sale, readings.clone());
    edge.runtime.spawn(end.clone().run_until_cancelled_owned(reading));
    let telling = teller::tell(edge.clone(), status.clone(), id, readings.clone(), tell);
    actix_web::rt::spawn(end.clone().run_until_cancelled_owned(telling));
    Arc::new(Watched { readings, latest, _end: end.drop_guard() })
}

impl Watching {
    /// The next event, once there is one; `None` at the end. The past comes first, and again when it could not be read
    /// at first.
    pub async fn next(&mut self) -> Option<Bytes> {
        if self.told.is_none() {
            // The first reading takes a moment; without an answer the stream begins all the same.
            self.latest.changed().await.ok()?;
        }
        let known = self.watched.readings.is_known();
        if self.told != Some(true) && (known || self.told.is_none()) {
            self.told = Some(known);
            return Some(bodies::event("history", &self.watched.readings.history()));
        }
        self.latest.changed().await.ok()?;
        Some(self.latest.borrow_and_update().clone())
    }
}
