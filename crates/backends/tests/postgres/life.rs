//! Orders that end while everything else goes on: thousands at the same instant, and while others are placed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backends::postgres::Postgres;
use domain::ports::{Cancelled, OrderLife, OrderStore, Outage, PlaceError};
use domain::{
    Money, OrderStatus, PaymentEvent, PaymentNoted, PaymentResult, PaymentState, RefundReason, Reservation, Sale,
};

use super::support::{Bench, in_a_database, placed, wants};

const PER_BATCH: usize = 500;

/// One number after another, each once, in an order that looks like chance.
fn shuffled(count: usize, seed: usize) -> impl Iterator<Item = usize> {
    // Steps of a prime that does not divide the count visit every place.
    (0..count).map(move |n| (n * 7_919 + seed * 104_729) % count)
}

fn payment(name: &str, wish: &Reservation) -> PaymentEvent {
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
async fn insist<T, F: Future<Output = Result<T, Outage>>>(mut work: impl FnMut() -> F) -> T {
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
struct Score {
    paid: usize,
    twice: usize,
    ended: usize,
    open: usize,
    cancelled: usize,
    expired: usize,
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

async fn pay(process: Arc<Postgres>, name: &'static str, wishes: Vec<Reservation>) -> Score {
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

async fn cancel(process: Arc<Postgres>, wishes: Vec<Reservation>) -> Score {
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
async fn expire(process: Arc<Postgres>, bench: Bench) -> Score {
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
fn every(wishes: &[Reservation], order: impl Iterator<Item = usize>, at: usize, groups: usize) -> Vec<Reservation> {
    order.filter(|n| n % groups == at).map(|n| wishes[n].clone()).collect()
}

/// Ends every payment that waits, in four tasks: with its units where the order's number is even.
async fn end_open_payments(process: &Arc<Postgres>) -> (usize, usize) {
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
async fn two_sales(bench: &Bench, orders: u32) -> (Sale, Sale, Vec<Reservation>) {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_orders_end_once_when_payment_cancellation_and_deadline_race() {
    in_a_database(|bench| async move {
        const ORDERS: usize = 10_000;
        let started = Instant::now();
        let (_, _, wishes) = two_sales(&bench, ORDERS as u32).await;
        eprintln!("placed after {:?}", started.elapsed());
        bench.execute("update orders set expires_at = now()").await;
        let process = bench.neighbour().await;
        let raced = Instant::now();
        let mut tasks = Vec::new();
        for at in 0..6 {
            let theirs = every(&wishes, shuffled(ORDERS, 1), at, 6);
            tasks.push(tokio::spawn(pay(process.clone(), "first", theirs)));
        }
        for at in 0..6 {
            let theirs = every(&wishes, shuffled(ORDERS, 2), at, 6);
            tasks.push(tokio::spawn(cancel(bench.postgres.clone(), theirs)));
        }
        // A fifth of the buyers pays twice.
        tasks.push(tokio::spawn(pay(process.clone(), "second", every(&wishes, shuffled(ORDERS, 3), 0, 5))));
        for _ in 0..2 {
            tasks.push(tokio::spawn(expire(process.clone(), bench.clone())));
        }
        let mut score = Score::default();
        for task in tasks {
            score = score + task.await.unwrap();
        }
        eprintln!("raced for {:?}: {score:?}", raced.elapsed());
        assert_eq!(score.paid + score.cancelled + score.expired, ORDERS, "each ended once");
        assert!([score.paid, score.cancelled, score.expired].into_iter().all(|some| some > 100), "no race: {score:?}");
        assert_eq!(score.paid + score.open + score.twice + score.ended, ORDERS + ORDERS / 5, "each payment was noted");

        let (settled, back) = end_open_payments(&process).await;
        eprintln!("ended {} late payments after {:?}", settled + back, started.elapsed());
        let count =
            async |what: &str| usize::try_from(bench.number(&format!("select count(*) from {what}")).await).unwrap();
        assert_eq!(count("orders where status = 'paid'").await, score.paid + settled);
        assert_eq!(count("orders where status = 'cancelled'").await, score.cancelled);
        assert_eq!(count("orders where status = 'expired'").await, score.expired - settled);
        assert_eq!(count("payments where state not in ('settled', 'refund_due')").await, 0);
        let paid_orders = count("orders where status = 'paid'").await;
        let due = count("payments where state = 'refund_due'").await;
        assert_eq!(due, ORDERS + ORDERS / 5 - paid_orders, "what did not pay an order goes back");
        let mut refunds = 0;
        loop {
            let claimed = process.claim_refunds(1_000).await.unwrap();
            if claimed.is_empty() {
                break;
            }
            refunds += claimed.len();
        }
        assert_eq!(refunds, due);
        assert_eq!(bench.number("select (sum(sold) - sum(paid))::bigint from sale_items").await, 0);
        assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
    })
    .await;
}

/// Deadlocks that the server has counted; its sessions report when they end.
async fn deadlocks(bench: &Bench) -> i64 {
    let others = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
                  and backend_type = 'client backend'";
    // Whoever still has something to tell comes back once.
    for _ in 0..100 {
        bench.execute(&format!("select pg_terminate_backend(pid) {others}")).await;
        if bench.number(&format!("select count(*) {others}")).await == 0 {
            break;
        }
    }
    bench.number("select deadlocks from pg_stat_database where datname = current_database()").await
}

async fn keep_placing(process: Arc<Postgres>, batch: Vec<Reservation>) -> usize {
    let started = Instant::now();
    loop {
        match process.place(&batch).await {
            Ok(placements) => return placed(&placements),
            Err(PlaceError::Outage(outage)) => assert!(started.elapsed() < Duration::from_secs(60), "{outage}"),
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn placing_and_ending_orders_of_the_same_items_and_buyers_do_not_lock_each_other_out() {
    in_a_database(|bench| async move {
        const ORDERS: usize = 3_000;
        let (single, counted, wishes) = two_sales(&bench, ORDERS as u32).await;
        bench.execute("update orders set expires_at = now()").await;
        let (process, placing) = (bench.neighbour().await, bench.neighbour().await);
        let started = Instant::now();
        let mut placers = Vec::new();
        for placer in 0..3_u32 {
            let (placing, single, counted) = (placing.clone(), single.clone(), counted.clone());
            placers.push(tokio::spawn(async move {
                let mut new = 0;
                for batch in 0..50_u32 {
                    let from = 100_000 + (placer * 50 + batch) * 20;
                    // The same buyers, whose orders end at this moment, over all items.
                    let wish = |n: u32| {
                        let at = (n * 7) % ORDERS as u32;
                        if n.is_multiple_of(2) {
                            wants(&single, n, &format!("buyer-{}", at / 2 * 2), (n / 2 % 2) as u8, 1)
                        } else {
                            wants(&counted, n, &format!("buyer-{}", at / 6), (n / 2 % 3) as u8, 1)
                        }
                    };
                    new += keep_placing(placing.clone(), (from..from + 20).map(wish).collect()).await;
                }
                new
            }));
        }
        let mut tasks = Vec::new();
        for at in 0..3 {
            let theirs = every(&wishes, shuffled(ORDERS, 1), at, 3);
            tasks.push(tokio::spawn(pay(process.clone(), "first", theirs)));
            let theirs = every(&wishes, shuffled(ORDERS, 2), at, 3);
            tasks.push(tokio::spawn(cancel(bench.postgres.clone(), theirs)));
        }
        let expiring = tokio::spawn({
            let process = process.clone();
            async move {
                let mut expired = 0;
                for _ in 0..150 {
                    expired += insist(|| process.expire(5)).await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                expired
            }
        });
        let mut score = Score::default();
        for task in tasks {
            score = score + task.await.unwrap();
        }
        score.expired = expiring.await.unwrap();
        let mut new = 0;
        for placer in placers {
            new += placer.await.unwrap();
        }
        let (settled, back) = end_open_payments(&process).await;
        let deadlocks = deadlocks(&bench).await;
        eprintln!(
            "{new} placed meanwhile, {score:?}, {settled} rebooked, {back} back, {deadlocks} deadlocks in {:?}",
            started.elapsed()
        );
        assert!(new > 100 && score.paid > 100 && score.cancelled > 100 && score.expired > 100, "no race");
        assert_eq!(score.paid + score.cancelled + score.expired, ORDERS);
        assert_eq!(deadlocks, 0);
    })
    .await;
}

/// The allowance of a buyer is where placing and ending meet outside the item: few buyers, so that they do.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_buyers_allowance_is_taken_and_given_back_at_once_without_a_circle() {
    in_a_database(|bench| async move {
        const ORDERS: u32 = 600;
        let sale = bench.open("s", &[10_000], 10_000).await;
        let wish = |n: u32| wants(&sale, n, &format!("buyer-{}", n % 4), 0, 1);
        let wishes: Vec<_> = (0..ORDERS).map(wish).collect();
        assert_eq!(placed(&bench.place(&wishes).await), ORDERS as usize);
        let (process, placing) = (bench.neighbour().await, bench.neighbour().await);
        let mut placers = Vec::new();
        for placer in 0..3 {
            let batches: Vec<Vec<_>> =
                (0..40).map(|at| (0..4).map(|n| wish(1_000 + (placer * 40 + at) * 4 + n)).collect()).collect();
            let placing = placing.clone();
            placers.push(tokio::spawn(async move {
                let mut new = 0;
                for batch in batches {
                    new += keep_placing(placing.clone(), batch).await;
                }
                new
            }));
        }
        let cancellers = (0..4).map(|at| tokio::spawn(cancel(process.clone(), every(&wishes, 0..600, at, 4))));
        let mut cancelled = 0;
        for canceller in cancellers.collect::<Vec<_>>() {
            cancelled += canceller.await.unwrap().cancelled;
        }
        let mut new = 0;
        for placer in placers {
            new += placer.await.unwrap();
        }
        assert_eq!((new, cancelled), (480, 600));
        assert_eq!(deadlocks(&bench).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_deadlines_pass_within_seconds() {
    in_a_database(|bench| async move {
        const ORDERS: u32 = 20_000;
        let (_, _, _) = two_sales(&bench, ORDERS).await;
        bench.execute("update orders set expires_at = now()").await;
        let started = Instant::now();
        let (one, two) = (bench.postgres.clone(), bench.neighbour().await);
        let all = async |process: Arc<Postgres>| {
            let mut expired = 0;
            loop {
                match insist(|| process.expire(2_000)).await {
                    0 => return expired,
                    some => expired += some,
                }
            }
        };
        let (one, two) = tokio::join!(all(one), all(two));
        let per_second = f64::from(ORDERS) / started.elapsed().as_secs_f64();
        eprintln!("{one} + {two} orders expired in {:?}: {per_second:.0}/s", started.elapsed());
        assert_eq!(one + two, ORDERS as usize);
        assert!(per_second > 500.0, "{per_second}");
    })
    .await;
}

/// The circle that is left: see the comment in `life`.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_and_a_new_order_of_one_buyer_at_the_same_time_leave_one_of_them() {
    in_a_database(|bench| async move {
        const BUYERS: u32 = 60;
        let sale = bench.open("s", &[1_000], 1).await;
        let wishes: Vec<_> = (0..BUYERS).map(|n| wants(&sale, n, &format!("buyer-{n}"), 0, 1)).collect();
        bench.place(&wishes).await;
        bench.execute("update orders set expires_at = now()").await;
        assert_eq!(bench.postgres.expire(1_000).await.unwrap(), BUYERS as usize);
        for wish in &wishes {
            bench.postgres.note_payment(&payment("late", wish)).await.unwrap();
        }
        let open = bench.postgres.open_payments(1_000).await.unwrap();
        assert_eq!(open.len(), BUYERS as usize);
        let placing = bench.neighbour().await;
        let placers = (0..BUYERS).map(|n| {
            let again = wants(&sale, 1_000 + n, &format!("buyer-{n}"), 0, 1);
            tokio::spawn(keep_placing(placing.clone(), vec![again]))
        });
        let placers: Vec<_> = placers.collect();
        let mut settled = 0;
        for one in &open {
            let state = insist(|| bench.postgres.end_open_payment(one, true)).await;
            settled += usize::from(state == PaymentState::Settled);
        }
        let mut new = 0;
        for placer in placers {
            new += placer.await.unwrap();
        }
        eprintln!("{settled} rebooked, {new} placed, {} deadlocks", deadlocks(&bench).await);
        assert_eq!(settled + new, BUYERS as usize, "one of the two, for each buyer");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_while_an_order_is_paid_leaves_all_or_nothing() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[200], 2).await;
        let wishes: Vec<_> = (0..100).map(|n| wants(&sale, n, &format!("buyer-{n}"), 0, 1)).collect();
        bench.place(&wishes).await;
        let killer = tokio::spawn({
            let bench = bench.clone();
            async move {
                for _ in 0..20 {
                    tokio::time::sleep(Duration::from_millis(15)).await;
                    bench
                        .execute(
                            "select pg_terminate_backend(pid) from pg_stat_activity
                             where datname = current_database() and pid <> pg_backend_pid()
                               and application_name = 'seckill'",
                        )
                        .await;
                }
            }
        });
        let mut round = 0;
        while !killer.is_finished() {
            let wish = &wishes[round % wishes.len()];
            let _ = bench.postgres.note_payment(&payment(&format!("p-{round}"), wish)).await;
            let other = &wishes[(round + 50) % wishes.len()];
            let _ = bench.postgres.cancel(other.job, &other.buyer).await;
            round += 1;
        }
        killer.await.unwrap();
        // What is between two states would show here, and in the audit of the books that follows.
        assert_eq!(bench.number("select count(*) from payments where state not in ('settled', 'refund_due')").await, 0);
        assert_eq!(
            bench.number("select count(*) from payment_events").await,
            bench.number("select count(*) from payments").await
        );
        assert!(bench.number("select count(*) from orders where status = 'paid'").await > 0);
        assert!(bench.number("select count(*) from orders where status = 'cancelled'").await > 0);
    })
    .await;
}
