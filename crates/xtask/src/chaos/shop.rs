//! What is broken: servers, gateways and consumers, all watched as `cargo xtask up` watches them, with a way of ours
//! between the product and each server. Nobody but the watch starts anything again.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::schedule::{Blow, Force, Target};
use super::way::{State, Way};
use crate::bench::client::Client;
use crate::bench::sql::Sql;
use crate::services::{Started, Wanted, free_port};
use crate::up::board::{Board, RunFile};
use crate::up::ports::Ports;
use crate::up::role::{Role, consumer_name, gateway_name};
use crate::up::settings::{self, Addresses, Secrets};
use crate::up::team::Team;
use crate::{files, http, process, signals, up};

/// From the start to the first "ready".
const READY_WITHIN: Duration = Duration::from_secs(60);

/// The share of the memory above which RabbitMQ raises its alarm, as its configuration has it.
const WATERMARK: &str = "0.4";

/// The ways from the product to the three servers.
struct Ways {
    redis: Way,
    rabbitmq: Way,
    postgres: Way,
}

/// In the order in which they end.
pub struct Shop {
    team: Option<Team>,
    board: Arc<Board>,
    ways: Ways,
    pub ports: Ports,
    pub dir: PathBuf,
    program: PathBuf,
    key: String,
    redis: (u16, String),
    postgres: (u16, String),
    rabbitmqctl: PathBuf,
}

impl Shop {
    /// Starts everything in `dir`, which is new.
    pub fn open(program: &Path, dir: &Path, gateways: u16, consumers: u16) -> Result<Self> {
        fs::create_dir_all(dir.join("logs")).with_context(|| format!("cannot use {}", dir.display()))?;
        let servers = Started::start(dir, Wanted { redis: true, rabbitmq: true, postgres: true })?;
        let (Some(redis), Some(rabbitmq), Some(postgres)) = (&servers.redis, &servers.rabbitmq, &servers.postgres)
        else {
            bail!("a server that was wanted is missing");
        };
        let ways = Ways {
            redis: Way::to(redis.port())?,
            rabbitmq: Way::to(rabbitmq.port())?,
            postgres: Way::to(postgres.port())?,
        };
        let through =
            |url: String, port: u16, way: &Way| Some(url.replace(&format!(":{port}/"), &format!(":{}/", way.port)));
        let addresses = Addresses {
            redis: through(redis.url(), redis.port(), &ways.redis),
            amqp: through(rabbitmq.url(), rabbitmq.port(), &ways.rabbitmq),
            postgres: through(postgres.url(), postgres.port(), &ways.postgres),
        };
        let (redis_login, postgres_login) =
            ((redis.port(), redis.password().to_owned()), (postgres.port(), postgres.password().to_owned()));
        let rabbitmqctl = rabbitmq.rabbitmqctl_script();

        let some = |count: u16| (0..count).map(|_| free_port()).collect::<Result<Vec<u16>>>();
        let ports = Ports { gateways: some(gateways)?, operators: free_port()?, consumers: some(consumers)? };
        let secrets = Secrets::keep(&dir.join("secrets.json"))?;
        let key = secrets.admin_key.clone();
        let config = dir.join("seckill.toml");
        files::write_private(&config, &settings::toml(&ports, &addresses, &secrets, settings::NO_LIMIT_BY_ADDRESS))?;
        up::migrate(program, &config, &dir.join("logs/migrate.log"))?;
        let roles = |count: usize, role: fn(&Path, &Path, &Path, &Ports, usize) -> Role| {
            (0..count).map(|n| role(program, &config, dir, &ports, n)).collect::<Vec<_>>()
        };
        let (gateways, consumers) =
            (roles(ports.gateways.len(), Role::gateway), roles(ports.consumers.len(), Role::consumer));
        let file = dir.join("run.json");
        let board = Arc::new(Board::new(RunFile { file, config, ports: ports.clone(), addresses, secrets }));
        let team = Some(Team::start(gateways, consumers, servers, &board)?);
        let shop = Self {
            team,
            board,
            ways,
            ports,
            dir: dir.to_path_buf(),
            program: program.to_path_buf(),
            key,
            redis: redis_login,
            postgres: postgres_login,
            rabbitmqctl,
        };
        shop.wait_until_ready()?;
        Ok(shop)
    }

    fn wait_until_ready(&self) -> Result<()> {
        all_answer(self.ports.gateways.iter().chain(&self.ports.consumers), "/readyz")
    }

    /// Returns when every gateway has read this sale.
    pub fn wait_until_known(&self, sale: &str) -> Result<()> {
        all_answer(&self.ports.gateways, &format!("/api/v1/sales/{sale}"))
    }

    /// Ends everything.
    pub fn close(&mut self) {
        self.team = None;
    }

    /// How often something died and was started again.
    pub fn restarts(&self) -> u32 {
        self.board.restarts()
    }

    /// Asks the operators' port, and wants a 2xx.
    pub fn operator(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let mut client = Client::connect(self.ports.operators)?;
        let answer = client.ask(method, path, &[("Authorization", &format!("Bearer {}", self.key))], body)?;
        ensure!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        Ok(serde_json::from_str(&answer.body).unwrap_or_default())
    }

    /// What the program prints with these arguments.
    pub fn seckill(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.dir.join("seckill.toml")).args(arguments).stderr(Stdio::piped());
        let output = command.output().context("cannot run seckill")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`seckill {}`: {} {said}", arguments.join(" "), output.status);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Postgres itself, past the way.
    pub fn sql(&self) -> Result<Sql> {
        Sql::connect(self.postgres.0, &self.postgres.1)
    }

    /// Does it, waits, and heals it.
    ///
    /// # Errors
    /// It could not be done: what was to be hit is down already, mostly.
    pub fn strike(&self, blow: &Blow) -> Result<()> {
        let Blow { target, force, lasts, at: _ } = *blow;
        let way = self.way(target);
        let made = |state: State| {
            let way = way.context("there is no way to it")?;
            way.make(state);
            thread::sleep(lasts);
            way.make(State::Open);
            Ok(())
        };
        match force {
            Force::Kill => self.signal("KILL", target),
            Force::Terminate => self.signal("TERM", target),
            Force::Freeze => {
                let pids = self.pids(target)?;
                pids.iter().for_each(|&pid| process::signal_family("STOP", pid));
                thread::sleep(lasts);
                pids.iter().for_each(|&pid| process::signal_family("CONT", pid));
                Ok(())
            }
            Force::Cut => made(State::Cut),
            Force::Mute => made(State::Mute),
            Force::Slow(ms) => made(State::Slow(Duration::from_millis(ms))),
            Force::Narrow(per_second) => made(State::Narrow(per_second)),
            Force::Flush => self.redis("FLUSHALL"),
            Force::ForgetScripts => self.redis("SCRIPT FLUSH"),
            Force::Alarm => {
                self.rabbitmq(&["set_vm_memory_high_watermark", "0.00001"])?;
                thread::sleep(lasts);
                self.rabbitmq(&["set_vm_memory_high_watermark", WATERMARK])
            }
            Force::DeleteQueue => self.rabbitmq(&["delete_queue", "seckill.orders.0"]),
            Force::Disconnect => match target {
                Target::Redis => self.redis("CLIENT KILL TYPE normal SKIPME yes"),
                Target::Postgres => self.postgres(
                    "select pg_terminate_backend(pid) from pg_stat_activity \
                     where usename = current_user and pid <> pg_backend_pid()",
                ),
                _ => self.rabbitmq(&["close_all_connections", "chaos"]),
            },
            Force::Lock => {
                let seconds = lasts.as_secs_f64();
                self.postgres(&format!(
                    "set statement_timeout = 0; begin; lock table orders in access exclusive mode; \
                     select pg_sleep({seconds}); commit"
                ))
            }
        }
    }

    /// All ways open, and the broker without an alarm. What is dead is the watch's to bring back.
    pub fn heal(&self) {
        for way in [&self.ways.redis, &self.ways.rabbitmq, &self.ways.postgres] {
            way.make(State::Open);
        }
        // Where it is away there is no alarm either: it comes back without one.
        let _ = self.rabbitmq(&["set_vm_memory_high_watermark", WATERMARK]);
    }

    fn way(&self, target: Target) -> Option<&Way> {
        match target {
            Target::Redis => Some(&self.ways.redis),
            Target::RabbitMq => Some(&self.ways.rabbitmq),
            Target::Postgres => Some(&self.ways.postgres),
            Target::Gateway(_) | Target::Consumer(_) | Target::Everything => None,
        }
    }

    /// Who is there of them now.
    fn pids(&self, target: Target) -> Result<Vec<u32>> {
        let gateways = || (0..self.ports.gateways.len()).map(gateway_name);
        let consumers = || (0..self.ports.consumers.len()).map(consumer_name);
        let one = |n: u64, many: usize| (n % many as u64) as usize;
        let names: Vec<String> = match target {
            Target::Gateway(n) => vec![gateway_name(one(n, self.ports.gateways.len()))],
            Target::Consumer(n) => vec![consumer_name(one(n, self.ports.consumers.len()))],
            Target::Redis => vec!["redis".to_owned()],
            Target::RabbitMq => vec!["rabbitmq".to_owned()],
            Target::Postgres => vec!["postgres".to_owned()],
            Target::Everything => {
                let servers = ["redis", "rabbitmq", "postgres"].map(str::to_owned);
                gateways().chain(consumers()).chain(servers).collect()
            }
        };
        let pids: Vec<u32> = names.iter().filter_map(|name| self.board.pid(name)).collect();
        ensure!(!pids.is_empty(), "it is down already");
        Ok(pids)
    }

    fn signal(&self, name: &str, target: Target) -> Result<()> {
        for pid in self.pids(target)? {
            process::signal_family(name, pid);
        }
        Ok(())
    }

    fn redis(&self, command: &str) -> Result<()> {
        let (port, password) = &self.redis;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).context("Redis is away")?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("AUTH {password}\r\n{command}\r\nQUIT\r\n").as_bytes())?;
        let mut said = String::new();
        stream.read_to_string(&mut said).context("Redis does not answer")?;
        ensure!(!said.contains("\r\n-") && !said.starts_with('-'), "{command}: {said}");
        Ok(())
    }

    fn rabbitmq(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.rabbitmqctl);
        command.args(["-t", "15"]).args(arguments);
        let status = process::run_logged(command, Duration::from_secs(20), &self.dir.join("logs/rabbitmqctl.log"))?;
        ensure!(status.success(), "rabbitmqctl {}: {status}", arguments.join(" "));
        Ok(())
    }

    fn postgres(&self, statements: &str) -> Result<()> {
        self.sql().and_then(|mut sql| sql.rows(statements)).map(drop)
    }
}

/// Waits until `path` is answered 200 on each of these ports.
fn all_answer<'a>(ports: impl IntoIterator<Item = &'a u16>, path: &str) -> Result<()> {
    let started = Instant::now();
    for &port in ports {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while !matches!(http::get(address, path), Ok((200, _))) {
            ensure!(!signals::stopping(), "told to stop");
            ensure!(started.elapsed() < READY_WITHIN, "{path} is not answered on port {port}");
            thread::sleep(signals::LOOK_UP);
        }
    }
    Ok(())
}
