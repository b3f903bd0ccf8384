//! `seckill check`: is everything in order? Prints every finding, not only the first.

use std::process::ExitCode;

use order_intake::books;
use serde_json::json;

use crate::cli::Output;
use crate::config::Config;
use crate::output::{self, DIFFERENCE, FAILED};
use crate::world::World;

/// Sales that ended longer ago than this are not looked at.
const CHECK_ENDED_S: u32 = 86_400;

struct Finding {
    what: String,
    result: Result<String, String>,
}

pub async fn run(config: Config, output: Output) -> anyhow::Result<ExitCode> {
    World::shared(&config)?;
    let world = World::new(&config).await?;
    let _ = world.broker().await; // its own check says what is wrong
    let mut findings = Vec::new();
    let mut note =
        |what: &str, result: Result<String, String>| findings.push(Finding { what: what.to_owned(), result });
    note("configuration", Ok("read, no unknown keys, secrets set".to_owned()));
    for service in &world.health {
        let answer = service.check().await.map(|()| "answers".to_owned()).map_err(|outage| outage.to_string());
        note(service.name(), answer);
    }
    if let Some(redis) = &world.redis {
        match redis.findings().await {
            Ok(list) if list.is_empty() => note("redis settings", Ok("no eviction, primary".to_owned())),
            Ok(list) => note("redis settings", Err(list.join("; "))),
            Err(outage) => note("redis settings", Err(outage.to_string())),
        }
        let log = match redis.keeps_a_log().await {
            Ok(true) => Ok("append-only file is on".to_owned()),
            Ok(false) => Ok("append-only file is off: a restart closes each sale until it is rebuilt".to_owned()),
            Err(outage) => Err(outage.to_string()),
        };
        note("redis persistence", log);
    }
    if let Some(postgres) = &world.postgres {
        let schema = match postgres.pending_migrations().await {
            Ok(pending) if pending.is_empty() => Ok("up to date".to_owned()),
            Ok(pending) => Err(format!("lacks {}; run `seckill migrate`", pending.join(", "))),
            Err(outage) => Err(outage.to_string()),
        };
        note("schema", schema);
    }
    let mut differs = false;
    if let Ok(sales) = world.sales.sales(CHECK_ENDED_S).await {
        for sale in sales.iter().filter(|sale| sale.epoch > 0) {
            let result = match books(world.gate.as_ref(), world.orders.as_ref(), sale).await {
                Ok(Some((_, lines))) => {
                    let wrong: Vec<String> = lines
                        .iter()
                        .filter(|line| line.difference != 0)
                        .map(|line| format!("{} differs by {}", line.item, line.difference))
                        .collect();
                    differs |= !wrong.is_empty();
                    if wrong.is_empty() { Ok("balances".to_owned()) } else { Err(wrong.join(", ")) }
                }
                Ok(None) => Err("is not loaded in the gate".to_owned()),
                Err(outage) => Err(outage.to_string()),
            };
            note(&format!("ledger of {}", sale.id), result);
        }
    }
    Ok(report(&findings, differs, output))
}

fn report(findings: &[Finding], differs: bool, output: Output) -> ExitCode {
    let words = |finding: &Finding| match &finding.result {
        Ok(text) => ("ok", text.clone()),
        Err(text) => ("WRONG", text.clone()),
    };
    let rows = findings
        .iter()
        .map(|finding| {
            let (verdict, text) = words(finding);
            vec![finding.what.clone(), verdict.to_owned(), text]
        })
        .collect();
    let json: Vec<_> = findings
        .iter()
        .map(|finding| json!({ "check": finding.what, "ok": finding.result.is_ok(), "detail": words(finding).1 }))
        .collect();
    output::print(output, &["check", "", "detail"], rows, &json!(json));
    match (differs, findings.iter().all(|finding| finding.result.is_ok())) {
        (true, _) => ExitCode::from(DIFFERENCE),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(FAILED),
    }
}
