//! The port `ActivityStore`: rows are written once, read by what is new, and made minutes of when they are an hour old.

use async_trait::async_trait;
use domain::ports::{ActivityStore, NotedActivity, Outage, Seen};
use domain::{Activity, ActivityRow, Instance, Role, SaleNumber, Timestamp};
use futures_util::FutureExt as _;
use serde_json::Value;
use sqlx::types::Json;

use super::Postgres;
use super::failure::Failure;
use super::session::Session;

const NOTE: &str = "
    with alive as (
        insert into instances as known (id, role, seen_at) values ($1, $2, now())
        on conflict (id) do update set seen_at = now()
    )
    insert into activity (sale_number, at, seconds, instance, activity)
    select row.sale_number, row.at, row.seconds, row.instance, row.activity
    from unnest($3::integer[], $4::timestamptz[], $5::smallint[], $6::text[], $7::jsonb[])
         as row(sale_number, at, seconds, instance, activity)
    where exists (select from sales s where s.number = row.sale_number)
    on conflict do nothing";

pub(super) const NEW_ACTIVITY: &str = "
    select id, at, seconds, instance, activity from activity
    where sale_number = $1 and id > $2
    order by id
    limit $3";

const INSTANCES: &str = "
    select id, role, greatest(extract(epoch from now() - seen_at) * 1000, 0)::bigint as age_ms from instances
    where seen_at > now() - make_interval(secs => $1::double precision)
    order by id";

pub(super) const OLD_SECOND: &str = "
    select sale_number, date_trunc('minute', at, 'UTC') from activity
    where seconds = 1 and at < date_trunc('minute', now() - make_interval(secs => $1::double precision), 'UTC')
    order by at
    limit 1";

pub(super) const TAKE_MINUTE: &str = "
    delete from activity
    where sale_number = $1 and at >= $2 and at < $2::timestamptz + interval '1 minute'
    returning id, at, seconds, instance, activity";

const PUT_MINUTE: &str = "
    insert into activity (sale_number, at, seconds, instance, activity) values ($1, $2, $3, $4, $5)";

const FORGET_INSTANCES: &str = "
    delete from instances where seen_at < now() - make_interval(secs => $1::double precision)";

#[derive(sqlx::FromRow)]
struct Line {
    id: i64,
    at: Timestamp,
    seconds: i16,
    instance: String,
    activity: Json<Activity>,
}

impl Line {
    fn noted(self, sale: SaleNumber) -> NotedActivity {
        let Self { id, at, seconds, instance, activity: Json(activity) } = self;
        NotedActivity { id, row: ActivityRow { sale, at, seconds: seconds.unsigned_abs(), instance, activity } }
    }
}

fn seconds(row: &ActivityRow) -> i16 {
    i16::try_from(row.seconds).unwrap_or(i16::MAX)
}

fn json(activity: &Activity) -> Result<Value, Failure> {
    serde_json::to_value(activity).map_err(|error| Failure::Poison(error.to_string()))
}

#[async_trait]
impl ActivityStore for Postgres {
    async fn note(&self, by: &Instance, rows: &[ActivityRow]) -> Result<(), Outage> {
        let query = sqlx::query(NOTE)
            .bind(by.id.clone())
            .bind(by.role.as_str())
            .bind(rows.iter().map(|row| row.sale.get().cast_signed()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.at).collect::<Vec<_>>())
            .bind(rows.iter().map(seconds).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.instance.clone()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| json(&row.activity)).collect::<Result<Vec<_>, _>>()?);
        self.database.read(|mut session| async move { session.write("activity_note", query).await }.boxed()).await?;
        Ok(())
    }

    async fn activity(&self, sale: SaleNumber, after: i64, limit: usize) -> Result<Vec<NotedActivity>, Outage> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query = sqlx::query_as(NEW_ACTIVITY).bind(sale.get().cast_signed()).bind(after).bind(limit);
        let lines: Vec<Line> =
            self.database.read(|mut session| async move { session.all("activity_new", query).await }.boxed()).await?;
        Ok(lines.into_iter().map(|line| line.noted(sale)).collect())
    }

    async fn instances(&self, within_s: u32) -> Result<Vec<Seen>, Outage> {
        let query = sqlx::query_as(INSTANCES).bind(f64::from(within_s));
        let lines: Vec<(String, String, i64)> =
            self.database.read(|mut session| async move { session.all("instances", query).await }.boxed()).await?;
        let seen = |(id, role, age_ms): (String, String, i64)| {
            Some(Seen { id, role: Role::from_word(&role)?, age_ms: age_ms.unsigned_abs() })
        };
        Ok(lines.into_iter().filter_map(seen).collect())
    }

    async fn condense(&self, older_than_s: u32, limit: usize) -> Result<u64, Outage> {
        let older_than_s = f64::from(older_than_s);
        let mut minutes = 0;
        while (minutes as usize) < limit {
            let step =
                self.database.transaction("activity_condense", move |session| minute(session, older_than_s).boxed());
            if !step.await? {
                let forget = sqlx::query(FORGET_INSTANCES).bind(older_than_s);
                self.database
                    .read(|mut session| async move { session.write("instances_forget", forget).await }.boxed())
                    .await?;
                break;
            }
            minutes += 1;
        }
        Ok(minutes)
    }
}

/// Makes one row of the oldest minute that is still seconds; `false` when there is none.
async fn minute(mut session: Session<'_>, older_than_s: f64) -> Result<bool, Failure> {
    let old = sqlx::query_as(OLD_SECOND).bind(older_than_s);
    let Some((number, begin)) = session.one::<(i32, Timestamp)>("activity_old", old).await? else { return Ok(false) };
    let taken = sqlx::query_as(TAKE_MINUTE).bind(number).bind(begin);
    let lines: Vec<Line> = session.all("activity_take", taken).await?;
    let Some(sale) = SaleNumber::new(number.unsigned_abs()) else { return Err(Failure::unreadable(number)) };
    if lines.is_empty() {
        return Ok(true); // somebody else has made it a minute since
    }
    let rows: Vec<ActivityRow> = lines.into_iter().map(|line| line.noted(sale).row).collect();
    let row = ActivityRow::minute(sale, begin, &rows);
    let put = sqlx::query(PUT_MINUTE)
        .bind(number)
        .bind(row.at)
        .bind(seconds(&row))
        .bind(row.instance.clone())
        .bind(json(&row.activity)?);
    session.write("activity_put", put).await?;
    Ok(true)
}
