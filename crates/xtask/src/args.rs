//! The command line, parsed by hand: five commands and three dozen flags do not pay for a parser that has to be compiled
//! before anything can start.

use std::fmt;
use std::path::PathBuf;

use crate::{bench, chaos, stages};

/// What `cargo xtask help` prints, and what follows a usage error.
pub const HELP: &str = "\
cargo xtask up [--data DIR] [--port P] [--admin-port P] [--gateways N] [--consumers N] [--no-demo] [--no-install]
    Starts Redis, RabbitMQ and Postgres (or uses REDIS_URL, AMQP_URL, DATABASE_URL), builds the program, runs it, opens
    a demo sale and keeps everything alive until Ctrl-C.
    --data DIR       where data, logs and run.json go             (.seckill)
    --port P         buyers' port; further gateways: P+2, P+3 …   (8080; 0 picks free ones)
    --admin-port P   operators' port of the first gateway         (8081; 0 picks a free one)
    --gateways N     gateway processes, 1 to 8                    (1)
    --consumers N    consumer processes, 1 to 8                   (1)
    --no-demo        create no demo sale
    --no-install     never call apt-get, say what is missing instead
cargo xtask test [--only STAGE]… [--list]
    Everything that is checked before a change is taken, stage by stage, on private servers.
cargo xtask audit
    What is not part of every check: licences and advisories of what we depend on (cargo-deny), and generated requests
    against both ports (schemathesis).
cargo xtask bench [--full] [--only CASE[,CASE]] [--rounds N] [--seconds S] [--factor N] [--out FILE]
    How fast, how late and how large the product is, beside what this machine can do: a private stack, each rate in turn
    with a bare server, the books checked after every run. Some five minutes; keep the machine quiet meanwhile.
    --full           longer rounds, and also latency, the step, memory up to 1,000,000 buyers, and the load plans
    --only CASE      these cases only; --list names them
    --rounds N       rounds of each case, 1 to 20                 (3)
    --seconds S      how long a round is to take                  (3 to 10; --full: 10 to 36)
    --factor N       divides the load plans' durations            (60; 1 is the exact plan: two hours)
    --out FILE       where the result goes                        (loadtest/results/…)
cargo xtask bench --render
    Makes the README's table and plots from the newest results.
cargo xtask bench --compare [BEFORE.json AFTER.json]
    Two results side by side, the newest two by default; what moved by more than its rounds differ is marked.
cargo xtask bench --list
cargo xtask chaos [--minutes N] [--seed S] [--only KIND[,KIND]] [--gateways N] [--consumers N] [--list]
    Kills, freezes, cuts and empties our processes and the servers at random under load, then heals everything and checks
    every promise. Exit code 0: none was broken.
    --minutes N      how long, 1 to 600                           (10)
    --seed S         what happens when                            (a new one, which is printed)
    --only KIND      these kinds of faults only; --list names them
    --gateways N     gateway processes, 1 to 8                    (2)
    --consumers N    consumer processes, 1 to 8                   (2)
";

/// More processes than this on one machine only slow each other down.
const PROCESSES_MAX: u16 = 8;

/// Further rounds would only say the same.
const ROUNDS_MAX: u16 = 20;

/// A round of ten minutes is a soak, and there is a plan for that.
const SECONDS_MAX: u16 = 600;

/// Ten hours: every minute has a sale of its own.
const MINUTES_MAX: u16 = 600;

/// A plan divided by more is no plan.
const FACTOR_MAX: u16 = 1_000;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Print [`HELP`].
    Help,
    /// `cargo xtask up`.
    Up(UpOptions),
    /// `cargo xtask test`.
    Test(TestOptions),
    /// `cargo xtask audit`.
    Audit,
    /// `cargo xtask bench`.
    Bench(BenchOptions),
    /// `cargo xtask chaos`.
    Chaos(ChaosOptions),
}

/// Flags of `cargo xtask up`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpOptions {
    /// Data, logs and `run.json` go here.
    pub data: PathBuf,
    /// Buyers' port of the first gateway; 0: any free one.
    pub port: u16,
    /// Operators' port of the first gateway; 0: any free one.
    pub admin_port: u16,
    /// Gateway processes.
    pub gateways: u16,
    /// Consumer processes.
    pub consumers: u16,
    /// Create and open a demo sale when none is open.
    pub demo: bool,
    /// Missing Debian packages may be installed.
    pub install: bool,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self {
            data: PathBuf::from(".seckill"),
            port: 8080,
            admin_port: 8081,
            gateways: 1,
            consumers: 1,
            demo: true,
            install: true,
        }
    }
}

/// Flags of `cargo xtask test`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TestOptions {
    /// Names of the stages to run; empty: all.
    pub only: Vec<String>,
    /// Only print the stages.
    pub list: bool,
}

/// What `cargo xtask bench` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BenchAction {
    /// Measure.
    Run,
    /// Print the cases.
    List,
    /// Make the README's figures.
    Render,
    /// Set two results side by side: two files, or none for the newest two.
    Compare(Vec<PathBuf>),
}

/// Flags of `cargo xtask bench`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchOptions {
    /// What to do.
    pub action: BenchAction,
    /// All cases, and longer rounds.
    pub full: bool,
    /// Names of the cases to run; empty: the quick ones, or all.
    pub only: Vec<String>,
    /// Rounds of each case.
    pub rounds: u64,
    /// How long a round is to take; `None`: as the case says.
    pub seconds: Option<u64>,
    /// Divides the durations of the load plans.
    pub factor: u64,
    /// Where the result goes; `None`: among the others.
    pub out: Option<PathBuf>,
    /// The command as it was typed, for the result.
    pub command: String,
}

impl Default for BenchOptions {
    fn default() -> Self {
        Self {
            action: BenchAction::Run,
            full: false,
            only: Vec::new(),
            rounds: 3,
            seconds: None,
            factor: 60,
            out: None,
            command: "cargo xtask bench".to_owned(),
        }
    }
}

impl BenchOptions {
    /// The command that asks for this, without the file that the result goes to.
    fn typed(&self) -> String {
        let mut line = "cargo xtask bench".to_owned();
        let default = Self::default();
        if self.full {
            line += " --full";
        }
        if !self.only.is_empty() {
            line += &format!(" --only {}", self.only.join(","));
        }
        if self.rounds != default.rounds {
            line += &format!(" --rounds {}", self.rounds);
        }
        if let Some(seconds) = self.seconds {
            line += &format!(" --seconds {seconds}");
        }
        if self.factor != default.factor {
            line += &format!(" --factor {}", self.factor);
        }
        line
    }

    /// Is this case to be run?
    pub fn wants(&self, name: &str, quick: bool) -> bool {
        if self.only.is_empty() { quick || self.full } else { self.only.iter().any(|only| only == name) }
    }
}

/// Flags of `cargo xtask chaos`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChaosOptions {
    /// How long things are broken.
    pub minutes: u16,
    /// What the schedule is made from; `None`: a new one.
    pub seed: Option<u64>,
    /// Kinds of faults; empty: all.
    pub only: Vec<String>,
    /// Gateway processes.
    pub gateways: u16,
    /// Consumer processes.
    pub consumers: u16,
    /// Only print the kinds.
    pub list: bool,
}

impl Default for ChaosOptions {
    fn default() -> Self {
        Self { minutes: 10, seed: None, only: Vec::new(), gateways: 2, consumers: 2, list: false }
    }
}

impl ChaosOptions {
    /// The command that repeats this run's schedule.
    pub fn command(&self, seed: u64) -> String {
        let Self { minutes, gateways, consumers, .. } = self;
        let mut line = format!("cargo xtask chaos --minutes {minutes} --seed {seed}");
        if !self.only.is_empty() {
            line += &format!(" --only {}", self.only.join(","));
        }
        for (flag, value, default) in [("--gateways", gateways, 2), ("--consumers", consumers, 2)] {
            if *value != default {
                line += &format!(" {flag} {value}");
            }
        }
        line
    }
}

/// A command line that cannot be understood, in a sentence for the person who typed it.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Turns arguments (without the program's name) into a request.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Request, UsageError> {
    let mut words = Words::new(arguments);
    let Some((command, _)) = words.next() else {
        return Err(UsageError("say which command: up, test, audit, bench or chaos".into()));
    };
    match command.as_str() {
        "up" => up(words),
        "test" => test(words),
        "audit" => match words.next() {
            None => Ok(Request::Audit),
            Some((flag, _)) if flag == "--help" || flag == "-h" => Ok(Request::Help),
            Some((flag, _)) => Err(unknown("audit", &flag)),
        },
        "bench" => bench(words),
        "chaos" => chaos(words),
        "help" | "--help" | "-h" => Ok(Request::Help),
        other => Err(UsageError(format!("there is no command {other:?}, only up, test, audit, bench and chaos"))),
    }
}

fn up(mut words: Words) -> Result<Request, UsageError> {
    let mut options = UpOptions::default();
    while let Some((flag, given)) = words.next() {
        match flag.as_str() {
            "--data" => options.data = PathBuf::from(words.value(&flag, given)?),
            "--port" => options.port = words.number(&flag, given, 0, u16::MAX)?,
            "--admin-port" => options.admin_port = words.number(&flag, given, 0, u16::MAX)?,
            "--gateways" => options.gateways = words.number(&flag, given, 1, PROCESSES_MAX)?,
            "--consumers" => options.consumers = words.number(&flag, given, 1, PROCESSES_MAX)?,
            "--no-demo" => options.demo = bare(&flag, given, false)?,
            "--no-install" => options.install = bare(&flag, given, false)?,
            "--help" | "-h" => return Ok(Request::Help),
            _ => return Err(unknown("up", &flag)),
        }
    }
    if options.port != 0 && options.port == options.admin_port {
        return Err(UsageError(format!("--port and --admin-port are both {}; they must differ", options.port)));
    }
    Ok(Request::Up(options))
}

fn test(mut words: Words) -> Result<Request, UsageError> {
    let mut options = TestOptions::default();
    while let Some((flag, given)) = words.next() {
        match flag.as_str() {
            "--only" => {
                let stage = words.value(&flag, given)?;
                if !stages::names().any(|name| name == stage) {
                    let all = stages::names().collect::<Vec<_>>().join(", ");
                    return Err(UsageError(format!("there is no stage {stage:?}; the stages are {all}")));
                }
                options.only.push(stage);
            }
            "--list" => options.list = bare(&flag, given, true)?,
            "--help" | "-h" => return Ok(Request::Help),
            _ => return Err(unknown("test", &flag)),
        }
    }
    Ok(Request::Test(options))
}

fn bench(mut words: Words) -> Result<Request, UsageError> {
    let mut options = BenchOptions::default();
    while let Some((flag, given)) = words.next() {
        match flag.as_str() {
            "--full" => options.full = bare(&flag, given, true)?,
            "--only" => {
                let chosen = words.value(&flag, given)?;
                for name in chosen.split(',') {
                    if !bench::names().any(|known| known == name) {
                        let all = bench::names().collect::<Vec<_>>().join(", ");
                        return Err(UsageError(format!("there is no case {name:?}; the cases are {all}")));
                    }
                    options.only.push(name.to_owned());
                }
            }
            "--rounds" => options.rounds = words.number(&flag, given, 1, ROUNDS_MAX)?.into(),
            "--seconds" => options.seconds = Some(words.number(&flag, given, 1, SECONDS_MAX)?.into()),
            "--factor" => options.factor = words.number(&flag, given, 1, FACTOR_MAX)?.into(),
            // The file's name is not part of what was measured.
            "--out" => options.out = Some(PathBuf::from(words.value(&flag, given)?)),
            "--list" => options.action = bare(&flag, given, BenchAction::List)?,
            "--render" => options.action = bare(&flag, given, BenchAction::Render)?,
            "--compare" => options.action = bare(&flag, given, BenchAction::Compare(Vec::new()))?,
            "--help" | "-h" => return Ok(Request::Help),
            file if !file.starts_with("--") => match &mut options.action {
                BenchAction::Compare(files) if files.len() < 2 => files.push(PathBuf::from(file)),
                _ => return Err(unknown("bench", &flag)),
            },
            _ => return Err(unknown("bench", &flag)),
        }
    }
    if matches!(&options.action, BenchAction::Compare(files) if files.len() == 1) {
        return Err(UsageError("--compare takes two files, or none for the newest two".to_owned()));
    }
    options.command = options.typed();
    Ok(Request::Bench(options))
}

fn chaos(mut words: Words) -> Result<Request, UsageError> {
    let mut options = ChaosOptions::default();
    while let Some((flag, given)) = words.next() {
        match flag.as_str() {
            "--minutes" => options.minutes = words.number(&flag, given, 1, MINUTES_MAX)?,
            "--seed" => {
                let text = words.value(&flag, given)?;
                let seed =
                    text.parse().map_err(|_| UsageError(format!("{flag} is a whole number, and got {text:?}")))?;
                options.seed = Some(seed);
            }
            "--only" => {
                for name in words.value(&flag, given)?.split(',') {
                    if !chaos::kinds().any(|known| known == name) {
                        let all = chaos::kinds().collect::<Vec<_>>().join(", ");
                        return Err(UsageError(format!("there is no fault {name:?}; the faults are {all}")));
                    }
                    options.only.push(name.to_owned());
                }
            }
            "--gateways" => options.gateways = words.number(&flag, given, 1, PROCESSES_MAX)?,
            "--consumers" => options.consumers = words.number(&flag, given, 1, PROCESSES_MAX)?,
            "--list" => options.list = bare(&flag, given, true)?,
            "--help" | "-h" => return Ok(Request::Help),
            _ => return Err(unknown("chaos", &flag)),
        }
    }
    Ok(Request::Chaos(options))
}

fn unknown(command: &str, flag: &str) -> UsageError {
    UsageError(format!("`{command}` has no argument {flag:?}"))
}

fn bare<T>(flag: &str, given: Option<String>, meaning: T) -> Result<T, UsageError> {
    match given {
        None => Ok(meaning),
        Some(value) => Err(UsageError(format!("{flag} takes no value, and got {value:?}"))),
    }
}

/// The arguments, with `--flag=value` taken apart.
struct Words(std::collections::VecDeque<String>);

impl Words {
    fn new(arguments: impl IntoIterator<Item = String>) -> Self {
        Self(arguments.into_iter().collect())
    }

    fn next(&mut self) -> Option<(String, Option<String>)> {
        let word = self.0.pop_front()?;
        Some(match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag.to_owned(), Some(value.to_owned())),
            _ => (word, None),
        })
    }

    fn value(&mut self, flag: &str, given: Option<String>) -> Result<String, UsageError> {
        let following = || self.0.pop_front().filter(|word| !word.starts_with("--"));
        given
            .or_else(following)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| UsageError(format!("{flag} needs a value")))
    }

    fn number(&mut self, flag: &str, given: Option<String>, least: u16, most: u16) -> Result<u16, UsageError> {
        let text = self.value(flag, given)?;
        match text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(UsageError(format!("{flag} is a whole number from {least} to {most}, and got {text:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, UsageError> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    fn complaint(line: &str) -> String {
        parsed(line).unwrap_err().to_string()
    }

    #[test]
    fn what_is_left_out_has_the_documented_default() {
        assert_eq!(parsed("up").unwrap(), Request::Up(UpOptions::default()));
        assert_eq!(parsed("test").unwrap(), Request::Test(TestOptions::default()));
        assert_eq!(parsed("audit").unwrap(), Request::Audit);
    }

    #[test]
    fn flags_are_taken_in_both_spellings() {
        let wanted = UpOptions {
            data: "/tmp/x".into(),
            port: 9000,
            admin_port: 0,
            gateways: 2,
            consumers: 3,
            demo: false,
            install: false,
        };
        let spaced = "up --data /tmp/x --port 9000 --admin-port 0 --gateways 2 --consumers 3 --no-demo --no-install";
        assert_eq!(parsed(spaced).unwrap(), Request::Up(wanted.clone()));
        let joined = "up --data=/tmp/x --port=9000 --admin-port=0 --gateways=2 --consumers=3 --no-demo --no-install";
        assert_eq!(parsed(joined).unwrap(), Request::Up(wanted));
    }

    #[test]
    fn stages_are_chosen_by_name() {
        let wanted = TestOptions { only: vec!["fmt".into(), "unit".into()], list: false };
        assert_eq!(parsed("test --only fmt --only=unit").unwrap(), Request::Test(wanted));
    }

    #[test]
    fn a_benchmark_remembers_how_it_was_asked_for() {
        let Ok(Request::Bench(options)) =
            parsed("bench --full --only=drain,polls --seconds 5 --out /x/y.json --rounds 3")
        else {
            panic!("it is understood");
        };
        assert_eq!(options.command, "cargo xtask bench --full --only drain,polls --seconds 5");
        assert_eq!((options.rounds, options.seconds, options.out), (3, Some(5), Some("/x/y.json".into())));
        assert_eq!(parsed("bench").unwrap(), Request::Bench(BenchOptions::default()));
        let two = BenchAction::Compare(vec!["a.json".into(), "b.json".into()]);
        assert!(
            matches!(parsed("bench --compare a.json b.json"), Ok(Request::Bench(options)) if options.action == two)
        );
    }

    #[test]
    fn a_benchmark_runs_what_is_named_or_quick_or_everything() {
        let quick = BenchOptions::default();
        assert!(quick.wants("refusals", true) && !quick.wants("plans", false));
        assert!(BenchOptions { full: true, ..quick.clone() }.wants("plans", false));
        let only = BenchOptions { only: vec!["plans".to_owned()], ..quick };
        assert!(only.wants("plans", false) && !only.wants("refusals", true));
    }

    #[test]
    fn chaos_says_how_to_repeat_it() {
        let Ok(Request::Chaos(options)) = parsed("chaos --minutes 3 --only kill-redis,cut-redis --consumers 1") else {
            panic!("it is understood");
        };
        let line = "chaos --minutes 3 --seed 5 --only kill-redis,cut-redis --consumers 1";
        assert_eq!(options.command(5), format!("cargo xtask {line}"));
        let Ok(Request::Chaos(again)) = parsed(line) else { panic!("it is understood") };
        assert_eq!(again, ChaosOptions { seed: Some(5), ..options });
    }

    #[test]
    fn a_usage_error_says_what_is_wrong() {
        assert!(complaint("").contains("up, test, audit, bench or chaos"));
        assert!(complaint("chaos --seed x").contains("whole number"));
        assert!(complaint("chaos --only nothing").contains("the faults are kill-gateway, "));
        assert!(complaint("audit --fast").contains("\"--fast\""));
        assert!(complaint("down").contains("\"down\""));
        assert!(complaint("up --port").contains("needs a value"));
        assert!(complaint("up --port --no-demo").contains("needs a value"));
        assert!(complaint("up --port 70000").contains("0 to 65535"));
        assert!(complaint("up --gateways 0").contains("1 to 8"));
        assert!(complaint("up --port 9000 --admin-port 9000").contains("must differ"));
        assert!(complaint("up --no-demo=yes").contains("takes no value"));
        assert!(complaint("up extra").contains("\"extra\""));
        assert!(complaint("bench --only nothing").contains("the cases are refusals, "));
        assert!(complaint("bench --rounds 0").contains("1 to 20"));
        assert!(complaint("bench --compare one.json").contains("two files"));
        assert!(complaint("bench stray").contains("no argument"));
        assert!(complaint("test --only nothing").contains("the stages are fmt, "));
    }
}
