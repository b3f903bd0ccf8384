//! What was asked of a sale and how it was answered, second by second: the live view and the report are made of it.
//!
//! Each process tells what it has seen itself; adding up is done by whoever reads. Nothing here decides about a unit.

mod latencies;
mod levels;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::latencies::Latencies;
pub use self::levels::{ItemLevels, Levels};
use crate::{SaleNumber, Timestamp};

/// What a process does, as far as it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Answers purchases.
    Gateway,
    /// Writes their orders.
    Consumer,
}

impl Role {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Consumer => "consumer",
        }
    }

    /// The role that is written with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Gateway, Self::Consumer].into_iter().find(|role| role.as_str() == word)
    }
}

/// A step of a purchase that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// On the route of purchases, from the head of the request to what is answered.
    Answer,
    /// A call of the gate for a group.
    Admit,
    /// From the publish of a message to its confirm.
    Publish,
    /// From the admission of a job to the commit of its order.
    Place,
}

impl Stage {
    /// Every stage, in the order in which a purchase goes through them.
    pub const ALL: [Self; 4] = [Self::Answer, Self::Admit, Self::Publish, Self::Place];

    /// The word in the table and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Admit => "admit",
            Self::Publish => "publish",
            Self::Place => "place",
        }
    }
}

/// The word for a purchase that got a job.
pub const ACCEPTED: &str = "accepted";
/// The word for a purchase whose token had its job before.
pub const REPEATED: &str = "repeated";
/// The word for a job that became an order.
pub const PLACED: &str = "placed";
/// The word for a job that became none.
pub const REJECTED: &str = "rejected";

/// What happened within some time: counts add up, levels are the last ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// Purchases by their answer: [`ACCEPTED`], [`REPEATED`], or the code of the problem.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, u64>,
    /// Jobs by their end: [`PLACED`], [`REJECTED`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub jobs: BTreeMap<String, u64>,
    /// How long each stage took.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub latencies: BTreeMap<Stage, Latencies>,
    /// Where the units were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<Levels>,
    /// The second in which most was asked; only where more than a second was added up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busiest: Option<Busiest>,
}

/// The second in which most was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busiest {
    /// Its beginning.
    pub at: Timestamp,
    /// Purchases answered, over all gateways.
    pub asked: u64,
}

impl Activity {
    /// Purchases answered.
    pub fn asked(&self) -> u64 {
        self.answers.values().sum()
    }

    /// Purchases that got a job.
    pub fn accepted(&self) -> u64 {
        self.answered(ACCEPTED)
    }

    /// Purchases whose token had its job before.
    pub fn repeated(&self) -> u64 {
        self.answered(REPEATED)
    }

    /// Problems by code.
    pub fn refused(&self) -> impl Iterator<Item = (&str, u64)> {
        let answers = self.answers.iter().map(|(word, count)| (word.as_str(), *count));
        answers.filter(|(word, _)| ![ACCEPTED, REPEATED].contains(word))
    }

    /// Jobs that became orders.
    pub fn placed(&self) -> u64 {
        self.jobs.get(PLACED).copied().unwrap_or(0)
    }

    fn answered(&self, word: &str) -> u64 {
        self.answers.get(word).copied().unwrap_or(0)
    }

    /// Did nothing happen?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what happened elsewhere, or at another time.
    pub fn add(&mut self, other: &Self) {
        add_counts(&mut self.answers, &other.answers);
        add_counts(&mut self.jobs, &other.jobs);
        for (stage, latencies) in &other.latencies {
            self.latencies.entry(*stage).or_default().add(latencies);
        }
        if let Some(levels) = &other.levels {
            self.levels = Some(match self.levels.take() {
                Some(known) => known.and(levels.clone()),
                None => levels.clone(),
            });
        }
        self.busiest = busier(self.busiest, other.busiest);
    }
}

fn add_counts(to: &mut BTreeMap<String, u64>, counts: &BTreeMap<String, u64>) {
    for (word, count) in counts {
        match to.get_mut(word) {
            Some(sum) => *sum = sum.saturating_add(*count),
            None => {
                to.insert(word.clone(), *count);
            }
        }
    }
}

/// Of two seconds the one in which more was asked; the earlier one of equals.
pub fn busier(one: Option<Busiest>, other: Option<Busiest>) -> Option<Busiest> {
    one.into_iter().chain(other).max_by_key(|second| (second.asked, std::cmp::Reverse(second.at)))
}

/// A process that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name: of one run of one process.
    pub id: String,
    /// What it does.
    pub role: Role,
}

/// What one instance has seen of one sale in one second; or what all have seen in one minute.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityRow {
    /// The sale.
    pub sale: SaleNumber,
    /// The beginning of the time.
    pub at: Timestamp,
    /// How long it is: 1 or [`MINUTE`].
    pub seconds: u16,
    /// Who has seen it; empty for all of them.
    pub instance: String,
    /// What happened.
    pub activity: Activity,
}

/// The seconds of a row that was made of many.
pub const MINUTE: u16 = 60;

impl ActivityRow {
    /// One row of everything in `rows`, which are of one sale and the minute that begins at `minute`.
    pub fn minute(sale: SaleNumber, minute: Timestamp, rows: &[Self]) -> Self {
        let mut activity = Activity::default();
        let mut seconds: BTreeMap<Timestamp, u64> = BTreeMap::new();
        for row in rows {
            activity.add(&row.activity);
            if row.seconds == 1 {
                *seconds.entry(row.at).or_default() += row.activity.asked();
            }
        }
        let asked = seconds.into_iter().filter(|(_, asked)| *asked > 0).map(|(at, asked)| Busiest { at, asked });
        activity.busiest = asked.map(Some).fold(activity.busiest, busier);
        Self { sale, at: minute, seconds: MINUTE, instance: String::new(), activity }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(second: i64, instance: &str, answers: &[(&str, u64)]) -> ActivityRow {
        let answers = answers.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect();
        ActivityRow {
            sale: SaleNumber::new(1).unwrap(),
            at: crate::from_ms(second * 1_000),
            seconds: 1,
            instance: instance.to_owned(),
            activity: Activity { answers, ..Activity::default() },
        }
    }

    #[test]
    fn a_minute_is_the_sum_of_its_seconds_and_knows_the_busiest_of_them() {
        let rows = [
            row(60, "a", &[(ACCEPTED, 3), ("sold-out", 4)]),
            row(60, "b", &[("sold-out", 5)]),
            row(61, "a", &[("sold-out", 10), (REPEATED, 1)]),
        ];
        let sale = SaleNumber::new(1).unwrap();
        let minute = ActivityRow::minute(sale, crate::from_ms(60_000), &rows);
        let all = &minute.activity;
        assert_eq!((all.asked(), all.accepted(), all.repeated()), (23, 3, 1));
        assert_eq!(all.refused().collect::<Vec<_>>(), [("sold-out", 19)]);
        assert_eq!(all.busiest, Some(Busiest { at: crate::from_ms(60_000), asked: 12 }));
        // What came late is added, and what was the busiest second stays it.
        let again = ActivityRow::minute(sale, minute.at, &[minute.clone(), row(62, "c", &[(ACCEPTED, 2)])]);
        assert_eq!((again.activity.asked(), again.activity.busiest), (25, all.busiest));
    }

    #[test]
    fn what_is_written_is_read_again_and_what_a_later_version_adds_is_passed_over() {
        let mut activity = row(60, "a", &[(ACCEPTED, 3)]).activity;
        activity.latencies.entry(Stage::Answer).or_default().count(Latencies::bucket(1_500), 3);
        let text = serde_json::to_string(&activity).unwrap();
        assert_eq!(text, r#"{"answers":{"accepted":3},"latencies":{"answer":[18,3]}}"#);
        assert_eq!(serde_json::from_str::<Activity>(&text).unwrap(), activity);
        let later = r#"{"answers":{"accepted":3},"latencies":{"answer":[18,3]},"weather":"fine"}"#;
        assert_eq!(serde_json::from_str::<Activity>(later).unwrap(), activity);
    }
}
