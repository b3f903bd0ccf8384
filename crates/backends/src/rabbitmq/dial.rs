//! Opens connections, one [`Dialer`] per purpose, and says how long to wait before the next attempt.
//!
//! Connections come from a pool of one. Recovery is not left to the library: whoever uses a connection gives it up at
//! the first error and dials again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_lapin::{Config, Object, Pool, Runtime};
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use super::settings::RabbitSettings;

/// A handshake that a silent peer leaves hanging cannot be cancelled: it occupies a thread until the peer answers.
/// So it is waited for, over several attempts, before another one is begun beside it.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(5);

/// Longest wait between two attempts; a broker that is back is found within this time.
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// The wait before the second attempt is at most this; it doubles with every further one.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);

type Dialled = JoinHandle<Result<Object, String>>;

/// Opens connections for one purpose.
pub(super) struct Dialer {
    pool: Pool,
    role: &'static str,
    patience: Duration,
    hanging: Option<(Instant, Dialled)>,
    connected_before: bool,
}

impl Dialer {
    /// Opens nothing yet. Must be called within a tokio runtime. Fails on a bad URL.
    pub(super) fn new(settings: &RabbitSettings, role: &'static str) -> Result<Self, String> {
        let config = Config { url: Some(settings.checked_url()?), pool: None };
        let properties = move || ConnectionProperties::default().with_connection_name(format!("seckill {role}").into());
        let builder = config.builder(properties, Runtime::Tokio1).map_err(|error| error.to_string())?;
        let pool = builder.max_size(1).build().map_err(|error| error.to_string())?;
        Ok(Self { pool, role, patience: settings.connect_timeout(), hanging: None, connected_before: false })
    }

    /// One attempt. The answer is removed from the pool: it belongs to the caller, who closes it by dropping it.
    pub(super) async fn dial(&mut self) -> Result<Connection, String> {
        let (since, mut dialled) = match self.hanging.take() {
            Some((since, dialled)) if since.elapsed() < HANDSHAKE_PATIENCE => (since, dialled),
            given_up => {
                if let Some((_, dialled)) = given_up {
                    dialled.abort();
                }
                let pool = self.pool.clone();
                let get = async move { pool.get().await.map_err(|error| error.to_string()) };
                (Instant::now(), tokio::spawn(get))
            }
        };
        match timeout(self.patience, &mut dialled).await {
            Ok(Ok(dialled)) => {
                let connection = Object::take(dialled?);
                if std::mem::replace(&mut self.connected_before, true) {
                    metrics::counter!("seckill_broker_reconnects_total", "role" => self.role).increment(1);
                }
                Ok(connection)
            }
            Ok(Err(crashed)) => Err(crashed.to_string()),
            Err(_) => {
                self.hanging = Some((since, dialled));
                Err("the broker does not answer".into())
            }
        }
    }
}

/// A connection that is opened when it is first needed and kept while it works.
pub(super) struct OnDemand {
    dialer: Dialer,
    connection: Option<Arc<Connection>>,
    patience: Duration,
}

impl OnDemand {
    /// Opens nothing yet.
    pub(super) fn new(settings: &RabbitSettings, role: &'static str) -> Result<Self, String> {
        Ok(Self { dialer: Dialer::new(settings, role)?, connection: None, patience: settings.connect_timeout() })
    }

    /// A new channel, on a new connection if need be.
    pub(super) async fn channel(&mut self) -> Result<Channel, String> {
        let alive = self.connection.take().filter(|connection| connection.status().connected());
        let connection = match alive {
            Some(connection) => connection,
            None => Arc::new(self.dialer.dial().await?),
        };
        let channel = bounded(self.patience, connection.create_channel()).await?;
        self.connection = Some(connection);
        Ok(channel)
    }
}

/// Gives up on a broker that does not answer; nothing in the library has a deadline of its own.
pub(super) async fn bounded<T>(patience: Duration, call: impl Future<Output = lapin::Result<T>>) -> Result<T, String> {
    match timeout(patience, call).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} ms", patience.as_millis())),
    }
}

/// Full jitter: anything from nothing to a limit that doubles with every failure, so that a fleet of gateways does not
/// come back in step.
pub(super) fn backoff(failures: u32) -> Duration {
    let limit = BACKOFF_FIRST.saturating_mul(1 << failures.min(10)).min(BACKOFF_MAX);
    let (random, _) = Uuid::new_v4().as_u64_pair();
    limit.mul_f64((random >> 32) as f64 / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_with_failures_and_stays_within_its_limit() {
        assert!((0..200).all(|_| backoff(0) <= BACKOFF_FIRST));
        let long: Vec<Duration> = (0..200).map(|_| backoff(40)).collect();
        assert!(long.iter().all(|wait| *wait <= BACKOFF_MAX));
        assert!(long.iter().any(|wait| *wait > BACKOFF_MAX / 2) && long.iter().any(|wait| *wait < BACKOFF_MAX / 2));
    }
}
