//! Many buyers at once, and what they saw.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::{Client, client::Answer};

/// What a crowd saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// The job of every 202.
    pub accepted: Vec<String>,
    /// Every other final answer, by code.
    pub refused: BTreeMap<String, usize>,
    /// Requests without an answer (the connection broke).
    pub broken: usize,
    /// When each answer came, and its code; also those that were not final.
    pub answers: Vec<(Instant, String)>,
    /// Jobs that were told `outcome-unknown` at first.
    pub unknown: HashSet<String>,
}

impl Seen {
    /// Answers with this code.
    pub fn count(&self, code: &str) -> usize {
        self.answers.iter().filter(|(_, one)| one == code).count()
    }

    /// The first answer with this code after `from`.
    pub fn first(&self, code: &str, from: Instant) -> Option<Instant> {
        self.answers.iter().filter(|(at, one)| *at >= from && one == code).map(|(at, _)| *at).min()
    }

    /// The longest time without a 202 after `from`: its begin and its end.
    pub fn longest_silence(&self, from: Instant) -> (Instant, Instant) {
        let mut accepted: Vec<Instant> =
            self.answers.iter().filter(|(at, code)| *at >= from && code == "accepted").map(|(at, _)| *at).collect();
        accepted.push(from);
        accepted.sort();
        let gap = accepted.windows(2).max_by_key(|pair| pair[1] - pair[0]).expect("someone was accepted");
        (gap[0], gap[1])
    }
}

/// A crowd that presses.
pub struct Crowd {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// Looks at what has been seen so far.
    pub fn so_far<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }

    pub fn is_finished(&self) -> bool {
        self.tasks.iter().all(JoinHandle::is_finished)
    }

    /// Waits until everybody has a final answer.
    pub async fn end(self) -> Seen {
        for task in self.tasks {
            task.await.unwrap();
        }
        Arc::try_unwrap(self.seen).unwrap().into_inner().unwrap()
    }
}

impl Client {
    /// A crowd: each body once, over so many connections and all gateways, as fast as they can. A 503 is repeated as it
    /// says; a broken connection is counted.
    pub async fn crowd(&self, sale: &str, bodies: Vec<String>, connections: usize) -> Seen {
        self.press(sale, bodies, connections, None).end().await
    }

    /// As `crowd`, with a pause after each answer; and a broken connection is repeated on the next gateway.
    pub fn stubborn_crowd(&self, sale: &str, bodies: Vec<String>, connections: usize, pause: Duration) -> Crowd {
        self.press(sale, bodies, connections, Some(pause))
    }

    fn press(&self, sale: &str, bodies: Vec<String>, connections: usize, pause: Option<Duration>) -> Crowd {
        let (bodies, next, seen) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)), Arc::<Mutex<Seen>>::default());
        let tasks = (0..connections)
            .map(|connection| {
                let (client, sale) = (self.clone(), sale.to_owned());
                let (bodies, next, seen) = (bodies.clone(), next.clone(), seen.clone());
                tokio::spawn(async move {
                    let path = format!("/api/v1/sales/{sale}/orders");
                    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                        client.persist(connection, &path, body, pause.is_some(), &seen).await;
                        tokio::time::sleep(pause.unwrap_or_default()).await;
                    }
                })
            })
            .collect();
        Crowd { seen, tasks }
    }

    /// One buyer, until the answer is final. Whatever names a job names the same one.
    async fn persist(&self, connection: usize, path: &str, body: &str, stubborn: bool, seen: &Mutex<Seen>) {
        let mut named: Option<String> = None;
        for attempt in 0..600 {
            let answer = match self.post_on((connection + attempt) % self.bases.len(), path, body).await {
                Ok(answer) => answer,
                Err(_) if stubborn => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
                Err(_) => {
                    seen.lock().unwrap().broken += 1;
                    return;
                }
            };
            let code = answer.code();
            if code == "accepted" || code == "outcome-unknown" {
                assert_eq!(*named.get_or_insert(answer.job()), answer.job(), "one token, one job");
            }
            if note(&mut seen.lock().unwrap(), &answer, code) {
                return;
            }
            let wait = answer.retry_after.unwrap_or_else(|| panic!("no Retry-After in {answer:?}"));
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
        panic!("no final answer after 600 tries");
    }
}

/// Was it final?
fn note(seen: &mut Seen, answer: &Answer, code: String) -> bool {
    seen.answers.push((Instant::now(), code.clone()));
    match answer.status {
        202 => seen.accepted.push(answer.job()),
        503 | 429 => {
            if code == "outcome-unknown" {
                seen.unknown.insert(answer.job());
            }
            return false;
        }
        _ => *seen.refused.entry(code).or_default() += 1,
    }
    true
}
