//! What a sale has come to: units, orders and money, as its orders and payments say.

use crate::ItemId;

/// The accounts of a sale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// By position.
    pub items: Vec<ItemAccounts>,
    /// Buyers who hold an order, paid or not.
    pub buyers: u64,
    /// Orders that were not paid in time.
    pub expired: u64,
    /// Orders that their buyers cancelled.
    pub cancelled: u64,
    /// Jobs that became no order.
    pub rejected: u64,
    /// Payments that were given back.
    pub refunded: u64,
}

/// The accounts of an item, in units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemAccounts {
    /// The item.
    pub item: ItemId,
    /// In total.
    pub stock: i64,
    /// In paid orders.
    pub paid: i64,
    /// In orders that wait for their payment.
    pub unpaid: i64,
    /// In orders that expired or were cancelled: for sale again.
    pub returned: i64,
    /// What the paid ones cost, in minor units of the item's currency.
    pub revenue: i64,
}
