//! A sale: a window, rules, and items with a price and a stock.

use serde::{Deserialize, Serialize};

use crate::{ItemId, ItemStock, Money, Patch, Quantity, Route, SaleId, SaleNumber, Timestamp};

/// The position of an item in its sale, fixed when the sale is created; what Redis and the queue call it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemIndex(u8);

impl ItemIndex {
    /// The item at this position.
    pub fn new(position: u8) -> Self {
        Self(position)
    }

    /// The position.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// What the operator has decided about a sale. The window decides the rest, see [`Sale::phase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SaleState {
    /// Being prepared; buyers do not see it.
    Draft,
    /// Sells within its window.
    Open,
    /// Takes no purchases for now; what was accepted is placed.
    Paused,
    /// Takes no purchases any more; what was accepted is placed.
    Closed,
}

impl SaleState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Open, Self::Paused, Self::Closed];

    /// The word used in the database and in Redis.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Closed => "closed",
        }
    }

    /// The state that is written with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What a shopper sees of a sale's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// For operators only.
    Draft,
    /// Opens later.
    Scheduled,
    /// Sells.
    Open,
    /// Paused by the operator.
    Paused,
    /// Open, and nothing is free.
    SoldOut,
    /// Over.
    Ended,
}

/// A sale as Postgres knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Its number, part of every job id.
    pub number: SaleNumber,
    /// The operator's name for it.
    pub id: SaleId,
    /// For people.
    pub title: String,
    /// What the operator decided.
    pub state: SaleState,
    /// How often it was warmed or rebuilt; 0 means it is not warm.
    pub epoch: u32,
    /// First moment at which a purchase is admitted.
    pub opens_at: Timestamp,
    /// First moment at which none is admitted any more.
    pub closes_at: Timestamp,
    /// Units in live orders that one buyer may hold, over all items.
    pub limit_per_buyer: u16,
    /// Seconds an order waits for its payment.
    pub payment_window_s: u32,
    /// What is sold; an [`ItemIndex`] is a position in this list.
    pub items: Vec<Item>,
}

/// One item of a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The operator's name for it.
    pub id: ItemId,
    /// For people.
    pub title: String,
    /// For one unit.
    pub price: Money,
    /// Units for sale in total.
    pub stock: i64,
    /// How often it was restocked since warm-up.
    pub stock_rev: u32,
}

impl Sale {
    /// The route of everything in shard 0, which is all of it until sales are split over a cluster.
    pub fn route(&self) -> Route {
        Route { sale: self.number, shard: crate::Shard::default() }
    }

    /// What a shopper sees at `now`, with `free` units left over all items.
    pub fn phase(&self, now: Timestamp, free: i64) -> Phase {
        match self.state {
            SaleState::Draft => Phase::Draft,
            SaleState::Closed => Phase::Ended,
            _ if now >= self.closes_at => Phase::Ended,
            SaleState::Paused => Phase::Paused,
            SaleState::Open if now < self.opens_at => Phase::Scheduled,
            SaleState::Open if free <= 0 => Phase::SoldOut,
            SaleState::Open => Phase::Open,
        }
    }

    /// The item of this name, and where it stands in the list.
    pub fn item(&self, id: &ItemId) -> Option<(ItemIndex, &Item)> {
        let at = self.items.iter().position(|item| item.id == *id)?;
        Some((ItemIndex(u8::try_from(at).ok()?), &self.items[at]))
    }

    /// The item at this position.
    pub fn item_at(&self, index: ItemIndex) -> Option<&Item> {
        self.items.get(usize::from(index.0))
    }

    /// The sale as the audit log keeps it.
    pub fn audited(&self) -> serde_json::Value {
        serde_json::json!({ "state": self.state, "epoch": self.epoch, "sale": self.described() })
    }

    /// The sale as its operator would describe it now.
    pub fn described(&self) -> NewSale {
        let items = self.items.iter().map(|item| NewItem {
            id: item.id.clone(),
            title: item.title.clone(),
            price: item.price,
            stock: item.stock,
        });
        NewSale {
            id: self.id.clone(),
            title: self.title.clone(),
            opens_at: self.opens_at,
            closes_at: self.closes_at,
            limit_per_buyer: self.limit_per_buyer,
            payment_window_seconds: self.payment_window_s,
            items: items.collect(),
        }
    }

    /// The sale with what the patch names changed, or why it cannot be.
    pub fn patched(&self, patch: &Patch) -> Result<Self, String> {
        // Taken apart, so that a new field has to be thought about here.
        let Patch { title, opens_at, closes_at, limit_per_buyer, payment_window_seconds, items, reason: _ } = patch;
        let mut after = self.clone();
        for change in items.iter().flatten() {
            if self.epoch > 0 && (change.price.is_some() || change.stock.is_some()) {
                return Err(format!("sale {} is warm: price and stock cannot be changed any more", self.id));
            }
            let item = after.items.iter_mut().find(|item| item.id == change.id);
            let item = item.ok_or_else(|| format!("sale {} has no item {}", self.id, change.id))?;
            item.price = change.price.unwrap_or(item.price);
            item.stock = change.stock.unwrap_or(item.stock);
        }
        if let Some(title) = title {
            after.title.clone_from(title);
        }
        after.opens_at = opens_at.unwrap_or(after.opens_at);
        after.closes_at = closes_at.unwrap_or(after.closes_at);
        after.limit_per_buyer = limit_per_buyer.unwrap_or(after.limit_per_buyer);
        after.payment_window_s = payment_window_seconds.unwrap_or(after.payment_window_s);
        after.described().check().map_err(|error| error.to_string())?;
        Ok(after)
    }

    /// May the operator do `state` now? The sentence says what is missing.
    pub fn may_become(&self, state: SaleState) -> Result<(), String> {
        let warm = self.epoch > 0;
        match (self.state, state) {
            (SaleState::Draft, SaleState::Open | SaleState::Paused) if !warm => {
                Err(format!("sale {} is not warm: its stock has not been loaded; warm it first", self.id))
            }
            (SaleState::Draft, SaleState::Paused) => Err(format!("sale {} is not open", self.id)),
            (SaleState::Closed, SaleState::Closed) => Ok(()),
            (SaleState::Closed, _) => Err(format!("sale {} is closed; a closed sale stays closed", self.id)),
            (_, SaleState::Draft) => Err("a sale does not become a draft again".to_owned()),
            _ => Ok(()),
        }
    }
}

/// What the gate is told when a sale is warmed or rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmSale {
    /// Which sale.
    pub route: Route,
    /// The new epoch.
    pub epoch: u32,
    /// First moment of admission.
    pub opens_at: Timestamp,
    /// First moment after it.
    pub closes_at: Timestamp,
    /// When the gate may forget the sale: at least 24 h after any job can change.
    pub forget_at: Timestamp,
    /// Units one buyer may hold.
    pub limit_per_buyer: u16,
    /// Stock of each item, by position.
    pub stock: Vec<ItemStock>,
    /// Did an earlier epoch admit jobs? Then some that this one does not know may still be on their way.
    pub reloaded: bool,
}

impl WarmSale {
    /// Jobs stay readable this long after their last change.
    pub const JOB_READABLE: chrono::TimeDelta = chrono::TimeDelta::hours(24);

    /// What the gate needs of `sale` at `epoch`.
    pub fn new(sale: &Sale, epoch: u32) -> Self {
        let settled = sale.closes_at + chrono::TimeDelta::seconds(i64::from(sale.payment_window_s));
        Self {
            route: sale.route(),
            epoch,
            opens_at: sale.opens_at,
            closes_at: sale.closes_at,
            forget_at: settled + Self::JOB_READABLE + chrono::TimeDelta::hours(1),
            limit_per_buyer: sale.limit_per_buyer,
            stock: sale.items.iter().map(|item| ItemStock { units: item.stock, rev: item.stock_rev }).collect(),
            reloaded: 0 < sale.epoch && sale.epoch < epoch,
        }
    }
}

/// A sale as the operator describes it: the body of `POST /admin/v1/sales`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSale {
    /// The operator's name for it.
    pub id: SaleId,
    /// For people, 1 to 200 characters.
    pub title: String,
    /// First moment at which a purchase is admitted, to the millisecond.
    #[serde(deserialize_with = "whole_ms")]
    pub opens_at: Timestamp,
    /// First moment at which none is admitted any more, to the millisecond.
    #[serde(deserialize_with = "whole_ms")]
    pub closes_at: Timestamp,
    /// Units one buyer may hold, 1 to [`Quantity::MAX`]; 1 if left out.
    #[serde(default = "one")]
    pub limit_per_buyer: u16,
    /// Seconds an order waits for its payment, 10 s to 7 days; 15 minutes if left out.
    #[serde(default = "fifteen_minutes")]
    pub payment_window_seconds: u32,
    /// What is sold.
    pub items: Vec<NewItem>,
}

/// One item of a [`NewSale`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewItem {
    /// The operator's name for it.
    pub id: ItemId,
    /// For people, 1 to 200 characters.
    pub title: String,
    /// For one unit.
    pub price: Money,
    /// Units for sale, 0 to [`NewSale::STOCK_MAX`].
    pub stock: i64,
}

/// As [`crate::whole_ms`], while reading.
fn whole_ms<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Timestamp::deserialize(deserializer).map(crate::whole_ms)
}

/// As [`whole_ms`], for a moment that may be left out.
pub(crate) fn some_whole_ms<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let time = Option::<Timestamp>::deserialize(deserializer)?;
    Ok(time.map(crate::whole_ms))
}

fn one() -> u16 {
    1
}

fn fifteen_minutes() -> u32 {
    900
}

/// A sale that cannot be, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct SaleError {
    /// The field of the body, for example `items[0].stock`.
    pub field: String,
    /// What it has to be.
    pub why: String,
}

impl NewSale {
    /// Items in one sale. A script call touches the counters of all of them when the books are read.
    pub const ITEMS_MAX: usize = 50;
    /// Units of one item. Far below 2^53, where Lua's numbers stop being exact.
    pub const STOCK_MAX: i64 = 100_000_000;

    /// Every rule that the types do not hold; the first that is broken.
    pub fn check(&self) -> Result<(), SaleError> {
        let wrong = |field: &str, why: &str| Err(SaleError { field: field.into(), why: why.into() });
        if !is_title(&self.title) {
            return wrong("title", TITLE_RULE);
        }
        if self.closes_at <= self.opens_at {
            return wrong("closesAt", "has to be after opensAt");
        }
        if !(1..=Quantity::MAX).contains(&self.limit_per_buyer) {
            return wrong("limitPerBuyer", "has to be from 1 to 10000");
        }
        if !(10..=7 * 86_400).contains(&self.payment_window_seconds) {
            return wrong("paymentWindowSeconds", "has to be from 10 to 604800 (7 days)");
        }
        if self.items.is_empty() || self.items.len() > Self::ITEMS_MAX {
            return wrong("items", "has to list 1 to 50 items");
        }
        for (at, item) in self.items.iter().enumerate() {
            let field = |name: &str| format!("items[{at}].{name}");
            if !is_title(&item.title) {
                return wrong(&field("title"), TITLE_RULE);
            }
            if !(0..=Self::STOCK_MAX).contains(&item.stock) {
                return wrong(&field("stock"), "has to be from 0 to 100000000");
            }
            if !(0..=1_000_000_000_000).contains(&item.price.amount) {
                return wrong(&field("price.amount"), "has to be from 0 to 1000000000000 minor units");
            }
            if self.items[..at].iter().any(|other| other.id == item.id) {
                return wrong(&field("id"), "is used twice");
            }
        }
        Ok(())
    }
}

const TITLE_RULE: &str = "has to be 1 to 200 characters without control characters";

fn is_title(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}
