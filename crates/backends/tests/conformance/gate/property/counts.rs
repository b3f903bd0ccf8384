//! How often what the random commands are about has happened: a run that did not come across it shows nothing.

use std::collections::{BTreeMap, HashSet};

use domain::Verdict;

use super::commands::{Command, Try};
use super::subject::Answer;

/// By what it is.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<String, u32>);

impl Counts {
    pub(super) fn note(&mut self, command: &Command, answer: &Answer) {
        match (command, answer) {
            (Command::Admit { attempts, .. }, Answer::Verdicts(verdicts)) => self.note_group(attempts, verdicts),
            (_, Answer::Reserved(answer)) => self.add(&format!("reserve {answer:?}")),
            (_, Answer::Withdrawn(answer)) => {
                let text = format!("withdraw {answer:?}");
                self.add(text.split(" {").next().unwrap_or(&text));
            }
            (Command::Restock { .. }, Answer::Held(held)) => self.add(&format!("restock {held:?}")),
            _ => {}
        }
    }

    fn note_group(&mut self, attempts: &[Try], verdicts: &[Verdict]) {
        self.add("group");
        let tokens: HashSet<u8> = attempts.iter().map(|one| one.job).collect();
        let pairs: HashSet<(usize, u8)> = attempts.iter().map(|one| (one.buyer, one.job)).collect();
        let buyers: HashSet<usize> = pairs.iter().map(|(buyer, _)| *buyer).collect();
        if tokens.len() < attempts.len() {
            self.add("group with a token twice");
        }
        if buyers.len() < pairs.len() {
            self.add("group with a buyer twice");
        }
        for verdict in verdicts {
            match verdict {
                Verdict::Refused(domain::Refusal::AllBusy) => self.add("refused AllBusy"),
                Verdict::Refused(domain::Refusal::ChannelBusy) => self.add("refused ChannelBusy"),
                Verdict::Refused(domain::Refusal::BuyerBusy { .. }) => self.add("refused BuyerBusy"),
                _ => {}
            }
        }
        for (at, one) in attempts.iter().enumerate() {
            let later = || attempts.iter().zip(verdicts).skip(at + 1);
            let Verdict::Admitted(_) = verdicts[at] else { continue };
            if later().any(|(other, verdict)| other.job == one.job && matches!(verdict, Verdict::Repeated(_))) {
                self.add("admitted and repeated in one group");
            }
            let is_limited =
                |verdict: &Verdict| matches!(verdict, Verdict::Refused(domain::Refusal::LimitReached { .. }));
            let is_busy = |verdict: &Verdict| matches!(verdict, Verdict::Refused(domain::Refusal::BuyerBusy { .. }));
            if later().any(|(other, verdict)| other.buyer == one.buyer && is_busy(verdict)) {
                self.add("admitted and its buyer busy in one group");
            }
            if later().any(|(other, verdict)| other.buyer == one.buyer && is_limited(verdict)) {
                self.add("admitted and at the limit in one group");
            }
        }
    }

    fn add(&mut self, what: &str) {
        *self.0.entry(what.to_owned()).or_default() += 1;
    }

    /// How often it has happened.
    pub(super) fn of(&self, what: &str) -> u32 {
        self.0.get(what).copied().unwrap_or(0)
    }
}
