//! What each action does. That it may happen is [`crate::moves`]' question.

pub mod gate;

mod buying;
mod keeping;
mod paying;
mod placing;
mod restocking;

use crate::action::Action;
use crate::shop::Shop;
use crate::state::{Cashier, Keeper, Known, Porter, Redis, State, Status, Step};

impl State {
    /// A warm sale that nobody has touched.
    pub fn first(shop: &Shop) -> Self {
        let mut state = Self {
            redis: Redis::fresh(shop.first_stock(), 1, false),
            losses_left: shop.losses,
            queue_losses_left: shop.queue_losses,
            effect_losses_left: shop.effect_losses,
            echoes_left: shop.echoes,
            rebuilds_left: shop.rebuilds,
            ..Self::default()
        };
        state.postgres.epoch = 1;
        state.postgres.stock = shop.first_stock();
        state.presses_left[..shop.wishes.len()].fill(shop.presses);
        state
    }

    /// The state after `action`, which has to be possible.
    pub fn after(mut self, shop: &Shop, action: Action) -> Self {
        match action {
            Action::Press(job) => self.press(shop, job),
            Action::Publish(message) => self.publish(shop, message),
            Action::PublishLost(job) | Action::ConfirmLost(job) => self.leave_unknown(job),
            Action::Confirm(job) => self.confirm(job),
            Action::Compensate(job) => self.compensate(shop, job),
            Action::Mark(job) => self.mark(job),
            Action::Republish(message) => self.republish(shop, message),
            Action::Place(message) => self.place(shop, message),
            Action::Ack(message) | Action::AckFirst(message) => self.ack(message),
            Action::ConsumerDies => self.unacked = Default::default(),
            Action::Cancel(job) => self.change(shop, job, Status::Cancelled),
            Action::Expire(job) => self.change(shop, job, Status::Expired),
            Action::Discard(job) => self.change(shop, job, Status::Discarded),
            Action::Drop(job) => self.redis.give_back(shop, job),
            Action::Pay(payment) => self.pay(shop, payment),
            Action::LookAgain(cashier, payment) => self.look_again(shop, cashier, payment),
            Action::Reserve(cashier) => self.reserve(shop, cashier),
            Action::EndReserved(cashier) => self.end_payment(shop, cashier, true),
            Action::EndUnreserved(cashier) => self.end_payment(shop, cashier, false),
            Action::CashierDies(cashier) => self.cashiers[cashier] = Cashier::default(),
            Action::GiveBack(payment) => self.give_back(shop, payment),
            Action::NoteRefund(payment) => self.note_refund(payment),
            Action::RefunderDies(payment) => self.postgres.payments[payment].in_hand = false,
            Action::Restock(restock) => self.ask_restock(shop, restock),
            Action::TakeUp(porter, restock) => self.take_up(shop, porter, restock),
            Action::SetAside(porter) => self.set_aside(shop, porter),
            Action::EndWithdrawal(porter) => self.end_withdrawal(shop, porter),
            Action::PorterDies(porter) => self.porters[porter] = Porter::default(),
            Action::RelayStock(restock) => self.relay_stock(shop, restock, true),
            Action::RelayStockRepeats(restock) => self.relay_stock(shop, restock, false),
            Action::Relay(job, rev) => self.relay(shop, job, rev, true),
            Action::RelayRepeats(job, rev) => self.relay(shop, job, rev, false),
            Action::RelayStalls(job, rev) => {
                self.echoes_left -= 1;
                self.echo = Some((job as u8, rev));
            }
            Action::EchoArrives => self.echo_arrives(shop),
            Action::EchoLost => self.echo = None,
            Action::EffectLost(job) => {
                self.effect_losses_left -= 1;
                self.strike_off(job, 1);
            }
            Action::Snapshot => self.snapshot = Some(self.redis.as_read_by_a_later_run(shop)),
            Action::Wipe => self.lose(Redis::default()),
            Action::Rewind => {
                let snapshot = self.snapshot.unwrap_or_default();
                self.lose(snapshot);
            }
            Action::QueueLost => {
                self.queue_losses_left -= 1;
                self.queue = Default::default();
                self.unacked = Default::default();
            }
            Action::Decide(keeper) => self.decide(keeper),
            Action::Repair(keeper) => {
                self.losses_left -= 1;
                self.decide(keeper);
            }
            Action::Number(keeper) => self.number(shop, keeper),
            Action::Shut(keeper) => self.shut(shop, keeper),
            Action::ReadStock(keeper) => self.read_stock(keeper),
            Action::LoadStock(keeper) => self.load_stock(keeper),
            Action::Read(keeper) => self.read(shop, keeper),
            Action::Load(keeper) => self.load(shop, keeper),
            Action::Finish(keeper) => self.finish(shop, keeper),
            Action::KeeperDies(keeper) => self.keepers[keeper] = Keeper::default(),
        }
        self.forget_what_no_longer_matters();
        self
    }

    /// A mark for a record that is past it, when nothing can bring that record back.
    fn forget_what_no_longer_matters(&mut self) {
        let is_at_work = |keeper: &Keeper| keeper.step != Step::Idle;
        if self.losses_left > 0 || self.rebuilds_left > 0 || self.keepers.iter().any(is_at_work) {
            return;
        }
        for (mark, record) in self.marks.iter_mut().zip(&self.redis.records) {
            *mark &= matches!(record.state, Known::Absent | Known::Unpublished);
        }
    }

    fn lose(&mut self, now: Redis) {
        self.losses_left -= 1;
        self.snapshot = None;
        self.redis = now;
    }

    /// Has the gate lost anything so far?
    pub fn gate_has_lost(&self, shop: &Shop) -> bool {
        self.losses_left < shop.losses
    }
}
