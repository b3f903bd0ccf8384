//! Everything that can happen next: one atomic step of one process, or one fault.

use std::fmt;

/// A number is a job, a kind of message or a keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The buyer sends the token; the gate decides.
    Press(usize),
    /// The gateway publishes what it admitted; the broker has it.
    Publish(usize),
    /// The gateway dies before that, or the message is lost on the way.
    PublishLost(usize),
    /// The broker's confirm arrives, and the buyer gets a 202.
    Confirm(usize),
    /// The confirm or the gateway is lost after the broker has the message.
    ConfirmLost(usize),
    /// Without patience: a timeout gives the unit back.
    Compensate(usize),
    /// The gate is told of the confirm: late, or never.
    Mark(usize),
    /// The watch publishes what is overdue.
    Republish(usize),
    /// The consumer commits the rows of a message.
    Place(usize),
    /// It acknowledges the message after that.
    Ack(usize),
    /// The consumer dies; what it has not acknowledged is delivered again.
    ConsumerDies,
    /// Without patience: acknowledged first, and then it dies.
    AckFirst(usize),
    /// The buyer cancels, or the time to pay is over.
    Cancel(usize),
    /// A payment for an order that has expired; noted durably.
    LatePayment(usize),
    /// The gate keeps a unit for it.
    Reserve(usize),
    /// Whoever works on it dies and starts over.
    RebookerDies(usize),
    /// Postgres makes the order live again, or refunds it.
    Rebook(usize),
    /// Postgres refunds it.
    Refund(usize),
    /// The relay brings an effect to the gate and strikes it off.
    Relay(usize, u8),
    /// It dies in between.
    RelayRepeats(usize, u8),
    /// A relay's call gets stuck; others carry on.
    RelayStalls(usize, u8),
    /// The stuck call arrives.
    EchoArrives,
    /// It never does.
    EchoLost,
    /// The relay cannot read an effect and passes over it.
    EffectLost(usize),
    /// Redis writes its state to disk.
    Snapshot,
    /// Redis comes back empty.
    Wipe,
    /// Redis comes back with its last snapshot.
    Rewind,
    /// The broker loses its queue.
    QueueLost,
    /// A keeper sees a gate that is not fit to sell.
    Decide(usize),
    /// An operator has a healthy gate loaded again.
    Repair(usize),
    /// The keeper begins an epoch in Postgres.
    Number(usize),
    /// It empties and shuts the gate.
    Shut(usize),
    /// It reads the next row.
    Read(usize),
    /// It applies the row that it read.
    Load(usize),
    /// It opens the gate.
    Finish(usize),
    /// It dies.
    KeeperDies(usize),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Press(job) => write!(f, "press {job}"),
            Self::Publish(message) => write!(f, "publish m{message}"),
            Self::PublishLost(job) => write!(f, "gateway dies before publishing {job}"),
            Self::Confirm(job) => write!(f, "202 to {job}"),
            Self::ConfirmLost(job) => write!(f, "confirm of {job} lost"),
            Self::Compensate(job) => write!(f, "timeout gives {job} back"),
            Self::Mark(job) => write!(f, "mark {job}"),
            Self::Republish(message) => write!(f, "watch publishes m{message}"),
            Self::Place(message) => write!(f, "place m{message}"),
            Self::Ack(message) => write!(f, "ack m{message}"),
            Self::ConsumerDies => write!(f, "consumer dies"),
            Self::AckFirst(message) => write!(f, "ack m{message}, then die"),
            Self::Cancel(job) => write!(f, "cancel {job}"),
            Self::LatePayment(job) => write!(f, "late payment of {job}"),
            Self::Reserve(job) => write!(f, "reserve for {job}"),
            Self::RebookerDies(job) => write!(f, "rebooking of {job} dies"),
            Self::Rebook(job) => write!(f, "rebook {job}"),
            Self::Refund(job) => write!(f, "refund {job}"),
            Self::Relay(job, rev) => write!(f, "relay {job}.{rev}"),
            Self::RelayRepeats(job, rev) => write!(f, "relay {job}.{rev} and keep it"),
            Self::RelayStalls(job, rev) => write!(f, "relay of {job}.{rev} stalls"),
            Self::EchoArrives => write!(f, "stalled relay arrives"),
            Self::EchoLost => write!(f, "stalled relay is lost"),
            Self::EffectLost(job) => write!(f, "effect {job}.1 passed over"),
            Self::Snapshot => write!(f, "Redis saves"),
            Self::Wipe => write!(f, "Redis comes back empty"),
            Self::Rewind => write!(f, "Redis comes back rewound"),
            Self::QueueLost => write!(f, "queue deleted"),
            Self::Decide(keeper) => write!(f, "keeper {keeper} sees a loss"),
            Self::Repair(keeper) => write!(f, "keeper {keeper} is told to repair"),
            Self::Number(keeper) => write!(f, "keeper {keeper} begins an epoch"),
            Self::Shut(keeper) => write!(f, "keeper {keeper} shuts"),
            Self::Read(keeper) => write!(f, "keeper {keeper} reads a row"),
            Self::Load(keeper) => write!(f, "keeper {keeper} loads it"),
            Self::Finish(keeper) => write!(f, "keeper {keeper} opens"),
            Self::KeeperDies(keeper) => write!(f, "keeper {keeper} dies"),
        }
    }
}
