//! Everything that runs, each watched by a thread of its own: what dies is started again, with growing patience, and
//! at the end all is stopped in order: gateways, consumers, servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::backoff::Backoff;
use super::board::Board;
use super::role::Role;
use crate::services::{KindOfServer, Server, Started};
use crate::signals;

/// Something that is kept alive.
pub trait Member: Send {
    /// Its name in logs and in `run.json`.
    fn name(&self) -> &str;
    /// Its process id, if it runs.
    fn pid(&self) -> Option<u32>;
    /// How it ended, if it has.
    fn how_it_ended(&mut self) -> Option<String>;
    /// Starts it, after it has ended; returns when it is of use to others.
    fn start(&mut self) -> Result<()>;
    /// Stops it.
    fn stop(&mut self);
}

impl<K: KindOfServer> Member for Server<K> {
    fn name(&self) -> &str {
        K::NAME
    }

    fn pid(&self) -> Option<u32> {
        Server::pid(self)
    }

    fn how_it_ended(&mut self) -> Option<String> {
        Server::how_it_ended(self)
    }

    fn start(&mut self) -> Result<()> {
        self.start_again()
    }

    fn stop(&mut self) {
        Server::stop(self);
    }
}

/// The members in the order in which they are stopped; one inner list is stopped at once.
pub struct Team {
    groups: Vec<Vec<Watch>>,
    board: Arc<Board>,
}

/// A member and the thread that watches it.
struct Watch {
    off_duty: Arc<AtomicBool>,
    thread: JoinHandle<Box<dyn Member>>,
}

impl Team {
    /// Starts the gateways and consumers and watches them and the servers, which are running.
    ///
    /// # Errors
    /// A process cannot be started at all; those that were are stopped.
    pub fn start(gateways: Vec<Role>, consumers: Vec<Role>, servers: Started, board: &Arc<Board>) -> Result<Self> {
        let mut team = Self { groups: Vec::new(), board: Arc::clone(board) };
        // Made last to first; stopped first to last.
        let mut group = Vec::new();
        let members = [boxed(servers.redis), boxed(servers.rabbitmq), boxed(servers.postgres)];
        for server in members.into_iter().flatten() {
            group.push(watch(server, board)?);
        }
        team.groups.insert(0, group);
        for roles in [consumers, gateways] {
            team.groups.insert(0, Vec::new());
            for mut role in roles {
                role.start()?;
                team.groups[0].push(watch(Box::new(role), board)?);
            }
        }
        Ok(team)
    }

    /// Removes `run.json`, then stops everything. Dropping does the same.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.board.withdraw();
        for group in self.groups.drain(..) {
            for member in &group {
                member.off_duty.store(true, Ordering::Relaxed);
            }
            let stops: Vec<_> = group
                .into_iter()
                .filter_map(|watch| watch.thread.join().ok())
                .map(|mut member| thread::spawn(move || member.stop()))
                .collect();
            for stop in stops {
                // A panic while stopping has been printed, and must not keep the others from being stopped.
                let _ = stop.join();
            }
        }
    }
}

fn boxed<K: KindOfServer + 'static>(server: Option<Server<K>>) -> Option<Box<dyn Member>> {
    server.map(|server| Box::new(server) as Box<dyn Member>)
}

fn watch(member: Box<dyn Member>, board: &Arc<Board>) -> Result<Watch> {
    board.lives(member.name(), member.pid())?;
    let off_duty = Arc::new(AtomicBool::new(false));
    let (flag, board) = (Arc::clone(&off_duty), Arc::clone(board));
    let thread = thread::Builder::new().name(member.name().to_owned()).spawn(move || keep(member, &flag, &board))?;
    Ok(Watch { off_duty, thread })
}

fn keep(mut member: Box<dyn Member>, off_duty: &AtomicBool, board: &Board) -> Box<dyn Member> {
    let resting = || off_duty.load(Ordering::Relaxed) || signals::stopping();
    let mut backoff = Backoff::default();
    let mut born = Instant::now();
    while !resting() {
        let Some(how) = member.how_it_ended() else {
            thread::sleep(signals::LOOK_UP);
            continue;
        };
        let wait = backoff.after(born.elapsed());
        say(&format!("{} ended ({how}); starting it again in {} ms", member.name(), wait.as_millis()));
        tell(board.died(member.name()));
        pause(wait, &resting);
        if resting() {
            break;
        }
        let begun = Instant::now();
        born = begun;
        match member.start() {
            Ok(()) => {
                say(&format!("{} is back after {} ms", member.name(), begun.elapsed().as_millis()));
                tell(board.lives(member.name(), member.pid()));
            }
            // It is found ended again, and waited for longer.
            Err(error) => say(&format!("{}: {error:#}", member.name())),
        }
    }
    member
}

fn pause(wait: Duration, resting: &impl Fn() -> bool) {
    let until = Instant::now() + wait;
    while Instant::now() < until && !resting() {
        thread::sleep(signals::LOOK_UP.min(wait));
    }
}

fn tell(written: Result<()>) {
    if let Err(error) = written {
        say(&format!("{error:#}"));
    }
}

fn say(line: &str) {
    println!("  {line}");
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::super::board::RunFile;
    use super::super::ports::Ports;
    use super::super::settings::{Addresses, tests::secrets};
    use super::*;

    /// Dies at once, the first `deaths` times.
    struct Mayfly {
        deaths: u32,
        starts: Arc<AtomicU32>,
    }

    impl Member for Mayfly {
        fn name(&self) -> &str {
            "mayfly"
        }
        fn pid(&self) -> Option<u32> {
            Some(self.starts.load(Ordering::Relaxed))
        }
        fn how_it_ended(&mut self) -> Option<String> {
            (self.starts.load(Ordering::Relaxed) < self.deaths).then(|| "signal: 9".into())
        }
        fn start(&mut self) -> Result<()> {
            self.starts.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        fn stop(&mut self) {
            self.starts.store(0, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_dies_is_started_again_and_at_the_end_everything_is_stopped() {
        let board = Arc::new(Board::new(RunFile {
            file: std::env::temp_dir().join(format!("xtask-team-{}.json", std::process::id())),
            config: "c".into(),
            ports: Ports { gateways: vec![1], operators: 2, consumers: vec![] },
            addresses: Addresses::default(),
            secrets: secrets(),
        }));
        let starts = Arc::new(AtomicU32::new(0));
        let mayfly = Box::new(Mayfly { deaths: 3, starts: Arc::clone(&starts) });
        let team = Team { groups: vec![vec![watch(mayfly, &board).unwrap()]], board: Arc::clone(&board) };
        let begun = Instant::now();
        while starts.load(Ordering::Relaxed) < 3 && begun.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(10));
        }
        // Each death is noted before the start that follows it.
        assert_eq!((starts.load(Ordering::Relaxed), board.restarts()), (3, 3));
        assert!(begun.elapsed() >= Duration::from_millis(100 + 200 + 400), "it waits longer each time");
        team.stop();
        assert_eq!(starts.load(Ordering::Relaxed), 0);
    }
}
