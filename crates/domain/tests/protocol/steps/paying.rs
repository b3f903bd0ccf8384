//! Payments, cancels and deadlines: what the port `OrderLife` does, and the worker with the open payments.

use crate::shop::{Mechanism, Shop};
use crate::state::{Cashier, Paying, State, Status, Till};

impl State {
    /// The payment is reported.
    pub(super) fn pay(&mut self, shop: &Shop, payment: usize) {
        let state = self.decide_payment(shop.payments[payment]);
        self.postgres.payments[payment].state = state;
    }

    /// What can be said of a payment now, in the transaction that looks at it.
    fn decide_payment(&mut self, job: usize) -> Paying {
        let row = &mut self.postgres.rows[job];
        match row.status {
            Status::Absent | Status::Expired => Paying::Open,
            Status::Pending => {
                row.status = Status::Paid; // its units do not change, nor does its revision
                Paying::Settled
            }
            Status::Paid | Status::Cancelled | Status::Rejected | Status::Discarded => Paying::RefundDue,
        }
    }

    pub(super) fn look_again(&mut self, shop: &Shop, cashier: usize, payment: usize) {
        let job = shop.payments[payment];
        let state = self.decide_payment(job);
        self.postgres.payments[payment].state = state;
        if state == Paying::Open {
            let rev = self.postgres.rows[job].rev;
            self.cashiers[cashier] = Cashier { step: Till::Claimed, payment: payment as u8, rev };
        }
    }

    pub(super) fn reserve(&mut self, shop: &Shop, cashier: usize) {
        let one = &mut self.cashiers[cashier];
        if self.redis.reserve(shop, shop.payments[usize::from(one.payment)], one.rev) {
            one.step = Till::Reserved;
        }
    }

    /// The end of an open payment, if its order is as it was. However it ends, the revision of an expired order grows:
    /// a unit that was reserved comes back, whoever reserved it.
    pub(super) fn end_payment(&mut self, shop: &Shop, cashier: usize, reserved: bool) {
        let Cashier { payment, rev, .. } = std::mem::take(&mut self.cashiers[cashier]);
        let payment = usize::from(payment);
        let job = shop.payments[payment];
        let row = self.postgres.rows[job];
        let is_same = row.rev == rev || shop.lacks(Mechanism::EndChecksRev);
        let is_open = self.postgres.payments[payment].state == Paying::Open;
        if !is_open || !is_same || !matches!(row.status, Status::Absent | Status::Expired) {
            return;
        }
        let paid = reserved && self.has_room(shop, job);
        self.postgres.payments[payment].state = if paid { Paying::Settled } else { Paying::RefundDue };
        if paid {
            self.change(shop, job, Status::Paid);
        } else if row.status == Status::Expired && !shop.lacks(Mechanism::RefundIsAnEffect) {
            self.change(shop, job, Status::Expired);
        }
    }

    /// The provider pays once per key; a second call with it changes nothing.
    pub(super) fn give_back(&mut self, shop: &Shop, payment: usize) {
        let one = &mut self.postgres.payments[payment];
        let most = if shop.lacks(Mechanism::RefundKey) { 2 } else { 1 };
        one.given_back = (one.given_back + 1).min(most);
        one.in_hand = !one.in_hand;
    }

    pub(super) fn note_refund(&mut self, payment: usize) {
        let one = &mut self.postgres.payments[payment];
        one.state = Paying::Refunded;
        one.in_hand = !one.in_hand;
    }
}
