//! Orders, sales and the outbox in Postgres: the only judge of what is sold.
//!
//! [`place`] writes orders, [`life`] pays and ends them, [`sales`] does what operators decide, [`relay`] hands on what has
//! to reach someone else, [`orders`] reads for buyers and [`archive`] for operators, [`accounts`] adds up, [`activity`] keeps what was asked,
//! [`retention`] clears what is over. All of them go through [`session`], which knows how to run a transaction that is never left half
//! open, and [`failure`], which says whether one may have happened.

mod accounts;
mod activity;
mod archive;
mod failure;
mod life;
mod locks;
mod migrations;
mod orders;
mod outbox;
mod place;
#[cfg(test)]
mod plans;
mod quota;
mod relay;
mod retention;
mod rows;
mod safety;
mod sales;
mod session;
mod setting;
mod settings;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Connections, Health, Outage};
use futures_util::FutureExt as _;

use self::session::Database;
use self::wake::Wake;

pub use self::settings::PostgresSettings;

/// How long a health check may take.
const CHECK_MAX: Duration = Duration::from_secs(1);

/// One database, through one pool of connections.
pub struct Postgres {
    database: Database,
    wake: Wake,
    wary: place::Wary,
}

impl Postgres {
    /// Opens no connection yet: a database that is away now is found when it is needed, and again when it is back.
    /// Fails only on a URL that no database can have.
    pub async fn connect(settings: &PostgresSettings) -> Result<Arc<Self>, Outage> {
        let options = settings.connect_options()?;
        // Seen from the start, so that the first one shows as an increase.
        metrics::counter!("seckill_db_deadlocks_total").increment(0);
        metrics::counter!("seckill_db_acquire_timeouts_total").increment(0);
        let database = Database::new(settings, options.clone());
        let wake = Wake::new(database.pool().clone(), options);
        Ok(Arc::new(Self { database, wake, wary: place::Wary::default() }))
    }

    /// Sets the gauges of the pool; meant to be called every second.
    pub async fn sample_metrics(&self) {
        let pool = self.database.pool();
        let (size, idle) = (f64::from(pool.size()), pool.num_idle() as f64);
        let max = f64::from(pool.options().get_max_connections());
        for (state, connections) in [("idle", idle), ("used", (size - idle).max(0.0)), ("max", max)] {
            metrics::gauge!("seckill_db_pool_connections", "state" => state).set(connections);
        }
    }
}

#[async_trait]
impl Health for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn connections(&self) -> Option<Connections> {
        Some(self.database.connections())
    }

    async fn findings(&self) -> Result<Vec<String>, Outage> {
        self.unsafe_settings().await
    }

    async fn time(&self) -> Result<Option<domain::Timestamp>, Outage> {
        let asked = self.database.read(|mut session| {
            async move {
                let now: Option<(domain::Timestamp,)> =
                    session.one("clock", sqlx::query_as("select clock_timestamp()")).await?;
                Ok(now.map(|(now,)| now))
            }
            .boxed()
        });
        Ok(asked.await?)
    }

    async fn check(&self) -> Result<(), Outage> {
        let asked = self.database.read(|mut session| {
            async move {
                let query = sqlx::query_as("select pg_is_in_recovery()");
                let answer: Option<(bool,)> = session.one("health", query).await?;
                Ok(answer == Some((true,)))
            }
            .boxed()
        });
        match tokio::time::timeout(CHECK_MAX, asked).await {
            Ok(Ok(false)) => Ok(()),
            Ok(Ok(true)) => Err(Outage::NotSent("Postgres is a standby that takes no writes".to_owned())),
            Ok(Err(failure)) => Err(failure.into()),
            Err(_) => Err(Outage::NotSent("Postgres did not answer within a second".to_owned())),
        }
    }
}
