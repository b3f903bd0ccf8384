//! Everything that the processes and the servers know at one instant.
//!
//! Left out, because nothing depends on it: the time, the window, prices, events, and the check index. The index is
//! always exactly the records with revision 0: every script that changes the one changes the other.

pub const JOBS: usize = 3;
pub const BUYERS: usize = 3;
pub const ITEMS: usize = 2;
pub const MESSAGES: usize = 4;
pub const KEEPERS: usize = 2;
pub const PAYMENTS: usize = 2;
pub const CASHIERS: usize = 2;
pub const RESTOCKS: usize = 2;
pub const PORTERS: usize = 2;

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
    /// State of a job's record at the gate. `Again`: reserved once more, for a late payment.
    Known { Absent, Unpublished, Queued, Placed, Refused, Again }
}

words! {
    /// Where a job's row in Postgres stands. `Discarded`: rejected by an operator, not by placing.
    Status { Absent, Pending, Paid, Expired, Cancelled, Rejected, Discarded }
}

words! {
    /// Where a payment stands. `Absent`: nothing was reported yet.
    Paying { Absent, Open, Settled, RefundDue, Refunded }
}

words! {
    /// What a worker has done for the open payment that it has in hand.
    Till { Idle, Claimed, Reserved }
}

words! {
    /// Where a restock stands.
    Stage { Absent, Withdrawing, Done, Refused }
}

words! {
    /// What the gate keeps of a withdrawal.
    Aside { Nothing, Set, Ended }
}

words! {
    /// What a worker knows of the withdrawal that it has in hand.
    Carry { Idle, Claimed, Taken, TooMany }
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
    /// How far a keeper is. The two about stock are passed over where it never changes.
    Step { Idle, Decided, Numbered, Shut, StockRead, Loading }
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
    pub stock: [Stock; ITEMS],
    pub aside: [Aside; RESTOCKS],
}

/// The whole stock of an item after its change number `rev`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    pub units: u8,
    pub rev: u8,
}

/// The judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Postgres {
    pub epoch: u8,
    pub sold: [u8; ITEMS],
    pub rows: [Row; JOBS],
    /// Effects on their way to the gate: bit `rev - 1` of each job.
    pub outbox: [u8; JOBS],
    pub payments: [Payment; PAYMENTS],
    pub stock: [Stock; ITEMS],
    pub restocks: [Restocking; RESTOCKS],
}

/// A job's row in Postgres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub status: Status,
    /// Counts the changes of the units it holds; 0 without a row.
    pub rev: u8,
}

impl Row {
    pub fn is_absent(self) -> bool {
        self.status == Status::Absent
    }

    pub fn is_live(self) -> bool {
        matches!(self.status, Status::Pending | Status::Paid)
    }

    /// The row of a job that got nothing.
    pub fn is_refused(self) -> bool {
        matches!(self.status, Status::Rejected | Status::Discarded)
    }

    /// What the row was at an earlier revision: placed first, and then without units until the latest.
    pub fn at(self, rev: u8) -> Self {
        let earlier = if rev == 1 { Status::Pending } else { Status::Expired };
        Self { status: if rev == self.rev { self.status } else { earlier }, rev }
    }
}

/// A payment, as Postgres and its provider have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payment {
    pub state: Paying,
    /// How often the provider has given the money back.
    pub given_back: u8,
    /// Has a worker done one half of the refund, and not yet the other?
    pub in_hand: bool,
}

/// A worker with an open payment, as it was when the worker looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cashier {
    pub step: Till,
    pub payment: u8,
    /// Of the expired order; 0 without a row.
    pub rev: u8,
}

/// A restock, and its effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restocking {
    pub stage: Stage,
    /// The stock that it led to.
    pub stock: Stock,
    /// Is its effect on the way to the gate?
    pub in_outbox: bool,
}

/// A worker with a withdrawal, as it was when the worker looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Porter {
    pub step: Carry,
    pub restock: u8,
    /// The item's stock revision.
    pub rev: u8,
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
    /// The stock, as it was read last.
    pub stock: [Stock; ITEMS],
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
    pub cashiers: [Cashier; CASHIERS],
    pub porters: [Porter; PORTERS],
    /// Job and revision of an effect in a call that is still under way.
    pub echo: Option<(u8, u8)>,
    pub losses_left: u8,
    pub queue_losses_left: u8,
    pub effect_losses_left: u8,
    pub echoes_left: u8,
    pub rebuilds_left: u8,
}
