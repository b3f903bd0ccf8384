//! The schema, embedded in the program.

use std::time::Duration;

use domain::ports::Outage;
use futures_util::FutureExt as _;
use sqlx::migrate::{Migration, Migrator};
use sqlx::{Connection as _, Executor as _};
use tracing::info;

use super::Postgres;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// Changing a large table takes its time; nothing is changed for longer than this without an operator looking.
const MIGRATE_MAX: Duration = Duration::from_secs(3_600);

/// What the database has. A migration that failed half-way is not among it.
const APPLIED: &str = "select version from _sqlx_migrations where success";

fn name(migration: &Migration) -> String {
    format!("{:04}_{}", migration.version, migration.description.replace(' ', "_"))
}

impl Postgres {
    /// Applies what is pending, one process at a time, and answers the names of what was pending.
    pub async fn migrate(&self) -> Result<Vec<String>, Outage> {
        let pending = self.pending_migrations().await?;
        let pool = self.database.pool().clone();
        let task = tokio::spawn(async move {
            // Its time limits are not those of an order, so this connection does not go back to the pool.
            let mut connection = pool.acquire().await?.detach();
            connection.execute("set statement_timeout = 0; set lock_timeout = 0").await?;
            MIGRATIONS.run_direct(None, &mut connection, false).await?;
            connection.close().await?;
            Ok::<(), sqlx::migrate::MigrateError>(())
        });
        match tokio::time::timeout(MIGRATE_MAX, task).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => return Err(Outage::NotSent(format!("a migration failed and was undone: {error}"))),
            Ok(Err(error)) => return Err(Outage::Unknown(error.to_string())),
            Err(_) => return Err(Outage::Unknown("migrations are still being applied after an hour".to_owned())),
        }
        for migration in &pending {
            info!(migration, "the database has migration {migration}");
        }
        Ok(pending)
    }

    /// The names of the migrations that the database lacks, oldest first.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, Outage> {
        let applied = self.database.read(|mut session| {
            async move {
                let table = sqlx::query_as("select to_regclass('_sqlx_migrations') is not null");
                if session.one::<(bool,)>("migrations_table", table).await? != Some((true,)) {
                    return Ok(Vec::new());
                }
                session.all::<(i64,)>("migrations", sqlx::query_as(APPLIED)).await
            }
            .boxed()
        });
        let applied = applied.await?;
        let is_pending = |migration: &&Migration| !applied.contains(&(migration.version,));
        Ok(MIGRATIONS.iter().filter(is_pending).map(name).collect())
    }
}
