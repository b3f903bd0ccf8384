//! `cargo xtask bench`: how fast, how late and how large the product is on this machine, beside what the machine can do.
//!
//! 1. Build the program, the bare server and the statements alone.
//! 2. Start a private stack in a temporary folder: three servers, one gateway, one consumer, default settings.
//! 3. Each case: prepare lines, then ceiling and product in turn, a few rounds, books checked after each.
//! 4. A case whose books do not balance, or that was not answered as it should be, has no figure and fails the run.
//! 5. Table, result file; `--render` makes the README's figures of it, `--compare` sets two side by side.
//!
//! It loads 127.0.0.1 and nothing else.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::args::{BenchAction, BenchOptions};
use crate::steps::{Took, step};
use crate::up::demo::rfc3339;
use crate::{process, signals, up, workspace};

mod bare;
mod books;
pub(crate) mod client;
mod compare;
mod cpu;
mod drain;
mod figure;
mod latency;
mod machine;
mod memory;
mod open_loop;
mod plans;
mod rates;
mod render;
mod report;
mod shop;
pub(crate) mod sql;
pub(crate) mod stack;
mod stats;
mod svg;
mod wrk;

use figure::Case;
use report::Report;
use stack::{Folder, Stack};

/// Names a program that is measured instead of building one, for whoever measures while others build.
const PROGRAM: &str = "SECKILL";

const BUILD_WITHIN: Duration = Duration::from_secs(45 * 60);

/// Load of a core, before we begin, above which somebody else is at work.
const BUSY: f64 = 0.5;

/// One thing that can be measured.
struct Known {
    name: &'static str,
    about: &'static str,
    /// Part of every run; the others take `--full` or their name.
    quick: bool,
    run: fn(&mut Bench) -> Result<Case>,
}

const CASES: &[Known] = &[
    Known {
        name: "refusals",
        about: "sold-out answers a second, valid tokens, distinct buyers",
        quick: true,
        run: rates::refusals,
    },
    Known {
        name: "accepted",
        about: "202s a second while stock lasts, each after the confirm",
        quick: true,
        run: rates::accepted,
    },
    Known {
        name: "committed",
        about: "the same, until the last row and the last event are out",
        quick: true,
        run: rates::committed,
    },
    Known { name: "tokens", about: "tokens issued a second", quick: true, run: rates::tokens },
    Known { name: "polls", about: "polls of placed jobs a second", quick: true, run: rates::polls },
    Known { name: "drain", about: "a backlog, against the same statements alone", quick: true, run: drain::drain },
    Known {
        name: "latency",
        about: "the 202 and the order, at 100 to 10,000 a second, open loop",
        quick: false,
        run: latency::latency,
    },
    Known { name: "step", about: "from 100 to 2,000 a second", quick: false, run: latency::step },
    Known { name: "memory", about: "bytes for each buyer, and of each process", quick: false, run: memory::memory },
    Known {
        name: "plans",
        about: "the three load plans and their five checks, with k6",
        quick: false,
        run: plans::plans,
    },
];

/// The cases' names, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    CASES.iter().map(|case| case.name)
}

/// A sitting under way.
struct Bench {
    options: BenchOptions,
    rounds: u64,
    program: PathBuf,
    /// Where the examples were built.
    target: PathBuf,
    /// Sales made on this stack.
    sales: u64,
    stacks: u64,
    stack: Stack,
    /// Goes after the stack.
    folder: Folder,
}

/// Does what was asked for. Did every case have its figures?
///
/// # Errors
/// We were told to stop, or could not begin.
pub fn bench(options: &BenchOptions) -> Result<bool> {
    match &options.action {
        BenchAction::List => {
            for case in CASES {
                println!("{:<10} {}{}", case.name, case.about, if case.quick { "" } else { "  (--full, or --only)" });
            }
            Ok(true)
        }
        BenchAction::Render => render::render().map(|()| true),
        BenchAction::Compare(files) => {
            let (before, after) = report::pair(files)?;
            print!("{}", compare::compare(&Report::read(&before)?, &Report::read(&after)?));
            Ok(true)
        }
        BenchAction::Run => run(options),
    }
}

fn run(options: &BenchOptions) -> Result<bool> {
    signals::install()?;
    let started = Instant::now();
    let missing = machine::missing_programs();
    ensure!(missing.is_empty(), "not installed; install with: apt-get install {}", missing.join(" "));
    // Before the build, which would be the load.
    let machine = machine::machine();
    if let (Some(load), Some(cores)) = (machine["loadBefore"].as_f64(), machine["cores"].as_f64())
        && load > cores * BUSY
    {
        println!("The machine is busy (load {load} on {cores} cores): what follows is less than it can do.");
    }
    let (program, target) = step("build", || Ok((build()?, "program, bare server, statements alone".to_owned())))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let mut bench = Bench::start(options, program, target)?;
    let (commit, clean) = machine::commit();
    let mut report = Report {
        at: rfc3339(now.as_secs()),
        commit,
        clean: clean && std::env::var_os(PROGRAM).is_none(),
        command: options.command.clone(),
        full: options.full,
        machine,
        versions: machine::versions(&mut bench.stack),
        settings: json!({
            "gateways": 1, "consumers": 1, "rounds": bench.rounds, "disk": machine::disk(&bench.folder.0)?,
            "product": "defaults; limits by address, of tokens and of polls on, but at 1,000,000 a second",
            "postgres": "fsync and synchronous_commit on, shared_buffers 256 MB, max_wal_size 2 GB",
            "redis": "append-only file, flushed every second", "rabbitmq": "a quorum queue on one node",
        }),
        cases: Vec::new(),
    };
    for case in CASES.iter().filter(|case| options.wants(case.name, case.quick)) {
        println!("\n== {}: {}", case.name, case.about);
        // Whatever a case left behind when it failed is not the next one's problem.
        if report.cases.last().is_some_and(|case| case.failure.is_some()) {
            bench.fresh_stack()?;
        }
        let begun = Instant::now();
        let found = (case.run)(&mut bench);
        ensure!(!signals::stopping(), "told to stop");
        report.cases.push(found.unwrap_or_else(|error| {
            let why = format!("{error:#}");
            println!("== {} FAIL: {why}", case.name);
            // A result is published, and has no folder of this machine in it.
            let first = why.lines().next().unwrap_or_default();
            Case::failed(case.name, first.replace(&bench.folder.0.display().to_string(), "…"))
        }));
        println!("       {}", Took(begun.elapsed()));
    }
    drop(bench);
    let file = report.write(options.out.as_deref())?;
    print!("{}", report::table(&report));
    println!("{} after {}", file.display(), Took(started.elapsed()));
    Ok(report.cases.iter().all(|case| case.failure.is_none()))
}

impl Bench {
    fn start(options: &BenchOptions, program: PathBuf, target: PathBuf) -> Result<Self> {
        let folder = Folder::new("bench")?;
        let stack = Stack::start(&program, &folder.0.join("stack-0"))?;
        Ok(Self {
            rounds: options.rounds,
            options: options.clone(),
            program,
            target,
            sales: 0,
            stacks: 0,
            stack,
            folder,
        })
    }

    /// Ends the stack and starts an empty one.
    fn fresh_stack(&mut self) -> Result<()> {
        self.stacks += 1;
        self.sales = 0;
        self.stack.stop();
        self.stack = Stack::start(&self.program, &self.folder.0.join(format!("stack-{}", self.stacks)))?;
        Ok(())
    }
}

/// The program to measure, and the folder of the examples.
fn build() -> Result<(PathBuf, PathBuf)> {
    let given = std::env::var_os(PROGRAM).map(PathBuf::from);
    if given.is_none() {
        up::build()?;
    }
    for (package, example) in [("gateway", "bare"), ("backends", "place")] {
        let mut cargo = workspace::cargo();
        cargo.args(["build", "--quiet", "--release", "-p", package, "--example", example]);
        let status = process::run(cargo, BUILD_WITHIN)?;
        ensure!(status.success(), "`cargo build --release -p {package} --example {example}` failed ({status})");
    }
    let built = workspace::program()?;
    let target = built.parent().map(Path::to_path_buf).context("the program has no folder")?;
    let program = given.unwrap_or(built);
    if !program.is_file() {
        bail!("there is no program {}", program.display());
    }
    Ok((program, target))
}
