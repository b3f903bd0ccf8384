//! Everything we need from outside, on one page.
//!
//! A call answers with what happened, or with an [`Outage`] that says whether it may have happened. "Rejected" is
//! never an error: it is one of the answers.

mod activity;
mod archive;
mod concurrency;
mod lease;
mod life;
mod limits;
mod locks;
mod quotas;
mod retention;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;

pub use activity::{Accountant, ActivityStore, NotedActivity, Seen, VISIBLE_WITHIN_S};
pub use archive::{OrderArchive, OrderEntry, OrderHistory, OrderPage, PaymentEntry};
pub use concurrency::{Acquired, Concurrency, ConcurrencyUsage, Obeyed};
pub use lease::{LEASE, LEASE_USE, Lease, Leased};
pub use life::{Cancelled, OrderLife, PaymentProvider};
pub use limits::{LIMITS_MAX, LimitAlgorithm, SharedLimit, SharedLimits, Spent};
pub use locks::{LockStore, LockToken};
pub use quotas::{QuotaGate, QuotaStore};
pub use retention::Retention;
pub use settings::{AuditEntry, AuditLog, AuditNote, Setting, SettingStore};

use crate::{
    Attempt, BuyerId, GateCounters, Hold, ItemIndex, ItemTotals, JobId, JobRecord, NewSale, OrderView, Outcome, Patch,
    RefusedReason, Reservation, Restock, RestockId, Route, Sale, SaleId, SaleNumber, SaleState, Shard, StockEffect,
    Timestamp, Verdict, WarmSale, Withdrawal,
};

/// A call to the outside world that has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Outage {
    /// It certainly had no effect.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may or may not have had its effect.
    #[error("outcome unknown: {0}")]
    Unknown(String),
}

/// Tells the time. Tests bring their own.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Draws random bytes for ids. Tests bring their own.
pub trait Entropy: Send + Sync {
    /// Six bytes that nobody can guess.
    fn six(&self) -> [u8; 6];
}

/// Decides who may buy, and keeps the jobs that buyers poll. Every decision is atomic, and may be lost with the
/// gate's data: what is lost is rebuilt from the [`SaleStore`] and can never oversell.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Decides attempts of one route in their order, one [`Verdict`] each, at most [`ADMIT_MAX`] in a call.
    /// `confirmed` rides along: see [`Gate::mark_queued`].
    async fn admit(&self, route: Route, attempts: &[Attempt], confirmed: &[JobId]) -> Result<Vec<Verdict>, Outage>;

    /// The broker has these; they stay watched until their effect arrives, but with more patience.
    async fn mark_queued(&self, route: Route, confirmed: &[JobId]) -> Result<(), Outage>;

    /// At most `limit` reservations whose confirm or effect is overdue, oldest first. Claimed: another caller gets
    /// them only after they have become overdue again.
    async fn claim_overdue(&self, route: Route, limit: usize) -> Result<Vec<Reservation>, Outage>;

    /// Applies what is newer than what is known, in any order, any number of times. Units and allowance move with
    /// it. `version` is the item version of the change, where it has one.
    async fn hold(&self, route: Route, holds: &[Hold], version: Option<(ItemIndex, i64)>) -> Result<Held, Outage>;

    /// Takes the units of an expired order again, for a payment that came late, if the gate knows the order at just this
    /// `rev` and without units. Needs a free unit and the buyer's allowance, like any admission, and a sale that is not
    /// closed; its window is over perhaps, and does not matter. The reservation stays until a [`Gate::hold`] with a later
    /// revision ends it.
    async fn reserve(&self, job: JobId, rev: u32) -> Result<Reserved, Outage>;

    /// Sets units aside that an operator takes out of the sale, once per id, until a [`Gate::restock`] ends it; only if the
    /// gate knows the item's stock at just the withdrawal's revision.
    async fn withdraw(&self, withdrawal: &Withdrawal) -> Result<Withdrawn, Outage>;

    /// Applies the stock of an item if it is newer than what is known, and ends a withdrawal, in one step. `version` is
    /// the item version of the change.
    async fn restock(&self, route: Route, effect: &StockEffect, version: Option<i64>) -> Result<Held, Outage>;

    /// One page of all records of a route, in no order: some `limit` of them, and where the next page begins. What
    /// changes meanwhile may be missed or come twice. `None` for a sale that the gate has not loaded.
    async fn records(&self, route: Route, from: u64, limit: usize) -> Result<Option<RecordPage>, Outage>;

    /// Jobs of one route as the gate knows them, one answer for each, in their order. A record is answered whatever state
    /// the sale is in; only that there is none can be said no sooner than everything has been loaded.
    async fn jobs(&self, route: Route, jobs: &[JobId]) -> Result<Vec<JobLookup>, Outage>;

    /// One of them.
    async fn job(&self, job: JobId) -> Result<JobLookup, Outage> {
        let found = self.jobs(job.route(), &[job]).await?.pop();
        found.ok_or_else(|| Outage::Unknown("a job was asked for, and nothing came".to_owned()))
    }

    /// Forgets all of a sale and begins epoch `sale.epoch`, with its whole stock free and its doors shut. Answers
    /// `false`, and changes nothing, when that epoch or a later one has begun already.
    async fn begin_epoch(&self, sale: &WarmSale) -> Result<bool, Outage>;

    /// Ends the loading of an epoch: `versions` are the item versions that were loaded. Answers `false`, and changes
    /// nothing, when the gate is in another epoch.
    async fn finish_epoch(&self, route: Route, epoch: u32, versions: &[i64]) -> Result<bool, Outage>;

    /// Follows the operator's decision and the sale's rules. Answers `false` when the gate is in another epoch.
    async fn follow(&self, sale: &WarmSale, state: SaleState) -> Result<bool, Outage>;

    /// Promises that nobody is admitted to a sale that is sold out until [`LEASE`] has passed. Not while anything is free.
    async fn lease(&self, route: Route) -> Result<Leased, Outage>;

    /// What the gate has of a sale.
    async fn condition(&self, route: Route) -> Result<Condition, Outage>;
}

/// Attempts in one call of [`Gate::admit`], so that one call never holds up another for long.
pub const ADMIT_MAX: usize = 64;

/// Holds in one call of [`Gate::hold`].
pub const HOLD_MAX: usize = 500;

/// Answer of [`Gate::hold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// So many were newer and have been applied.
    Applied(usize),
    /// The gate has lost this sale; keep the effect until it has been rebuilt.
    NotReady,
}

/// Answer of [`Gate::reserve`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The units are reserved, now or by an earlier call with the same revision.
    Reserved,
    /// No unit is free, the buyer holds the limit, or the sale is closed.
    Refused,
    /// The gate knows the order at another revision: an effect is on its way.
    Stale,
    /// The gate has lost this sale, or is loading it.
    NotReady,
}

/// Answer of [`Gate::withdraw`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// The units are set aside, now or by an earlier call.
    Taken,
    /// Only so many are free. Nothing was taken.
    TooMany {
        /// Free units.
        free: i64,
    },
    /// The withdrawal has ended already. Nothing was taken.
    Ended,
    /// The gate knows the stock at another revision: an effect is on its way, or the withdrawal has ended and the gate has
    /// forgotten it. Nothing was taken; look at it again.
    Stale,
    /// The gate has lost this sale, or is loading it.
    NotReady,
}

/// One page of [`Gate::records`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordPage {
    /// The records.
    pub records: Vec<JobRecord>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<u64>,
}

/// Answer of [`Gate::job`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobLookup {
    /// Here it is.
    Found(JobRecord),
    /// It was never admitted (or was forgotten, a day after the sale).
    Absent,
    /// The gate has lost this sale and cannot know.
    NotReady,
}

/// Answer of [`Gate::condition`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The gate has nothing of this sale.
    Missing,
    /// It has something that cannot be trusted: from before a restart, or not loaded to the end.
    Stale {
        /// The epoch of that data.
        epoch: u32,
        /// How long ago the loading of this epoch began, in milliseconds, if one is under way: its leader may
        /// still finish it, or may have died. `None` for data from before a restart.
        loading_for_ms: Option<u64>,
    },
    /// All is here, and this is the state that the gate obeys.
    Ready(GateCounters, SaleState),
}

/// Hands reservations to the consumers.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Does the broker take messages now? While it does not, no unit may be taken.
    fn is_open(&self) -> bool;

    /// Publishes one group as one message: persistent, mandatory and confirmed before this answers.
    async fn publish(&self, shard: Shard, group: &[Reservation]) -> Result<(), Outage>;

    /// Reservations waiting to be consumed, over all lanes; counted in messages where the broker knows no better.
    async fn depth(&self) -> Result<u64, Outage>;

    /// Consumers of the lane that has the fewest: with 0, some orders wait for nobody.
    async fn consumers(&self) -> Result<u64, Outage>;
}

/// Announces what happened to the world.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Publishes in order, confirmed. Answers how many of the rows, from the first, are certainly out.
    async fn announce(&self, rows: &[OutboxRow]) -> Result<usize, Outage>;
}

/// One lane of the queue, for its single active consumer.
#[async_trait]
pub trait Lane: Send {
    /// Waits for at least one delivery, then takes what else has arrived, up to about `max` reservations. An outage
    /// means that the lane was rebuilt or has to be: whatever was not acknowledged will be delivered again.
    async fn take(&mut self, max: usize) -> Result<Vec<Delivery>, Outage>;

    /// Acknowledges deliveries that [`Lane::take`] gave out. Stale ones, from before a reconnect, are ignored.
    async fn ack(&mut self, deliveries: &[DeliveryTag]) -> Result<(), Outage>;

    /// Copies the delivery to the dead letters, confirmed; acknowledging is a separate step, taken after the job
    /// has its row.
    async fn dead_letter(&mut self, delivery: &Delivery, why: &str) -> Result<(), Outage>;
}

/// Names a delivery on the connection that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryTag {
    /// Counts reconnects: tags of an older generation mean nothing any more.
    pub generation: u64,
    /// The broker's tag.
    pub tag: u64,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// For acknowledging it.
    pub tag: DeliveryTag,
    /// Has it been delivered before?
    pub redelivered: bool,
    /// The message id: of the group, not of a job.
    pub message_id: String,
    /// The body as received.
    pub body: Vec<u8>,
    /// The jobs named in its header, for a body that cannot be read.
    pub jobs: Vec<JobId>,
}

/// Dead letters, for operators.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Those chosen, at most `limit`, oldest first; they stay where they are.
    async fn list(&self, chosen: &LetterFilter, limit: usize) -> Result<Vec<DeadLetter>, Outage>;

    /// How many there are, counted in messages: cheap enough to be asked once a second.
    async fn count(&self) -> Result<u64, Outage>;

    /// Publishes the chosen ones to their lane again, confirmed, and removes them. Answers how many.
    async fn replay(&self, chosen: &LetterFilter) -> Result<usize, Outage>;

    /// Removes the chosen ones, whose jobs have ended. Answers how many.
    async fn discard(&self, chosen: &LetterFilter) -> Result<usize, Outage>;
}

/// Which dead letters: those that fit everything that is given. The default chooses all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// One of these messages; empty means any.
    pub message_ids: Vec<String>,
    /// With a job of this sale.
    pub sale: Option<SaleNumber>,
    /// With this job.
    pub job: Option<JobId>,
    /// With this text in its reason.
    pub why: Option<String>,
}

impl LetterFilter {
    /// Does it choose this one?
    pub fn chooses(&self, letter: &DeadLetter) -> bool {
        let Self { message_ids, sale, job, why } = self;
        (message_ids.is_empty() || message_ids.contains(&letter.message_id))
            && sale.is_none_or(|sale| letter.jobs.iter().any(|job| job.route().sale == sale))
            && job.is_none_or(|job| letter.jobs.contains(&job))
            && why.as_ref().is_none_or(|why| letter.why.contains(why))
    }
}

/// A message that could not be read or placed.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The message id.
    pub message_id: String,
    /// Why it is here.
    pub why: String,
    /// The jobs it carried, as far as known.
    pub jobs: Vec<JobId>,
    /// The body as received.
    pub body: Vec<u8>,
}

/// Orders: the only judge of what is sold.
#[async_trait]
pub trait OrderStore: Send + Sync {
    /// Writes orders, stock and outbox in one transaction: all of it or nothing. One placement per reservation, in
    /// the same order. A job that has a row already is answered from it, and its effect is sent again.
    async fn place(&self, batch: &[Reservation]) -> Result<Vec<Placement>, PlaceError>;

    /// Ends jobs that could not be placed: a `rejected` row each, unless the job has a row already; that one is answered.
    /// A job of no sale is passed over.
    async fn refuse(&self, jobs: &[Unplaced], reason: RefusedReason) -> Result<Vec<Placement>, Outage>;

    /// What the order of this job holds now; `None` while there is no row. Whoever has the unguessable id may ask.
    async fn hold(&self, job: JobId) -> Result<Option<Hold>, Outage>;

    /// One order of this buyer; `None` for a foreign one too.
    async fn order(&self, order: JobId, buyer: &BuyerId) -> Result<Option<OrderView>, Outage>;

    /// This buyer's orders, newest first, at most 100; of one sale where one is named.
    async fn orders_of(&self, buyer: &BuyerId, sale: Option<&SaleId>) -> Result<Vec<OrderView>, Outage>;

    /// Units held and paid of each item, by position, and what came after the versions in `seen`: one snapshot.
    async fn totals(&self, sale: SaleNumber, seen: &[i64]) -> Result<Vec<ItemTotals>, Outage>;
}

/// A job that could not be placed, as far as its message says.
#[derive(Clone, Debug)]
pub struct Unplaced {
    /// The job.
    pub job: JobId,
    /// What it asked for, if that could be read.
    pub reservation: Option<Reservation>,
}

/// How one reservation was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The job.
    pub job: JobId,
    /// How it ended.
    pub outcome: Outcome,
    /// Had it ended before? Then nothing was written for it.
    pub duplicate: bool,
}

/// Why a batch was not placed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PlaceError {
    /// The database is away or busy: keep the batch and try again.
    #[error(transparent)]
    Outage(#[from] Outage),
    /// Something in the batch can never be placed: try its members one by one.
    #[error("cannot be placed: {0}")]
    Poison(String),
}

/// Sales as the operator decides them.
#[async_trait]
pub trait SaleStore: Send + Sync {
    /// Stores a checked new sale as a draft. `None` when the id is taken.
    async fn create(&self, sale: &NewSale, by: &Operator) -> Result<Option<Sale>, Outage>;

    /// All sales that ended less than `keep_ended` seconds ago, newest first.
    async fn sales(&self, keep_ended_s: u32) -> Result<Vec<Sale>, Outage>;

    /// One sale.
    async fn sale(&self, id: &SaleId) -> Result<Option<Sale>, Outage>;

    /// Moves the sale to `state` if [`Sale::may_become`] allows it.
    async fn set_state(&self, id: &SaleId, state: SaleState, by: &Operator) -> Result<Changed, Outage>;

    /// Changes what may be changed; price and stock only before warm-up.
    async fn patch(&self, id: &SaleId, patch: &Patch, by: &Operator) -> Result<Changed, Outage>;

    /// Begins the next epoch under the locks of the sale's items and answers it. Fails over to nobody: two callers
    /// get two different epochs, and the gate takes the later.
    async fn next_epoch(&self, id: &SaleId, by: &Operator) -> Result<Option<u32>, Outage>;

    /// Adds units at once, or notes that units are to be taken out and answers [`Restocked::Withdraw`]. A repeated id is
    /// answered with what came of it, or goes on where it stopped. Writes the audit log.
    async fn restock(&self, sale: &SaleId, restock: &Restock, by: &Operator) -> Result<Restocked, Outage>;

    /// Ends a withdrawal: with `taken`, the stock shrinks, unless more is sold than would be left; else it is noted as
    /// refused. Either way the gate is told. A withdrawal that has ended already is answered with what came of it.
    async fn end_withdrawal(&self, sale: &SaleId, id: &RestockId, taken: bool) -> Result<Restocked, Outage>;

    /// Withdrawals that were begun more than `older_than_s` seconds ago and have not ended, at most 100.
    async fn open_withdrawals(&self, older_than_s: u32) -> Result<Vec<Withdrawal>, Outage>;

    /// The current item versions, by position.
    async fn versions(&self, sale: SaleNumber) -> Result<Vec<i64>, Outage>;

    /// What every order of the sale holds, in order of job id, after `after`, at most `limit`.
    async fn holds(&self, sale: SaleNumber, after: Option<JobId>, limit: usize) -> Result<Vec<Hold>, Outage>;
}

/// Who changes a sale, for the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// `console`, `api` or `cli`.
    pub via: String,
    /// Why, in the operator's words.
    pub reason: Option<String>,
}

/// Answer to an operator's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Done; the sale as it is now.
    Done(Sale),
    /// There is no such sale.
    NotFound,
    /// Not possible as things are, and why.
    Conflict(String),
}

/// Answer to a restock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restocked {
    /// Done: this is the item's stock now. `repeated`: by an earlier request with this id.
    Done {
        /// Units in total.
        stock: i64,
        /// Was it done before?
        repeated: bool,
    },
    /// Take these at the gate, then call [`SaleStore::end_withdrawal`].
    Withdraw(Withdrawal),
    /// There is no such sale or item.
    NotFound,
    /// Not possible as things are, or refused earlier under this id, and why.
    Conflict(String),
}

/// What was written with an order and has to reach someone else.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Takes the oldest rows of a sink, delivers them, and notes what was delivered: at least once, in order. One
    /// relay at a time per sink. Answers how many rows were delivered and whether more were waiting.
    async fn relay(&self, sink: Sink, limit: usize, to: Arc<dyn Deliver>) -> Result<Relayed, Outage>;

    /// Waits until another process or task may have written a row, or until `timeout` has passed.
    async fn wait(&self, sink: Sink, timeout: std::time::Duration);

    /// Rows not delivered yet, and the age of the oldest in seconds.
    async fn backlog(&self, sink: Sink) -> Result<(u64, f64), Outage>;

    /// Removes delivered rows older than `older_than_s` seconds, at most 10,000; answers how many.
    async fn sweep(&self, older_than_s: u32) -> Result<u64, Outage>;
}

/// Where an outbox row goes. Sinks are relayed independently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sink {
    /// Back to the gate: [`Hold`]s.
    Gate,
    /// To the world: events.
    Events,
}

impl Sink {
    /// The word in the table and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Events => "events",
        }
    }
}

/// One row of the outbox: everything of one transaction and item, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// Its place in the order.
    pub id: i64,
    /// Where its orders live.
    pub route: Route,
    /// The sale's name, for routing keys.
    pub sale: SaleId,
    /// Item and version of the change; `None` when units did not change.
    pub version: Option<(ItemIndex, i64)>,
    /// JSON: a list of [`Hold`]s, or an event message.
    pub body: String,
}

/// Takes outbox rows somewhere.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Answers the ids of the rows that certainly arrived; the others come again.
    async fn deliver(&self, rows: &[OutboxRow]) -> Result<Vec<i64>, Outage>;
}

/// Answer of [`Outbox::relay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// Rows delivered.
    pub rows: usize,
    /// Were there as many as asked for, so that more may wait?
    pub more: bool,
}

/// A dependency that can say how it is.
#[async_trait]
pub trait Health: Send + Sync {
    /// For `/readyz?verbose` and metrics: `redis`, `rabbitmq`, `postgres`, …
    fn name(&self) -> &'static str;

    /// One cheap round trip, a second at most.
    async fn check(&self) -> Result<(), Outage>;

    /// What makes it unsafe to sell with, in sentences that say what to do; empty is good.
    async fn findings(&self) -> Result<Vec<String>, Outage> {
        Ok(Vec::new())
    }

    /// What its clock says, where it has one of its own that decides about anything.
    async fn time(&self) -> Result<Option<Timestamp>, Outage> {
        Ok(None)
    }

    /// Its connections, where it has any that can be counted.
    fn connections(&self) -> Option<Connections> {
        None
    }
}

/// How the connections to a dependency are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Open now.
    pub open: u32,
    /// With work on them now; of one connection that many calls share: calls without an answer yet.
    pub in_use: u32,
    /// The most of the latter.
    pub max: u32,
    /// Connections since the start that were lost or grew old and were made anew.
    pub renewed: u64,
}
