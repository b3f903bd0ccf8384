//! Everything that the processes and the servers know at one instant.
//!
//! Left out, because nothing depends on it: the time, the window, prices, events, and the check index. The index is
//! always exactly the records with revision 0: every script that changes the one changes the other.

pub const JOBS: usize = 3;
pub const BUYERS: usize = 3;
pub const ITEMS: usize = 2;
pub const MESSAGES: usize = 4;
pub const KEEPERS: usize = 2;

/// An enum that is packed as the position of its variant.
pub trait Word: Copy {
    fn code(self) -> u8;
    fn of(code: u8) -> Self;
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($word:ident),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { #[default] $($word),+ }

        impl Word for $name {
            fn code(self) -> u8 {
                self as u8
            }
            fn of(code: u8) -> Self {
                [$(Self::$word),+][usize::from(code)]
            }
        }
    };
}

words! {
    /// State of a job's record at the gate.
    Known { Absent, Unpublished, Queued, Placed, Refused }
}

words! {
    /// A job's row in Postgres.
    Row { Absent, Live, Cancelled, Rejected, Rebooked, Refunded }
}

words! {
    /// A payment for an order that has expired, noted durably until it is rebooked or refunded.
    Late { None, Noted, Reserved }
}

words! {
    /// What a gateway has in hand of a job.
    Desk { Empty, Admitted, Sent }
}

words! {
    /// What the buyer was told last; a 202 is not forgotten.
    Client { Idle, Waiting, Unknown, Accepted, Refused, Contradicted }
}

words! {
    /// How far a keeper is.
    Step { Idle, Decided, Numbered, Loading }
}

/// A job at the gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub state: Known,
    pub rev: u8,
    pub units: u8,
}

impl Record {
    /// In the check index: it will be published again.
    pub fn is_watched(&self) -> bool {
        matches!(self.state, Known::Unpublished | Known::Queued)
    }
}

/// The sale as Redis has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redis {
    pub present: bool,
    /// Does the sale's `run` name the run of the server, and so of the scripts?
    pub same_run: bool,
    pub loading: bool,
    pub epoch: u8,
    pub free: [i8; ITEMS],
    pub held: [i8; BUYERS],
    pub records: [Record; JOBS],
}

/// The judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Postgres {
    pub epoch: u8,
    pub sold: [u8; ITEMS],
    pub rows: [Row; JOBS],
    pub late: [Late; JOBS],
    /// Effects on their way to the gate: bit `rev - 1` of each job.
    pub outbox: [u8; JOBS],
}

impl Row {
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Rebooked)
    }

    /// Counts the changes of the units it holds.
    pub fn rev(self) -> u8 {
        match self {
            Self::Absent => 0,
            Self::Live | Self::Rejected => 1,
            Self::Cancelled => 2,
            Self::Rebooked | Self::Refunded => 3,
        }
    }

    /// What the row was at an earlier revision.
    pub fn at(self, rev: u8) -> Self {
        match rev {
            1 if self != Self::Rejected => Self::Live,
            2 => Self::Cancelled,
            _ => self,
        }
    }
}

/// A keeper, loading a sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeper {
    pub step: Step,
    pub epoch: u8,
    /// The next job whose row is read and applied.
    pub next: u8,
    /// Rows read and not yet applied.
    pub read: [Row; JOBS],
}

/// All of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub redis: Redis,
    /// What Redis would come back with.
    pub snapshot: Option<Redis>,
    /// Copies of each kind of message.
    pub queue: [u8; MESSAGES],
    /// Is a copy committed and not yet acknowledged?
    pub unacked: [bool; MESSAGES],
    pub postgres: Postgres,
    pub clients: [Client; JOBS],
    pub desks: [Desk; JOBS],
    pub presses_left: [u8; JOBS],
    /// Confirmed by the broker; the gate has not been told.
    pub marks: [bool; JOBS],
    pub keepers: [Keeper; KEEPERS],
    /// Job and revision of an effect in a call that is still under way.
    pub echo: Option<(u8, u8)>,
    pub losses_left: u8,
    pub queue_losses_left: u8,
    pub effect_losses_left: u8,
    pub echoes_left: u8,
    pub rebuilds_left: u8,
}
