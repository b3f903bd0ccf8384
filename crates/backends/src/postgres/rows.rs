//! The row of an order, and what is told about it.

use std::fmt::Display;

use domain::{
    BuyerId, Currency, Hold, ItemId, ItemIndex, JobId, Money, OrderEvent, OrderStatus, OrderView, Outcome,
    PaymentState, RefusedReason, SaleId, SaleNumber, Timestamp,
};
use uuid::Uuid;

use super::failure::Failure;

/// An order, as far as its effects go.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) job: JobId,
    pub(super) item: Option<ItemIndex>,
    pub(super) buyer: Option<BuyerId>,
    pub(super) quantity: u16,
    pub(super) amount: Option<Money>,
    pub(super) status: OrderStatus,
    pub(super) reason: Option<RefusedReason>,
    pub(super) rev: u32,
    pub(super) seq: u32,
    pub(super) admitted_at: Option<Timestamp>,
    pub(super) updated_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
}

impl Order {
    pub(super) fn outcome(&self) -> Outcome {
        match self.status {
            OrderStatus::Rejected => Outcome::Refused(self.reason.unwrap_or(RefusedReason::Unplaceable)),
            _ => Outcome::Placed,
        }
    }

    /// Units it holds now.
    pub(super) fn units(&self) -> u16 {
        if self.status.is_live() { self.quantity } else { 0 }
    }

    /// For the gate.
    pub(super) fn hold(&self) -> Hold {
        Hold {
            job: self.job,
            rev: self.rev,
            buyer: self.buyer.clone(),
            item: self.item,
            quantity: self.quantity,
            units: self.units(),
            outcome: self.outcome(),
            at: self.updated_at,
        }
    }

    /// For the world.
    pub(super) fn event(&self) -> OrderEvent {
        OrderEvent {
            kind: self.status.event_kind().to_owned(),
            order_id: self.job,
            seq: self.seq,
            buyer_id: self.buyer.clone(),
            quantity: self.quantity,
            amount: self.amount,
            reason: self.reason,
            at: self.updated_at,
        }
    }
}

/// The columns of an [`OrderLine`], from `orders o` and its item `i`.
macro_rules! order_columns {
    () => {
        "o.id, i.position, o.buyer_id, o.quantity, o.amount, o.currency, o.status, o.reason, o.rev, o.seq,
         o.updated_at, o.expires_at"
    };
}

/// Reads [`OrderLine`]s.
macro_rules! select_orders {
    ($rest:literal) => {
        concat!(
            "select ",
            $crate::postgres::rows::order_columns!(),
            " from orders o left join sale_items i on i.sale_id = o.sale_id and i.item_id = o.item_id ",
            $rest
        )
    };
}

/// Reads [`ViewLine`]s.
macro_rules! select_views {
    ($rest:literal) => {
        concat!("select ", $crate::postgres::rows::view_columns!(), " from orders o ", $rest)
    };
}

/// The columns of a [`ViewLine`], from `orders o`.
macro_rules! view_columns {
    () => {
        "o.id, o.sale_id, o.item_id, o.quantity, o.amount, o.currency, o.status, o.reason, o.created_at, o.expires_at,
         (select p.state from payments p
          where p.order_id = o.id and p.state in ('open', 'refund_due', 'refunded')
          order by p.received_at desc limit 1) as refund"
    };
}

pub(super) use {order_columns, select_orders, select_views, view_columns};

/// What [`Order`] is read from.
#[derive(sqlx::FromRow)]
pub(super) struct OrderLine {
    id: Uuid,
    position: Option<i16>,
    buyer_id: Option<String>,
    quantity: i32,
    amount: Option<i64>,
    currency: Option<String>,
    status: String,
    reason: Option<String>,
    rev: i32,
    seq: i32,
    updated_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl TryFrom<OrderLine> for Order {
    type Error = Failure;

    fn try_from(line: OrderLine) -> Result<Self, Failure> {
        Ok(Self {
            job: line.id.try_into().map_err(Failure::unreadable)?,
            item: line.position.map(item_index).transpose()?,
            buyer: line.buyer_id.map(buyer).transpose()?,
            quantity: small(line.quantity)?,
            amount: money(line.amount, line.currency)?,
            status: status(&line.status)?,
            reason: line.reason.as_deref().map(reason).transpose()?,
            rev: count(line.rev)?,
            seq: count(line.seq)?,
            admitted_at: None,
            updated_at: line.updated_at,
            expires_at: line.expires_at,
        })
    }
}

/// What an [`OrderView`] is read from.
#[derive(sqlx::FromRow)]
pub(super) struct ViewLine {
    id: Uuid,
    sale_id: String,
    item_id: Option<String>,
    quantity: i32,
    amount: Option<i64>,
    currency: Option<String>,
    status: String,
    reason: Option<String>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    refund: Option<String>,
}

impl TryFrom<ViewLine> for OrderView {
    type Error = Failure;

    fn try_from(line: ViewLine) -> Result<Self, Failure> {
        Ok(Self {
            order: line.id.try_into().map_err(Failure::unreadable)?,
            sale: sale_id(line.sale_id)?,
            item: line.item_id.map(item_id).transpose()?,
            quantity: small(line.quantity)?,
            amount: money(line.amount, line.currency)?,
            status: status(&line.status)?,
            reason: line.reason.as_deref().map(reason).transpose()?,
            created_at: line.created_at,
            expires_at: line.expires_at,
            refund: line.refund.as_deref().map(payment_state).transpose()?,
        })
    }
}

pub(super) fn sale_id(text: String) -> Result<SaleId, Failure> {
    text.try_into().map_err(Failure::unreadable)
}

pub(super) fn item_id(text: String) -> Result<ItemId, Failure> {
    text.try_into().map_err(Failure::unreadable)
}

pub(super) fn buyer(text: String) -> Result<BuyerId, Failure> {
    text.try_into().map_err(Failure::unreadable)
}

pub(super) fn currency(text: String) -> Result<Currency, Failure> {
    text.try_into().map_err(Failure::unreadable)
}

pub(super) fn item_index(position: i16) -> Result<ItemIndex, Failure> {
    u8::try_from(position).map(ItemIndex::new).map_err(Failure::unreadable)
}

pub(super) fn sale_number(number: i32) -> Result<SaleNumber, Failure> {
    SaleNumber::new(count(number)?).ok_or_else(|| Failure::unreadable(format_args!("sale number {number}")))
}

pub(super) fn small(number: i32) -> Result<u16, Failure> {
    u16::try_from(number).map_err(Failure::unreadable)
}

/// A number that is never negative.
pub(super) fn count<N: TryInto<u32, Error: Display>>(number: N) -> Result<u32, Failure> {
    number.try_into().map_err(Failure::unreadable)
}

pub(super) fn payment_state(word: &str) -> Result<PaymentState, Failure> {
    PaymentState::from_word(word).ok_or_else(|| Failure::unreadable(format_args!("payment state {word}")))
}

fn money(amount: Option<i64>, code: Option<String>) -> Result<Option<Money>, Failure> {
    let (Some(amount), Some(code)) = (amount, code) else { return Ok(None) };
    Ok(Some(Money { amount, currency: currency(code)? }))
}

fn status(word: &str) -> Result<OrderStatus, Failure> {
    OrderStatus::from_word(word).ok_or_else(|| Failure::unreadable(format_args!("status {word}")))
}

fn reason(word: &str) -> Result<RefusedReason, Failure> {
    RefusedReason::from_word(word).ok_or_else(|| Failure::unreadable(format_args!("reason {word}")))
}
