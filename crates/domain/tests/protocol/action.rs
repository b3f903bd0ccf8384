//! Everything that can happen next: one atomic step of one process, or one fault.

use std::fmt;

/// A number is a job, a kind of message, a payment, a restock or a worker.
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
    /// The buyer cancels; where there are no payments, also: the time to pay is over.
    Cancel(usize),
    /// The time to pay is over.
    Expire(usize),
    /// An operator ends a job that hangs: its row says rejected.
    Discard(usize),
    /// Without a tombstone: the gate drops a job after a time.
    Drop(usize),
    /// The provider reports a payment; the transaction that notes it decides what can be decided.
    Pay(usize),
    /// A worker looks at an open payment again; what can be decided now is decided.
    LookAgain(usize, usize),
    /// The gate keeps a unit for it.
    Reserve(usize),
    /// The payment ends, with that unit.
    EndReserved(usize),
    /// It ends without.
    EndUnreserved(usize),
    /// The worker dies.
    CashierDies(usize),
    /// The provider is asked to give the money back.
    GiveBack(usize),
    /// That it did is noted.
    NoteRefund(usize),
    /// Whoever was about to do the second of these dies.
    RefunderDies(usize),
    /// An operator's restock: added at once, or noted as a withdrawal.
    Restock(usize),
    /// A worker looks at an open withdrawal.
    TakeUp(usize, usize),
    /// The gate sets its units aside.
    SetAside(usize),
    /// Postgres ends the withdrawal.
    EndWithdrawal(usize),
    /// The worker dies.
    PorterDies(usize),
    /// The relay brings the effect of a restock to the gate and strikes it off.
    RelayStock(usize),
    /// It dies in between.
    RelayStockRepeats(usize),
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
    /// It reads the stock again.
    ReadStock(usize),
    /// It tells the gate.
    LoadStock(usize),
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
            Self::Expire(job) => write!(f, "{job} expires"),
            Self::Discard(job) => write!(f, "operator discards {job}"),
            Self::Drop(job) => write!(f, "gate drops {job}"),
            Self::Pay(payment) => write!(f, "payment p{payment}"),
            Self::LookAgain(cashier, payment) => write!(f, "cashier {cashier} looks at p{payment}"),
            Self::Reserve(cashier) => write!(f, "cashier {cashier} reserves"),
            Self::EndReserved(cashier) => write!(f, "cashier {cashier} ends it as reserved"),
            Self::EndUnreserved(cashier) => write!(f, "cashier {cashier} ends it unreserved"),
            Self::CashierDies(cashier) => write!(f, "cashier {cashier} dies"),
            Self::GiveBack(payment) => write!(f, "p{payment} is given back"),
            Self::NoteRefund(payment) => write!(f, "refund of p{payment} noted"),
            Self::RefunderDies(payment) => write!(f, "refund of p{payment} dies"),
            Self::Restock(restock) => write!(f, "restock w{restock}"),
            Self::TakeUp(porter, restock) => write!(f, "porter {porter} looks at w{restock}"),
            Self::SetAside(porter) => write!(f, "porter {porter} sets aside"),
            Self::EndWithdrawal(porter) => write!(f, "porter {porter} ends it"),
            Self::PorterDies(porter) => write!(f, "porter {porter} dies"),
            Self::RelayStock(restock) => write!(f, "relay w{restock}"),
            Self::RelayStockRepeats(restock) => write!(f, "relay w{restock} and keep it"),
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
            Self::ReadStock(keeper) => write!(f, "keeper {keeper} reads the stock"),
            Self::LoadStock(keeper) => write!(f, "keeper {keeper} loads the stock"),
            Self::Read(keeper) => write!(f, "keeper {keeper} reads a row"),
            Self::Load(keeper) => write!(f, "keeper {keeper} loads it"),
            Self::Finish(keeper) => write!(f, "keeper {keeper} opens"),
            Self::KeeperDies(keeper) => write!(f, "keeper {keeper} dies"),
        }
    }
}
