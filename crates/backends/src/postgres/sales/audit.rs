//! Writes the audit log, in the transaction that it tells of.

use domain::Sale;
use domain::ports::Operator;

use crate::postgres::failure::Failure;
use crate::postgres::session::Session;

const LINE: &str = "
    insert into audit_log (via, action, sale_id, reason, before, after) values ($1, $2, $3, $4, $5, $6)";

/// One line: what a sale was, and what it became.
pub(super) async fn note(
    session: &mut Session<'_>,
    action: &'static str,
    by: &Operator,
    before: Option<&Sale>,
    after: &Sale,
) -> Result<(), Failure> {
    let query = sqlx::query(LINE)
        .bind(by.via.as_str())
        .bind(action)
        .bind(after.id.as_str())
        .bind(by.reason.as_deref())
        .bind(before.map(Sale::audited))
        .bind(after.audited());
    session.write("audit", query).await?;
    Ok(())
}
