//! Units that an operator adds to a sale while it runs, or takes out of it.
//!
//! The gate is told the whole stock with a revision, so that the effect may come twice, late and in any order. Units
//! that are taken out are taken at the gate first: only what was free there is free.

use serde::{Deserialize, Serialize};

use crate::{ItemId, ItemIndex, NewSale, Route, Sale, SaleState};

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

impl Sale {
    /// May an item with this stock, of which `sold` units are in live orders, change by `delta`? While a sale runs, only the gate
    /// knows what is free; a sale that was never warmed has no gate to ask. The sentence says what is wrong.
    pub fn may_restock(&self, stock: i64, sold: i64, delta: i64) -> Result<(), String> {
        if self.state == SaleState::Closed {
            return Err(format!("sale {} is closed", self.id));
        }
        if delta == 0 {
            return Err("a restock of no units".to_owned());
        }
        match stock.checked_add(delta) {
            Some(after @ 0..=NewSale::STOCK_MAX) if self.epoch > 0 || sold <= after => Ok(()),
            _ => Err(format!("the stock is {stock}; it has to stay between {sold} and {}", NewSale::STOCK_MAX)),
        }
    }

    /// What the gate has to set aside for this restock, which takes units out of `item`.
    pub fn withdrawal(&self, restock: &Restock, item: ItemIndex) -> Withdrawal {
        Withdrawal {
            id: restock.id.clone(),
            sale: self.id.clone(),
            route: self.route(),
            item,
            units: restock.delta.saturating_neg(),
            stock_rev: self.item_at(item).map_or(0, |item| item.stock_rev),
        }
    }
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
