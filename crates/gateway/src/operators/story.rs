//! What happened to one job, told from what is stored of it: its order, its payments, the gate's record, dead letters.
//! What is stored nowhere is not told; a moment that is not known is left out.

use domain::ports::{DeadLetter, OrderEntry, OrderHistory, PaymentEntry};
use domain::{JobId, JobRecord, JobState, OrderStatus, PaymentState, Timestamp, from_ms};
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::{DateTime, to_ms};

/// One thing that happened.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = StoryLine)]
pub struct Happened {
    /// When; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<DateTime>,
    /// `tokenIssued`, `admitted`, `published`, `placed`, `refused`, `paymentReceived`, `paid`, `cancelled`, `expired`,
    /// `refunded` or `deadLettered`.
    what: &'static str,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Everything that is known of a job.
pub struct Known<'a> {
    /// Its id, which says when its token was issued.
    pub job: JobId,
    /// Its order and payments.
    pub history: &'a OrderHistory,
    /// The gate's record, if the gate has one.
    pub record: Option<&'a JobRecord>,
    /// Dead letters with this job.
    pub letters: &'a [&'a DeadLetter],
}

impl Known<'_> {
    /// Is anything stored of it? An id alone proves nothing: anybody can make one up.
    pub fn is_anything(&self) -> bool {
        let OrderHistory { entry, payments } = self.history;
        entry.is_some() || !payments.is_empty() || self.record.is_some() || !self.letters.is_empty()
    }

    /// The status of the order, else of the job at the gate, else that there is nothing but money or a letter.
    pub fn status(&self) -> &'static str {
        match (&self.history.entry, self.record) {
            (Some(entry), _) => entry.order.status.as_str(),
            (None, Some(record)) => record.state.status().as_str(),
            (None, None) => "unknown",
        }
    }

    /// In the order in which it happened, as far as moments are known.
    pub fn story(&self) -> Vec<Happened> {
        let mut story = vec![happened("tokenIssued", Some(issued_at(self.job)), None)];
        self.at_the_gate(&mut story);
        if let Some(entry) = &self.history.entry {
            self.in_the_books(entry, &mut story);
        }
        self.history.payments.iter().for_each(|payment| of_payment(payment, &mut story));
        for letter in self.letters {
            // It was buried in the moment in which its job was ended, if it was.
            let ended = self.history.entry.as_ref().filter(|entry| entry.order.status == OrderStatus::Rejected);
            let detail = format!("message {}: {}", letter.message_id, letter.why);
            story.push(happened("deadLettered", ended.map(|entry| entry.order.created_at), Some(detail)));
        }
        // What has no moment stays behind what was told before it.
        let mut last = Timestamp::MIN_UTC;
        let mut keyed: Vec<(Timestamp, Happened)> = Vec::with_capacity(story.len());
        for one in story {
            last = one.at.unwrap_or(last);
            keyed.push((last, one));
        }
        keyed.sort_by_key(|(at, _)| *at);
        keyed.into_iter().map(|(_, one)| one).collect()
    }

    fn at_the_gate(&self, story: &mut Vec<Happened>) {
        let entry = self.history.entry.as_ref();
        let seen = self.record.filter(|record| record.rev == 0 || record.admitted_at < record.updated_at);
        let admitted = entry.and_then(|entry| entry.admitted_at).or(seen.map(|record| record.admitted_at));
        if let Some(at) = admitted {
            let units = self.record.map_or(entry.map_or(0, |entry| entry.order.quantity), |record| record.quantity);
            story.push(happened("admitted", Some(at), Some(format!("{units} units"))));
        }
        match self.record.map(|record| (record.state, record.updated_at)) {
            Some((JobState::Unpublished, _)) => {}
            Some((JobState::Queued, at)) => {
                let detail = "confirmed by the broker".to_owned();
                story.push(happened("published", Some(at), Some(detail)));
            }
            // The record keeps its last state only; an order that was placed came over the queue.
            _ if entry.is_some_and(|entry| entry.admitted_at.is_some()) => {
                story.push(happened("published", None, None))
            }
            _ => {}
        }
        if let (Some(JobState::Refused(reason)), None) = (self.record.map(|record| record.state), entry) {
            let at = self.record.map(|record| record.updated_at);
            story.push(happened("refused", at, Some(reason.as_str().to_owned())));
        }
    }

    fn in_the_books(&self, entry: &OrderEntry, story: &mut Vec<Happened>) {
        let order = &entry.order;
        if order.status == OrderStatus::Rejected {
            let reason = order.reason.map(|reason| reason.as_str().to_owned());
            story.push(happened("refused", Some(order.created_at), reason));
            return;
        }
        let until = order.expires_at.map(|at| format!("to be paid until {}", to_ms(at).to_rfc3339()));
        story.push(happened("placed", Some(order.created_at), until));
        // A refund moves the row's last change: then only the payments know.
        let undisturbed = self.history.payments.iter().all(|payment| payment.state == PaymentState::Failed);
        let ended = undisturbed.then_some(entry.updated_at);
        match order.status {
            OrderStatus::Paid => story.push(happened("paid", entry.paid_at, None)),
            OrderStatus::Cancelled => story.push(happened("cancelled", ended, Some("by its buyer".to_owned()))),
            OrderStatus::Expired => {
                let detail = "not paid in time".to_owned();
                story.push(happened("expired", ended.or(order.expires_at), Some(detail)));
            }
            OrderStatus::PendingPayment | OrderStatus::Rejected => {}
        }
    }
}

fn of_payment(payment: &PaymentEntry, story: &mut Vec<Happened>) {
    let PaymentEntry { payment: id, amount, state, reason, received_at, updated_at } = payment;
    let sum = format!("{} {}", amount.amount, amount.currency.as_str());
    let detail = match state {
        PaymentState::Open => format!("{id}, {sum}: waits for a decision"),
        PaymentState::Settled => format!("{id}, {sum}: paid the order"),
        PaymentState::Failed => format!("{id}, {sum}: there was no money"),
        PaymentState::RefundDue | PaymentState::Refunded => {
            format!("{id}, {sum}: goes back, {}", reason.map_or("", |reason| reason.as_str()))
        }
    };
    story.push(happened("paymentReceived", Some(*received_at), Some(detail)));
    if *state == PaymentState::Refunded {
        story.push(happened("refunded", Some(*updated_at), Some(format!("{id}, {sum}"))));
    }
}

/// The token's moment is a part of the job's id.
fn issued_at(job: JobId) -> Timestamp {
    from_ms(i64::try_from(job.issued_ms()).unwrap_or_default())
}

fn happened(what: &'static str, at: Option<Timestamp>, detail: Option<String>) -> Happened {
    Happened { at: at.map(to_ms), what, detail }
}
