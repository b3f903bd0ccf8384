//! `cargo xtask audit`: what takes too long, or changes without us, to be part of every check. What we depend on
//! (cargo-deny: licences, advisories, sources), and what the program answers to requests that nobody wrote by hand
//! (schemathesis, over docs/openapi.json, on both ports of a demo of its own).

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, Ask, Process, tethered};
use crate::services::free_port;
use crate::{files, http, signals, workspace};

/// The version that the checks below are named for.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// No 500, nothing that the document does not say, and no method or header that is served against it.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,allow_header_conformance";

/// Requests generated for each operation.
const EXAMPLES: &str = "100";

const WITHIN: Duration = Duration::from_secs(20 * 60);
const READY_WITHIN: Duration = Duration::from_secs(20);

/// Runs all parts, also after one has failed. Did all pass?
///
/// # Errors
/// We were told to stop, or the program cannot be built.
pub fn audit() -> Result<bool> {
    signals::install()?;
    let mut failed = Vec::new();
    for (name, part) in [("cargo-deny", deny as fn() -> Result<()>), ("schemathesis", schemathesis)] {
        println!("\n== {name}");
        if let Err(error) = part() {
            println!("== {name} FAILED: {error:#}");
            failed.push(name);
        }
        ensure!(!signals::stopping(), "told to stop");
    }
    println!(
        "\n{}",
        if failed.is_empty() { "audit: all fine".to_owned() } else { format!("audit: FAILED {failed:?}") }
    );
    Ok(failed.is_empty())
}

fn tools() -> PathBuf {
    workspace::root().join("target/tools")
}

fn deny() -> Result<()> {
    let own = tools().join("bin/cargo-deny");
    let program = if own.is_file() { Some(own) } else { files::which("cargo-deny") };
    let program =
        program.context("cargo-deny is not installed; cargo install cargo-deny --locked --root target/tools")?;
    let mut command = Command::new(program);
    command.current_dir(workspace::root()).args(["--all-features", "check"]);
    command.args(["advisories", "bans", "licenses", "sources"]);
    done("cargo-deny", command)
}

fn schemathesis() -> Result<()> {
    let mut build = workspace::cargo();
    build.args(["build", "--release", "-p", "seckill"]);
    done("the build", build)?;
    let program = install()?;
    let demo = Demo::start()?;
    let login = demo.login()?;
    let root = workspace::root();
    // What a port does not serve is the other's; streams never end.
    demo.run(
        &program,
        &root,
        demo.buyers,
        &login,
        &["--exclude-path-regex", "^/(admin|metrics|docs|openapi|api/v1/concurrency)|/events$"],
    )?;
    demo.run(
        &program,
        &root,
        demo.operators,
        &demo.key,
        &["--include-path-regex", "^/(admin|metrics|docs|openapi|livez|readyz|api/v1/concurrency)"],
    )
}

/// In an environment of its own below `target/`: the machine's Python stays as it is.
fn install() -> Result<PathBuf> {
    let folder = tools().join("schemathesis");
    let program = folder.join("bin/schemathesis");
    if !program.is_file() {
        let python =
            files::which("python3").context("python3 is not installed; apt-get install python3 python3-venv")?;
        let mut make = Command::new(python);
        make.args(["-m", "venv"]).arg(&folder);
        done("python3 -m venv (apt-get install python3-venv)", make)?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", SCHEMATHESIS]);
        done("pip install schemathesis", pip)?;
    }
    Ok(program)
}

fn done(what: &str, command: Command) -> Result<()> {
    let status = process::run(command, WITHIN)?;
    ensure!(status.success(), "{what}: {status}");
    Ok(())
}

/// The program without a command, on free ports, with no limits in the way.
struct Demo {
    buyers: SocketAddr,
    operators: SocketAddr,
    key: String,
    _process: Process,
}

impl Demo {
    fn start() -> Result<Self> {
        let address = || -> Result<SocketAddr> { Ok(([127, 0, 0, 1], free_port()?).into()) };
        let (buyers, operators, key) = (address()?, address()?, files::random_hex(16)?);
        let log = tools().join("demo.log");
        fs::create_dir_all(tools())?;
        let mut command = tethered(&workspace::program()?, Ask::Term);
        command
            .env("SECKILL__GATEWAY__LISTEN", buyers.to_string())
            .env("SECKILL__GATEWAY__OPERATORS", operators.to_string())
            .env("SECKILL__SECRETS__ADMIN_KEY", &key);
        for limit in ["PER_IP", "TOKEN_PER_BUYER", "ORDER_PER_BUYER", "STATUS"] {
            command.env(format!("SECKILL__LIMITS__{limit}__ENABLED"), "false");
        }
        let process = Process::start(command, Ask::Term, &log)?;
        let started = Instant::now();
        while !http::get(buyers, "/readyz").is_ok_and(|(status, _)| status == 200) {
            if started.elapsed() > READY_WITHIN {
                bail!("the demo is not ready; see {}", log.display());
            }
            std::thread::sleep(signals::LOOK_UP);
        }
        Ok(Self { buyers, operators, key, _process: process })
    }

    /// A buyer's login.
    fn login(&self) -> Result<String> {
        let (status, body) = http::post_json(self.buyers, "/api/v1/demo/buyers", "{}")?;
        let body: serde_json::Value = serde_json::from_str(&body).with_context(|| format!("{status}: {body}"))?;
        body["accessToken"].as_str().map(str::to_owned).context("no login was given")
    }

    fn run(&self, program: &Path, root: &Path, address: SocketAddr, bearer: &str, paths: &[&str]) -> Result<()> {
        let mut command = Command::new(program);
        command
            .current_dir(tools()) // it keeps notes of its own beside where it runs
            .env("NO_PROXY", "127.0.0.1")
            .arg("run")
            .arg(root.join("docs/openapi.json"))
            .args(["--url", &format!("http://{address}")])
            .args(["--header", &format!("Authorization: Bearer {bearer}")])
            .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "-n", EXAMPLES])
            .args(["--continue-on-failure", "--request-timeout", "10", "--no-color"])
            .args(paths);
        done("schemathesis", command)
    }
}
