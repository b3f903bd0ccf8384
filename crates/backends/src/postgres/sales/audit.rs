//! Writes the audit log, in the transaction that it tells of.

use domain::ports::Operator;
use domain::{NewItem, NewSale, Sale};
use serde_json::{Value, json};

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
        .bind(before.map(as_json))
        .bind(as_json(after));
    session.write("audit", query).await?;
    Ok(())
}

/// The sale as its operator would describe it now.
pub(super) fn described(sale: &Sale) -> NewSale {
    let items = sale.items.iter().map(|item| NewItem {
        id: item.id.clone(),
        title: item.title.clone(),
        price: item.price,
        stock: item.stock,
    });
    NewSale {
        id: sale.id.clone(),
        title: sale.title.clone(),
        opens_at: sale.opens_at,
        closes_at: sale.closes_at,
        limit_per_buyer: sale.limit_per_buyer,
        payment_window_seconds: sale.payment_window_s,
        items: items.collect(),
    }
}

fn as_json(sale: &Sale) -> Value {
    json!({ "state": sale.state, "epoch": sale.epoch, "sale": described(sale) })
}
