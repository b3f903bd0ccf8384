//! Short words for paying, cancelling and expiring many orders from many tasks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backends::postgres::Postgres;
use domain::ports::{Cancelled, OrderLife, Outage};
use domain::{
    Money, OrderStatus, PaymentEvent, PaymentNoted, PaymentResult, PaymentState, RefundReason, Reservation, Sale,
};

use super::support::{Bench, placed, wants};

const PER_BATCH: usize = 500;

/// One number after another, each once, in an order that looks like chance.
pub(crate) fn shuffled(count: usize, seed: usize) -> impl Iterator<Item = usize> {
    // Steps of a prime that does not divide the count visit every place.
    (0..count).map(move |n| (n * 7_919 + seed * 104_729) % count)
}

pub(crate) fn payment(name: &str, wish: &Reservation) -> PaymentEvent {
    let amount = 100 * i64::from(wish.quantity.get());
    PaymentEvent {
        event: uuid::Uuid::new_v4().to_string().parse().unwrap(),
        payment: format!("{name}-{}", wish.job.uuid()).parse().unwrap(),
        order: wish.job,
        amount: Money { amount, currency: "CNY".to_owned().try_into().unwrap() },
        result: PaymentResult::Succeeded,
    }
}

/// How an operation on a busy order ended: an outage that had no effect is tried again, as its callers do.
pub(crate) async fn insist<T, F: Future<Output = Result<T, Outage>>>(mut work: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        match work().await {
            Ok(value) => return value,
            Err(outage) => assert!(started.elapsed() < Duration::from_secs(60), "{outage}"),
        }
    }
}

/// What payers, cancellers and deadlines did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) paid: usize,
    pub(crate) twice: usize,
    pub(crate) ended: usize,
    pub(crate) open: usize,
    pub(crate) cancelled: usize,
    pub(crate) expired: usize,
}

impl std::ops::Add for Score {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            paid: self.paid + other.paid,
            twice: self.twice + other.twice,
            ended: self.ended + other.ended,
            open: self.open + other.open,
            cancelled: self.cancelled + other.cancelled,
            expired: self.expired + other.expired,
        }
    }
}

pub(crate) async fn pay(process: Arc<Postgres>, name: &'static str, wishes: Vec<Reservation>) -> Score {
    let mut score = Score::default();
    for wish in wishes {
        let event = payment(name, &wish);
        match insist(|| process.note_payment(&event)).await {
            PaymentNoted::Paid => score.paid += 1,
            PaymentNoted::Open => score.open += 1,
            PaymentNoted::RefundDue(RefundReason::PaidTwice) => score.twice += 1,
            PaymentNoted::RefundDue(RefundReason::OrderEnded) => score.ended += 1,
            // A first attempt without an answer counts.
            other => panic!("{other:?}"),
        }
    }
    score
}

pub(crate) async fn cancel(process: Arc<Postgres>, wishes: Vec<Reservation>) -> Score {
    let mut score = Score::default();
    for wish in wishes {
        match insist(|| process.cancel(wish.job, &wish.buyer)).await {
            Some(Cancelled::Done(_)) => score.cancelled += 1,
            Some(Cancelled::TooLate(view)) => assert_ne!(view.status, OrderStatus::PendingPayment),
            None => panic!("order {} is gone", wish.job),
        }
    }
    score
}

/// Expires a few at a time, until nobody waits for a payment any more.
pub(crate) async fn expire(process: Arc<Postgres>, bench: Bench) -> Score {
    let mut score = Score::default();
    loop {
        let some = insist(|| process.expire(10)).await;
        score.expired += some;
        if some == 0 && bench.number("select count(*) from orders where status = 'pending_payment'").await == 0 {
            return score;
        }
        // Leaves something to the others.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Every `groups`th of them, beginning with the `at`th.
pub(crate) fn every(
    wishes: &[Reservation],
    order: impl Iterator<Item = usize>,
    at: usize,
    groups: usize,
) -> Vec<Reservation> {
    order.filter(|n| n % groups == at).map(|n| wishes[n].clone()).collect()
}

/// Ends every payment that waits, in four tasks: with its units where the order's number is even.
pub(crate) async fn end_open_payments(process: &Arc<Postgres>) -> (usize, usize) {
    let enders: Vec<_> = (0..4).map(|_| tokio::spawn(end_some(process.clone()))).collect();
    let (mut settled, mut back) = (0, 0);
    for ender in enders {
        let theirs = ender.await.unwrap();
        (settled, back) = (settled + theirs.0, back + theirs.1);
    }
    (settled, back)
}

async fn end_some(process: Arc<Postgres>) -> (usize, usize) {
    let (mut settled, mut back) = (0, 0);
    loop {
        let open = insist(|| process.open_payments(50)).await;
        if open.is_empty() {
            return (settled, back);
        }
        for one in open {
            let reserved = one.order.as_bytes()[15] % 2 == 0;
            match insist(|| process.end_open_payment(&one, reserved)).await {
                PaymentState::Settled => settled += 1,
                PaymentState::RefundDue => back += 1,
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Places these in two sales: one whose limit a unique index keeps, one that counts.
pub(crate) async fn two_sales(bench: &Bench, orders: u32) -> (Sale, Sale, Vec<Reservation>) {
    let single = bench.open("single", &[i64::from(orders); 2], 1).await;
    let counted = bench.open("counted", &[i64::from(orders); 3], 3).await;
    let mut wishes = Vec::new();
    for n in 0..orders {
        wishes.push(if n % 2 == 0 {
            wants(&single, n, &format!("buyer-{n}"), (n / 2 % 2) as u8, 1)
        } else {
            // Buyers with several orders, over several items.
            wants(&counted, n, &format!("buyer-{}", n / 6), (n / 2 % 3) as u8, 1)
        });
    }
    for batch in wishes.chunks(PER_BATCH) {
        assert_eq!(placed(&bench.place(batch).await), batch.len());
    }
    (single, counted, wishes)
}
