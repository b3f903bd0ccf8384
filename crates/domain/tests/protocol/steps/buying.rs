//! From the buyer's click to the broker: gateway and watch.

use super::gate::Verdict;
use crate::shop::{Mechanism, Shop};
use crate::state::{Client, Desk, Known, State};

impl State {
    pub(super) fn press(&mut self, shop: &Shop, job: usize) {
        self.presses_left[job] -= 1;
        match self.redis.admit(shop, job) {
            Verdict::NotReady => {}
            Verdict::Refused => self.refuse(job),
            Verdict::Admitted => self.publish_next(shop, job),
            // The first answer may have been lost before its publish was confirmed: no 202 without a confirm.
            Verdict::Repeated(Known::Unpublished) => self.publish_next(shop, job),
            Verdict::Repeated(_) => self.clients[job] = Client::Accepted,
        }
    }

    fn publish_next(&mut self, shop: &Shop, job: usize) {
        self.desks[job] = Desk::Admitted;
        if shop.lacks(Mechanism::ConfirmBefore202) {
            self.clients[job] = Client::Accepted;
        } else if self.clients[job] != Client::Accepted {
            self.clients[job] = Client::Waiting;
        }
    }

    pub(super) fn refuse(&mut self, job: usize) {
        let told = matches!(self.clients[job], Client::Accepted | Client::Contradicted);
        self.clients[job] = if told { Client::Contradicted } else { Client::Refused };
    }

    pub(super) fn publish(&mut self, shop: &Shop, message: usize) {
        self.enqueue(shop, message);
        for job in shop.jobs_in(message) {
            self.desks[job] = Desk::Sent;
        }
    }

    pub(super) fn republish(&mut self, shop: &Shop, message: usize) {
        self.enqueue(shop, message);
        for job in shop.jobs_in(message) {
            self.marks[job] = true;
        }
    }

    fn enqueue(&mut self, shop: &Shop, message: usize) {
        self.queue[message] = (self.queue[message] + 1).min(shop.copies);
    }

    pub(super) fn confirm(&mut self, job: usize) {
        self.desks[job] = Desk::Empty;
        self.clients[job] = Client::Accepted;
        self.marks[job] = true;
    }

    /// The gateway is gone, or gives up waiting; it takes nothing back.
    pub(super) fn leave_unknown(&mut self, job: usize) {
        self.desks[job] = Desk::Empty;
        if self.clients[job] == Client::Waiting {
            self.clients[job] = Client::Unknown;
        }
    }

    pub(super) fn compensate(&mut self, shop: &Shop, job: usize) {
        self.desks[job] = Desk::Empty;
        self.redis.give_back(shop, job);
        self.refuse(job);
    }

    pub(super) fn mark(&mut self, job: usize) {
        self.marks[job] = false;
        self.redis.mark(job);
    }
}
