//! Wakes the relays when there is something to relay, here and in other processes.
//!
//! The process that wrote a row wakes its own relays directly. Others are told by `notify`, sent beside the
//! transaction and not within it: a transaction that notifies commits under a lock of the whole server, so all
//! writers would queue up for the disk. What gets lost that way costs a relay's own interval, nothing else.

use std::sync::{Arc, Once};
use std::time::Duration;

use domain::ports::Sink;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, warn};

/// The channel that processes tell each other on. The payload names the process.
const CHANNEL: &str = "seckill_outbox";

/// Other processes are told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(20);

/// The first and the longest wait before listening again.
const AGAIN_AFTER: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

pub(super) struct Wake {
    shared: Arc<Shared>,
    options: PgConnectOptions,
    stop: CancellationToken,
    listening: Once,
    telling: Once,
    _stop_when_dropped: DropGuard,
}

struct Shared {
    /// This process, in the words of the channel.
    me: String,
    pool: PgPool,
    gate: Notify,
    events: Notify,
    untold: Notify,
}

impl Wake {
    pub(super) fn new(pool: PgPool, options: PgConnectOptions) -> Self {
        let shared = Shared {
            me: uuid::Uuid::new_v4().to_string(),
            pool,
            gate: Notify::new(),
            events: Notify::new(),
            untold: Notify::new(),
        };
        let stop = CancellationToken::new();
        Self {
            shared: Arc::new(shared),
            options,
            listening: Once::new(),
            telling: Once::new(),
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
        }
    }

    /// Rows were committed.
    pub(super) fn signal(&self) {
        self.shared.signal_here();
        self.shared.untold.notify_one();
        self.telling.call_once(|| self.spawn(tell(self.shared.clone())));
    }

    /// Waits until rows may have been committed, or until the time is over.
    pub(super) async fn wait(&self, sink: Sink, timeout: Duration) {
        // Only who waits needs to listen: a gateway never does.
        self.listening.call_once(|| self.spawn(listen(self.shared.clone(), self.options.clone())));
        let written = match sink {
            Sink::Gate => &self.shared.gate,
            Sink::Events => &self.shared.events,
        };
        // Running out of time is one of the two ways to end.
        let _ = tokio::time::timeout(timeout, written.notified()).await;
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(work).await });
    }
}

impl Shared {
    fn signal_here(&self) {
        self.gate.notify_one();
        self.events.notify_one();
    }
}

async fn tell(shared: Arc<Shared>) {
    loop {
        shared.untold.notified().await;
        let told = sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(&shared.me).execute(&shared.pool);
        if let Err(error) = told.await {
            debug!(%error, "other processes could not be told of new outbox rows; they look for themselves");
        }
        tokio::time::sleep(TELL_EVERY).await;
    }
}

async fn listen(shared: Arc<Shared>, options: PgConnectOptions) {
    // Outside the pool: it is held for good, and must not count against the connections that work.
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).connect_lazy_with(options);
    let (mut wait, longest) = AGAIN_AFTER;
    loop {
        if let Err(error) = hear(&shared, &pool, &mut wait).await {
            warn!(%error, "not listening for other processes' outbox rows at the moment");
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(longest);
        // Whatever was said in between was not heard.
        shared.signal_here();
    }
}

async fn hear(shared: &Shared, pool: &PgPool, wait: &mut Duration) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    *wait = AGAIN_AFTER.0;
    loop {
        match listener.try_recv().await? {
            Some(notification) if notification.payload() == shared.me => {}
            // Somebody else wrote; or the connection was lost and is back, and something may have been missed.
            Some(_) | None => shared.signal_here(),
        }
    }
}
