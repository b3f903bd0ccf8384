//! Buyers who do not give up: each presses at a planned moment and repeats the same bytes, at any gateway, until an answer
//! is final.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::client::{Client, header, member};
use crate::signals;

/// Buyers who are busy at the same time.
const CONNECTIONS: usize = 64;

/// Longest wait before the same purchase is sent again, whatever was asked for: a run has an end.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// One who wants one unit.
pub struct Buyer {
    /// The sale's id.
    pub sale: String,
    /// As the token names them.
    pub name: String,
    /// The purchase, ready to be sent.
    pub body: String,
}

/// How it ended for a buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// 202 with this job.
    Accepted(String),
    /// With this code, which is final.
    Refused(String),
    /// The run was over first.
    Open,
}

/// What all of them saw.
#[derive(Default)]
pub struct Seen {
    /// One for each buyer, in their order.
    pub endings: Vec<Ending>,
    /// Every answer by its code; `none` for no answer.
    pub answers: BTreeMap<String, u64>,
    /// Answers that this protocol does not have.
    pub strange: Vec<String>,
}

/// Presses evenly over `length`; whoever has no final answer goes on until `patience` is over too.
pub fn press(ports: &[u16], buyers: &[Buyer], length: Duration, patience: Duration) -> Seen {
    let (next, started) = (AtomicUsize::new(0), Instant::now());
    let seen = Mutex::new(Seen { endings: vec![Ending::Open; buyers.len()], ..Seen::default() });
    thread::scope(|scope| {
        for lane in 0..CONNECTIONS {
            let (next, seen) = (&next, &seen);
            scope.spawn(move || {
                let mut line = Line { ports, at: lane, client: None };
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(buyer) = buyers.get(n) else { return };
                    let planned = length.mul_f64(n as f64 / buyers.len() as f64);
                    thread::sleep(planned.saturating_sub(started.elapsed()));
                    let over = || started.elapsed() > length + patience || signals::stopping();
                    let ending = insist(&mut line, buyer, seen, over);
                    lock(seen).endings[n] = ending;
                }
            });
        }
    });
    seen.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A connection to one gateway, and where to go when it breaks.
struct Line<'a> {
    ports: &'a [u16],
    at: usize,
    client: Option<Client>,
}

fn insist(line: &mut Line<'_>, buyer: &Buyer, seen: &Mutex<Seen>, over: impl Fn() -> bool) -> Ending {
    let path = format!("/api/v1/sales/{}/orders", buyer.sale);
    while !over() {
        let (code, wait, ending) = once(line, &path, &buyer.body);
        let mut seen = lock(seen);
        *seen.answers.entry(code).or_default() += 1;
        match ending {
            Ok(Some(ending)) => return ending,
            Ok(None) => {}
            Err(strange) => seen.strange.push(format!("{}: {strange}", buyer.name)),
        }
        drop(seen);
        thread::sleep(wait);
    }
    Ending::Open
}

/// One request: the code for the statistics, how long to wait, and what it means: final, not yet, or nothing we know.
fn once(line: &mut Line<'_>, path: &str, body: &str) -> (String, Duration, Result<Option<Ending>, String>) {
    let port = line.ports[line.at % line.ports.len()];
    if line.client.is_none() {
        line.client = Client::connect(port).ok();
    }
    let answered = line.client.as_mut().and_then(|client| client.ask("POST", path, &[], body).ok());
    let Some(answer) = answered else {
        // Somebody else may be there.
        line.client = None;
        line.at += 1;
        return ("none".to_owned(), Duration::from_millis(100), Ok(None));
    };
    let retry = header(&answer.head, "retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let wait = retry.unwrap_or(WAIT_MAX).min(WAIT_MAX);
    if answer.status == 202 {
        let job = member(&answer.body, "jobId").unwrap_or_default().to_owned();
        return ("accepted".to_owned(), wait, Ok(Some(Ending::Accepted(job))));
    }
    let code = member(&answer.body, "code").unwrap_or("no problem document").to_owned();
    let means = match code.as_str() {
        "sold-out" => Ok(Some(Ending::Refused(code.clone()))),
        "not-ready" | "overloaded" | "outcome-unknown" | "rate-limited" if retry.is_some() => Ok(None),
        _ => Err(format!("{} {}", answer.status, answer.body)),
    };
    (code, wait, means)
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
