//! Units that an operator adds to a sale while it runs, or takes out of it.
//!
//! The gate is told the whole stock with a revision, so that the effect may come twice, late and in any order. Units
//! that are taken out are taken at the gate first: only what was free there is free.

use serde::{Deserialize, Serialize};

use crate::{ItemId, ItemIndex, Route};

/// A change of an item's stock, done once per id within its sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restock {
    /// The operator's name for this change.
    pub id: crate::RestockId,
    /// Which item.
    pub item: ItemId,
    /// Units: above 0 adds, below takes out; never 0, at most [`Restock::MAX`] either way.
    pub delta: i64,
}

impl Restock {
    /// Units in one change: the most that an item can have.
    pub const MAX: i64 = crate::NewSale::STOCK_MAX;
}

/// The stock of an item after its change number `rev`. Applied only if newer than what the gate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemStock {
    /// In total.
    pub units: i64,
    /// +1 with each restock.
    pub rev: u32,
}

/// Carries a restock to the gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockEffect {
    /// Which item.
    pub item: ItemIndex,
    /// Its stock now.
    pub stock: ItemStock,
    /// The withdrawal that this ends, whatever came of it: what the gate had set aside for it is set free in the
    /// same step.
    pub ends: Option<crate::RestockId>,
}

/// Units that have to be set aside at the gate before the stock can shrink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// Which change.
    pub id: crate::RestockId,
    /// Of which sale.
    pub sale: crate::SaleId,
    /// Where that is.
    pub route: Route,
    /// Which item.
    pub item: ItemIndex,
    /// How many units; above 0.
    pub units: i64,
    /// The revision of the item's stock that whoever takes them has seen. Ending a withdrawal raises it, so a stalled
    /// repeat takes nothing, whatever the gate has forgotten since.
    pub stock_rev: u32,
}
