//! The audit log of sales, written in the transaction that it tells of.

use domain::Sale;
use domain::ports::{AuditNote, Operator};

use crate::postgres::failure::Failure;
use crate::postgres::session::Session;
use crate::postgres::setting::write_note;

/// One line: what a sale was, and what it became.
pub(super) async fn note(
    session: &mut Session<'_>,
    action: &'static str,
    by: &Operator,
    before: Option<&Sale>,
    after: &Sale,
) -> Result<(), Failure> {
    let note = AuditNote {
        action: action.to_owned(),
        sale: Some(after.id.clone()),
        before: before.map(Sale::audited),
        after: after.audited(),
    };
    write_note(session, note, by.clone()).await
}
