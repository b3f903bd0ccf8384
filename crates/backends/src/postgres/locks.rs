//! The port [`LockStore`], for as long as Redis is away: slower, and just as good.

use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{LockStore, LockToken, Outage};
use futures_util::FutureExt as _;

use super::Postgres;

/// What crashes have left behind. Not at once, so that nobody waits for it at the moment it is wanted.
const SWEEP: &str = "
    delete from locks where name in (
        select name from locks where expires_at < now() - interval '1 minute' limit 100 for update skip locked)";

const TAKE: &str = "
    insert into locks (name, token, expires_at) values ($1, $2, now() + $3 * interval '1 millisecond')
    on conflict (name) do update set token = excluded.token, expires_at = excluded.expires_at
    where locks.token = excluded.token or locks.expires_at <= now()";

const RENEW: &str = "
    update locks set expires_at = now() + $3 * interval '1 millisecond'
    where name = $1 and token = $2 and expires_at > now()";

const END: &str = "delete from locks where name = $1 and token = $2 and expires_at > now()";

const ACTIVE: &str = "select count(*) from locks where expires_at > now()";

impl Postgres {
    async fn lock(
        &self,
        statement: &'static str,
        name: &str,
        token: &LockToken,
        ttl: Option<Duration>,
    ) -> Result<bool, Outage> {
        let (name, token) = (name.to_owned(), token.as_str().to_owned());
        let ttl_ms = ttl.map(|ttl| ttl.as_millis() as f64);
        let write = self.database.transaction("lock", move |mut session| {
            async move {
                if statement == TAKE {
                    session.write("lock", sqlx::query(SWEEP)).await?;
                }
                let query = sqlx::query(statement).bind(name).bind(token);
                session.write("lock", if let Some(ttl_ms) = ttl_ms { query.bind(ttl_ms) } else { query }).await
            }
            .boxed()
        });
        Ok(write.await? > 0)
    }
}

#[async_trait]
impl LockStore for Postgres {
    async fn acquire(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage> {
        self.lock(TAKE, name, token, Some(ttl)).await
    }

    async fn renew(&self, name: &str, token: &LockToken, ttl: Duration) -> Result<bool, Outage> {
        self.lock(RENEW, name, token, Some(ttl)).await
    }

    async fn release(&self, name: &str, token: &LockToken) -> Result<bool, Outage> {
        self.lock(END, name, token, None).await
    }

    async fn active(&self) -> Result<u64, Outage> {
        let query = sqlx::query_as(ACTIVE);
        let row: Option<(i64,)> =
            self.database.read(|mut session| async move { session.one("locks", query).await }.boxed()).await?;
        Ok(row.map_or(0, |(count,)| count.unsigned_abs()))
    }
}
