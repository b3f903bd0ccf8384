//! Private servers: Redis, RabbitMQ and Postgres on free ports of 127.0.0.1, below a folder of ours, with random
//! passwords and with the settings that the product's promises assume.
//!
//! ```no_run
//! use xtask::services::Services;
//!
//! let mut servers = Services::start("target/some-test")?;   // all three, in parallel
//! let url = servers.redis.url();
//! servers.redis.kill9();                                     // SIGKILL, as a crash would
//! servers.redis.start_again()?;                              // same port, same password, the data it had
//! drop(servers);                                             // stopped, with everything they started
//! # let _ = url;
//! # anyhow::Ok(())
//! ```
//!
//! A second start in the same folder continues with the data and the passwords that are there, on the same ports if
//! they are free. Servers found in the environment, and servers of the system, are never touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

mod kind;
mod ports;
mod postgres;
mod rabbitmq;
mod redis;
mod server;

pub(crate) use kind::Kind as KindOfServer;
pub use ports::{free_port, is_free};
pub(crate) use postgres::programs as postgres_programs;
pub use server::Server;

/// A private Redis: append-only file flushed every second, no eviction, a password.
pub type Redis = Server<redis::RedisKind>;
/// A private Postgres with the user and the database `seckill`: fsync and synchronous commits on, 200 connections.
pub type Postgres = Server<postgres::PostgresKind>;
/// A private RabbitMQ node with an `epmd` and an Erlang cookie of its own.
pub type RabbitMq = Server<rabbitmq::RabbitMqKind>;

/// All three, running.
#[derive(Debug)]
pub struct Services {
    /// The filter in front.
    pub redis: Redis,
    /// The delivery hose.
    pub rabbitmq: RabbitMq,
    /// The judge.
    pub postgres: Postgres,
}

impl Services {
    /// Starts all three below `dir`, in parallel, and returns when each of them answers. Prints one line per server.
    ///
    /// # Errors
    /// A server that is not installed or does not come up; the message says what to do or shows the end of its log.
    /// Whatever had been started is stopped again.
    pub fn start(dir: impl AsRef<Path>) -> Result<Self> {
        let all = Started::start(dir.as_ref(), Wanted { redis: true, rabbitmq: true, postgres: true })?;
        let missing = "every server that is wanted is started";
        Ok(Self {
            redis: all.redis.context(missing)?,
            rabbitmq: all.rabbitmq.context(missing)?,
            postgres: all.postgres.context(missing)?,
        })
    }

    /// The variables that tests and scripts read: `REDIS_URL`, `AMQP_URL`, `DATABASE_URL`, and `RABBITMQCTL`, a script
    /// that runs `rabbitmqctl` against our node.
    pub fn env(&self) -> [(&'static str, String); 4] {
        [
            ("REDIS_URL", self.redis.url()),
            ("AMQP_URL", self.rabbitmq.url()),
            ("DATABASE_URL", self.postgres.url()),
            ("RABBITMQCTL", self.rabbitmq.rabbitmqctl_script().display().to_string()),
        ]
    }

    /// Stops all three, in parallel. Dropping does the same, one after the other.
    pub fn stop(mut self) {
        thread::scope(|scope| {
            scope.spawn(|| self.redis.stop());
            scope.spawn(|| self.rabbitmq.stop());
            scope.spawn(|| self.postgres.stop());
        });
    }
}

/// Which servers are to be started; the others are somebody else's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub redis: bool,
    pub rabbitmq: bool,
    pub postgres: bool,
}

/// Those that were wanted.
pub(crate) struct Started {
    pub redis: Option<Redis>,
    pub rabbitmq: Option<RabbitMq>,
    pub postgres: Option<Postgres>,
}

impl Started {
    /// Starts what is wanted below `dir`, in parallel.
    pub fn start(dir: &Path, wanted: Wanted) -> Result<Self> {
        thread::scope(|scope| {
            let redis = wanted.redis.then(|| scope.spawn(|| reported::<redis::RedisKind>(dir)));
            let rabbitmq = wanted.rabbitmq.then(|| scope.spawn(|| reported::<rabbitmq::RabbitMqKind>(dir)));
            let postgres = wanted.postgres.then(|| scope.spawn(|| reported::<postgres::PostgresKind>(dir)));
            // All are waited for before the first error ends it: what is half started must be stopped, not forgotten.
            let (redis, rabbitmq, postgres) = (joined(redis), joined(rabbitmq), joined(postgres));
            Ok(Self { redis: redis?, rabbitmq: rabbitmq?, postgres: postgres? })
        })
    }
}

fn reported<K: kind::Kind>(dir: &Path) -> Result<Server<K>> {
    let started = Instant::now();
    let server = Server::<K>::start(dir, None)?;
    crate::steps::done(K::NAME, &format!("answers on 127.0.0.1:{}", server.port()), started.elapsed());
    Ok(server)
}

fn joined<T>(handle: Option<thread::ScopedJoinHandle<'_, Result<T>>>) -> Result<Option<T>> {
    handle.map(|handle| handle.join().unwrap_or_else(|_| Err(anyhow!("starting a server panicked")))).transpose()
}

/// Removes what stopped servers left below `dir`, also where Postgres had to keep its data elsewhere. The logs stay.
///
/// # Errors
/// Something cannot be removed.
pub fn forget(dir: impl AsRef<Path>) -> Result<()> {
    let dir = dir.as_ref();
    if let Ok(elsewhere) = dir.join("postgres/elsewhere").canonicalize() {
        fs::remove_dir_all(&elsewhere).with_context(|| format!("cannot remove {}", elsewhere.display()))?;
    }
    for name in ["redis", "rabbitmq", "postgres"] {
        let folder = dir.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
    }
    Ok(())
}

/// `dir` as an absolute path, created if missing: servers change their working folder.
fn existing(dir: &Path) -> Result<PathBuf> {
    fs::create_dir_all(dir).and_then(|()| dir.canonicalize()).with_context(|| format!("cannot use {}", dir.display()))
}
