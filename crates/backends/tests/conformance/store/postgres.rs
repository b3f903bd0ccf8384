//! A database for each scenario.

use std::sync::Arc;

use backends::postgres::{Postgres, PostgresSettings};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::bench::Bench;
use crate::support::{finish, required, unique};

/// Runs a scenario on Postgres, in a database of its own that is dropped at the end.
pub(super) async fn postgres<F: Future<Output = ()> + Send + 'static>(scenario: fn(Bench) -> F) {
    with_postgres(move |store| scenario(Bench::of(store))).await;
}

/// The same for other ports of that database.
pub(crate) async fn with_postgres<F: Future<Output = ()> + Send + 'static>(
    scenario: impl FnOnce(Arc<Postgres>) -> F + Send + 'static,
) {
    let url = required("DATABASE_URL");
    let name = unique("conformance_");
    administer(&url, format!("create database {name}")).await;
    let outcome = finish(on_database(with_database(&url, &name), scenario)).await;
    administer(&url, format!("drop database {name} with (force)")).await;
    outcome.unwrap_or_else(|panic| panic.resume());
}

async fn on_database<F: Future<Output = ()>>(url: String, scenario: impl FnOnce(Arc<Postgres>) -> F) {
    let settings = PostgresSettings {
        url,
        // A busy test machine is not what is tested.
        acquire_timeout_ms: 20_000,
        statement_timeout_ms: 20_000,
        lock_timeout_ms: 20_000,
        ..PostgresSettings::default()
    };
    let store = Postgres::connect(&settings).await.unwrap();
    store.migrate().await.unwrap();
    scenario(store).await;
}

async fn administer(url: &str, statement: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// The URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let after_scheme = address.find("://").unwrap() + 3;
    let server = address[after_scheme..].find('/').map_or(address, |path| &address[..after_scheme + path]);
    options.map_or_else(|| format!("{server}/{name}"), |options| format!("{server}/{name}?{options}"))
}
