//! Placing and ending orders of the same items and buyers: nobody waits in a circle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backends::postgres::Postgres;
use domain::ports::{OrderLife, OrderStore, PlaceError};
use domain::{PaymentState, Reservation};

use super::ending::{Score, cancel, end_open_payments, every, insist, pay, payment, shuffled, two_sales};
use super::support::{Bench, in_a_database, placed, wants};

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
