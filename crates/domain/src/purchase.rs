//! What a buyer asks for.

use std::num::NonZeroU16;

use crate::{BuyerId, ItemIndex, JobId};

/// Units asked for in one purchase: at least one, at most [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(NonZeroU16);

/// The number is not a [`Quantity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is a whole number from 1 to {max}", max = Quantity::MAX)]
pub struct QuantityOutOfRange;

impl Quantity {
    /// No sale allows a buyer more; it keeps a record in Redis and a row in Postgres small.
    pub const MAX: u16 = 10_000;
    /// One unit.
    pub const ONE: Self = Self(NonZeroU16::MIN);

    /// The number of units.
    pub fn get(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<u64> for Quantity {
    type Error = QuantityOutOfRange;
    fn try_from(units: u64) -> Result<Self, QuantityOutOfRange> {
        let units = u16::try_from(units).ok().filter(|units| *units <= Self::MAX);
        units.and_then(NonZeroU16::new).map(Self).ok_or(QuantityOutOfRange)
    }
}

/// One buyer's wish as the gate decides on it. The token has been verified; its id is the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The job that this purchase becomes.
    pub job: JobId,
    /// Who buys, as the token says.
    pub buyer: BuyerId,
    /// The sales channel that is bound into the token; empty where it names none.
    pub channel: String,
    /// What; `None` when the sale has no such item, which matters only if the token was not admitted before.
    pub item: Option<ItemIndex>,
    /// How many.
    pub quantity: Quantity,
    /// May this become a new reservation, or only be answered from its record?
    pub admissible: Admissible,
}

/// Whether an attempt may still be admitted. A token that was admitted before is answered in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admissible {
    /// Yes.
    Yes,
    /// The token has expired.
    TokenExpired,
    /// The broker takes nothing at the moment, so no unit may be taken either.
    BrokerAway,
    /// What was accepted before waits too long for its order.
    Backlog,
}
