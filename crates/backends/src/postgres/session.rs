//! Runs transactions so that none is ever left half open.
//!
//! A future that is dropped while it begins a transaction would give a connection back to the pool with that
//! transaction still open; a connection on which an answer is missing would keep its place in the pool for ever. So
//! all work runs in a task of its own that nobody can drop, every answer has a time limit, and a connection that did
//! not answer is closed instead of given back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::ports::{Connections, Outage};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{Connection as _, FromRow, PgConnection};

use super::failure::Failure;
use super::settings::PostgresSettings;
use crate::guard::{Failed, Guard};

/// The driver, next to which our own type of that name stands.
pub(super) type Driver = sqlx::Postgres;

/// Connections are renewed this often, so that nothing odd about one lasts.
const LIFETIME_MAX: Duration = Duration::from_secs(300);

/// Added to the server's own limit, so that its answer comes first where there is one.
const GRACE: Duration = Duration::from_secs(1);

/// What a session does, on a connection of its own.
pub(super) type Work<'c, T> = BoxFuture<'c, Result<T, Failure>>;

pub(super) struct Database {
    pool: PgPool,
    patience: Duration,
    guard: Guard,
    opened: Arc<AtomicU64>,
}

impl Database {
    pub(super) fn new(settings: &PostgresSettings, options: PgConnectOptions) -> Self {
        let opened = Arc::new(AtomicU64::new(0));
        let count = opened.clone();
        let pool = PgPoolOptions::new()
            .max_connections(settings.pool_size.max(1))
            .min_connections(settings.pool_min.min(settings.pool_size))
            .acquire_timeout(Duration::from_millis(settings.acquire_timeout_ms))
            .max_lifetime(LIFETIME_MAX)
            .after_connect(move |_, _| {
                count.fetch_add(1, Ordering::Relaxed);
                async { Ok(()) }.boxed()
            })
            .after_release(|connection, _| async move { Ok(!connection.is_in_transaction()) }.boxed())
            .connect_lazy_with(options);
        let patience = Duration::from_millis(settings.statement_timeout_ms) + GRACE;
        Self { pool, patience, guard: Guard::new("postgres"), opened }
    }

    /// As `domain` counts them.
    pub(super) fn connections(&self) -> Connections {
        let (open, idle) = (self.pool.size(), self.pool.num_idle() as u32);
        Connections {
            open,
            in_use: open.saturating_sub(idle),
            max: self.pool.options().get_max_connections(),
            renewed: self.opened.load(Ordering::Relaxed).saturating_sub(u64::from(open)),
        }
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Statements outside a transaction: reads, or one write.
    pub(super) async fn read<T, W>(&self, work: W) -> Result<T, Failure>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(Session<'c>) -> Work<'c, T> + Send + 'static,
    {
        let patience = self.patience;
        self.on_a_connection(move |connection| work(Session { connection, patience })).await
    }

    /// One transaction, READ COMMITTED, committed if `work` succeeds. `kind` names it in the metrics.
    pub(super) async fn transaction<T, W>(&self, kind: &'static str, work: W) -> Result<T, Failure>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(Session<'c>) -> Work<'c, T> + Send + 'static,
    {
        self.begun_with("begin", kind, work).await
    }

    /// The same, but its commit does not wait for the disk: only for what may be lost in a crash of the server, because
    /// it is done again then.
    pub(super) async fn repeatable<T, W>(&self, kind: &'static str, work: W) -> Result<T, Failure>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(Session<'c>) -> Work<'c, T> + Send + 'static,
    {
        self.begun_with("begin; set local synchronous_commit = off", kind, work).await
    }

    async fn begun_with<T, W>(&self, begin: &'static str, kind: &'static str, work: W) -> Result<T, Failure>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(Session<'c>) -> Work<'c, T> + Send + 'static,
    {
        let (patience, started) = (self.patience, Instant::now());
        let outcome =
            self.on_a_connection(move |connection| committed(connection, begin, patience, work).boxed()).await;
        metrics::histogram!("seckill_db_transaction_seconds", "transaction" => kind).record(started.elapsed());
        outcome
    }

    async fn on_a_connection<T, W>(&self, work: W) -> Result<T, Failure>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut PgConnection) -> Work<'c, T> + Send + 'static,
    {
        let pool = self.pool.clone();
        let work = async move {
            let mut connection: PoolConnection<Driver> = pool.acquire().await?;
            let outcome = work(&mut connection).await;
            if matches!(outcome, Err(Failure::Outage(_))) {
                connection.close_on_drop();
            }
            outcome
        };
        // Ends early only in a panic, which is a bug, or with the runtime: nobody knows how far it came.
        let done = async {
            tokio::spawn(work).await.unwrap_or_else(|error| Err(Failure::Outage(Outage::Unknown(error.to_string()))))
        };
        self.guard.call(done, |failure| matches!(failure, Failure::Outage(_))).await.map_err(|failed| match failed {
            Failed::Call(failure) => failure,
            Failed::NotAsked(outage) => Failure::Outage(outage),
        })
    }
}

async fn committed<T, W>(
    connection: &mut PgConnection,
    begin: &'static str,
    patience: Duration,
    work: W,
) -> Result<T, Failure>
where
    W: for<'c> FnOnce(Session<'c>) -> Work<'c, T>,
{
    let mut transaction = within(patience, connection.begin_with(begin)).await??;
    match work(Session { connection: &mut transaction, patience }).await {
        Ok(value) => {
            let started = Instant::now();
            let answer = tokio::time::timeout(patience, transaction.commit()).await;
            observe("commit", started);
            match answer {
                Ok(answer) => answer.map(|()| value).map_err(Failure::of_commit),
                Err(_) => Err(Failure::Outage(Outage::Unknown("a commit was not answered".to_owned()))),
            }
        }
        // The connection is not trusted any more; closing it ends the transaction too.
        Err(failure @ Failure::Outage(_)) => Err(failure),
        Err(failure) => {
            within(patience, transaction.rollback()).await?.map_or_else(|error| Err(error.into()), |()| Err(failure))
        }
    }
}

async fn within<F: Future>(patience: Duration, answer: F) -> Result<F::Output, Failure> {
    tokio::time::timeout(patience, answer).await.map_err(|_| Failure::not_sent("Postgres did not answer in time"))
}

fn observe(query: &'static str, started: Instant) {
    metrics::histogram!("seckill_db_query_seconds", "query" => query).record(started.elapsed());
}

/// One connection, for the time of one piece of work. Each statement is named in the metrics, prepared once per
/// connection, and given up when the server has not answered in time.
pub(super) struct Session<'c> {
    connection: &'c mut PgConnection,
    patience: Duration,
}

impl Session<'_> {
    /// Every row of the answer.
    pub(super) async fn all<T>(
        &mut self,
        name: &'static str,
        query: QueryAs<'_, Driver, T, PgArguments>,
    ) -> Result<Vec<T>, Failure>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let started = Instant::now();
        let rows = within(self.patience, query.fetch_all(&mut *self.connection)).await?;
        observe(name, started);
        Ok(rows?)
    }

    /// The only row of the answer, if there is one.
    pub(super) async fn one<T>(
        &mut self,
        name: &'static str,
        query: QueryAs<'_, Driver, T, PgArguments>,
    ) -> Result<Option<T>, Failure>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        Ok(self.all(name, query).await?.into_iter().next())
    }

    /// How many rows were written.
    pub(super) async fn write(
        &mut self,
        name: &'static str,
        query: Query<'_, Driver, PgArguments>,
    ) -> Result<u64, Failure> {
        let started = Instant::now();
        let done = within(self.patience, query.execute(&mut *self.connection)).await?;
        observe(name, started);
        Ok(done?.rows_affected())
    }

    /// Gives the rest of this transaction more time, on the server and here: for the rare work on all of a sale.
    pub(super) async fn take_time(&mut self, limit: Duration) -> Result<(), Failure> {
        let limit_ms = format!("{}ms", limit.as_millis());
        let query = sqlx::query("select set_config('statement_timeout', $1, true)").bind(limit_ms);
        self.write("take_time", query).await?;
        self.patience = limit + GRACE;
        Ok(())
    }
}
