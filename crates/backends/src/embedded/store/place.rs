//! Writes orders: one row per job, first come, first kept.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::ports::{PlaceError, Placement, Unplaced};
use domain::{ItemIndex, JobId, OrderStatus, Outcome, RefusedReason, Reservation, Route, Timestamp, fit};

use super::outbox::Written;
use super::state::{OrderRow, SaleRow, Tables};

/// What a transaction has written, by the outbox row that it goes into.
pub(super) type Changes = BTreeMap<(Route, Option<ItemIndex>), Written>;

impl Tables {
    /// See `OrderStore::place`. All of it or nothing: what cannot be placed at all is found before the first write.
    pub(super) fn place(&mut self, batch: &[Reservation], now: Timestamp) -> Result<Vec<Placement>, PlaceError> {
        if let Some(stray) = batch.iter().find(|one| !self.sales.contains_key(&one.job.route().sale)) {
            let number = stray.job.route().sale.get();
            return Err(PlaceError::Poison(format!(
                "job {} belongs to sale number {number}, which is unknown",
                stray.job
            )));
        }
        // By sale, item and job, as the real database locks its rows; the answers go back into the batch's order.
        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_by_key(|at| (batch[*at].job.route(), batch[*at].item, batch[*at].job, *at));
        let mut changes = Changes::new();
        let mut placements: Vec<Option<Placement>> = vec![None; batch.len()];
        for at in order {
            placements[at] = self.place_one(&batch[at], now, &mut changes);
        }
        self.publish(changes, now);
        Ok(placements.into_iter().flatten().collect())
    }

    fn place_one(&mut self, one: &Reservation, now: Timestamp, changes: &mut Changes) -> Option<Placement> {
        let job = one.job;
        let row = self.sales.get_mut(&job.route().sale)?;
        if let Some(earlier) = row.orders.get(&job) {
            let outcome = earlier.outcome();
            again(changes, job, earlier);
            return Some(Placement { job, outcome, duplicate: true });
        }
        let outcome = row.judge(one);
        let order = row.order_of(one, outcome, now);
        self.write(job, order, changes);
        Some(Placement { job, outcome, duplicate: false })
    }

    /// See `OrderStore::refuse`. A sale that is not there cannot have a row, so its jobs are passed over.
    pub(super) fn refuse(&mut self, jobs: &[Unplaced], reason: RefusedReason, now: Timestamp) -> Vec<Placement> {
        let (mut changes, mut ended) = (Changes::new(), Vec::new());
        for Unplaced { job, reservation } in jobs {
            let Some(row) = self.sales.get(&job.route().sale) else {
                tracing::warn!(job.id = %job, "job {job} belongs to no sale and is dropped");
                continue;
            };
            if let Some(earlier) = row.orders.get(job) {
                ended.push(Placement { job: *job, outcome: earlier.outcome(), duplicate: true });
                again(&mut changes, *job, earlier);
                continue;
            }
            ended.push(Placement { job: *job, outcome: Outcome::Refused(reason), duplicate: false });
            let order = match reservation {
                Some(one) => row.order_of(one, Outcome::Refused(reason), now),
                None => unreadable(reason, now),
            };
            self.write(*job, order, &mut changes);
        }
        self.publish(changes, now);
        ended
    }

    /// Keeps a new row, and counts its units.
    fn write(&mut self, job: JobId, order: OrderRow, changes: &mut Changes) {
        let Some(row) = self.sales.get_mut(&job.route().sale) else { return };
        let written = changes.entry((job.route(), order.item)).or_default();
        written.holds.push(order.hold(job));
        written.events.push(order.event(job));
        if order.status.is_live() {
            let units = i64::from(order.quantity);
            written.units += units;
            row.take(&order, units);
        }
        if let Some(buyer) = &order.buyer {
            self.by_buyer.entry(buyer.clone()).or_default().push(job);
        }
        if let Some(expires_at) = order.expires_at {
            self.due.insert((expires_at, job));
        }
        row.orders.insert(job, order);
    }

    /// Turns what was written into outbox rows; an item whose units moved gets its next version.
    pub(super) fn publish(&mut self, changes: Changes, now: Timestamp) {
        for ((route, item), written) in changes {
            let Some(row) = self.sales.get_mut(&route.sale) else { continue };
            let moved = item.filter(|_| written.units != 0);
            let version = moved.and_then(|item| {
                let books = row.books.get_mut(usize::from(item.get()))?;
                books.version += 1;
                Some((item, books.version))
            });
            self.outbox.write(route, &row.sale, item, version, written, now);
        }
    }
}

impl SaleRow {
    /// Stock and allowance as they are now; what is given out is counted by `take`.
    fn judge(&self, one: &Reservation) -> Outcome {
        let Some((item, books)) = self.sale.item_at(one.item).zip(self.books.get(usize::from(one.item.get()))) else {
            return Outcome::Refused(RefusedReason::Unplaceable);
        };
        let held = self.allowances.get(&one.buyer).copied().unwrap_or_default();
        if fit(item.stock - books.sold, &[one]) != [true] {
            Outcome::Refused(RefusedReason::SoldOut)
        } else if held + i64::from(one.quantity.get()) > i64::from(self.sale.limit_per_buyer) {
            Outcome::Refused(RefusedReason::LimitReached)
        } else {
            Outcome::Placed
        }
    }

    /// The row of a reservation that was judged.
    fn order_of(&self, one: &Reservation, outcome: Outcome, now: Timestamp) -> OrderRow {
        let item = self.sale.item_at(one.item);
        let (status, reason, expires_at) = match outcome {
            Outcome::Placed => {
                let window = TimeDelta::seconds(i64::from(self.sale.payment_window_s));
                (OrderStatus::PendingPayment, None, Some(now + window))
            }
            Outcome::Refused(reason) => (OrderStatus::Rejected, Some(reason), None),
        };
        OrderRow {
            item: item.map(|_| one.item),
            buyer: Some(one.buyer.clone()),
            quantity: one.quantity.get(),
            amount: item.and_then(|item| item.price.times(one.quantity.get())),
            status,
            reason,
            rev: 1,
            seq: 1,
            created_at: now,
            admitted_at: Some(one.admitted_at),
            updated_at: now,
            expires_at,
        }
    }

    /// Counts the units of an order that becomes live, or with fewer than 0 of one that ends, and holds the line that
    /// the database's constraints hold.
    pub(super) fn take(&mut self, order: &OrderRow, units: i64) {
        let Some(item) = order.item.map(|item| usize::from(item.get())) else { return };
        if let (Some(books), Some(item)) = (self.books.get_mut(item), self.sale.items.get(item)) {
            books.sold += units;
            let in_order = books.paid <= books.sold && books.sold <= item.stock;
            assert!(in_order, "paid {}, sold {} of {} units", books.paid, books.sold, item.stock);
        }
        if let Some(buyer) = &order.buyer {
            let held = self.allowances.entry(buyer.clone()).or_default();
            *held += units;
            if *held == 0 {
                self.allowances.remove(buyer);
            }
        }
    }
}

/// A row that exists already is told to the gate once more, as it stands: whoever delivered its message again may
/// have lost the first effect. The world has its event.
fn again(changes: &mut Changes, job: JobId, order: &OrderRow) {
    changes.entry((job.route(), order.item)).or_default().repeats.push(order.hold(job));
}

/// The row of a job of which only the id could be read.
fn unreadable(reason: RefusedReason, now: Timestamp) -> OrderRow {
    OrderRow {
        item: None,
        buyer: None,
        quantity: 0,
        amount: None,
        status: OrderStatus::Rejected,
        reason: Some(reason),
        rev: 1,
        seq: 1,
        created_at: now,
        admitted_at: None,
        updated_at: now,
        expires_at: None,
    }
}
