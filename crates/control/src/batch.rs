//! Much work in small pieces: so many items at once, a pause between them, a piece that failed again, and a report.

use std::ops::Range;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::retry::{Class, Classified};

/// The `[batch]` section: what operators' work on many things at once is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Batch {
    /// Items in one piece.
    pub size: usize,
    /// Milliseconds between two pieces, so that purchases in between find the database free.
    pub pause_ms: u64,
    /// Further attempts at a piece whose error may pass.
    pub max_retries: u32,
    /// Milliseconds before each of them.
    pub retry_delay_ms: u64,
}

impl Default for Batch {
    fn default() -> Self {
        Self { size: 100, pause_ms: 10, max_retries: 3, retry_delay_ms: 1_000 }
    }
}

/// What became of the items.
#[derive(Debug)]
pub struct Report<E> {
    /// Items that are done.
    pub done: usize,
    /// Items that are not.
    pub failed: usize,
    /// Attempts beyond the first, over all pieces.
    pub retries: u32,
    /// The items of each piece that failed, by their places, and its last error.
    pub errors: Vec<(Range<usize>, E)>,
}

impl<E> Report<E> {
    /// What is done; or, where something failed, the first error.
    pub fn into_result(self) -> Result<usize, E> {
        match self.errors.into_iter().next() {
            None => Ok(self.done),
            Some((_, error)) => Err(error),
        }
    }
}

impl Batch {
    /// Does `work` on one piece after the other. A piece that failed for good does not end the others.
    pub async fn run<T, E, F>(&self, items: &[T], work: impl FnMut(Vec<T>) -> F) -> Report<E>
    where
        T: Clone,
        E: Classified,
        F: Future<Output = Result<(), E>>,
    {
        self.pieces(items, work, false).await
    }

    /// The same, and the first piece that failed for good ends it: for work that is of use only if all of it is done. The
    /// pieces behind it are neither done nor failed; nobody tried them.
    pub async fn run_all<T, E, F>(&self, items: &[T], work: impl FnMut(Vec<T>) -> F) -> Result<usize, E>
    where
        T: Clone,
        E: Classified,
        F: Future<Output = Result<(), E>>,
    {
        self.pieces(items, work, true).await.into_result()
    }

    async fn pieces<T, E, F>(&self, items: &[T], mut work: impl FnMut(Vec<T>) -> F, all_or_none: bool) -> Report<E>
    where
        T: Clone,
        E: Classified,
        F: Future<Output = Result<(), E>>,
    {
        let size = self.size.max(1);
        let mut report = Report { done: 0, failed: 0, retries: 0, errors: Vec::new() };
        for (at, piece) in items.chunks(size).enumerate() {
            if at > 0 && self.pause_ms > 0 {
                tokio::time::sleep(Duration::from_millis(self.pause_ms)).await;
            }
            let mut left = self.max_retries;
            let outcome = loop {
                match work(piece.to_vec()).await {
                    Err(error) if left > 0 && error.class() == Class::Retryable => {
                        left -= 1;
                        report.retries += 1;
                        tokio::time::sleep(Duration::from_millis(self.retry_delay_ms)).await;
                    }
                    outcome => break outcome,
                }
            };
            match outcome {
                Ok(()) => report.done += piece.len(),
                Err(error) => {
                    report.failed += piece.len();
                    report.errors.push((at * size..at * size + piece.len(), error));
                    if all_or_none {
                        break;
                    }
                }
            }
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use domain::ports::PlaceError;
    use tokio::time::Instant;

    use super::*;

    fn away() -> PlaceError {
        PlaceError::Outage(domain::ports::Outage::NotSent("away".to_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn batches_of_a_hundred_with_a_pause_of_10_ms_and_three_retries_a_second_apart() {
        let items: Vec<usize> = (0..350).collect();
        let (started, mut seen) = (Instant::now(), Vec::new());
        let report = Batch::default()
            .run(&items, |piece| {
                let attempt = seen.iter().filter(|(_, first, _)| *first == piece[0]).count();
                seen.push((started.elapsed().as_millis(), piece[0], piece.len()));
                let outcome = match piece[0] {
                    100 if attempt < 3 => Err(away()),
                    200 => Err(PlaceError::Poison("never".to_owned())),
                    300 => Err(away()),
                    _ => Ok(()),
                };
                async move { outcome }
            })
            .await;
        let piece = |at_ms, first, len| (at_ms, first, len);
        assert_eq!(
            seen,
            [
                piece(0, 0, 100),
                piece(10, 100, 100),
                piece(1_010, 100, 100),
                piece(2_010, 100, 100),
                piece(3_010, 100, 100),
                piece(3_020, 200, 100), // what cannot pass is not tried again
                piece(3_030, 300, 50),
                piece(4_030, 300, 50),
                piece(5_030, 300, 50),
                piece(6_030, 300, 50), // the fourth failure is the last
            ]
        );
        assert_eq!((report.done, report.failed, report.retries), (200, 150, 6));
        let failed: Vec<_> = report.errors.iter().map(|(items, _)| items.clone()).collect();
        assert_eq!(failed, [200..300, 300..350]);
        assert!(matches!(report.into_result(), Err(PlaceError::Poison(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_of_use_only_as_a_whole_ends_with_the_first_piece_that_failed_for_good() {
        let (started, mut tried) = (Instant::now(), Vec::new());
        let items: Vec<usize> = (0..1_000).collect();
        let outcome = Batch::default()
            .run_all(&items, |piece| {
                tried.push(piece[0]);
                let outcome = if piece[0] == 0 { Ok(()) } else { Err(away()) };
                async move { outcome }
            })
            .await;
        assert!(matches!(outcome, Err(PlaceError::Outage(_))));
        assert_eq!(tried, [0, 100, 100, 100, 100], "the other eight pieces are not tried");
        assert_eq!(started.elapsed(), Duration::from_millis(10 + 3 * 1_000));
        let done = Batch::default().run_all(&items, |_| async { Ok::<(), PlaceError>(()) }).await;
        assert_eq!(done.unwrap(), 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn what_somebody_waits_for_is_not_paused() {
        let started = Instant::now();
        let report = Batch { size: 500, pause_ms: 0, ..Batch::default() }
            .run(&[0; 5_000], |_| async { Ok::<(), PlaceError>(()) })
            .await;
        assert_eq!((report.into_result().unwrap(), started.elapsed()), (5_000, Duration::ZERO));
    }
}
