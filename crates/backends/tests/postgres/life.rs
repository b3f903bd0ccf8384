//! Orders that end: thousands at the same instant, and when the database goes away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backends::postgres::Postgres;
use domain::ports::OrderLife;

use super::ending::{Score, cancel, end_open_payments, every, expire, insist, pay, payment, shuffled, two_sales};
use super::support::{in_a_database, wants};

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
