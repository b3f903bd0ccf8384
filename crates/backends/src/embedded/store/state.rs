//! The tables, and what keeps them true.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use domain::ports::{AuditEntry, AuditNote, Operator, Setting};
use domain::{
    BuyerId, Hold, ItemIndex, JobId, Money, OrderEvent, OrderStatus, OrderView, Outcome, PaymentState, RefusedReason,
    RestockId, Sale, SaleId, SaleNumber, Timestamp,
};

use super::activity::ActivityTable;
use super::outbox::OutboxTable;
use super::payments::Payments;
use super::quota::QuotaTable;
use super::restock::RestockRow;

/// Lines of the audit log that are kept: what operators do in many months.
const AUDIT_MAX: usize = 10_000;

/// Everything that a database would keep.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) sales: BTreeMap<SaleNumber, SaleRow>,
    pub(super) numbers: HashMap<SaleId, SaleNumber>,
    /// The number of the latest sale: none is given twice.
    pub(super) last_number: u32,
    /// What is left of a sale that is over: nobody finds it any more.
    pub(super) clearing: Option<SaleRow>,
    /// Orders of each buyer, in the order in which they were written.
    pub(super) by_buyer: HashMap<BuyerId, Vec<JobId>>,
    /// Unpaid orders by their deadline.
    pub(super) due: BTreeSet<(Timestamp, JobId)>,
    pub(super) payments: Payments,
    pub(super) restocks: BTreeMap<(SaleNumber, RestockId), RestockRow>,
    pub(super) outbox: OutboxTable,
    pub(super) settings: HashMap<String, Setting>,
    pub(super) audit: VecDeque<AuditEntry>,
    pub(super) quotas: QuotaTable,
    pub(super) activity: ActivityTable,
}

/// A sale with its items' books and its orders.
pub(super) struct SaleRow {
    pub(super) sale: Sale,
    pub(super) books: Vec<ItemRow>,
    /// Units in live orders by buyer, over all items; no entry for none.
    pub(super) allowances: HashMap<BuyerId, i64>,
    pub(super) orders: BTreeMap<JobId, OrderRow>,
}

/// The books of one item: `0 <= paid <= sold <= stock`.
#[derive(Clone, Copy, Default)]
pub(super) struct ItemRow {
    /// Units in live orders.
    pub(super) sold: i64,
    /// Of these, in paid ones.
    pub(super) paid: i64,
    /// Counts the changes of `sold` and of the stock, and the epochs.
    pub(super) version: i64,
}

/// One order, live or not.
#[derive(Clone)]
pub(super) struct OrderRow {
    pub(super) item: Option<ItemIndex>,
    pub(super) buyer: Option<BuyerId>,
    pub(super) quantity: u16,
    pub(super) amount: Option<Money>,
    pub(super) status: OrderStatus,
    pub(super) reason: Option<RefusedReason>,
    /// Counts the changes of its units.
    pub(super) rev: u32,
    /// Counts its events.
    pub(super) seq: u32,
    pub(super) created_at: Timestamp,
    pub(super) admitted_at: Option<Timestamp>,
    pub(super) updated_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
}

impl OrderRow {
    pub(super) fn outcome(&self) -> Outcome {
        match self.status {
            OrderStatus::Rejected => Outcome::Refused(self.reason.unwrap_or(RefusedReason::Unplaceable)),
            _ => Outcome::Placed,
        }
    }

    /// What it holds now, for the gate.
    pub(super) fn hold(&self, job: JobId) -> Hold {
        Hold {
            job,
            rev: self.rev,
            buyer: self.buyer.clone(),
            item: self.item,
            quantity: self.quantity,
            units: if self.status.is_live() { self.quantity } else { 0 },
            outcome: self.outcome(),
            at: self.updated_at,
        }
    }

    /// What the world hears of it.
    pub(super) fn event(&self, job: JobId) -> OrderEvent {
        OrderEvent {
            kind: self.status.event_kind().to_owned(),
            order_id: job,
            seq: self.seq,
            buyer_id: self.buyer.clone(),
            quantity: self.quantity,
            amount: self.amount,
            reason: self.reason,
            at: self.updated_at,
        }
    }

    fn view(&self, order: JobId, sale: &Sale, refund: Option<PaymentState>) -> OrderView {
        OrderView {
            order,
            sale: sale.id.clone(),
            item: self.item.and_then(|item| sale.item_at(item)).map(|item| item.id.clone()),
            quantity: self.quantity,
            amount: self.amount,
            status: self.status,
            reason: self.reason,
            created_at: self.created_at,
            expires_at: self.expires_at,
            refund,
        }
    }
}

impl Tables {
    pub(super) fn sale(&self, id: &SaleId) -> Option<&SaleRow> {
        self.sales.get(self.numbers.get(id)?)
    }

    pub(super) fn sale_mut(&mut self, id: &SaleId) -> Option<&mut SaleRow> {
        self.sales.get_mut(self.numbers.get(id)?)
    }

    /// An order as its owner sees it.
    pub(super) fn view(&self, job: JobId) -> Option<OrderView> {
        let row = self.sales.get(&job.route().sale)?;
        Some(row.orders.get(&job)?.view(job, &row.sale, self.payments.refund_of(job)))
    }

    pub(super) fn order(&self, job: JobId) -> Option<&OrderRow> {
        self.sales.get(&job.route().sale)?.orders.get(&job)
    }

    /// A change of a sale.
    pub(super) fn note(&mut self, action: &str, by: &Operator, before: Option<Sale>, after: Sale, at: Timestamp) {
        let note = AuditNote {
            action: action.to_owned(),
            sale: Some(after.id.clone()),
            before: before.as_ref().map(Sale::audited),
            after: after.audited(),
        };
        self.audit(note, by, at);
    }

    /// Any line of the audit log.
    pub(super) fn audit(&mut self, note: AuditNote, by: &Operator, at: Timestamp) {
        if self.audit.len() >= AUDIT_MAX {
            self.audit.pop_front();
        }
        let id = self.audit.back().map_or(1, |last| last.id + 1);
        self.audit.push_back(AuditEntry { id, at, by: by.clone(), note });
    }
}
