//! Sales to buy from, and lines to buy with.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::client::{Client, member};
use super::stack::Stack;
use crate::up::demo::rfc3339;

/// The one item of every sale.
pub const ITEM: &str = "unit";

/// Requests sent ahead of their answers while logins are fetched.
const PIPELINED: u64 = 100;

/// Makes a sale of `stock` units, warm and open. Ids have one length, so that all requests have.
pub fn sale(stack: &Stack, number: u64, stock: u64) -> Result<String> {
    let id = format!("bench-{number:04}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?.as_secs();
    let sale = json!({
        "id": id, "title": "Benchmark", "opensAt": rfc3339(now - 60), "closesAt": rfc3339(now + 86_400),
        // Nothing may expire while something else is measured.
        "limitPerBuyer": 1, "paymentWindowSeconds": 7 * 86_400,
        "items": [{"id": ITEM, "title": "One unit", "price": {"amount": 100, "currency": "CNY"}, "stock": stock}],
    });
    stack.operator("POST", "/admin/v1/sales", &sale.to_string())?;
    stack.operator("POST", &format!("/admin/v1/sales/{id}/warm"), "")?;
    stack.operator("POST", &format!("/admin/v1/sales/{id}/open"), "")?;
    Ok(id)
}

/// Where purchases of a sale are sent.
pub fn orders(sale: &str) -> String {
    format!("/api/v1/sales/{sale}/orders")
}

/// Bodies of purchases, one a line, each of another buyer.
pub fn bodies(stack: &Stack, sale: &str, prefix: &str, buyers: u64) -> Result<PathBuf> {
    let file = stack.dir.join("lines");
    let buyers = buyers.to_string();
    let arguments =
        ["tokens", "mint", "--sale", sale, "--item", ITEM, "--prefix", prefix, "--buyers", &buyers, "--ttl", "3h"];
    stack.seckill(&arguments, &file)?;
    Ok(file)
}

/// Logins of `buyers` demo buyers, one a line, repeated until there are `lines`.
pub fn logins(stack: &Stack, buyers: u64, lines: u64) -> Result<PathBuf> {
    let mut client = Client::connect(stack.ports.buyers())?;
    let ask = "POST /api/v1/demo/buyers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
               Content-Length: 2\r\n\r\n{}";
    let mut logins = Vec::new();
    for _ in 0..buyers.div_ceil(PIPELINED) {
        client.send(&ask.repeat(PIPELINED as usize))?;
        for _ in 0..PIPELINED {
            let answer = client.answer()?;
            logins.push(member(&answer.body, "accessToken").context("a demo buyer has no login")?.to_owned());
        }
    }
    repeated(stack, &logins, lines)
}

/// Paths of the jobs of a sale, one a line, repeated until there are `lines`.
pub fn job_paths(stack: &mut Stack, sale: &str, lines: u64) -> Result<PathBuf> {
    let jobs = stack.sql.rows(&format!("select '/api/v1/jobs/' || id from orders where sale_id = '{sale}'"))?;
    repeated(stack, &jobs, lines)
}

fn repeated(stack: &Stack, few: &[String], lines: u64) -> Result<PathBuf> {
    ensure!(!few.is_empty(), "there is nothing to repeat");
    let file = stack.dir.join("lines");
    let mut output = BufWriter::new(File::create(&file)?);
    for line in few.iter().cycle().take(lines as usize) {
        writeln!(output, "{line}")?;
    }
    output.flush()?;
    Ok(file)
}

/// The first line of a file.
pub fn first_line(file: &PathBuf) -> Result<String> {
    let text = fs::read_to_string(file)?;
    text.lines().next().map(str::to_owned).with_context(|| format!("{} is empty", file.display()))
}
