//! An open loop: presses come when they are planned, whether or not earlier ones have been answered.
//!
//! Each time is measured from the *planned* moment of a press, so that a slow answer also counts against those who had to
//! wait behind it (no coordinated omission). Each connection is a thread that takes the next press, waits for its moment,
//! sends it and reads the answer. Why not oha: it draws lines at random, so buyers would repeat; it has one rate for a run;
//! and it cannot say when an order is placed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::client::{Client, member};
use crate::signals;

/// Between two looks at the jobs that are watched; the times of placing are late by up to this. Shorter would be a load itself.
const LOOK: Duration = Duration::from_millis(5);

/// A job that is not placed by then never will be.
const PLACED_WITHIN: Duration = Duration::from_secs(20);

/// Jobs watched in a second, about.
const WATCHED_PER_S: f64 = 20.0;

/// Time until the first press, for the connections to be made.
const LEAD: Duration = Duration::from_millis(200);

/// A rate, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    pub per_second: u64,
    pub seconds: u64,
}

/// One press.
#[derive(Debug, Clone, Copy)]
pub struct Press {
    /// Seconds from the first press to the planned moment of this one.
    pub at: f64,
    /// Milliseconds from there to the answer.
    pub ms: f64,
    /// 0: no answer.
    pub status: u16,
}

/// What came of a run.
pub struct Pressed {
    pub presses: Vec<Press>,
    /// Milliseconds from the planned moment of a press to the first look that found its order placed, for some of them.
    pub placed_ms: Vec<f64>,
    /// Watched jobs that were not placed.
    pub never_placed: u64,
}

/// Presses that the stages plan.
pub fn presses(stages: &[Stage]) -> u64 {
    stages.iter().map(|stage| stage.per_second * stage.seconds).sum()
}

/// The planned moments, in seconds from the first.
fn moments(stages: &[Stage]) -> Vec<f64> {
    let (mut all, mut from) = (Vec::new(), 0.0);
    for stage in stages {
        all.extend((0..stage.per_second * stage.seconds).map(|n| from + n as f64 / stage.per_second as f64));
        from += stage.seconds as f64;
    }
    all
}

/// POSTs each body once to `path` on a port of this machine, at its moment, over so many connections.
pub fn run(port: u16, path: &str, bodies: &[&str], stages: &[Stage], connections: usize) -> Result<Pressed> {
    let moments = moments(stages);
    let next = AtomicUsize::new(0);
    let started = Instant::now() + LEAD;
    let most = stages.iter().map(|stage| stage.per_second).max().unwrap_or(1);
    let watch_every = ((most as f64 / WATCHED_PER_S).ceil() as usize).max(1);
    let (watched, jobs) = channel();
    let clients = (0..connections).map(|_| Client::connect(port)).collect::<Result<Vec<_>>>()?;
    let lookout = Client::connect(port)?;
    thread::scope(|scope| {
        let watcher = scope.spawn(move || watch(lookout, &jobs));
        let workers: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                let (watched, next, moments) = (watched.clone(), &next, &moments);
                scope.spawn(move || {
                    let mut done = Vec::new();
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let (Some(&at), Some(body)) = (moments.get(n), bodies.get(n)) else { return done };
                        let planned = started + Duration::from_secs_f64(at);
                        thread::sleep(planned.saturating_duration_since(Instant::now()));
                        if signals::stopping() {
                            return done;
                        }
                        let watch = (n % watch_every == 0).then_some((&watched, planned));
                        let status = press(&mut client, port, path, body, watch);
                        done.push(Press { at, ms: planned.elapsed().as_secs_f64() * 1e3, status });
                    }
                })
            })
            .collect();
        drop(watched);
        let mut presses: Vec<Press> =
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect();
        presses.sort_by(|one, other| one.at.total_cmp(&other.at));
        let (placed_ms, never_placed) = watcher.join().unwrap_or_default();
        Ok(Pressed { presses, placed_ms, never_placed })
    })
}

type Job = (String, Instant);

/// One purchase; 0 without an answer, and then the connection is made anew.
fn press(client: &mut Client, port: u16, path: &str, body: &str, watch: Option<(&Sender<Job>, Instant)>) -> u16 {
    match client.ask("POST", path, &[], body) {
        Ok(answer) => {
            if let (202, Some((watched, planned)), Some(job)) = (answer.status, watch, member(&answer.body, "jobId")) {
                // The watcher listens until the last of us is gone.
                let _ = watched.send((job.to_owned(), planned));
            }
            answer.status
        }
        Err(_) => {
            if let Ok(fresh) = Client::connect(port) {
                *client = fresh;
            }
            0
        }
    }
}

/// Polls the jobs it is told of until each is placed. The times in milliseconds, and how many never were.
fn watch(mut client: Client, jobs: &Receiver<Job>) -> (Vec<f64>, u64) {
    let (mut open, mut placed, mut never): (Vec<Job>, Vec<f64>, u64) = (Vec::new(), Vec::new(), 0);
    loop {
        match jobs.recv_timeout(LOOK) {
            Ok(job) => {
                open.push(job);
                open.extend(jobs.try_iter());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) if open.is_empty() => return (placed, never),
            Err(RecvTimeoutError::Disconnected) => thread::sleep(LOOK),
        }
        open.retain(|(job, planned)| {
            let answer = client.ask("GET", &format!("/api/v1/jobs/{job}"), &[], "");
            if answer.is_ok_and(|answer| member(&answer.body, "status") == Some("placed")) {
                placed.push(planned.elapsed().as_secs_f64() * 1e3);
                return false;
            }
            let late = planned.elapsed() > PLACED_WITHIN || signals::stopping();
            never += u64::from(late);
            !late
        });
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn presses_are_planned_evenly_stage_after_stage() {
        let stages = [Stage { per_second: 2, seconds: 1 }, Stage { per_second: 4, seconds: 1 }];
        assert_eq!(presses(&stages), 6);
        assert_eq!(moments(&stages), [0.0, 0.5, 1.0, 1.25, 1.5, 1.75]);
    }

    /// Answers each request on each connection, the first one after a quarter of a second.
    fn slow_start() -> u16 {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = server.local_addr().unwrap().port();
        thread::spawn(move || {
            for (n, stream) in server.incoming().enumerate() {
                thread::spawn(move || {
                    let (mut stream, mut piece) = (stream.unwrap(), [0; 4096]);
                    let mut first = n == 0;
                    while stream.read(&mut piece).is_ok_and(|bytes| bytes > 0) {
                        if std::mem::take(&mut first) {
                            thread::sleep(Duration::from_millis(250));
                        }
                        stream.write_all(b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n").unwrap();
                    }
                });
            }
        });
        port
    }

    #[test]
    fn who_waits_behind_a_slow_answer_has_waited() {
        let bodies = vec!["{}"; 20];
        let run = run(slow_start(), "/", &bodies, &[Stage { per_second: 20, seconds: 1 }], 1).unwrap();
        assert_eq!(run.presses.len(), 20);
        assert!(run.presses.iter().all(|press| press.status == 409));
        assert!(run.presses[0].ms >= 250.0, "{:?}", run.presses[0]);
        // Planned 100 ms after the first, and sent when that was answered.
        assert!(run.presses[2].ms >= 140.0, "{:?}", run.presses[2]);
        assert!(run.presses[19].ms < 100.0, "{:?}", run.presses[19]);
    }
}
