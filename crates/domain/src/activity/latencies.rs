//! Times in a small fixed number of buckets, so that counting one is one addition and adding up loses nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything shorter is in the first bucket: 64 µs.
const FIRST_OCTAVE: u32 = 6;

/// Buckets in each doubling.
const PER_OCTAVE: u64 = 4;

/// Doublings that are told apart: up to 134 s; what takes longer is in the last bucket.
const OCTAVES: usize = 21;

/// How often it took how long, to within an eighth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<u64>", from = "Vec<u64>")]
pub struct Latencies(BTreeMap<usize, u64>);

impl Latencies {
    /// How many buckets there are.
    pub const BUCKETS: usize = 1 + OCTAVES * PER_OCTAVE as usize;

    /// The bucket of so many microseconds.
    pub fn bucket(micros: u64) -> usize {
        let Some(octave) = micros.checked_ilog2().filter(|octave| *octave >= FIRST_OCTAVE) else { return 0 };
        let quarter = (micros >> (octave - 2)) & (PER_OCTAVE - 1);
        let bucket = 1 + (octave - FIRST_OCTAVE) as usize * PER_OCTAVE as usize + quarter as usize;
        bucket.min(Self::BUCKETS - 1)
    }

    /// Where a bucket begins, in microseconds.
    fn begin(bucket: usize) -> u64 {
        let Some(above) = bucket.checked_sub(1) else { return 0 };
        let (octave, quarter) = (above as u64 / PER_OCTAVE, above as u64 % PER_OCTAVE);
        (PER_OCTAVE + quarter) << (octave + u64::from(FIRST_OCTAVE) - 2)
    }

    /// So many more in this bucket.
    pub fn count(&mut self, bucket: usize, times: u64) {
        if times > 0 && bucket < Self::BUCKETS {
            let count = self.0.entry(bucket).or_default();
            *count = count.saturating_add(times);
        }
    }

    /// Adds others.
    pub fn add(&mut self, others: &Self) {
        others.0.iter().for_each(|(bucket, times)| self.count(*bucket, *times));
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The time in milliseconds that this share of all (0 to 1) did not exceed, as well as the buckets know; `None`
    /// where there is none.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let total: u64 = self.0.values().sum();
        let rank = (share * total as f64).ceil().max(1.0);
        let mut below = 0.0;
        for (bucket, times) in &self.0 {
            let times = *times as f64;
            if below + times >= rank {
                let (begin, end) = (Self::begin(*bucket) as f64, Self::begin(bucket + 1) as f64);
                let micros = begin + (end - begin) * (rank - below) / times;
                return Some((micros / 10.0).round() / 100.0);
            }
            below += times;
        }
        None
    }
}

/// Bucket, count, bucket, count, …: most are empty.
impl From<Latencies> for Vec<u64> {
    fn from(latencies: Latencies) -> Self {
        latencies.0.into_iter().flat_map(|(bucket, times)| [bucket as u64, times]).collect()
    }
}

/// A bucket that this version does not know is passed over.
impl From<Vec<u64>> for Latencies {
    fn from(pairs: Vec<u64>) -> Self {
        let mut latencies = Self::default();
        for pair in pairs.chunks_exact(2) {
            latencies.count(usize::try_from(pair[0]).unwrap_or(usize::MAX), pair[1]);
        }
        latencies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_the_bucket_that_begins_at_or_before_it() {
        let mut last = 0;
        for micros in (0..100_000).chain((100_000..200_000_000).step_by(99_991)) {
            let bucket = Latencies::bucket(micros);
            assert!(Latencies::begin(bucket) <= micros, "{micros} in {bucket}");
            assert!(micros < Latencies::begin(bucket + 1) || bucket == Latencies::BUCKETS - 1, "{micros} in {bucket}");
            assert!(last <= bucket);
            last = bucket;
        }
        assert_eq!((Latencies::bucket(63), Latencies::bucket(64), last), (0, 1, Latencies::BUCKETS - 1));
        assert_eq!(Latencies::bucket(u64::MAX), Latencies::BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_right_to_within_an_eighth_and_of_nothing_there_are_none() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantile_ms(0.5), None);
        (1..=1_000_u64).for_each(|ms| latencies.count(Latencies::bucket(ms * 1_000), 1));
        for (share, wanted) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0)] {
            let found = latencies.quantile_ms(share).unwrap();
            assert!((found / wanted - 1.0_f64).abs() < 0.125, "{share}: {found}");
        }
        let mut twice = latencies.clone();
        twice.add(&latencies);
        assert_eq!(twice.quantile_ms(0.95), latencies.quantile_ms(0.95));
    }
}
