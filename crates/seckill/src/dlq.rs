//! `seckill dlq …`: messages that could not be read or placed.

use std::process::ExitCode;

use control::Task;
use domain::ports::{AuditNote, DeadLetter, LetterFilter};
use order_intake::{LETTERS_MAX, discard, explain};
use serde_json::json;

use crate::cli::{DlqCommand, Filter, Letters, Output};
use crate::config::Config;
use crate::output::{self, FAILED};
use crate::sales::{find, operator};
use crate::world::World;

pub async fn run(config: Config, command: DlqCommand, output: Output) -> anyhow::Result<ExitCode> {
    World::shared(&config)?;
    let world = World::new(&config).await?;
    world.broker().await?;
    match command {
        DlqCommand::List(which) => {
            let chosen = filter(&world, &which).await?;
            Ok(print(&world.dead_letters.list(&chosen, LETTERS_MAX).await?, output))
        }
        DlqCommand::Replay(which) => {
            let chosen = filter(&world, &which.filter).await?;
            if which.dry_run {
                return would_be(&world, &chosen, "put back on the queue", output).await;
            }
            note(&world, "replay-dead-letters", &which).await?;
            let replayed = world.as_task(Task::BatchPublish, world.dead_letters.replay(&chosen)).await??;
            Ok(said(&which, replayed, "back on the queue"))
        }
        DlqCommand::Discard(which) => {
            let chosen = filter(&world, &which.filter).await?;
            if which.dry_run {
                return would_be(&world, &chosen, "discarded", output).await;
            }
            note(&world, "discard-dead-letters", &which).await?;
            let discarded =
                discard(world.dead_letters.as_ref(), world.orders.as_ref(), &chosen, &world.works.batch).await?;
            Ok(said(&which, discarded.len(), "discarded"))
        }
    }
}

/// Before it is done: what cannot be noted is not done.
async fn note(world: &World, action: &str, which: &Letters) -> anyhow::Result<()> {
    let Filter { message, sale, job, why } = &which.filter;
    let after = json!({ "messageId": message, "job": job, "why": why, "all": which.all });
    let note = AuditNote { action: action.to_owned(), sale: sale.clone(), before: None, after };
    Ok(world.audit.note(&note, &operator()).await?)
}

async fn filter(world: &World, which: &Filter) -> anyhow::Result<LetterFilter> {
    let Filter { message, sale, job, why } = which;
    let sale = match sale {
        Some(id) => Some(find(world, id).await?.number),
        None => None,
    };
    Ok(LetterFilter { message_ids: message.iter().cloned().collect(), sale, job: *job, why: why.clone() })
}

async fn would_be(world: &World, chosen: &LetterFilter, what: &str, output: Output) -> anyhow::Result<ExitCode> {
    let letters = world.dead_letters.list(chosen, LETTERS_MAX).await?;
    if matches!(output, Output::Table) {
        println!("{} dead letters would be {what}; nothing was done.", letters.len());
    }
    Ok(print(&letters, output))
}

fn print(letters: &[DeadLetter], output: Output) -> ExitCode {
    let row = |letter: &DeadLetter| {
        vec![letter.message_id.clone(), letter.why.clone(), letter.jobs.len().to_string(), explain(letter)]
    };
    let json = |letter: &DeadLetter| json!({ "messageId": letter.message_id, "why": letter.why, "jobs": letter.jobs, "explanation": explain(letter) });
    let json = letters.iter().map(json).collect();
    output::print(output, &["message", "why", "jobs", "what to do"], letters.iter().map(row).collect(), &json)
}

fn said(which: &Letters, count: usize, what: &str) -> ExitCode {
    match (&which.filter.message, count) {
        (Some(message), 0) => {
            eprintln!("There is no dead letter {message}.");
            ExitCode::from(FAILED)
        }
        (_, count) => {
            println!("{count} dead letters {what}.");
            ExitCode::SUCCESS
        }
    }
}
