//! Child processes that do not outlive us and can be killed with everything they started.
//!
//! Each child leads a process group of its own, so that a Ctrl-C in the terminal reaches only us and we can stop things
//! in order. Where util-linux's `setpriv` is present the kernel also ends the child when we die without a word.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::files;
use crate::signals;

/// Given to a child between the polite signal and SIGKILL.
pub const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A signal that asks a program to stop.
#[derive(Debug, Clone, Copy)]
pub enum Ask {
    /// SIGTERM.
    Term,
    /// SIGINT; Postgres understands it as "now", SIGTERM as "when the last client has left".
    Int,
}

impl Ask {
    fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Int => "INT",
        }
    }
}

/// A command for `program` that is asked to stop when we die.
pub fn tethered(program: &Path, ask: Ask) -> Command {
    static SETPRIV: LazyLock<Option<PathBuf>> = LazyLock::new(|| files::which("setpriv"));
    match &*SETPRIV {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", ask.name(), "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// A running child and its process group. Dropped: stopped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    ask: Ask,
}

impl Process {
    /// Starts `command` in a process group of its own, with its output appended to `log`.
    pub fn start(mut command: Command, ask: Ask, log: &Path) -> Result<Self> {
        let output = files::log_file(log)?;
        command.stdout(output.try_clone().context("cannot share a log")?).stderr(output);
        Self::start_loud(command, ask)
    }

    /// As [`Process::start`], with whatever output the command has been given; the terminal, if nothing else.
    pub fn start_loud(mut command: Command, ask: Ask) -> Result<Self> {
        let shown = format!("{:?}", command.get_program());
        command.stdin(Stdio::null()).process_group(0);
        let child = spawn(command).with_context(|| format!("cannot start {shown}"))?;
        Ok(Self { child, ask })
    }

    /// The child's process id, which is its group's too.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks politely, waits up to [`STOP_WITHIN`], then kills; whatever of its group is left goes too.
    pub fn stop(&mut self) {
        let family = descendants(self.pid());
        if self.ended().is_none() {
            signal(self.ask.name(), &[self.pid().to_string()]);
            let asked = Instant::now();
            while self.ended().is_none() && asked.elapsed() < STOP_WITHIN {
                thread::sleep(Duration::from_millis(10));
            }
        }
        if self.ended().is_none() {
            self.kill9();
        } else {
            kill_left_overs(self.pid(), &family);
        }
    }

    /// SIGKILL, now, to the child and to everything it started; returns when the child is gone.
    pub fn kill9(&mut self) {
        let family = descendants(self.pid());
        if self.ended().is_none() {
            let all = family.iter().map(|member| member.pid).chain([self.pid()]);
            signal("KILL", &all.map(|pid| pid.to_string()).collect::<Vec<_>>());
            // Killed above; this only waits. An error would mean that it has been waited for already.
            let _ = self.child.wait();
        }
        kill_left_overs(self.pid(), &family);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs `command` to its end, or stops it when we are to stop or `limit` has passed.
pub fn run(command: Command, limit: Duration) -> Result<ExitStatus> {
    let shown = format!("{:?}", command.get_program());
    finish(Process::start_loud(command, Ask::Term)?, &shown, limit)
}

/// As [`run`], with the output appended to `log`.
pub fn run_logged(command: Command, limit: Duration, log: &Path) -> Result<ExitStatus> {
    let shown = format!("{:?}", command.get_program());
    finish(Process::start(command, Ask::Term, log)?, &shown, limit)
}

fn finish(mut process: Process, shown: &str, limit: Duration) -> Result<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = process.ended() {
            return Ok(status);
        }
        if signals::stopping() {
            bail!("told to stop");
        }
        if started.elapsed() > limit {
            bail!("{shown} took longer than {} s and was stopped", limit.as_secs());
        }
        thread::sleep(signals::LOOK_UP);
    }
}

/// Spawns on a thread that never ends: "when the parent dies" means the *thread* that spawned, and a child must not
/// end with the test or the helper thread that happened to start it.
fn spawn(command: Command) -> io::Result<Child> {
    type Job = (Command, Sender<io::Result<Child>>);
    static SPAWNER: LazyLock<Mutex<Sender<Job>>> = LazyLock::new(|| {
        let (jobs, inbox) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in inbox {
                // Whoever asked waits for the answer below, so it can always be given.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(jobs)
    });
    let (answer, result) = channel();
    let gone = || io::Error::other("the thread that starts processes is gone");
    SPAWNER.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer)).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

/// Sends a signal to a process and everything it started.
pub fn signal_family(name: &str, pid: u32) {
    let all = descendants(pid).into_iter().map(|member| member.pid).chain([pid]);
    signal(name, &all.map(|pid| pid.to_string()).collect::<Vec<_>>());
}

/// Sends a signal to process ids, through the shell's own `kill`: the standard library has none.
fn signal(name: &str, pids: &[String]) {
    // That a process has just gone is what we want; nothing else can fail here.
    let _ = Command::new("sh")
        .args(["-c", r#"kill -s "$0" -- "$@" 2>/dev/null"#, name])
        .args(pids)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Kills what outlived the leader: members of its group, and `family` members that left the group (Postgres's and
/// Erlang's children do). A process id that was given to somebody else meanwhile has another start time and is spared.
fn kill_left_overs(leader: u32, family: &[Seen]) {
    let left: Vec<String> = processes()
        .iter()
        .filter(|process| process.group == leader || family.iter().any(|member| member.is(process)))
        .map(|process| process.pid.to_string())
        .collect();
    if !left.is_empty() {
        signal("KILL", &left);
    }
}

/// Children, their children, and so on.
fn descendants(pid: u32) -> Vec<Seen> {
    let (mut family, mut others) = (Vec::new(), processes());
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        let (children, rest): (Vec<Seen>, Vec<Seen>) = others.into_iter().partition(|seen| seen.parent == parent);
        parents.extend(children.iter().map(|child| child.pid));
        family.extend(children);
        others = rest;
    }
    family
}

/// A process as `/proc` showed it.
struct Seen {
    pid: u32,
    parent: u32,
    group: u32,
    /// Clock ticks between the machine's start and the process's.
    started: u64,
}

impl Seen {
    fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.started == other.started
    }

    fn parse(pid: u32, stat: &str) -> Option<Self> {
        // The command's name stands in brackets and may contain anything, brackets included.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let zombie = *fields.first()? == "Z";
        let seen = Self {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        };
        (!zombie).then_some(seen)
    }
}

/// Every process that `/proc` shows; none where there is no `/proc`.
fn processes() -> Vec<Seen> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            Seen::parse(pid, &fs::read_to_string(entry.path().join("stat")).ok()?)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeping_family() -> Process {
        let mut shell = tethered(Path::new("sh"), Ask::Term);
        shell.args(["-c", "sleep 600 & setsid sleep 600 & wait"]);
        Process::start_loud(shell, Ask::Term).unwrap()
    }

    fn family_of(process: &Process) -> Vec<Seen> {
        let started = Instant::now();
        loop {
            let family = descendants(process.pid());
            if family.len() == 2 || started.elapsed() > Duration::from_secs(5) {
                return family;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn any_alive(family: &[Seen]) -> bool {
        processes().iter().any(|process| family.iter().any(|member| member.is(process)))
    }

    #[test]
    fn killing_a_child_takes_its_children_along_even_those_that_left_its_group() {
        let mut process = sleeping_family();
        let family = family_of(&process);
        assert_eq!(family.len(), 2);
        process.kill9();
        assert!(process.ended().is_some());
        thread::sleep(Duration::from_millis(100));
        assert!(!any_alive(&family));
    }

    #[test]
    fn a_dropped_child_is_a_stopped_child() {
        let process = sleeping_family();
        let family = family_of(&process);
        drop(process);
        thread::sleep(Duration::from_millis(100));
        assert!(!any_alive(&family));
    }

    #[test]
    fn a_child_outlives_the_thread_that_started_it() {
        let mut process = thread::spawn(sleeping_family).join().unwrap();
        thread::sleep(Duration::from_millis(200));
        assert!(process.ended().is_none());
    }

    #[test]
    fn a_command_that_takes_too_long_is_stopped() {
        let mut sleep = Command::new("sleep");
        sleep.arg("600");
        let error = run(sleep, Duration::from_millis(100)).unwrap_err();
        assert!(error.to_string().contains("took longer"), "{error}");
    }
}
