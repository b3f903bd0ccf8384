//! A connection to Redis that says whether a failed call may have happened, and mends itself.
//!
//! The client reconnects on its own after a closed connection, but not after a silent one, and not when its server has
//! become a replica: then we make a new one.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use domain::JobId;
use domain::ports::{Connections, Outage};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, IntoConnectionInfo as _, RedisError, ServerErrorKind,
};
use tokio::sync::{Mutex, RwLock};
use tracing::{info, warn};

use super::scripts::{COUNT, Name, Scripts, is_prefix, run_id};
use super::settings::RedisSettings;
use crate::guard::{Failed, Guard};

/// Lost answers in a row after which the connection is given up.
const TIMEOUTS_MAX: u32 = 3;

pub(super) struct Link {
    client: Client,
    config: ConnectionManagerConfig,
    once: AsyncConnectionConfig,
    connection: RwLock<ConnectionManager>,
    timeouts: AtomicU32,
    scripts: RwLock<Option<Arc<Scripts>>>,
    loading: Mutex<()>,
    guard: Guard,
    /// Of the tokens' keys.
    prefix: String,
    in_flight_max: u32,
    in_flight: AtomicU32,
    is_open: AtomicBool,
    was_lost: AtomicBool,
    renewed: AtomicU64,
}

impl Link {
    /// Does not wait for Redis: a connection is made when it is needed.
    pub(super) fn new(settings: &RedisSettings) -> Result<Self, Outage> {
        if !is_prefix(&settings.concurrency_prefix) {
            let prefix = &settings.concurrency_prefix;
            return Err(Outage::NotSent(format!("no first part of a key: {prefix:?}")));
        }
        let wrong = |error: RedisError| Outage::NotSent(format!("the Redis URL is not usable: {error}"));
        let info = settings.url.as_str().into_connection_info().map_err(wrong)?;
        let tcp = redis::io::tcp::TcpSettings::default().set_nodelay(true).set_user_timeout(Duration::from_secs(2));
        let client = Client::open(info.set_tcp_settings(tcp)).map_err(wrong)?;
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(Duration::from_millis(settings.response_timeout_ms)))
            .set_connection_timeout(Some(Duration::from_millis(settings.connect_timeout_ms)))
            .set_concurrency_limit(settings.in_flight)
            .set_number_of_retries(0)
            .set_max_delay(Duration::from_millis(500));
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config.clone()).map_err(wrong)?;
        let once = AsyncConnectionConfig::new()
            .set_response_timeout(Some(Duration::from_millis(settings.response_timeout_ms)))
            .set_connection_timeout(Some(Duration::from_millis(settings.connect_timeout_ms)));
        Ok(Self {
            client,
            config,
            once,
            connection: RwLock::new(connection),
            timeouts: AtomicU32::new(0),
            scripts: RwLock::default(),
            loading: Mutex::default(),
            guard: Guard::new("redis"),
            prefix: settings.concurrency_prefix.clone(),
            in_flight_max: u32::try_from(settings.in_flight).unwrap_or(u32::MAX),
            in_flight: AtomicU32::new(0),
            is_open: AtomicBool::new(false),
            was_lost: AtomicBool::new(false),
            renewed: AtomicU64::new(0),
        })
    }

    /// One command. Sent a second time if the connection turned out to be closed: everything that we send may be
    /// repeated.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, RedisError> {
        let _under_way = UnderWay::begins(&self.in_flight);
        let mut connection = self.connection.read().await.clone();
        let answer = match command.query_async(&mut connection).await {
            // The first one may have run. Where the second gets no answer either, that is what is said.
            Err(closed) if is_closed(&closed) => {
                self.lost();
                match command.query_async(&mut connection).await {
                    Err(again) if again.kind() != ErrorKind::Server(ServerErrorKind::NoScript) => Err(closed),
                    answer => answer,
                }
            }
            answer => answer,
        };
        if let Err(error) = &answer {
            self.learn_from(error).await;
        } else {
            self.timeouts.store(0, Ordering::Relaxed);
            self.answered();
        }
        answer
    }

    /// The one connection, and what is on it.
    pub(super) fn connections(&self) -> Connections {
        Connections {
            open: u32::from(self.is_open.load(Ordering::Relaxed)),
            in_use: self.in_flight.load(Ordering::Relaxed),
            max: self.in_flight_max,
            renewed: self.renewed.load(Ordering::Relaxed),
        }
    }

    fn lost(&self) {
        self.is_open.store(false, Ordering::Relaxed);
        self.was_lost.store(true, Ordering::Relaxed);
    }

    fn answered(&self) {
        if self.is_open.load(Ordering::Relaxed) {
            return; // as nearly always
        }
        self.is_open.store(true, Ordering::Relaxed);
        if self.was_lost.swap(false, Ordering::Relaxed) {
            self.renewed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One script. `NOSCRIPT` means that the server was restarted, failed over or flushed: its run id is read before
    /// anything is loaded, and becomes part of what is loaded.
    pub(super) async fn run<T: FromRedisValue>(&self, name: Name, keys: &[String], args: Args) -> Result<T, Outage> {
        match self.guard.call(self.evaluate(name, keys, args), is_away).await {
            Ok(answer) => Ok(answer),
            Err(Failed::Call(error)) => Err(outage(error)),
            Err(Failed::NotAsked(outage)) => Err(outage),
        }
    }

    async fn evaluate<T: FromRedisValue>(&self, name: Name, keys: &[String], args: Args) -> Result<T, RedisError> {
        let mut known = self.scripts.read().await.clone();
        for _ in 0..3 {
            let scripts = match known {
                Some(scripts) => scripts,
                None => self.load(None).await?,
            };
            let mut command = redis::cmd("EVALSHA");
            command.arg(scripts.hash(name)).arg(keys.len()).arg(keys);
            for arg in args.iter() {
                command.arg(arg);
            }
            match self.query(&command).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    known = Some(self.load(Some(&scripts)).await?);
                }
                answer => return answer,
            }
        }
        // An answer of the server, given before any script could begin.
        Err((ErrorKind::Server(ServerErrorKind::NoScript), "the scripts are forgotten as fast as they are loaded")
            .into())
    }

    /// Loads the scripts for the present run of the server. Whoever waited finds them loaded.
    async fn load(&self, missing: Option<&Arc<Scripts>>) -> Result<Arc<Scripts>, RedisError> {
        let _one_at_a_time = self.loading.lock().await;
        if let Some(loaded) = self.scripts.read().await.clone()
            && missing.is_none_or(|missing| !Arc::ptr_eq(missing, &loaded))
        {
            return Ok(loaded);
        }
        // On a connection of its own, which never reconnects: the run id that is read and the scripts that are loaded
        // are of one server, and no script of an old run can reach a new one.
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&self.once).await?;
        let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        let run = run_id(&info).ok_or((ErrorKind::UnexpectedReturnType, "INFO names no run id"))?.to_owned();
        let mut hashes: [String; COUNT] = Default::default();
        for (hash, text) in hashes.iter_mut().zip(Scripts::texts(&run, &self.prefix)) {
            *hash = redis::cmd("SCRIPT").arg("LOAD").arg(text).query_async(&mut connection).await?;
        }
        if missing.is_none_or(|missing| missing.run != run) {
            info!(redis.run = %run, "the scripts are loaded into this run of Redis");
        }
        let loaded = Arc::new(Scripts::new(run, hashes));
        *self.scripts.write().await = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// After lost answers in a row, or on a server that takes no writes any more, the connection is made anew.
    async fn learn_from(&self, error: &RedisError) {
        if is_away(error) {
            self.lost();
        }
        let lost = if error.is_timeout() { self.timeouts.fetch_add(1, Ordering::Relaxed) + 1 } else { 0 };
        if lost < TIMEOUTS_MAX && error.kind() != ErrorKind::Server(ServerErrorKind::ReadOnly) {
            return;
        }
        self.timeouts.store(0, Ordering::Relaxed);
        if let Ok(fresh) = ConnectionManager::new_lazy_with_config(self.client.clone(), self.config.clone()) {
            warn!(%error, "the connection to Redis is made anew");
            *self.connection.write().await = fresh;
        }
    }
}

/// A command without an answer yet.
struct UnderWay<'l>(&'l AtomicU32);

impl<'l> UnderWay<'l> {
    fn begins(count: &'l AtomicU32) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Arguments of a script, one after the other in one buffer.
#[derive(Default)]
pub(super) struct Args {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Args {
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self.end()
    }

    /// One argument that consists of these parts.
    pub(super) fn parts(&mut self, parts: &[&[u8]]) -> &mut Self {
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.end()
    }

    pub(super) fn text(&mut self, text: impl std::fmt::Display) -> &mut Self {
        // Writing into memory does not fail.
        let _ = write!(self.bytes, "{text}");
        self.end()
    }

    pub(super) fn texts(&mut self, texts: &[impl std::fmt::Display]) -> &mut Self {
        for text in texts {
            self.text(text);
        }
        self
    }

    pub(super) fn jobs(&mut self, jobs: &[JobId]) -> &mut Self {
        for job in jobs {
            self.bytes(job.as_bytes());
        }
        self
    }

    fn end(&mut self) -> &mut Self {
        self.ends.push(self.bytes.len());
        self
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

/// Did the server not answer at all?
fn is_away(error: &RedisError) -> bool {
    error.is_timeout() || error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal()
}

fn is_closed(error: &RedisError) -> bool {
    !error.is_timeout() && !error.is_connection_refusal() && (error.is_connection_dropped() || error.is_io_error())
}

/// An error that the server itself answered came before the script's first write, or the script would not have
/// begun; and a refused connection carried nothing. Anything else may have happened.
pub(super) fn outage(error: RedisError) -> Outage {
    if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) || error.is_connection_refusal() {
        Outage::NotSent(format!("Redis: {error}"))
    } else {
        Outage::Unknown(format!("Redis: {error}"))
    }
}
