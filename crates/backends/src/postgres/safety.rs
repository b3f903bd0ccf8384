//! Settings of the server that the promises rest on.

use domain::ports::Outage;
use futures_util::FutureExt as _;

use super::Postgres;

/// What has to be on, or an order that was committed can be gone after a crash.
const DURABLE: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

impl Postgres {
    /// What is unsafe about the server's settings; nothing is fine.
    pub(super) async fn unsafe_settings(&self) -> Result<Vec<String>, Outage> {
        let off = self.database.read(|mut session| {
            async move {
                let query = sqlx::query_as("select name from pg_settings where name = any($1) and setting = 'off'");
                let off: Vec<(String,)> = session.all("settings", query.bind(DURABLE.map(str::to_owned))).await?;
                Ok(off)
            }
            .boxed()
        });
        let said = |(name,)| {
            format!("Postgres has {name} = off: an order that was accepted can be lost with the power; turn it on")
        };
        Ok(off.await.map_err(Outage::from)?.into_iter().map(said).collect())
    }
}
