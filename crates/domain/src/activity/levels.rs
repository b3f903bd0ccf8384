//! Where the units of a sale were at a moment, as the ledger said.

use serde::{Deserialize, Serialize};

use crate::{ItemBooks, Timestamp};

/// The levels of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// When.
    pub at: Timestamp,
    /// By position.
    pub items: Vec<ItemLevels>,
}

/// The levels of an item, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemLevels {
    /// For sale.
    pub free: i64,
    /// Admitted, without an order yet.
    pub queued: i64,
    /// In unpaid orders.
    pub held: i64,
    /// In paid orders.
    pub paid: i64,
    /// Since when nothing has been free; `None` while something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none_since: Option<Timestamp>,
    /// When something was last seen to be free: what was taken before that was not the last unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub some_at: Option<Timestamp>,
}

impl Levels {
    /// As the ledger has them.
    pub fn of(books: &[ItemBooks], at: Timestamp) -> Self {
        let items = books.iter().map(|line| ItemLevels {
            free: line.free,
            queued: line.unpublished + line.queued,
            held: line.held,
            paid: line.paid,
            none_since: (line.free <= 0).then_some(at),
            some_at: (line.free > 0).then_some(at),
        });
        Self { at, items: items.collect() }
    }

    /// The later of the two, which remembers from the earlier one since when nothing has been free. In any order.
    pub fn and(self, other: Self) -> Self {
        let (earlier, mut later) = if other.at < self.at { (other, self) } else { (self, other) };
        for (item, before) in later.items.iter_mut().zip(&earlier.items) {
            item.some_at = item.some_at.max(before.some_at);
            let since = [before.none_since, item.none_since].into_iter().flatten();
            item.none_since = since.filter(|since| item.free <= 0 && Some(*since) >= item.some_at).min();
        }
        later
    }

    /// Are all units where these have them?
    pub fn agrees(&self, other: &Self) -> bool {
        let units = |item: &ItemLevels| (item.free, item.queued, item.held, item.paid);
        self.items.iter().map(units).eq(other.items.iter().map(units))
    }

    /// All items together. Nothing is free of a sale since the last one went.
    pub fn total(&self) -> ItemLevels {
        let sum = |units: fn(&ItemLevels) -> i64| self.items.iter().map(units).sum();
        let gone = !self.items.is_empty() && self.items.iter().all(|item| item.none_since.is_some());
        ItemLevels {
            free: sum(|item| item.free),
            queued: sum(|item| item.queued),
            held: sum(|item| item.held),
            paid: sum(|item| item.paid),
            none_since: self.items.iter().filter_map(|item| item.none_since).max().filter(|_| gone),
            some_at: self.items.iter().filter_map(|item| item.some_at).max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(second: i64, free: [i64; 2]) -> Levels {
        let at = crate::from_ms(second * 1_000);
        let items = free.map(|free| ItemLevels {
            free,
            held: 10 - free,
            none_since: (free == 0).then_some(at),
            some_at: (free > 0).then_some(at),
            ..ItemLevels::default()
        });
        Levels { at, items: items.to_vec() }
    }

    #[test]
    fn the_last_levels_stay_whatever_order_they_come_in_and_know_when_the_last_unit_went() {
        let seen = [levels(1, [5, 2]), levels(2, [5, 0]), levels(3, [0, 0]), levels(4, [0, 1]), levels(5, [0, 0])];
        let forward = seen.iter().cloned().reduce(Levels::and).unwrap();
        let halves = [seen[..2].to_vec(), seen[2..].to_vec()].map(|half| half.into_iter().reduce(Levels::and).unwrap());
        let [first, second] = halves;
        assert_eq!(second.and(first), forward);
        let since = |item: usize| forward.items[item].none_since.map(|at| at.timestamp());
        assert_eq!((since(0), since(1)), (Some(3), Some(5)), "what came back and went again went later");
        assert_eq!(forward.total().none_since.map(|at| at.timestamp()), Some(5));
        assert_eq!((forward.total().held, seen[0].total().none_since), (20, None));
        assert!(!seen[0].agrees(&seen[1]) && seen[2].agrees(&seen[4]));
    }
}
