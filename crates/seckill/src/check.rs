//! `seckill check`: is everything in order? Prints every finding, not only the first.

use std::process::ExitCode;

use domain::ports::Health as _;
use order_intake::books;
use serde_json::json;

use crate::cli::{Command, Output};
use crate::config::Config;
use crate::output::{self, DIFFERENCE, FAILED};
use crate::safety::Findings;
use crate::world::World;

/// Sales that ended longer ago than this are not looked at.
const CHECK_ENDED_S: u32 = 86_400;

struct Finding {
    what: String,
    result: Result<String, String>,
    /// Fine as it is, but somebody should know.
    warning: bool,
    /// Of the configuration, empty where none can be named.
    key: Option<String>,
}

/// The configuration cannot be used: every finding that refuses it at once, for the log of whatever started us. `seckill
/// check` prints warnings as well, in its usual form: one look shows everything that has to be mended.
pub fn refuse(findings: &Findings, command: &Command, output: Output) -> anyhow::Result<ExitCode> {
    let list: Vec<String> = findings.refused().map(ToString::to_string).collect();
    if matches!(command, Command::Check) {
        report(&about_configuration(findings), false, output);
    }
    match list.as_slice() {
        [one] => anyhow::bail!("{one}"),
        all => anyhow::bail!("the configuration cannot be used:\n  {}", all.join("\n  ")),
    }
}

pub async fn run(config: Config, about: &Findings, output: Output) -> anyhow::Result<ExitCode> {
    World::shared(&config)?;
    let world = World::new(&config).await?;
    let _ = world.broker().await; // its own check says what is wrong
    let mut findings = about_configuration(about);
    let mut note = |what: &str, result: Result<String, String>| {
        findings.push(Finding { what: what.to_owned(), result, warning: false, key: None })
    };
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
        match postgres.findings().await {
            Ok(list) if list.is_empty() => note("postgres settings", Ok("commits are durable".to_owned())),
            Ok(list) => note("postgres settings", Err(list.join("; "))),
            Err(outage) => note("postgres settings", Err(outage.to_string())),
        }
    }
    if let Ok(true) = backends::rabbitmq::lets_guest_in(&config.rabbitmq).await {
        note("rabbitmq users", Err("guest, whom everybody knows, is let in; delete that user".to_owned()));
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

/// Everything that was found about the configuration; what refuses it comes first.
fn about_configuration(findings: &Findings) -> Vec<Finding> {
    let row = |key: &str, result: Result<String, String>| {
        let (what, warning) = ("configuration".to_owned(), result.is_ok());
        Finding { what, key: Some(key.to_owned()), result, warning }
    };
    let refused = findings.refused().map(|finding| row(&finding.key, Err(finding.to_string())));
    refused.chain(findings.warnings().map(|finding| row(&finding.key, Ok(finding.to_string())))).collect()
}

fn report(findings: &[Finding], differs: bool, output: Output) -> ExitCode {
    let words = |finding: &Finding| match &finding.result {
        Ok(text) if finding.warning => ("warning", text.clone()),
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
        .map(|finding| {
            let mut json = json!({ "check": finding.what, "ok": finding.result.is_ok(), "warning": finding.warning, "detail": words(finding).1 });
            if let Some(key) = &finding.key {
                json["key"] = key.as_str().into();
            }
            json
        })
        .collect();
    output::print(output, &["check", "", "detail"], rows, &json!(json));
    match (differs, findings.iter().all(|finding| finding.result.is_ok())) {
        (true, _) => ExitCode::from(DIFFERENCE),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(FAILED),
    }
}
