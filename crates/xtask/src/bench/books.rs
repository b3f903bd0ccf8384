//! The verdict on a run: a figure whose books do not balance is no figure.

use anyhow::{Result, bail};
use serde_json::Value;

use super::stack::Stack;

/// What the load saw.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    /// Purchases answered 202.
    pub accepted: u64,
    /// Purchases without an answer that says what became of them.
    pub unknown: u64,
}

/// What is in Postgres.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// Orders of the sale that hold units.
    pub placed: u64,
    /// Orders of the sale that were refused after a 202.
    pub rejected: u64,
    /// Effects and events of any sale that are not out.
    pub waiting: u64,
}

/// Fails unless everything is settled, the ledger's difference is 0, no more is sold than there is, and the rows are the
/// accepted purchases, one for one.
pub fn check(stack: &mut Stack, sale: &str, seen: Seen) -> Result<()> {
    stack.alive()?;
    stack.settle(sale)?;
    let ledger = stack.operator("GET", &format!("/admin/v1/sales/{sale}/ledger"), "")?;
    let count = |condition: &str| format!("select count(*) from orders where sale_id = '{sale}' and {condition}");
    let rows = Rows {
        placed: stack.sql.number(&count("status <> 'rejected'"))?,
        rejected: stack.sql.number(&count("status = 'rejected'"))?,
        waiting: stack.sql.number("select count(*) from outbox where published_at is null")?,
    };
    match &faults(&ledger, rows, seen)[..] {
        [] => Ok(()),
        faults => bail!("the books of {sale} do not balance: {}", faults.join("; ")),
    }
}

/// What is wrong, in words; empty: nothing. Every unit of these sales is bought alone, so that units are orders.
pub fn faults(ledger: &Value, rows: Rows, seen: Seen) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = ledger["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.is_empty() {
        faults.push("the ledger has no items".to_owned());
    }
    let mut sold = 0;
    for line in lines {
        let units = |name: &str| line[name].as_i64().unwrap_or(i64::MIN);
        let held = units("held").saturating_add(units("paid"));
        if units("difference") != 0 {
            faults.push(format!("difference {}", line["difference"]));
        }
        if units("unpublished") != 0 || units("queued") != 0 {
            faults.push(format!("{} unpublished, {} queued", line["unpublished"], line["queued"]));
        }
        if held > units("stock") {
            faults.push(format!("{held} sold of {}", line["stock"]));
        }
        sold += held;
    }
    if i64::try_from(rows.placed) != Ok(sold) {
        faults.push(format!("{sold} units sold in {} orders", rows.placed));
    }
    if rows.placed < seen.accepted || rows.placed > seen.accepted + seen.unknown {
        faults.push(format!("{} orders for {} accepted and {} unknown", rows.placed, seen.accepted, seen.unknown));
    }
    if rows.rejected > 0 {
        faults.push(format!("{} refused after they had been accepted", rows.rejected));
    }
    if rows.waiting > 0 {
        faults.push(format!("{} rows of the outbox are not out", rows.waiting));
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ledger(held: i64, difference: i64, queued: i64) -> Value {
        json!({"items": [{"id": "unit", "stock": 1000, "free": 1000 - held, "unpublished": 0, "queued": queued,
                          "held": held, "paid": 0, "difference": difference}]})
    }

    const ROWS: Rows = Rows { placed: 900, rejected: 0, waiting: 0 };
    const SEEN: Seen = Seen { accepted: 900, unknown: 0 };

    #[test]
    fn good_books_have_no_faults() {
        assert_eq!(faults(&ledger(900, 0, 0), ROWS, SEEN), Vec::<String>::new());
        let one_unknown = Seen { accepted: 899, unknown: 1 };
        assert_eq!(faults(&ledger(900, 0, 0), ROWS, one_unknown), Vec::<String>::new());
    }

    #[test]
    fn every_wrong_book_is_found() {
        let found = |ledger: Value, rows: Rows, seen: Seen| faults(&ledger, rows, seen).join("; ");
        assert_eq!(found(ledger(900, 1, 0), ROWS, SEEN), "difference 1");
        assert_eq!(found(ledger(900, 0, 2), ROWS, SEEN), "0 unpublished, 2 queued");
        assert_eq!(found(ledger(901, 0, 0), ROWS, SEEN), "901 units sold in 900 orders");
        let over = Rows { placed: 1001, ..ROWS };
        assert_eq!(found(ledger(1001, 0, 0), over, Seen { accepted: 1001, unknown: 0 }), "1001 sold of 1000");
        let lost = Seen { accepted: 901, unknown: 0 };
        assert_eq!(found(ledger(900, 0, 0), ROWS, lost), "900 orders for 901 accepted and 0 unknown");
        let one_too_many = Seen { accepted: 898, unknown: 1 };
        assert_eq!(found(ledger(900, 0, 0), ROWS, one_too_many), "900 orders for 898 accepted and 1 unknown");
        assert!(found(ledger(900, 0, 0), Rows { rejected: 3, ..ROWS }, SEEN).starts_with("3 refused after"));
        assert!(found(ledger(900, 0, 0), Rows { waiting: 4, ..ROWS }, SEEN).starts_with("4 rows of the outbox"));
    }

    #[test]
    fn an_answer_that_is_no_ledger_is_a_fault() {
        assert!(!faults(&json!({"error": "no"}), Rows { placed: 0, ..ROWS }, Seen::default()).is_empty());
        let strange = json!({"items": [{"id": "unit"}]});
        assert!(!faults(&strange, Rows { placed: 0, ..ROWS }, Seen::default()).is_empty());
    }
}
