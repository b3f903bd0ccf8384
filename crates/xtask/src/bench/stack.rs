//! The private stack that is measured: the three servers, one gateway and one consumer, on free ports of 127.0.0.1, with
//! its data in a temporary folder. Nothing restarts what dies: a death is a finding.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::client::Client;
use super::sql::Sql;
use crate::services::{self, Services, free_port};
use crate::steps::step;
use crate::up::board::{Board, RunFile};
use crate::up::ports::Ports;
use crate::up::role::Role;
use crate::up::settings::{self, Addresses, Secrets};
use crate::up::team::Member as _;
use crate::{files, signals, up};

/// Every limit stays on and costs what it costs, but is too high to refuse a generator with one address and few buyers.
const LIMITS: &str = "\
per_ip = { burst = 1000000, per_second = 1000000 }
token_per_buyer = { burst = 1000000, per_second = 1000000 }
status = { burst = 1000000, per_second = 1000000 }";

const READY_WITHIN: Duration = Duration::from_secs(60);

/// Everything that was accepted has to be placed and announced within so long after the last answer.
const SETTLE_WITHIN: Duration = Duration::from_secs(300);

/// Between two looks at the outbox.
const LOOK: Duration = Duration::from_millis(20);

/// After a look at the ledger that found something under way: it costs both stores a millisecond.
const LOOK_AGAIN: Duration = Duration::from_millis(60);

/// In the order in which they are to end.
pub struct Stack {
    gateway: Role,
    consumer: Role,
    pub sql: Sql,
    pub services: Services,
    program: PathBuf,
    key: String,
    pub ports: Ports,
    pub dir: PathBuf,
}

impl Stack {
    /// Starts everything in `dir`, which is new.
    pub fn start(program: &Path, dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir.join("logs")).with_context(|| format!("cannot use {}", dir.display()))?;
        let services = Services::start(dir)?;
        let ports = Ports { gateways: vec![free_port()?], operators: free_port()?, consumers: vec![free_port()?] };
        let addresses = Addresses {
            redis: Some(services.redis.url()),
            amqp: Some(services.rabbitmq.url()),
            postgres: Some(services.postgres.url()),
        };
        let secrets = Secrets::keep(&dir.join("secrets.json"))?;
        let config = dir.join("seckill.toml");
        files::write_private(&config, &settings::toml(&ports, &addresses, &secrets, LIMITS))?;
        up::migrate(program, &config, &dir.join("logs/migrate.log"))?;
        let mut stack = Self {
            gateway: Role::gateway(program, &config, dir, &ports, 0),
            consumer: Role::consumer(program, &config, dir, &ports, 0),
            sql: Sql::open(&services.postgres)?,
            services,
            program: program.to_path_buf(),
            key: secrets.admin_key.clone(),
            ports: ports.clone(),
            dir: dir.to_path_buf(),
        };
        stack.consumer.start()?;
        stack.gateway.start()?;
        step("ready", || Ok(((), stack.wait_until_ready().map(|()| "gateway and consumer answer".to_owned())?)))?;
        // For the k6 plans, which read it.
        let board = Board::new(RunFile { file: dir.join("run.json"), config, ports, addresses, secrets });
        for (name, pid) in stack.pids() {
            board.lives(&name, Some(pid))?;
        }
        board.publish()?;
        Ok(stack)
    }

    /// The names of what runs, and its process ids.
    pub fn pids(&self) -> Vec<(String, u32)> {
        let all = [
            ("gateway", self.gateway.pid()),
            ("consumer", self.consumer.pid()),
            ("redis", self.services.redis.pid()),
            ("rabbitmq", self.services.rabbitmq.pid()),
            ("postgres", self.services.postgres.pid()),
        ];
        all.into_iter().filter_map(|(name, pid)| Some((name.to_owned(), pid?))).collect()
    }

    /// Ends everything, gateway first.
    pub fn stop(&mut self) {
        self.gateway.stop();
        self.consumer.stop();
        self.services.redis.stop();
        self.services.rabbitmq.stop();
        self.services.postgres.stop();
    }

    /// Ends the consumer in good order.
    pub fn stop_consumer(&mut self) {
        self.consumer.stop();
    }

    pub fn start_consumer(&mut self) -> Result<()> {
        self.consumer.start()
    }

    /// Nothing has died.
    pub fn alive(&mut self) -> Result<()> {
        for role in [&mut self.gateway, &mut self.consumer] {
            if let Some(how) = role.how_it_ended() {
                let log = self.dir.join("logs").join(format!("{}.log", role.name()));
                bail!("{} ended ({how}); the end of its log:\n{}", role.name(), files::tail(&log, 15));
            }
        }
        Ok(())
    }

    /// Asks the operators' port, and wants a 2xx.
    pub fn operator(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let mut client = Client::connect(self.ports.operators)?;
        let answer = client.ask(method, path, &[("Authorization", &format!("Bearer {}", self.key))], body)?;
        ensure!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        Ok(serde_json::from_str(&answer.body).unwrap_or_default())
    }

    /// The program with these arguments; what it prints goes to `output`.
    pub fn seckill(&self, arguments: &[&str], output: &Path) -> Result<()> {
        let mut command = std::process::Command::new(&self.program);
        command.arg("--config").arg(self.dir.join("seckill.toml")).args(arguments);
        command.stdout(fs::File::create(output)?);
        let status = command.status().context("cannot run seckill")?;
        ensure!(status.success(), "`seckill {}`: {status}", arguments.join(" "));
        Ok(())
    }

    /// Waits until nothing is under way: every accepted order has its row, every effect and every event is out.
    pub fn settle(&mut self, sale: &str) -> Result<()> {
        let started = Instant::now();
        loop {
            if self.sql.number("select count(*) from outbox where published_at is null")? == 0 {
                let books = self.operator("GET", &format!("/admin/v1/sales/{sale}/ledger"), "")?;
                let moving =
                    |line: &Value| line["unpublished"].as_u64() != Some(0) || line["queued"].as_u64() != Some(0);
                if !books["items"].as_array().is_some_and(|lines| lines.iter().any(moving)) {
                    return Ok(());
                }
                std::thread::sleep(LOOK_AGAIN);
            }
            ensure!(!signals::stopping(), "told to stop");
            ensure!(started.elapsed() < SETTLE_WITHIN, "not settled after {} s", SETTLE_WITHIN.as_secs());
            std::thread::sleep(LOOK);
        }
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        loop {
            let ready = |port| Client::connect(port).and_then(|mut client| client.ask("GET", "/readyz", &[], ""));
            let ports = [self.ports.buyers(), self.ports.consumers[0]];
            if ports.iter().all(|&port| ready(port).is_ok_and(|answer| answer.status == 200)) {
                return Ok(());
            }
            self.alive()?;
            ensure!(!signals::stopping(), "told to stop");
            ensure!(started.elapsed() < READY_WITHIN, "gateway and consumer are not ready");
            std::thread::sleep(signals::LOOK_UP);
        }
    }
}

/// A folder that goes, with what servers left elsewhere, when this is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new one; `what` is part of its name.
    pub fn new(what: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("seckill-{what}-{}", files::random_hex(4)?));
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    /// It stays, for somebody to look at.
    pub fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.0.as_os_str().is_empty() {
            return;
        }
        for stack in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            if let Err(error) = services::forget(stack.path()) {
                eprintln!("{error:#}");
            }
        }
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}
