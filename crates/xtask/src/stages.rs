//! `cargo xtask test`: everything that is checked before a change is taken. A stage that cannot run has failed; nothing
//! is skipped.

use std::fmt::Write;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::args::TestOptions;
use crate::services::{self, Services, Wanted};
use crate::steps::Took;
use crate::{node, packages, process, signals, workspace};

/// One stage: commands run in order, ended by the first that fails.
struct Stage {
    name: &'static str,
    about: &'static str,
    /// The private servers must be up.
    servers: bool,
    commands: &'static [Work],
}

/// One command of a stage.
enum Work {
    /// Cargo, in the workspace.
    Cargo(&'static [&'static str]),
    /// npm, in a folder.
    Npm(&'static str, &'static [&'static str]),
}

/// The stages, cheapest first.
const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        about: "the code is formatted",
        servers: false,
        commands: &[Work::Cargo(&["fmt", "--all", "--check"])],
    },
    Stage {
        name: "clippy",
        about: "no warning anywhere",
        servers: false,
        commands: &[Work::Cargo(&["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"])],
    },
    Stage {
        name: "build",
        about: "the program as it is shipped",
        servers: false,
        commands: &[Work::Cargo(&["build", "--release", "-p", "seckill"])],
    },
    Stage {
        name: "unit",
        about: "every crate on its own",
        servers: false,
        commands: &[
            Work::Cargo(&[
                "test",
                "--release",
                "-p",
                "domain",
                "-p",
                "control",
                "-p",
                "order-intake",
                "-p",
                "gateway",
                "-p",
                "consumer",
                "-p",
                "xtask",
            ]),
            Work::Cargo(&["test", "--release", "-p", "seckill", "--bins"]),
        ],
    },
    Stage {
        name: "conformance",
        about: "every backend against the one suite of its port",
        servers: true,
        commands: &[Work::Cargo(&["test", "--release", "-p", "backends"])],
    },
    Stage {
        name: "integration",
        about: "the program on real servers",
        servers: true,
        commands: &[Work::Cargo(&["test", "--release", "-p", "seckill", "--test", "it"])],
    },
    Stage {
        name: "faults",
        about: "processes killed and servers restarted under load; each test has servers of its own",
        servers: false,
        commands: &[Work::Cargo(&["test", "--release", "-p", "seckill", "--test", "faults", "--", "--test-threads=1"])],
    },
    Stage {
        name: "load",
        about: "a short sale under load, and the books afterwards",
        servers: true,
        commands: &[Work::Cargo(&["test", "--release", "-p", "seckill", "--test", "load_smoke", "--", "--nocapture"])],
    },
    Stage {
        name: "scripts",
        about: "k6 scripts type-check, ALTCHA's widget gets its token, docker-compose.yml fits the program",
        servers: false,
        commands: &[
            Work::Npm("loadtest", &["ci", "--no-audit", "--no-fund"]),
            Work::Npm("loadtest", &["run", "check"]),
            Work::Cargo(&["build", "--release", "-p", "seckill"]),
            Work::Npm("loadtest", &["run", "altcha"]),
            Work::Cargo(&["test", "--release", "-p", "xtask", "--test", "compose"]),
        ],
    },
    Stage {
        name: "web",
        about: "the pages: types, the committed build, and browsers against the program and the real servers",
        servers: false,
        commands: &[
            Work::Npm("web", &["ci", "--no-audit", "--no-fund"]),
            Work::Npm("web", &["run", "check"]),
            Work::Npm("web", &["test"]),
            Work::Cargo(&["build", "--release", "-p", "seckill", "-p", "xtask"]),
            Work::Npm("web", &["run", "e2e"]),
        ],
    },
];

/// No command takes longer on a small machine unless it hangs.
const COMMAND_WITHIN: Duration = Duration::from_secs(25 * 60);

/// The stages' names, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    STAGES.iter().map(|stage| stage.name)
}

/// Runs the stages asked for and prints a table of them. Did all pass?
///
/// # Errors
/// We were told to stop.
pub fn test(options: &TestOptions) -> Result<bool> {
    if options.list {
        print!("{}", list());
        return Ok(true);
    }
    signals::install()?;
    let chosen =
        STAGES.iter().filter(|stage| options.only.is_empty() || options.only.iter().any(|name| name == stage.name));
    let mut servers = Servers::default();
    let mut results = Vec::new();
    for stage in chosen {
        println!("\n== {}: {}", stage.name, stage.about);
        let started = Instant::now();
        let outcome = run(stage, &mut servers);
        if let Err(error) = &outcome {
            println!("== {} FAILED: {error:#}", stage.name);
        }
        results.push(Finished {
            name: stage.name,
            took: started.elapsed(),
            failure: outcome.err().map(|e| format!("{e:#}")),
        });
        if signals::stopping() {
            bail!("told to stop; {} of the stages had been run", results.len());
        }
    }
    drop(servers);
    print!("{}", summary(&results));
    Ok(results.iter().all(|stage| stage.failure.is_none()))
}

/// What came of a stage.
struct Finished {
    name: &'static str,
    took: Duration,
    failure: Option<String>,
}

/// The private servers, started for the first stage that needs them and kept for the others.
#[derive(Default)]
struct Servers(Option<(Services, File)>);

impl Servers {
    fn get(&mut self) -> Result<&Services> {
        if self.0.is_none() {
            // Private ones even where the environment names others: the tests empty and kill what they are given.
            let dir = workspace::root().join("target/xtask-test");
            fs::create_dir_all(&dir)?;
            let lock = File::create(dir.join("lock"))?;
            ensure!(lock.try_lock().is_ok(), "another `cargo xtask test` is using {}", dir.display());
            packages::ensure(Wanted { redis: true, rabbitmq: true, postgres: true }, false, &dir.join("apt.log"))?;
            // A verdict must not depend on what an earlier run left behind.
            services::forget(&dir)?;
            self.0 = Some((Services::start(&dir)?, lock));
        }
        self.0.as_ref().map_or_else(|| bail!("the servers are gone"), |(services, _)| Ok(services))
    }
}

fn run(stage: &Stage, servers: &mut Servers) -> Result<()> {
    let variables = if stage.servers { servers.get()?.env().to_vec() } else { Vec::new() };
    for work in stage.commands {
        let mut command = work.command(&workspace::root())?;
        for name in ["REDIS_URL", "AMQP_URL", "DATABASE_URL", "RABBITMQCTL"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        println!("$ {work}");
        let status = process::run(command, COMMAND_WITHIN)?;
        ensure!(status.success(), "`{work}`: {status}");
    }
    Ok(())
}

impl Work {
    fn command(&self, root: &Path) -> Result<Command> {
        Ok(match self {
            Self::Cargo(arguments) => {
                let mut cargo = workspace::cargo();
                cargo.args(*arguments);
                cargo
            }
            Self::Npm(folder, arguments) => node::npm(root, folder, arguments)?,
        })
    }
}

impl std::fmt::Display for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cargo(arguments) => write!(f, "cargo {}", arguments.join(" ")),
            Self::Npm(folder, arguments) => write!(f, "npm --prefix {folder} {}", arguments.join(" ")),
        }
    }
}

fn list() -> String {
    let mut text = String::new();
    for stage in STAGES {
        let needs = if stage.servers { " (with private servers)" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<12} {}{needs}", stage.name, stage.about);
        for work in stage.commands {
            let _ = writeln!(text, "             $ {work}");
        }
    }
    text
}

/// The table, the failures in words, and the count in the last line.
fn summary(results: &[Finished]) -> String {
    let mut text = format!("\n{:<12} {:>9}  verdict\n", "stage", "took");
    for stage in results {
        let verdict = if stage.failure.is_none() { "passed" } else { "FAILED" };
        let _ = writeln!(text, "{:<12} {:>9}  {verdict}", stage.name, Took(stage.took));
    }
    let _ = writeln!(text, "{:<12} {:>9}", "together", Took(results.iter().map(|stage| stage.took).sum()));
    for stage in results {
        if let Some(failure) = &stage.failure {
            let _ = writeln!(text, "FAILED {}: {failure}", stage.name);
        }
    }
    let failed = results.iter().filter(|stage| stage.failure.is_some()).count();
    let _ = writeln!(text, "{} passed, {failed} failed", results.len() - failed);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_ends_with_the_count_and_names_every_failure() {
        let seconds = Duration::from_secs;
        let results = [
            Finished { name: "fmt", took: seconds(1), failure: None },
            Finished { name: "unit", took: seconds(90), failure: Some("`cargo test`: exit status: 101".into()) },
        ];
        let text = summary(&results);
        assert!(text.contains("unit             1m30s  FAILED"), "{text}");
        assert!(text.ends_with("FAILED unit: `cargo test`: exit status: 101\n1 passed, 1 failed\n"), "{text}");
    }

    #[test]
    fn every_stage_is_listed_with_what_it_runs() {
        let text = list();
        for stage in STAGES {
            assert!(text.contains(stage.name) && !stage.commands.is_empty());
        }
        assert!(text.contains("$ cargo fmt --all --check"));
    }
}
