//! The ceiling: bare actix-web that gives the product's own bytes back.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::client::{Answer, Client};
use crate::process::{Ask, Process, tethered};
use crate::services::free_port;
use crate::{files, signals};

const READY_WITHIN: Duration = Duration::from_secs(10);

/// A running bare server, stopped when dropped.
pub struct Bare {
    pub port: u16,
    process: Process,
}

impl Bare {
    /// Starts it with an answer of the product, and sees to it that it answers with as many bytes.
    pub fn start(program: &Path, dir: &Path, answer: &Answer) -> Result<Self> {
        let (port, file) = (free_port()?, dir.join("answer"));
        fs::write(&file, format!("{}{}", answer.head, answer.body))?;
        let mut command = tethered(program, Ask::Term);
        command.arg(format!("127.0.0.1:{port}")).arg(&file);
        let log = dir.join("logs/bare.log");
        let mut process = Process::start(command, Ask::Term, &log)?;
        let started = Instant::now();
        let mut client = loop {
            match Client::connect(port) {
                Ok(client) => break client,
                Err(error) => ensure!(
                    started.elapsed() < READY_WITHIN && process.ended().is_none(),
                    "the bare server does not start: {error:#}\n{}",
                    files::tail(&log, 5)
                ),
            }
            ensure!(!signals::stopping(), "told to stop");
            std::thread::sleep(signals::LOOK_UP);
        };
        let own = client.ask("POST", "/any", &[], "{}")?;
        let sizes = |answer: &Answer| (answer.status, answer.head.len(), answer.body.len());
        ensure!(
            sizes(&own) == sizes(answer),
            "the bare server's answer differs from the product's: (status, head, body) {:?} and {:?}:\n{}\n{}",
            sizes(&own),
            sizes(answer),
            own.head,
            answer.head
        );
        Ok(Self { port, process })
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The program as built by `cargo build --release -p gateway --example bare`.
    pub fn program(target: &Path) -> PathBuf {
        target.join("examples/bare")
    }
}
