//! The one effect that carries every change of an order's units back to the gate.

use serde::{Deserialize, Serialize};

use crate::{BuyerId, ItemIndex, JobId, JobState, StockEffect, Timestamp};

/// The body of an outbox row for the gate: what orders hold, or what an item's stock is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Effect {
    /// Of one item, in order.
    Holds(Vec<Hold>),
    /// After a restock.
    Stock(StockEffect),
}

/// What an order holds after its change number `rev`. Applied only if newer than what the gate knows, so it may
/// be delivered twice, late and in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The order.
    pub job: JobId,
    /// Its revision: 1 when the row is first written, +1 with each change of its units.
    pub rev: u32,
    /// The buyer whose allowance is meant; `None` where only the job id could be read.
    pub buyer: Option<BuyerId>,
    /// The item whose stock is meant; `None` where only the job id could be read.
    pub item: Option<ItemIndex>,
    /// Units asked for.
    pub quantity: u16,
    /// Units held now: `quantity`, or 0.
    pub units: u16,
    /// What the buyer is told.
    pub outcome: Outcome,
    /// When it changed, by Postgres' clock.
    pub at: Timestamp,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The order exists.
    Placed,
    /// It does not, and will not.
    Refused(RefusedReason),
}

impl Outcome {
    /// The state of a job that ended this way.
    pub fn state(self) -> JobState {
        match self {
            Self::Placed => JobState::Placed,
            Self::Refused(reason) => JobState::Refused(reason),
        }
    }
}

/// Why an accepted job was refused afterwards. Happens only when Redis has lost data, a message was unreadable or
/// an operator discarded it; each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedReason {
    /// Postgres had no unit left.
    SoldOut,
    /// The buyer already held the limit in Postgres.
    LimitReached,
    /// The message could not be read or not be placed; it is among the dead letters.
    Unplaceable,
    /// An operator discarded its dead letter.
    Discarded,
}

impl RefusedReason {
    /// Every reason, in the order of its code.
    pub const ALL: [Self; 4] = [Self::SoldOut, Self::LimitReached, Self::Unplaceable, Self::Discarded];

    /// The word used in answers, rows, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SoldOut => "sold-out",
            Self::LimitReached => "limit-reached",
            Self::Unplaceable => "unplaceable",
            Self::Discarded => "discarded",
        }
    }

    /// The reason that is written with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}
