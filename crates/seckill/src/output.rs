//! What commands print, and how they end.

use std::process::ExitCode;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use domain::{ItemBooks, Sale};
use serde_json::{Value, json};

use crate::cli::Output;

/// It did not work.
pub const FAILED: u8 = 1;
/// It worked, and found that the books do not balance.
pub const DIFFERENCE: u8 = 3;

/// Prints rows as a table, or `json` as it is.
pub fn print(output: Output, headers: &[&str], rows: Vec<Vec<String>>, json: &Value) -> ExitCode {
    match output {
        Output::Json => println!("{json:#}"),
        Output::Table => {
            let mut table = Table::new();
            table.load_style(UTF8_FULL_CONDENSED).set_header(headers.to_vec());
            rows.into_iter().for_each(|row| {
                table.add_row(row);
            });
            println!("{table}");
        }
    }
    ExitCode::SUCCESS
}

/// A sale as the operators' port shows it.
pub fn sale_json(sale: &Sale) -> Value {
    json!({
        "id": sale.id, "title": sale.title, "state": sale.state.as_str(), "epoch": sale.epoch,
        "opensAt": sale.opens_at, "closesAt": sale.closes_at, "limitPerBuyer": sale.limit_per_buyer,
        "paymentWindowSeconds": sale.payment_window_s,
        "items": sale.items.iter().map(|item| json!({
            "id": item.id, "title": item.title, "price": item.price, "stock": item.stock,
        })).collect::<Vec<_>>(),
    })
}

/// The ledger, in the shape of `GET /admin/v1/sales/{sale}/ledger`.
pub fn books_json(sale: &Sale, at: domain::Timestamp, books: &[ItemBooks]) -> Value {
    json!({
        "sale": sale.id, "at": at,
        "items": books.iter().map(|line| json!({
            "id": line.item, "stock": line.stock, "free": line.free, "unpublished": line.unpublished,
            "queued": line.queued, "held": line.held, "paid": line.paid, "difference": line.difference,
        })).collect::<Vec<_>>(),
    })
}

/// Column heads of [`books_rows`].
pub const BOOKS: [&str; 8] = ["item", "stock", "free", "unpublished", "queued", "held", "paid", "difference"];

/// The ledger, a row for each item.
pub fn books_rows(books: &[ItemBooks]) -> Vec<Vec<String>> {
    let row = |line: &ItemBooks| {
        let numbers = [line.stock, line.free, line.unpublished, line.queued, line.held, line.paid, line.difference];
        std::iter::once(line.item.to_string()).chain(numbers.iter().map(i64::to_string)).collect()
    };
    books.iter().map(row).collect()
}
