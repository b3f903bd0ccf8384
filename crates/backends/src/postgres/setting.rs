//! The ports [`SettingStore`] and [`AuditLog`].

use async_trait::async_trait;
use domain::ports::{AuditEntry, AuditLog, AuditNote, Operator, Outage, Setting, SettingStore};
use domain::{SaleId, Timestamp};
use futures_util::FutureExt as _;
use serde_json::Value;

use super::Postgres;
use super::failure::Failure;
use super::session::Session;

const SETTING: &str = "select version, value from settings where name = $1";

const LOCK: &str = "select version, value from settings where name = $1 for update";

const CREATE: &str = "insert into settings (name, version, value) values ($1, 1, $2) on conflict (name) do nothing";

const CHANGE: &str =
    "update settings set version = version + 1, value = $3, changed_at = now() where name = $1 and version = $2";

const NOTE: &str = "
    insert into audit_log (via, action, sale_id, reason, before, after) values ($1, $2, $3, $4, $5, $6)";

const ENTRIES: &str = "
    select id, at, via, action, sale_id, reason, before, after
    from audit_log
    where ($1::text is null or sale_id = $1) and ($2::bigint is null or id < $2)
    order by id desc
    limit $3";

/// Backwards along the lines of the sale: operators leave a few hundred.
const LATEST: &str = "
    select id, at, via, action, sale_id, reason, before, after
    from audit_log
    where sale_id = $1 and action = $2
    order by id desc
    limit 1";

#[derive(sqlx::FromRow)]
struct Line {
    id: i64,
    at: Timestamp,
    via: String,
    action: String,
    sale_id: Option<String>,
    reason: Option<String>,
    before: Option<Value>,
    after: Value,
}

impl From<Line> for AuditEntry {
    fn from(line: Line) -> Self {
        Self {
            id: line.id,
            at: line.at,
            by: Operator { via: line.via, reason: line.reason },
            note: AuditNote {
                action: line.action,
                // Written by us: a text that is no sale id names no sale.
                sale: line.sale_id.and_then(|id| id.parse().ok()),
                before: line.before,
                after: line.after,
            },
        }
    }
}

#[async_trait]
impl SettingStore for Postgres {
    async fn setting(&self, name: &str) -> Result<Setting, Outage> {
        let query = sqlx::query_as(SETTING).bind(name.to_owned());
        let row: Option<(i64, Value)> =
            self.database.read(|mut session| async move { session.one("setting", query).await }.boxed()).await?;
        Ok(row.map_or_else(Setting::default, |(version, value)| Setting { version, value }))
    }

    async fn set(&self, name: &str, seen: i64, value: &Value, by: &Operator) -> Result<Option<i64>, Outage> {
        let (name, value, by) = (name.to_owned(), value.clone(), by.clone());
        Ok(self.database.transaction("operator", move |session| change(session, name, seen, value, by).boxed()).await?)
    }
}

async fn change(
    mut session: Session<'_>,
    name: String,
    seen: i64,
    value: Value,
    by: Operator,
) -> Result<Option<i64>, Failure> {
    let before: Option<(i64, Value)> = session.one("setting", sqlx::query_as(LOCK).bind(name.as_str())).await?;
    let written = match &before {
        None if seen == 0 => session.write("setting", sqlx::query(CREATE).bind(name.as_str()).bind(&value)).await?,
        Some((version, _)) if *version == seen => {
            session.write("setting", sqlx::query(CHANGE).bind(name.as_str()).bind(seen).bind(&value)).await?
        }
        _ => 0,
    };
    if written == 0 {
        return Ok(None);
    }
    let action = format!("set-{name}");
    let before = before.map(|(_, value)| value);
    write_note(&mut session, AuditNote { action, sale: None, before, after: value }, by).await?;
    Ok(Some(seen + 1))
}

/// One line of the audit log.
pub(super) async fn write_note(session: &mut Session<'_>, note: AuditNote, by: Operator) -> Result<(), Failure> {
    let query = sqlx::query(NOTE)
        .bind(by.via)
        .bind(note.action)
        .bind(note.sale.map(|sale| sale.as_str().to_owned()))
        .bind(by.reason)
        .bind(note.before)
        .bind(note.after);
    session.write("audit", query).await?;
    Ok(())
}

#[async_trait]
impl AuditLog for Postgres {
    async fn note(&self, note: &AuditNote, by: &Operator) -> Result<(), Outage> {
        let (note, by) = (note.clone(), by.clone());
        Ok(self
            .database
            .transaction("operator", |mut session| async move { write_note(&mut session, note, by).await }.boxed())
            .await?)
    }

    async fn latest(&self, sale: &SaleId, action: &str) -> Result<Option<AuditEntry>, Outage> {
        let query = sqlx::query_as(LATEST).bind(sale.as_str().to_owned()).bind(action.to_owned());
        let line: Option<Line> =
            self.database.read(|mut session| async move { session.one("audit log", query).await }.boxed()).await?;
        Ok(line.map(AuditEntry::from))
    }

    async fn entries(
        &self,
        sale: Option<&SaleId>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, Outage> {
        let query = sqlx::query_as(ENTRIES)
            .bind(sale.map(|sale| sale.as_str().to_owned()))
            .bind(before)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let lines: Vec<Line> =
            self.database.read(|mut session| async move { session.all("audit log", query).await }.boxed()).await?;
        Ok(lines.into_iter().map(AuditEntry::from).collect())
    }
}
