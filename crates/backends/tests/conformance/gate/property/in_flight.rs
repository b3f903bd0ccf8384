//! Which tokens there have to be: kept from the commands and their answers, by neither gate. Buyers' own are seen by what
//! they are refused, and both gates have to agree on that.

use std::collections::BTreeSet;

use domain::Verdict;
use domain::ports::{ConcurrencyUsage, Held};

use super::commands::{CHANNELS, Command};
use super::subject::Answer;

/// Jobs that have a token, for each of the two that are shared; `None` where there is no limit.
#[derive(Default)]
pub(super) struct InFlight {
    all: Option<BTreeSet<u8>>,
    of_channel: Option<BTreeSet<u8>>,
}

impl InFlight {
    pub(super) fn note(&mut self, command: &Command, answer: &Answer) {
        match (command, answer) {
            (Command::Limit { enabled, global, app, .. }, _) => {
                let limit =
                    |known: Option<BTreeSet<u8>>, max: u32| (*enabled && max > 0).then(|| known.unwrap_or_default());
                self.all = limit(self.all.take(), *global);
                self.of_channel = limit(self.of_channel.take(), *app);
            }
            (Command::Admit { attempts, .. }, Answer::Verdicts(verdicts)) => {
                for (one, _) in attempts.iter().zip(verdicts).filter(|(_, said)| matches!(said, Verdict::Admitted(_))) {
                    let of_channel = self.of_channel.as_mut().filter(|_| one.channel == CHANNELS[0]);
                    for set in self.all.as_mut().into_iter().chain(of_channel) {
                        set.insert(one.job);
                    }
                }
            }
            // Whoever has a token is at revision 0, or forgotten: any effect is the first.
            (Command::Hold { holds, .. }, Answer::Held(Held::Applied(_))) => {
                for set in self.all.as_mut().into_iter().chain(self.of_channel.as_mut()) {
                    set.retain(|job| holds.iter().all(|hold| hold.job != *job));
                }
            }
            _ => {}
        }
    }

    /// What has to be seen.
    pub(super) fn usage(&self) -> ConcurrencyUsage {
        let live = |set: &BTreeSet<u8>| set.len() as u64;
        let platforms = self.of_channel.iter().map(|set| (CHANNELS[0].to_owned(), live(set))).collect();
        ConcurrencyUsage { global: self.all.as_ref().map(live), platforms, ..ConcurrencyUsage::default() }
    }
}
