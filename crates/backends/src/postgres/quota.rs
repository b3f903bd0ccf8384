//! The port [`QuotaStore`].

use async_trait::async_trait;
use chrono::NaiveDate;
use domain::ports::{Outage, QuotaStore};
use domain::{QuotaEvent, QuotaKey, QuotaKind, QuotaTaken, QuotaUsage, QuotaUse, Timestamp};
use futures_util::FutureExt as _;

use super::Postgres;
use super::failure::Failure;

/// New events only, added up; rows in one order, so that batches that meet do not wait for each other in a circle.
const WRITE: &str = "
    with events as (
        select distinct on (day, kind, subject, id) *
        from unnest($1::date[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
             as event(day, kind, subject, id, generation, units)
        order by day, kind, subject, id
    ), new as (
        insert into quota_events (day, kind, subject, id)
        select day, kind, subject, id from events order by day, kind, subject, id
        on conflict do nothing
        returning day, kind, subject, id
    ), added as (
        insert into quota_usage as known (day, kind, subject, generation, used)
        select day, kind, subject, generation, sum(units) from events join new using (day, kind, subject, id)
        group by day, kind, subject, generation
        order by day, kind, subject, generation
        on conflict (day, kind, subject, generation) do update set used = known.used + excluded.used
        returning day, kind, subject, generation
    )
    select distinct day, kind, subject from events
    where exists (select from quota_usage other
                  where (other.day, other.kind, other.subject) = (events.day, events.kind, events.subject)
                    and other.generation <> events.generation)
       or exists (select from added other
                  where (other.day, other.kind, other.subject) = (events.day, events.kind, events.subject)
                    and other.generation <> events.generation)";

const WRITTEN: &str = "
    select generation, used from quota_usage where day = $1 and kind = $2 and subject = $3 order by generation";

/// An order is written soon after it was admitted: an index finds it by when it was written. A buyer's orders are in two.
const USED: &str = "
    select greatest(
        (select coalesce(sum(used), 0) from quota_usage where day = $1 and kind = $2 and subject = $3),
        (select coalesce(sum(quantity), 0) from (
            select quantity, created_at, admitted_at, status from orders
            where buyer_id = $3 and (exclusive and status in ('pending_payment', 'paid'))
            union all
            select quantity, created_at, admitted_at, status from orders
            where buyer_id = $3 and not (exclusive and status in ('pending_payment', 'paid'))) as own
         where $2 = 'purchases' and created_at >= $4 and created_at < $5::timestamptz + interval '1 hour'
           and coalesce(admitted_at, created_at) >= $4 and coalesce(admitted_at, created_at) < $5
           and status <> 'rejected'))::bigint";

const NOTE: &str = "
    insert into quota_events (day, kind, subject, id) values ($1, $2, $3, $4) on conflict do nothing";

/// The row that all who count without the gate go through, one after another.
const DIRECT: &str = "
    insert into quota_usage (day, kind, subject, generation, used) values ($1, $2, $3, '', 0) on conflict do nothing";

const LOCK: &str = "
    select used from quota_usage where day = $1 and kind = $2 and subject = $3 and generation = '' for update";

const STATE: &str = "
    select (select coalesce(sum(used), 0)::bigint from quota_usage where day = $1 and kind = $2 and subject = $3),
           exists (select from quota_events where day = $1 and kind = $2 and subject = $3 and id = $4)";

const ADD: &str = "
    update quota_usage set used = used + $4 where day = $1 and kind = $2 and subject = $3 and generation = ''";

const SWEEP_EVENTS: &str = "
    delete from quota_events where (day, kind, subject, id) in (
        select day, kind, subject, id from quota_events where day < $1 order by day limit $2)";

const SWEEP_USAGE: &str = "
    delete from quota_usage where (day, kind, subject, generation) in (
        select day, kind, subject, generation from quota_usage where day < $1 order by day limit $2)";

macro_rules! keyed {
    ($query:expr, $key:expr) => {
        $query.bind($key.day).bind($key.kind.as_str()).bind($key.subject.clone())
    };
}

#[async_trait]
impl QuotaStore for Postgres {
    async fn write(&self, events: &[QuotaEvent]) -> Result<Vec<QuotaKey>, Outage> {
        // In a transaction, so that a lost answer is known to be one: only that of the commit leaves it open.
        let query = sqlx::query_as(WRITE)
            .bind(events.iter().map(|event| event.of.key.day).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.of.key.kind.as_str().to_owned()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.of.key.subject.clone()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.of.id.clone()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.generation.clone()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| i64::from(event.of.units)).collect::<Vec<_>>());
        let rows: Vec<(NaiveDate, String, String)> = self
            .database
            .transaction("quota_write", |mut session| async move { session.all("quota_write", query).await }.boxed())
            .await?;
        let key = |(day, kind, subject): (NaiveDate, String, String)| {
            Some(QuotaKey { kind: QuotaKind::of(&kind)?, subject, day })
        };
        Ok(rows.into_iter().filter_map(key).collect())
    }

    async fn written(&self, key: &QuotaKey) -> Result<Vec<QuotaUsage>, Outage> {
        let query = keyed!(sqlx::query_as(WRITTEN), key);
        let rows: Vec<(String, i64)> =
            self.database.read(|mut session| async move { session.all("quota_written", query).await }.boxed()).await?;
        Ok(rows.into_iter().map(|(generation, used)| QuotaUsage { generation, used: count(used) }).collect())
    }

    async fn used(&self, key: &QuotaKey, from: Timestamp, until: Timestamp) -> Result<u64, Outage> {
        let query = keyed!(sqlx::query_as(USED), key).bind(from).bind(until);
        let row: Option<(i64,)> =
            self.database.read(|mut session| async move { session.one("quota_used", query).await }.boxed()).await?;
        Ok(row.map_or(0, |(used,)| count(used)))
    }

    async fn take_directly(&self, one: &QuotaUse, limit: u64) -> Result<QuotaTaken, Outage> {
        let one = one.clone();
        let taken = self
            .database
            .transaction("quota_direct", move |mut session| {
                async move {
                    let key = &one.key;
                    session.write("quota_direct", keyed!(sqlx::query(DIRECT), key)).await?;
                    session.one::<(i64,)>("quota_lock", keyed!(sqlx::query_as(LOCK), key)).await?;
                    // A statement of its own, so that it sees what whoever held the lock has left.
                    let state = keyed!(sqlx::query_as(STATE), key).bind(one.id.clone());
                    let state: Option<(i64, bool)> = session.one("quota_state", state).await?;
                    let (used, known) = state.unwrap_or_default();
                    let remaining = limit.saturating_sub(count(used));
                    let units = u64::from(one.units);
                    if !known && units > remaining {
                        return Ok(QuotaTaken::Exceeded { remaining });
                    }
                    let generation = QuotaUsage::DIRECT.to_owned();
                    if session.write("quota_note", keyed!(sqlx::query(NOTE), key).bind(one.id.clone())).await? == 0 {
                        return Ok(QuotaTaken::Before { remaining, generation, held: false });
                    }
                    session.write("quota_add", keyed!(sqlx::query(ADD), key).bind(i64::from(one.units))).await?;
                    Ok(QuotaTaken::Allowed { remaining: remaining - units, generation })
                }
                .boxed()
            })
            .await?;
        Ok(taken)
    }

    async fn sweep(&self, before: NaiveDate, limit: usize) -> Result<u64, Outage> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let swept = self.database.read(move |mut session| {
            async move {
                let events = sqlx::query(SWEEP_EVENTS).bind(before).bind(limit);
                let usage = sqlx::query(SWEEP_USAGE).bind(before).bind(limit);
                Ok::<_, Failure>(
                    session.write("quota_sweep", events).await? + session.write("quota_sweep", usage).await?,
                )
            }
            .boxed()
        });
        Ok(swept.await?)
    }
}

/// A count that a constraint keeps at or above 0.
fn count(units: i64) -> u64 {
    u64::try_from(units).unwrap_or(0)
}
