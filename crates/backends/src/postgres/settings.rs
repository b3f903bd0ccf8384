//! How to reach Postgres, and how long to wait for it.

use domain::ports::Outage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

/// The `[postgres]` section.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database`; `?host=/path` for a socket, `?sslmode=verify-full` for TLS.
    pub url: String,
    /// Connections at most; one more listens for other processes' rows.
    pub pool_size: u32,
    /// Connections that are kept open also while nobody needs them, so that a rush finds them.
    pub pool_min: u32,
    /// Milliseconds until waiting for a free connection, or for a new one, counts as an outage.
    pub acquire_timeout_ms: u64,
    /// Milliseconds after which the server ends a statement.
    pub statement_timeout_ms: u64,
    /// Milliseconds after which the server ends waiting for a lock.
    pub lock_timeout_ms: u64,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            url: "postgres://postgres@127.0.0.1:5432/seckill".to_owned(),
            pool_size: 8,
            pool_min: 0,
            acquire_timeout_ms: 1_500,
            statement_timeout_ms: 2_000,
            lock_timeout_ms: 1_000,
        }
    }
}

impl std::fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may carry a password.
        f.debug_struct("PostgresSettings")
            .field("url", &"***")
            .field("pool_size", &self.pool_size)
            .field("pool_min", &self.pool_min)
            .field("acquire_timeout_ms", &self.acquire_timeout_ms)
            .field("statement_timeout_ms", &self.statement_timeout_ms)
            .field("lock_timeout_ms", &self.lock_timeout_ms)
            .finish()
    }
}

/// A transaction that its client has forgotten ends after this long, and with it the locks it holds.
const IDLE_IN_TRANSACTION: &str = "5s";

impl PostgresSettings {
    /// What every connection is opened with. The server keeps the time limits: a client that has given up waiting
    /// does not stop a statement.
    pub(super) fn connect_options(&self) -> Result<PgConnectOptions, Outage> {
        let wrong = |error: sqlx::Error| Outage::NotSent(format!("the Postgres URL is not usable: {error}"));
        let options: PgConnectOptions = self.url.parse().map_err(wrong)?;
        let limits = [
            ("statement_timeout", format!("{}ms", self.statement_timeout_ms)),
            ("lock_timeout", format!("{}ms", self.lock_timeout_ms)),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION.to_owned()),
        ];
        // A sale goes from an empty table to a million rows faster than statistics follow: a plan that was made for
        // the empty table and reads all of it must not survive. Every statement of ours has its index, and reads it in
        // order: a bitmap of all that waits, to take the first hundred, is another such plan.
        let plans = [("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("jit", "off")];
        let options = options.application_name("seckill").options(limits).options(plans);
        // The driver would log statements; ours are named, and measured, in `session`.
        Ok(options.disable_statement_logging())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_no_output() {
        let with = |url: &str| PostgresSettings { url: url.to_owned(), ..PostgresSettings::default() };
        for url in ["postgres://u:hunter2@127.0.0.1/db", "postgres://u:hunter2@:bad/db", "postgres:/hunter2"] {
            let settings = with(url);
            assert!(!format!("{settings:?}").contains("hunter2"));
            if let Err(outage) = settings.connect_options() {
                assert!(!outage.to_string().contains("hunter2"), "{outage}");
            }
        }
        assert!(with("not a url").connect_options().is_err());
    }
}
