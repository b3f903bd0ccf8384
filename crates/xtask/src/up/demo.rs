//! A sale to try things on, and where to look once it is there.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::ports::Ports;
use crate::http;

/// Time to open a browser before the sale does.
const OPENS_IN: Duration = Duration::from_secs(15);

/// Long enough for a day's play.
const OPEN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The item that the example lines buy.
const ITEM: &str = "red-42";

/// The demo sale that is open or about to open, or a new one. Its id, and a line about it.
///
/// # Errors
/// The product refused to create, warm or open the sale; the message holds its words.
pub fn open(program: &Path, config: &Path, port: u16, log: &Path) -> Result<(String, String)> {
    let (status, body) = http::get(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), "/api/v1/sales")?;
    ensure!(status == 200, "GET /api/v1/sales answers {status} {body}");
    let sales: Value = serde_json::from_str(&body).context("GET /api/v1/sales does not answer JSON")?;
    if let Some(id) = running_demo(&sales) {
        return Ok((id.clone(), format!("{id} goes on")));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let id = format!("demo-{}", now.as_secs());
    let seckill = |arguments: &[&str], input: &str| run(program, config, arguments, input, log);
    seckill(&["sale", "create", "-"], &sale(&id, now).to_string())?;
    seckill(&["sale", "warm", &id], "")?;
    seckill(&["sale", "open", &id], "")?;
    Ok((id.clone(), format!("{id} opens in {} s", OPENS_IN.as_secs())))
}

/// A sale of ours among `sales` that buyers can use, now or soon.
fn running_demo(sales: &Value) -> Option<String> {
    let list = sales.as_array().or_else(|| sales["sales"].as_array()).or_else(|| sales["items"].as_array())?;
    list.iter()
        .filter(|sale| matches!(sale["phase"].as_str(), Some("open" | "scheduled")))
        .filter_map(|sale| sale["id"].as_str())
        .filter(|id| id.starts_with("demo-"))
        .max()
        .map(str::to_owned)
}

fn sale(id: &str, now: Duration) -> Value {
    let price = |amount: u32| json!({"amount": amount, "currency": "CNY"});
    json!({
        "id": id,
        "title": "Demo sale",
        "opensAt": rfc3339((now + OPENS_IN).as_secs()),
        "closesAt": rfc3339((now + OPENS_IN + OPEN_FOR).as_secs()),
        "limitPerBuyer": 1,
        "paymentWindowSeconds": 900,
        "items": [
            {"id": ITEM, "title": "Running shoe, red, 42", "price": price(19_900), "stock": 1000},
            {"id": "blue-42", "title": "Running shoe, blue, 42", "price": price(17_900), "stock": 100},
        ],
    })
}

fn run(program: &Path, config: &Path, arguments: &[&str], input: &str, log: &Path) -> Result<()> {
    let what = arguments.join(" ");
    let mut child = Command::new(program)
        .arg("--config")
        .arg(config)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(crate::files::log_file(log)?)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run seckill {what}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that has ended without reading says why below.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "`seckill {what}` failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// What is printed when everything runs: addresses, and lines to paste.
pub fn where_to_look(ports: &Ports, dir: &Path, sale: Option<&str>, note: &str) -> String {
    let (buyers, operators, dir) = (ports.buyers(), ports.operators, dir.display());
    let mut text = format!(
        "  buyers     http://127.0.0.1:{buyers}\n\
         \x20 console    http://127.0.0.1:{operators}   (admin key: adminKey in {dir}/run.json)\n\
         \x20 logs       {dir}/logs\n\n\
         The limit per IP address is off here, because every client is 127.0.0.1; the product's default is on.\n{note}"
    );
    if let Some(sale) = sale {
        text += &format!(
            r#"
Buy one, pay for it, and look at the books:

  B=http://127.0.0.1:{buyers} O=http://127.0.0.1:{operators}
  field() {{ sed -n 's/.*"'$1'": *"\([^"]*\)".*/\1/p'; }}
  LOGIN=$(curl -s -X POST $B/api/v1/demo/buyers -H 'content-type: application/json' -d '{{}}' | field accessToken)
  TOKEN=$(curl -s -X POST $B/api/v1/sales/{sale}/tokens -H "authorization: Bearer $LOGIN" -H 'content-type: application/json' -d '{{}}' | field token)
  ORDER=$(curl -s -X POST $B/api/v1/sales/{sale}/orders -H 'content-type: application/json' -H 'prefer: wait=5' -d '{{"token":"'$TOKEN'","item":"{ITEM}","quantity":1}}' | field jobId)
  curl -s -X POST $B/api/v1/orders/$ORDER/payments -H "authorization: Bearer $LOGIN"; echo
  curl -s $B/api/v1/orders/$ORDER -H "authorization: Bearer $LOGIN"; echo
  curl -s -H "authorization: Bearer $(field adminKey < {dir}/run.json)" $O/admin/v1/sales/{sale}/ledger; echo

"#
        );
    }
    text
}

/// Seconds since 1970 as RFC 3339 in UTC.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Counted in years that begin on 1 March, so that the leap day comes last; 719,468 days from 1 March of year 0.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_798_761_599), "2026-12-31T23:59:59Z");
        assert_eq!(rfc3339(1_835_395_200), "2028-02-29T00:00:00Z");
        assert_eq!(rfc3339(4_107_542_400), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn a_second_start_goes_on_with_the_newest_demo_sale_that_buyers_can_use() {
        let sales = json!([
            {"id": "demo-1", "phase": "open"}, {"id": "demo-3", "phase": "ended"}, {"id": "demo-2", "phase": "scheduled"},
            {"id": "mine", "phase": "open"},
        ]);
        assert_eq!(running_demo(&sales), Some("demo-2".into()));
        assert_eq!(running_demo(&json!({"sales": sales})), Some("demo-2".into()));
        assert_eq!(running_demo(&json!([{"id": "mine", "phase": "open"}])), None);
        assert_eq!(running_demo(&json!([])), None);
    }

    #[test]
    fn the_demo_sale_has_the_contracts_shape() {
        let sale = sale("demo-1", Duration::from_secs(0));
        assert_eq!(sale["opensAt"], "1970-01-01T00:00:15Z");
        assert_eq!(sale["closesAt"], "1970-01-02T00:00:15Z");
        assert_eq!(sale["items"][0]["id"], ITEM);
        assert_eq!(sale["items"][0]["price"], json!({"amount": 19900, "currency": "CNY"}));
    }

    #[test]
    fn the_lines_to_paste_name_the_ports_and_never_a_secret() {
        let ports = Ports { gateways: vec![8080], operators: 8081, consumers: vec![] };
        let text = where_to_look(&ports, Path::new("/d"), Some("demo-1"), "");
        assert!(text.contains("B=http://127.0.0.1:8080 O=http://127.0.0.1:8081"));
        assert!(text.contains(r#"-d '{"token":"'$TOKEN'","item":"red-42","quantity":1}'"#), "{text}");
        assert!(text.contains("limit per IP address is off"));
        assert!(!where_to_look(&ports, Path::new("/d"), None, "").contains("curl"));
    }
}
