//! What an error of the database means: again, never, or later.

use domain::ports::{Outage, PlaceError};

/// Why a transaction did not happen, or may not have.
#[derive(Debug)]
pub(super) enum Failure {
    /// Somebody else was faster; it had no effect and is worth another attempt at once.
    Raced(String),
    /// The data can never be written.
    Poison(String),
    /// The database is away, busy or broken.
    Outage(Outage),
}

/// Two transactions that cannot both have happened.
const SERIALIZATION_FAILURE: &str = "40001";
/// Two transactions that wait for each other; the server chose this one.
const DEADLOCK: &str = "40P01";
/// Somebody else has written a row that only one can write: the next attempt sees it.
const UNIQUE_VIOLATION: &str = "23505";
/// Another transaction kept a lock for too long.
const LOCK_NOT_AVAILABLE: &str = "55P03";

impl Failure {
    /// It certainly had no effect.
    pub(super) fn not_sent(why: impl Into<String>) -> Self {
        Self::Outage(Outage::NotSent(why.into()))
    }

    /// A row says something that this program never wrote.
    pub(super) fn unreadable(what: impl std::fmt::Display) -> Self {
        Self::not_sent(format!("the database holds what cannot be read: {what}"))
    }

    /// An error in answer to `commit`: only a server that says it undid the transaction is believed.
    pub(super) fn of_commit(error: sqlx::Error) -> Self {
        match Self::from(error) {
            Self::Raced(why) => Self::Raced(why),
            Self::Poison(why) | Self::Outage(Outage::NotSent(why) | Outage::Unknown(why)) => {
                Self::Outage(Outage::Unknown(format!("the answer to a commit: {why}")))
            }
        }
    }
}

impl From<sqlx::Error> for Failure {
    /// Before `commit`: whatever it is, the transaction did not happen.
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            metrics::counter!("seckill_db_acquire_timeouts_total").increment(1);
        }
        let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
        let why = format!("Postgres: {error}");
        match code.as_ref() {
            SERIALIZATION_FAILURE | DEADLOCK => {
                metrics::counter!("seckill_db_deadlocks_total").increment(1);
                Self::Raced(why)
            }
            LOCK_NOT_AVAILABLE | UNIQUE_VIOLATION => Self::Raced(why),
            // Data exceptions and broken constraints.
            code if code.starts_with("22") || code.starts_with("23") => Self::Poison(why),
            _ => Self::not_sent(why),
        }
    }
}

impl From<Failure> for Outage {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Outage(outage) => outage,
            Failure::Raced(why) | Failure::Poison(why) => Self::NotSent(why),
        }
    }
}

impl From<Failure> for PlaceError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Poison(why) => Self::Poison(why),
            other => Self::Outage(other.into()),
        }
    }
}
