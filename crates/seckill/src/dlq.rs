//! `seckill dlq …`: messages that could not be read or placed.

use std::process::ExitCode;

use domain::RefusedReason;
use domain::ports::{DeadLetter, Unplaced};
use serde_json::json;

use crate::cli::{DlqCommand, Letters, Output};
use crate::config::Config;
use crate::output::{self, FAILED};
use crate::world::World;

/// Letters in one listing.
const LIST_MAX: usize = 1000;

pub async fn run(config: Config, command: DlqCommand, output: Output) -> anyhow::Result<ExitCode> {
    World::shared(&config)?;
    let world = World::new(&config).await?;
    world.broker().await?;
    match command {
        DlqCommand::List => {
            let letters = world.dead_letters.list(LIST_MAX).await?;
            Ok(print(&letters, output))
        }
        DlqCommand::Replay(which) => {
            let replayed = world.dead_letters.replay(which.message.as_deref()).await?;
            Ok(said(&which, replayed, "back on the queue"))
        }
        DlqCommand::Discard(which) => {
            let discarded = world.dead_letters.discard(which.message.as_deref()).await?;
            let jobs: Vec<Unplaced> = discarded.iter().flat_map(unplaced).collect();
            // Most have their row since they were buried; whoever has none gets it now.
            world.orders.refuse(&jobs, RefusedReason::Discarded).await?;
            Ok(said(&which, discarded.len(), "discarded"))
        }
    }
}

fn unplaced(letter: &DeadLetter) -> impl Iterator<Item = Unplaced> + '_ {
    letter.jobs.iter().map(|job| Unplaced { job: *job, reservation: None })
}

fn print(letters: &[DeadLetter], output: Output) -> ExitCode {
    let jobs = |letter: &DeadLetter| letter.jobs.iter().map(ToString::to_string).collect::<Vec<_>>();
    let rows = letters
        .iter()
        .map(|letter| vec![letter.message_id.clone(), letter.why.clone(), letter.jobs.len().to_string()])
        .collect();
    let json = letters
        .iter()
        .map(|letter| json!({ "messageId": letter.message_id, "why": letter.why, "jobs": jobs(letter) }))
        .collect::<Vec<_>>();
    output::print(output, &["message", "why", "jobs"], rows, &json!(json))
}

fn said(which: &Letters, count: usize, what: &str) -> ExitCode {
    match (&which.message, count) {
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
