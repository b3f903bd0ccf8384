//! `cargo xtask up`: from nothing to a running sale, and everything kept alive until somebody says stop.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::args::UpOptions;
use crate::services::{Started, Wanted};
use crate::steps::{Took, step};
use crate::{files, http, packages, process, signals, workspace};

mod backoff;
pub(crate) mod board;
pub(crate) mod demo;
pub(crate) mod ports;
pub(crate) mod role;
pub(crate) mod settings;
pub(crate) mod team;

use board::{Board, RunFile};
use ports::Ports;
use role::Role;
use settings::{Addresses, Secrets};
use team::Team;

/// The first build of the whole product on a small machine.
const BUILD_WITHIN: Duration = Duration::from_secs(45 * 60);

/// Migrations of an empty database take a second; an old one may have tables to rewrite.
const MIGRATE_WITHIN: Duration = Duration::from_secs(300);

/// From the start of the gateways to their "ready".
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A process that ended so often before it was ready will not become ready.
const ENDED_TOO_OFTEN: u32 = 5;

/// Runs the stack until SIGINT or SIGTERM.
///
/// # Errors
/// A step failed; what had been started is stopped again.
pub fn up(options: &UpOptions) -> Result<()> {
    signals::install()?;
    match run(options) {
        // Whatever failed, failed because we were stopping.
        Err(_) if signals::stopping() => {
            println!("stopped before everything was up");
            Ok(())
        }
        outcome => outcome,
    }
}

fn run(options: &UpOptions) -> Result<()> {
    let started = Instant::now();
    let dir = DataDir::open(&options.data)?;
    let ports = ports::choose(options)?;
    println!("seckill: starting in {}", dir.path.display());

    let given = Addresses::given(|name| std::env::var(name).ok());
    let wanted = given.missing();
    step("programs", || Ok(((), packages::ensure(wanted, options.install, &dir.log("apt"))?)))?;
    let servers = Started::start(&dir.path, wanted)?;
    let addresses = given.or(&servers);

    step("build", || Ok(((), build()?)))?;
    let program = workspace::program()?;
    let secrets = Secrets::keep(&dir.path.join("secrets.json"))?;
    let config = dir.path.join("seckill.toml");
    files::write_private(&config, &settings::toml(&ports, &addresses, &secrets, settings::NO_LIMIT_BY_ADDRESS))?;
    step("migrate", || Ok(((), migrate(&program, &config, &dir.log("migrate"))?)))?;

    let board = Arc::new(Board::new(RunFile {
        file: dir.path.join("run.json"),
        config: config.clone(),
        ports: ports.clone(),
        addresses,
        secrets,
    }));
    let gateways = (0..ports.gateways.len()).map(|n| Role::gateway(&program, &config, &dir.path, &ports, n)).collect();
    let consumers =
        (0..ports.consumers.len()).map(|n| Role::consumer(&program, &config, &dir.path, &ports, n)).collect();
    let team = Team::start(gateways, consumers, servers, &board)?;
    step("ready", || Ok(((), wait_until_ready(&ports, &board, &dir)?)))?;
    let sale = match options.demo {
        true => Some(step("demo sale", || demo::open(&program, &config, ports.buyers(), &dir.log("demo")))?),
        false => None,
    };
    board.publish()?;

    println!("\nUp after {}. Stop with Ctrl-C.\n", Took(started.elapsed()));
    print!("{}", demo::where_to_look(&ports, &dir.path, sale.as_deref(), wanted_note(wanted)));
    while !signals::stopping() {
        thread::sleep(signals::LOOK_UP);
    }
    println!("\nstopping");
    let stopped = Instant::now();
    team.stop();
    println!("stopped after {}", Took(stopped.elapsed()));
    Ok(())
}

fn wanted_note(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted { redis: true, rabbitmq: true, postgres: true } => "",
        _ => "Servers named by REDIS_URL, AMQP_URL or DATABASE_URL are used as they are and are not supervised.\n",
    }
}

pub(crate) fn build() -> Result<String> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--release", "-p", "seckill"]);
    let status = process::run(cargo, BUILD_WITHIN)?;
    ensure!(status.success(), "`cargo build --release -p seckill` failed ({status})");
    Ok("target/release/seckill".into())
}

pub(crate) fn migrate(program: &Path, config: &Path, log: &Path) -> Result<String> {
    let mut command = Command::new(program);
    command.arg("--config").arg(config).arg("migrate");
    let status = process::run_logged(command, MIGRATE_WITHIN, log)?;
    ensure!(
        status.success(),
        "`seckill migrate` failed ({status}); the end of {}:\n{}",
        log.display(),
        files::tail(log, 15)
    );
    Ok("the schema is current".into())
}

fn wait_until_ready(ports: &Ports, board: &Board, dir: &DataDir) -> Result<String> {
    let started = Instant::now();
    for (n, &port) in ports.gateways.iter().enumerate() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        loop {
            let answer = http::get(address, "/readyz");
            if matches!(answer, Ok((200, _))) {
                break;
            }
            if signals::stopping() {
                bail!("told to stop");
            }
            if started.elapsed() > READY_WITHIN || board.restarts() >= ENDED_TOO_OFTEN {
                let said = match answer {
                    Ok((status, body)) => format!("/readyz answers {status} {body}"),
                    Err(error) => format!("/readyz does not answer: {error:#}"),
                };
                let log = dir.log(&role::gateway_name(n));
                bail!("the gateway on port {port} is not ready: {said}\n{}:\n{}", log.display(), files::tail(&log, 15));
            }
            thread::sleep(signals::LOOK_UP);
        }
    }
    Ok(format!("{} answering", if ports.gateways.len() == 1 { "the gateway is" } else { "all gateways are" }))
}

/// The data folder, ours alone until it is dropped.
struct DataDir {
    path: PathBuf,
    /// Locked; the system unlocks it when we end, however we end.
    _lock: fs::File,
}

impl DataDir {
    fn open(path: &Path) -> Result<Self> {
        let open = || fs::create_dir_all(path.join("logs")).and_then(|()| path.canonicalize());
        let path = open().with_context(|| format!("cannot use {}", path.display()))?;
        let lock = fs::File::create(path.join("lock")).context("cannot create the lock file")?;
        if lock.try_lock().is_err() {
            bail!("another `cargo xtask up` is running in {}; stop it or choose another --data", path.display());
        }
        // One that is there now is from a stack that was killed.
        let stale = path.join("run.json");
        if stale.exists() {
            fs::remove_file(&stale).with_context(|| format!("cannot remove {}", stale.display()))?;
        }
        Ok(Self { path, _lock: lock })
    }

    fn log(&self, name: &str) -> PathBuf {
        self.path.join("logs").join(format!("{name}.log"))
    }
}
