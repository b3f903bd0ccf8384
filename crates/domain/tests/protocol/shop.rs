//! What is explored: how large the world is, what may go wrong in it, and which mechanism it has to do without.

use crate::state::{ITEMS, Stock};

/// One token in a buyer's hand, and what it would buy.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub buyer: usize,
    pub item: usize,
    pub units: u8,
}

/// A world to explore. The defaults are a world without any faults.
#[derive(Clone, Debug)]
pub struct Shop {
    pub name: &'static str,
    pub wishes: Vec<Wish>,
    /// By item.
    pub stock: Vec<u8>,
    /// Units in live orders that one buyer may have.
    pub limit: u8,
    /// Which jobs may travel together in one message, as bit sets: at least each job alone.
    pub messages: Vec<u8>,
    /// Copies of one message that are told apart, 1 or 2; one more would do what these do.
    pub copies: u8,
    /// How often each token is sent.
    pub presses: u8,
    /// How often Redis loses data, in one of the ways below.
    pub losses: u8,
    /// Redis comes back empty.
    pub wipes: bool,
    /// Redis comes back with what it had at an earlier moment.
    pub rewinds: bool,
    /// An operator has a healthy gate loaded again.
    pub repairs: bool,
    /// How often the broker loses its queue, confirmed messages included.
    pub queue_losses: u8,
    /// How often a first effect is passed over on its way to the gate.
    pub effect_losses: u8,
    /// How often a call of the relay arrives after the same row was delivered by another relay.
    pub echoes: u8,
    /// Keepers at work at the same time, 1 or 2.
    pub keepers: usize,
    /// How often a keeper begins to load, all in all.
    pub rebuilds: u8,
    /// Orders are cancelled, or, where there are payments, expire.
    pub cancels: bool,
    /// Orders expire as well: to a payment that is something else than a cancel.
    pub expiries: bool,
    /// An operator ends a job that hangs.
    pub discards: bool,
    /// Payments that may come in, by the job that each is for.
    pub payments: Vec<usize>,
    /// Workers with open payments at the same time, 1 or 2.
    pub cashiers: usize,
    /// Are refunds carried out? Otherwise a refund that is due is an end.
    pub refunds: bool,
    /// Restocks that an operator may ask for: item and difference.
    pub restocks: Vec<(usize, i8)>,
    /// Workers with withdrawals at the same time, 1 or 2.
    pub porters: usize,
    /// The contract of before: the gate knows the withdrawals that have ended, until it loses its data.
    pub ended_ids: bool,
    /// A keeper may lose patience with a queue that does not drain.
    pub drain_times_out: bool,
    /// After a loss, too, nobody who was told 202 may be told anything else.
    pub strict_answers: bool,
    pub without: Option<Mechanism>,
}

impl Shop {
    /// These wishes, each with a message of its own.
    pub fn new(name: &'static str, wishes: &[(usize, usize, u8)], stock: &[u8], limit: u8) -> Self {
        Self {
            name,
            wishes: wishes.iter().map(|&(buyer, item, units)| Wish { buyer, item, units }).collect(),
            stock: stock.to_vec(),
            limit,
            messages: (0..wishes.len()).map(|job| 1 << job).collect(),
            copies: 2,
            presses: 1,
            losses: 0,
            wipes: false,
            rewinds: false,
            repairs: false,
            queue_losses: 0,
            effect_losses: 0,
            echoes: 0,
            keepers: 1,
            rebuilds: 0,
            cancels: false,
            expiries: false,
            discards: false,
            payments: Vec::new(),
            cashiers: 1,
            refunds: false,
            restocks: Vec::new(),
            porters: 1,
            ended_ids: false,
            drain_times_out: true,
            strict_answers: false,
            without: None,
        }
    }

    /// One wipe or one rewind, whichever comes first.
    pub fn one_loss(self) -> Self {
        Self { losses: 1, wipes: true, rewinds: true, rebuilds: 1, ..self }
    }

    /// The stock of a sale that was never restocked.
    pub fn first_stock(&self) -> [Stock; ITEMS] {
        let mut stock = [Stock::default(); ITEMS];
        for (one, units) in stock.iter_mut().zip(&self.stock) {
            one.units = *units;
        }
        stock
    }

    /// Item and units of a restock that takes units out; `None` for one that adds some.
    pub fn withdrawal(&self, restock: usize) -> Option<(usize, u8)> {
        let (item, delta) = self.restocks[restock];
        (delta < 0).then_some((item, delta.unsigned_abs()))
    }

    pub fn lacks(&self, mechanism: Mechanism) -> bool {
        self.without == Some(mechanism)
    }

    /// The jobs of a kind of message, in the order in which they are placed.
    pub fn jobs_in(&self, message: usize) -> impl Iterator<Item = usize> + use<> {
        let (mask, jobs) = (self.messages[message], self.wishes.len());
        (0..jobs).filter(move |job| mask & (1 << job) != 0)
    }
}

/// Something that the protocol does, and that a variant does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Reservations are kept and published again until their effect arrives.
    Watch,
    /// A publish without an answer is left alone; the variant gives its unit back at once.
    NoCompensation,
    /// 202 is said after the broker's confirm, also to a repeated purchase.
    ConfirmBefore202,
    /// Deliveries are acknowledged after the commit.
    AckAfterCommit,
    /// An effect is applied only if its revision is newer.
    Revisions,
    /// A duplicate delivery sends the order's effect again.
    SentAgain,
    /// A late payment takes its unit at the gate before it takes it in Postgres.
    ReserveBeforeRebook,
    /// A refund counts as a change of the order and has its effect, like everything that ends a reservation.
    RefundIsAnEffect,
    /// A worker's claim counts only while the order is at the revision that the worker saw.
    EndChecksRev,
    /// The gate reserves for a late payment only at the revision that the worker saw.
    ReserveAtRev,
    /// A job that hangs is ended by a row first; the variant lets the gate drop it after a time.
    Tombstone,
    /// Payment, cancel and expiry are conditional updates; the variant trusts what was read before.
    CompareAndSet,
    /// A payment is noted once, however many events report it.
    PaymentOnce,
    /// A payment that could not be decided at once is looked at again.
    LookAgain,
    /// The provider gives a payment back once per key.
    RefundKey,
    /// The refund is noted after the provider has it.
    RefundBeforeNote,
    /// The gate is told the whole stock with its revision; the variant tells the difference.
    WholeStock,
    /// Units are set aside at the gate before the stock shrinks.
    SetAsideFirst,
    /// Units are set aside once per withdrawal.
    SetAsideOnce,
    /// Units are set aside only at the stock revision that the worker saw.
    SetAsideAtRev,
    /// The effect of a withdrawal ends it also when its stock is an old one.
    EndsWhenOld,
    /// A rebuild reads the stock again after it has shut the gate.
    StockAfterShut,
    /// Postgres looks at what a buyer already holds.
    AllowanceInPostgres,
    /// Postgres looks at what is sold already.
    StockInPostgres,
    /// The gate is shut and empty before a rebuild reads the first order.
    ShutBeforeRead,
    /// Effects are taken while the sale is being loaded; the variant throws them away.
    HoldsWhileLoading,
    /// A loading can only be ended by the keeper of its epoch.
    FinishChecksEpoch,
    /// The scripts belong to one run of the server, so nobody decides on data from before a restart.
    RunId,
}
