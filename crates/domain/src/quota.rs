//! Quotas: how much of something one subject may use in a day.

use chrono::NaiveDate;

use crate::Timestamp;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QuotaKind {
    /// Units that a buyer purchases, over all sales.
    Purchases,
    /// Requests of an API client.
    Requests,
}

impl QuotaKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Purchases, Self::Requests];

    /// The word in answers, keys and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purchases => "purchases",
            Self::Requests => "requests",
        }
    }

    /// The kind of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One subject's use of one kind on one day.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuotaKey {
    /// What is counted.
    pub kind: QuotaKind,
    /// Who uses it: a buyer, or an API client. Visible ASCII, at most 128 characters.
    pub subject: String,
    /// The day, as the operator's clock divides days.
    pub day: NaiveDate,
}

/// So many units used at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaUse {
    /// By whom, of what, on which day.
    pub key: QuotaKey,
    /// Names this use: it counts once, however often it is sent.
    pub id: String,
    /// Names this try to make it. Several may be on their way at once, and it is counted while one may have made it.
    pub attempt: String,
    /// How much.
    pub units: u32,
    /// When.
    pub at: Timestamp,
}

/// A use that was counted at the gate and has to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaEvent {
    /// What was used.
    pub of: QuotaUse,
    /// The life of the gate's counter that has it; see [`QuotaUsage`].
    pub generation: String,
}

/// Units that are written of one life of a counter. A counter that was lost and began again has another generation:
/// what the gate has to know is what it has counted itself, and what is written of all other generations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaUsage {
    /// Names the life; [`QuotaUsage::DIRECT`] for what was counted without the gate.
    pub generation: String,
    /// Units written.
    pub used: u64,
}

impl QuotaUsage {
    /// The generation of what was counted by the store itself, while the gate was away.
    pub const DIRECT: &'static str = "";
}

/// How a try to make a counted use has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaEnd {
    /// This try has not made it. The use is taken back, unless another try may have made it.
    NotMade,
    /// It was denied, by whom knows whether any earlier try has made it. The use is taken back, unless another try is
    /// under way.
    Denied,
    /// It may have made it. The use stays counted, until a later try is denied.
    Unknown,
}

/// What a counter begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaSeed {
    /// Units used so far, as far as they are written.
    pub used: u64,
    /// Names the life that begins.
    pub generation: String,
}

/// Answer to a use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaTaken {
    /// It was within the limit and is counted.
    Allowed {
        /// Units left.
        remaining: u64,
        /// The counter's life.
        generation: String,
    },
    /// It had been counted before; nothing changed.
    Before {
        /// Units left.
        remaining: u64,
        /// The counter's life.
        generation: String,
        /// Another try is making it, or has made it. Otherwise there were only tries that ended [`QuotaEnd::Unknown`].
        held: bool,
    },
    /// It would be too much; nothing changed.
    Exceeded {
        /// Units left: fewer than were asked for.
        remaining: u64,
    },
    /// The gate knows nothing of this day yet, and has to be told what was used before.
    Unseeded,
}
