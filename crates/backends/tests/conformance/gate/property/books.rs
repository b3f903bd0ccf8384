//! What the counters have to be: kept from the commands and their answers, and from the records, by neither gate.

use std::collections::HashMap;

use domain::ports::{Held, Withdrawn};
use domain::{ItemStock, JobRecord, JobState};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::commands::{Command, item_of};
use super::subject::Answer;

/// Stock and withdrawals of one sale.
#[derive(Default)]
pub(super) struct Books {
    stock: Vec<ItemStock>,
    /// Units set aside; 0 once ended.
    withdrawals: HashMap<u8, i64>,
}

impl Books {
    /// Follows one command; fails where its answer cannot be.
    pub(super) fn note(&mut self, command: &Command, answer: &Answer) -> Result<(), TestCaseError> {
        match (command, answer) {
            (Command::Begin { stock, .. }, Answer::Done(true)) => {
                *self = Self { stock: stock.to_vec(), ..Self::default() };
            }
            (Command::Withdraw { id, units, stock_rev }, Answer::Withdrawn(answer)) => {
                let known = self.withdrawals.get(id).copied();
                let is_stale = self.stock.get(usize::from(item_of(*id))).is_some_and(|stock| stock.rev != *stock_rev);
                match answer {
                    Withdrawn::Taken => {
                        prop_assert_ne!(known, Some(0), "an ended withdrawal took units");
                        prop_assert!(known.is_some() || !is_stale, "units were taken at another revision");
                        self.withdrawals.entry(*id).or_insert(*units);
                    }
                    Withdrawn::Ended => prop_assert_eq!(known, Some(0), "it has not ended"),
                    Withdrawn::TooMany { .. } => prop_assert_eq!(known, None, "it was answered already"),
                    Withdrawn::Stale => prop_assert!(is_stale && known.is_none(), "the revision was the right one"),
                    Withdrawn::NotReady => {}
                }
            }
            (Command::Restock { item, stock, ends, .. }, Answer::Held(Held::Applied(news))) => {
                let known = self.stock.get_mut(usize::from(*item)).filter(|known| known.rev < stock.rev);
                let mut is_news = known.is_some();
                if let Some(known) = known {
                    *known = *stock;
                }
                is_news |= ends.is_some_and(|id| self.withdrawals.insert(id, 0) != Some(0));
                prop_assert_eq!(*news, usize::from(is_news));
            }
            _ => {}
        }
        Ok(())
    }

    /// `(free, unpublished, queued)` of each item: `stock = free + unpublished + queued + live`.
    pub(super) fn counters(&self, records: &[JobRecord]) -> Vec<(i64, i64, i64)> {
        let line = |(item, stock): (usize, &ItemStock)| {
            let units = |is: fn(JobState) -> bool| -> i64 {
                let of_item = |record: &&JobRecord| record.item.is_some_and(|at| usize::from(at.get()) == item);
                records.iter().filter(of_item).filter(|record| is(record.state)).map(|r| i64::from(r.units)).sum()
            };
            let aside = self.withdrawals.iter().filter(|(id, _)| usize::from(item_of(**id)) == item);
            let unpublished = units(|state| state == JobState::Unpublished);
            let queued = units(|state| matches!(state, JobState::Queued | JobState::ReservedAgain))
                + aside.map(|(_, units)| units).sum::<i64>();
            let live = units(|state| matches!(state, JobState::Placed | JobState::Refused(_)));
            (stock.units - unpublished - queued - live, unpublished, queued)
        };
        self.stock.iter().enumerate().map(line).collect()
    }
}
