//! The whole sale so far in bounded memory: its sum, its course in at most 600 steps, its last seconds.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use domain::ports::{NotedActivity, VISIBLE_WITHIN_S};
use domain::{Activity, ActivityRow, Timestamp, from_ms};

/// Steps that are kept, and told.
const STEPS_MAX: usize = 600;

/// Lengths of a step in seconds: each is a multiple of the one before, so that steps can be put together.
const LENGTHS: [i64; 13] = [1, 2, 10, 30, 60, 120, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];

/// Seconds that are kept one by one.
const RECENT_S: i64 = 30;

/// One sale.
pub struct Past {
    /// Everything.
    pub sum: Activity,
    /// The place in [`LENGTHS`].
    length: usize,
    /// By number of the step since 1970.
    steps: BTreeMap<i64, Activity>,
    /// By second.
    recent: BTreeMap<i64, Activity>,
    cursor: Cursor,
}

/// What was read. A row may be seen after one with a higher id: the latest are read again for a while.
struct Cursor {
    /// All rows up to here were read.
    settled: i64,
    /// Rows above it that were read.
    seen: HashSet<i64>,
    /// The highest id at some moments.
    highest: VecDeque<(Instant, i64)>,
}

impl Default for Past {
    fn default() -> Self {
        let cursor = Cursor { settled: 0, seen: HashSet::new(), highest: VecDeque::new() };
        let (sum, steps, recent) = Default::default();
        Self { sum, length: 0, steps, recent, cursor }
    }
}

impl Past {
    /// Read what comes after this id.
    pub fn after(&self) -> i64 {
        self.cursor.settled
    }

    /// Begins with everything that there is.
    pub fn begin(&mut self, rows: Vec<NotedActivity>, now: Instant) {
        let highest = rows.iter().map(|one| one.id).max().unwrap_or(0);
        for NotedActivity { id, row } in rows {
            self.cursor.seen.insert(id);
            self.put(&row);
        }
        self.cursor.settle(Some(highest), now);
    }

    /// Adds what was read, where it is new. A minute is made of seconds that were read before.
    pub fn add(&mut self, rows: Vec<NotedActivity>, now: Instant) {
        let highest = rows.iter().map(|one| one.id).max();
        for NotedActivity { id, row } in rows {
            if self.cursor.seen.insert(id) && row.seconds == 1 {
                self.put(&row);
            }
        }
        self.cursor.settle(highest, now);
    }

    fn put(&mut self, row: &ActivityRow) {
        self.sum.add(&row.activity);
        let second = row.at.timestamp();
        while LENGTHS[self.length] < i64::from(row.seconds) {
            self.lengthen();
        }
        self.steps.entry(second.div_euclid(LENGTHS[self.length])).or_default().add(&row.activity);
        while self.steps.len() > STEPS_MAX && self.length + 1 < LENGTHS.len() {
            self.lengthen();
        }
        if row.seconds == 1 {
            self.recent.entry(second).or_default().add(&row.activity);
            let last = self.recent.last_key_value().map_or(0, |(second, _)| *second);
            self.recent = self.recent.split_off(&(last - RECENT_S));
        }
    }

    fn lengthen(&mut self) {
        let before = LENGTHS[self.length];
        self.length += 1;
        let mut steps: BTreeMap<i64, Activity> = BTreeMap::new();
        for (step, activity) in std::mem::take(&mut self.steps) {
            steps.entry((step * before).div_euclid(LENGTHS[self.length])).or_default().add(&activity);
        }
        self.steps = steps;
    }

    /// Seconds in a step.
    pub fn step_s(&self) -> i64 {
        LENGTHS[self.length]
    }

    /// Each step in which there was something: its beginning, and what happened.
    pub fn steps(&self) -> impl Iterator<Item = (Timestamp, &Activity)> {
        let length = self.step_s();
        self.steps.iter().map(move |(step, activity)| (from_ms(step * length * 1_000), activity))
    }

    /// What happened from the second `from` to the second before `until`.
    pub fn between(&self, from: i64, until: i64) -> Activity {
        let mut sum = Activity::default();
        if from < until {
            self.recent.range(from..until).for_each(|(_, activity)| sum.add(activity));
        }
        sum
    }
}

impl Cursor {
    fn settle(&mut self, highest: Option<i64>, now: Instant) {
        let highest = highest.into_iter().chain(self.highest.back().map(|(_, id)| *id)).max();
        self.highest.extend(highest.map(|id| (now, id)));
        let patience = Duration::from_secs(VISIBLE_WITHIN_S);
        while let Some((at, id)) = self.highest.front()
            && now.duration_since(*at) >= patience
            && self.highest.len() > 1
        {
            self.settled = self.settled.max(*id);
            self.highest.pop_front();
        }
        let settled = self.settled;
        self.seen.retain(|id| *id > settled);
    }
}

#[cfg(test)]
mod tests {
    use domain::{Role, SaleNumber};

    use super::*;

    const START: i64 = 1_795_000_020;

    fn noted(id: i64, second: i64, seconds: u16, asked: u64) -> NotedActivity {
        let mut activity = Activity::default();
        activity.answers.insert("sold-out".to_owned(), asked);
        let (sale, at) = (SaleNumber::new(1).unwrap(), from_ms((START + second) * 1_000));
        NotedActivity {
            id,
            row: ActivityRow { sale, at, seconds, instance: Role::Gateway.as_str().to_owned(), activity },
        }
    }

    #[test]
    fn a_row_that_is_seen_late_counts_and_none_counts_twice() {
        let (mut past, begin) = (Past::default(), Instant::now());
        let after = |seconds| begin + Duration::from_secs(seconds);
        past.begin(vec![noted(1, 0, 1, 1)], begin);
        past.add(vec![noted(3, 1, 1, 1)], after(1));
        assert_eq!(past.after(), 0, "a lower one may still come");
        past.add(vec![noted(1, 0, 1, 1), noted(2, 1, 1, 1), noted(3, 1, 1, 1)], after(2));
        past.add(vec![noted(1, 0, 1, 1), noted(2, 1, 1, 1), noted(3, 1, 1, 1)], after(3));
        assert_eq!(past.sum.asked(), 3);
        past.add(vec![], after(14));
        assert_eq!((past.after(), past.cursor.seen.len()), (3, 0), "and what is settled is let go");
        // A minute is made of seconds that were counted.
        past.add(vec![noted(9, -60, 60, 1)], after(15));
        assert_eq!(past.sum.asked(), 3);
        assert_eq!((past.between(START, START + 1).asked(), past.between(START + 1, START + 2).asked()), (1, 2));
    }

    #[test]
    fn a_long_sale_is_told_in_few_steps_and_none_is_shorter_than_what_it_is_made_of() {
        let mut past = Past::default();
        past.begin((0..86_400).map(|second| noted(second + 1, second, 1, 2)).collect(), Instant::now());
        assert!(past.steps().count() <= STEPS_MAX, "{}", past.steps().count());
        assert_eq!((past.step_s(), past.sum.asked()), (600, 172_800));
        assert_eq!(past.steps().map(|(_, activity)| activity.asked()).sum::<u64>(), 172_800);
        assert!(past.recent.len() <= RECENT_S as usize + 1);

        let mut short = Past::default();
        short.begin(vec![noted(1, 0, 60, 6), noted(2, 60, 1, 1)], Instant::now());
        assert_eq!(short.step_s(), 60);
        assert_eq!(short.steps().map(|(_, activity)| activity.asked()).collect::<Vec<_>>(), [6, 1]);
    }
}
