//! The port [`Outbox`]: hands waiting rows on, one relay at a time per sink.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::ports::{Deliver, Outage, Outbox, Relayed, Sink};
use tokio::sync::{Mutex, Notify};

use super::EmbeddedStore;

/// For each sink, who may relay and who waits for a row.
#[derive(Default)]
pub(super) struct Relays {
    gate: Relay,
    events: Relay,
}

#[derive(Default)]
struct Relay {
    turn: Mutex<()>,
    written: Notify,
}

impl Relays {
    fn of(&self, sink: Sink) -> &Relay {
        match sink {
            Sink::Gate => &self.gate,
            Sink::Events => &self.events,
        }
    }

    /// Wakes whoever waits for a row.
    pub(super) fn wake(&self) {
        self.gate.written.notify_one();
        self.events.written.notify_one();
    }
}

#[async_trait]
impl Outbox for EmbeddedStore {
    async fn relay(&self, sink: Sink, limit: usize, to: Arc<dyn Deliver>) -> Result<Relayed, Outage> {
        let _turn = self.relays.of(sink).turn.lock().await;
        let rows = self.tables().outbox.oldest(sink, limit);
        if rows.is_empty() {
            return Ok(Relayed { rows: 0, more: false });
        }
        let arrived = to.deliver(&rows).await?;
        let delivered = self.tables().outbox.delivered(sink, &arrived, self.now());
        Ok(Relayed { rows: delivered, more: rows.len() >= limit })
    }

    async fn wait(&self, sink: Sink, timeout: Duration) {
        // Running out of time is one of the two ways to end.
        let _ = tokio::time::timeout(timeout, self.relays.of(sink).written.notified()).await;
    }

    async fn backlog(&self, sink: Sink) -> Result<(u64, f64), Outage> {
        Ok(self.tables().outbox.backlog(sink, self.now()))
    }

    async fn sweep(&self, older_than_s: u32) -> Result<u64, Outage> {
        Ok(self.tables().outbox.sweep(TimeDelta::seconds(i64::from(older_than_s)), self.now()))
    }
}
