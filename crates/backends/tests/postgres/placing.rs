//! Orders under contention, and what the schema refuses.

use std::time::{Duration, Instant};

use domain::ports::{OrderStore, Outage, PlaceError, Placement, SaleStore, Unplaced};
use domain::{Outcome, RefusedReason, Reservation};

use super::support::{Bench, LIMIT_REACHED, PLACED, SOLD_OUT, crowd, in_a_database, operator, outcomes, placed, wants};

/// Places batches from four processes at the same time; an outage means that a batch comes again.
async fn race(bench: &Bench, batches: Vec<Vec<Reservation>>) -> Vec<Placement> {
    let mut processes = Vec::new();
    for _ in 0..4 {
        processes.push(bench.neighbour().await);
    }
    let placers: Vec<_> = batches
        .into_iter()
        .zip(processes.into_iter().cycle())
        .map(|(batch, process)| {
            tokio::spawn(async move {
                loop {
                    match process.place(&batch).await {
                        Ok(placements) => return placements,
                        Err(PlaceError::Outage(Outage::NotSent(_))) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            })
        })
        .collect();
    let mut placements = Vec::new();
    for placer in placers {
        placements.extend(placer.await.unwrap());
    }
    placements
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_on_one_two_and_a_hundred_units_gets_exactly_those() {
    in_a_database(|bench| async move {
        for stock in [1_u32, 2, 100] {
            let sale = bench.open(&format!("s{stock}"), &[i64::from(stock)], 1).await;
            let placements = bench.place(&crowd(&sale, 0, 3 * stock, 0)).await;
            let expected = |n: u32| if n < stock { PLACED } else { SOLD_OUT };
            assert_eq!(outcomes(&placements), (0..3 * stock).map(expected).collect::<Vec<_>>());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_race_for_one_item_never_oversell_it() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[100], 1).await;
        let placements = race(&bench, (0..20).map(|at| crowd(&sale, at * 20, 20, 0)).collect()).await;
        assert_eq!((placements.len(), placed(&placements)), (400, 100));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_race_over_several_items_in_different_orders_do_not_lock_each_other_out() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[40, 40, 40], 3).await;
        let batch = |at: u32| -> Vec<Reservation> {
            let item = |n: u32| ((at + n) % 3) as u8;
            (0..30).map(|n| wants(&sale, at * 30 + n, &format!("buyer-{}", n % 25), item(n), 1)).collect()
        };
        let placements = race(&bench, (0..8).map(batch).collect()).await;
        // 25 buyers with 3 units each are fewer than the stock.
        assert_eq!((placements.len(), placed(&placements)), (240, 75));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_delivered_to_several_processes_is_written_once() {
    in_a_database(|bench| async move {
        for limit in [1, 2, 3] {
            let sale = bench.open(&format!("s{limit}"), &[50], limit).await;
            let placements = race(&bench, vec![crowd(&sale, 0, 20, 0); 6]).await;
            assert!(placements.iter().all(|placement| placement.outcome == PLACED));
            assert_eq!(placed(&placements), 20);
            assert_eq!(bench.number(&format!("select sold from sale_items where sale_id = 's{limit}'")).await, 20);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_slipped_past_the_gate_is_turned_away_and_the_next_one_gets_the_unit() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[4], 1).await;
        let batch = [wants(&sale, 1, "ann", 0, 1), wants(&sale, 2, "ann", 0, 1), wants(&sale, 3, "bob", 0, 1)];
        assert_eq!(outcomes(&bench.place(&batch).await), [PLACED, LIMIT_REACHED, PLACED]);
        // Two units are left, and nothing of what the buyers already hold was looked up for this batch.
        let batch: Vec<Reservation> = ["ann", "bob", "cid", "dan", "eve"]
            .iter()
            .zip(4..)
            .map(|(buyer, n)| wants(&sale, n, buyer, 0, 1))
            .collect();
        let expected = [LIMIT_REACHED, LIMIT_REACHED, PLACED, PLACED, SOLD_OUT];
        assert_eq!(outcomes(&bench.place(&batch).await), expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_job_for_two_items_is_one_order() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[5, 5], 5).await;
        let batch = [wants(&sale, 1, "ann", 0, 1), wants(&sale, 1, "ann", 1, 1)];
        let placements = bench.place(&batch).await;
        assert_eq!(placements.iter().map(|one| one.duplicate).collect::<Vec<_>>(), [false, true]);
        assert_eq!(bench.number("select count(*) from orders").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_refused_first_stays_refused_among_its_neighbours() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[2], 1).await;
        let batch = crowd(&sale, 0, 2, 0);
        let lost = Unplaced { job: batch[0].job, reservation: None };
        bench.postgres.refuse(&[lost], RefusedReason::Unplaceable).await.unwrap();
        let placements = bench.place(&batch).await;
        let unplaceable = Outcome::Refused(RefusedReason::Unplaceable);
        assert_eq!(outcomes(&placements), [unplaceable, PLACED]);
        assert_eq!(placements.iter().map(|one| one.duplicate).collect::<Vec<_>>(), [true, false]);
        // And a job of a sale that never was is dropped without taking the others along.
        let sale = domain::Sale { number: domain::SaleNumber::new(9_999).unwrap(), ..sale };
        let jobs = [Unplaced { job: super::support::job(&sale, 1), reservation: None }];
        bench.postgres.refuse(&jobs, RefusedReason::Unplaceable).await.unwrap();
        assert_eq!(bench.number("select count(*) from orders").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_the_schema_refuses_is_poison_and_its_neighbours_can_be_placed_without_it() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[5], 1).await;
        bench.execute("alter table orders add check (buyer_id <> 'buyer-1')").await;
        let batch = crowd(&sale, 0, 3, 0);
        let error = bench.postgres.place(&batch).await.unwrap_err();
        assert!(matches!(error, PlaceError::Poison(_)), "{error:?}");
        assert_eq!(bench.number("select count(*) from orders").await, 0, "all of it or nothing");
        assert_eq!(bench.number("select sold from sale_items").await, 0);
        assert_eq!(outcomes(&bench.place(&[batch[0].clone(), batch[2].clone()]).await), [PLACED; 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn raising_a_limit_of_one_while_orders_are_placed_forgets_none_of_them() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[10_000], 1).await;
        let placing = tokio::spawn({
            let (bench, sale) = (bench.clone(), sale.clone());
            async move { race(&bench, (0..40).map(|at| crowd(&sale, at * 25, 25, 0)).collect()).await }
        });
        let patch = domain::Patch { limit_per_buyer: Some(2), ..domain::Patch::default() };
        while bench.number("select count(*) from orders").await == 0 {}
        bench.postgres.patch(&sale.id, &patch, &operator()).await.unwrap();
        assert_eq!(placed(&placing.await.unwrap()), 1_000);
        let again: Vec<Reservation> =
            (0..1_000).map(|n| wants(&sale, 10_000 + n, &format!("buyer-{n}"), 0, 1)).collect();
        assert_eq!(placed(&bench.place(&again).await), 1_000, "one more for each");
        let third: Vec<Reservation> =
            (0..1_000).map(|n| wants(&sale, 20_000 + n, &format!("buyer-{n}"), 0, 1)).collect();
        assert_eq!(placed(&bench.place(&third).await), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_placing_nor_looking_up_ever_reads_all_orders() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[100_000], 1).await;
        let postgres = bench.neighbour().await;
        for at in 0..10 {
            let batch = crowd(&sale, at * 500, 500, 0);
            postgres.place(&batch).await.unwrap();
            // A delivery that comes again is looked up.
            postgres.place(&batch).await.unwrap();
        }
        postgres.holds(sale.number, None, 500).await.unwrap();
        postgres.orders_of(&"buyer-1".parse().unwrap(), None).await.unwrap();
        // A connection writes down what it did at its end at the latest.
        drop(postgres);
        let started = Instant::now();
        let scans = |kind: &str| format!("select {kind} from pg_stat_user_tables where relname = 'orders'");
        while bench.number(&scans("idx_scan")).await < 1_000 {
            assert!(started.elapsed() < Duration::from_secs(30), "no statistics came");
        }
        // Building an index scans its table too, but these were built on an empty one.
        assert_eq!(bench.number(&scans("seq_tup_read")).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_are_taken_without_summing_over_orders() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[1_000], 1).await;
        bench.place(&crowd(&sale, 0, 400, 0)).await;
        // Only the last deadline is read from them.
        bench.execute("update orders set quantity = 7").await;
        let totals = bench.postgres.totals(sale.number, &[]).await.unwrap();
        bench.execute("update orders set quantity = 1").await;
        assert_eq!((totals[0].held, totals[0].paid, totals[0].after), (400, 0, 400));
    })
    .await;
}
