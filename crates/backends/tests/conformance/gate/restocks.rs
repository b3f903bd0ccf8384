//! Units that an operator adds to a sale or takes out of it.

use domain::ports::{Held, Reserved, Withdrawn};
use domain::{ItemIndex, ItemStock, Outcome, Refusal, SaleState, StockEffect, WarmSale};

use super::bench::{Bench, route};

const NEWS: Held = Held::Applied(1);
const KNOWN: Held = Held::Applied(0);

pub(super) async fn the_newest_stock_counts_in_any_order_and_any_number_of_times(bench: Bench) {
    let orders: [&[usize]; 8] = [
        &[0, 1, 2],
        &[0, 2, 1],
        &[1, 0, 2],
        &[1, 2, 0],
        &[2, 0, 1],
        &[2, 1, 0],
        &[0, 0, 1, 1, 2, 2],
        &[2, 1, 0, 2, 1, 0],
    ];
    for (sale, order) in (1..).zip(orders) {
        let bench = Bench { route: route(sale, 0), ..bench.clone() };
        bench.open(&[5, 1], 2).await;
        bench.buys(1, "ann", 0, 2).await;
        let mut newest = ItemStock { units: 5, rev: 0 };
        for &at in order {
            let stock = [(15, 1), (2, 2), (20, 3)].map(|(units, rev)| ItemStock { units, rev })[at];
            let newer = stock.rev > newest.rev;
            if newer {
                newest = stock;
            }
            let held = bench.restock(0, stock.units, stock.rev, None).await;
            assert_eq!(held, if newer { NEWS } else { KNOWN }, "{order:?}");
            assert_eq!(bench.counters().await, [(newest.units - 2, 2, 0), (1, 0, 0)], "{order:?}");
        }
    }
}

pub(super) async fn units_set_aside_are_for_nobody_until_the_withdrawal_ends(bench: Bench) {
    // The stock shrinks, or the operator is refused: either way what was set aside is free, and then less is.
    for (sale, stock, free) in [(1, 2, 2), (2, 5, 5)] {
        let bench = Bench { route: route(sale, 0), ..bench.clone() };
        bench.open(&[5], 5).await;
        for _ in 0..2 {
            assert_eq!(bench.withdraw("less", 0, 3).await, Withdrawn::Taken);
            assert_eq!(bench.counters().await, [(2, 0, 3)]);
        }
        bench.is_refused(1, "ann", 0, 3, Refusal::SoldOut).await;
        for held in [NEWS, KNOWN] {
            assert_eq!(bench.restock(0, stock, 1, Some("less")).await, held);
            assert_eq!(bench.counters().await, [(free, 0, 0)]);
        }
        bench.buys(1, "ann", 0, 2).await;
    }
}

pub(super) async fn a_stalled_repeat_after_the_end_takes_nothing(bench: Bench) {
    bench.open(&[5], 1).await;
    assert_eq!(bench.withdraw("a", 0, 3).await, Withdrawn::Taken);
    bench.restock(0, 2, 1, Some("a")).await;
    // The worker of this one never reached the gate before it was ended for it.
    assert_eq!(bench.restock(0, 2, 1, Some("b")).await, NEWS);
    assert_eq!(bench.restock(0, 2, 1, Some("b")).await, KNOWN);
    for id in ["a", "b", "a"] {
        assert_eq!(bench.withdraw(id, 0, 1).await, Withdrawn::Ended, "{id}");
    }
    assert_eq!(bench.counters().await, [(2, 0, 0)]);
    assert_eq!(bench.withdraw("c", 0, 1).await, Withdrawn::Taken, "another id is another withdrawal");
}

pub(super) async fn units_are_set_aside_only_at_the_revision_that_was_seen(bench: Bench) {
    bench.open(&[5], 1).await;
    assert_eq!(bench.withdraw_at("a", 0, 1, 1).await, Withdrawn::Stale, "an effect is on its way");
    bench.restock(0, 9, 1, None).await;
    assert_eq!(bench.withdraw_at("a", 0, 1, 0).await, Withdrawn::Stale, "a stalled call");
    assert_eq!(bench.counters().await, [(9, 0, 0)]);
    assert_eq!(bench.withdraw_at("a", 0, 1, 1).await, Withdrawn::Taken);
    assert_eq!(bench.withdraw_at("a", 0, 1, 7).await, Withdrawn::Taken, "it is set aside already");

    // The gate loses everything, the mark that the withdrawal has ended too: the stock is at a later revision.
    bench.restock(0, 8, 2, Some("a")).await;
    let warm = WarmSale { stock: vec![ItemStock { units: 8, rev: 2 }], ..bench.rules(2, &[8], 1) };
    bench.load(&warm, SaleState::Open).await;
    assert_eq!(bench.withdraw_at("a", 0, 1, 1).await, Withdrawn::Stale);
    assert_eq!(bench.counters().await, [(8, 0, 0)]);
}

pub(super) async fn more_than_is_free_cannot_be_set_aside(bench: Bench) {
    bench.open(&[5, 0], 3).await;
    bench.buys(1, "ann", 0, 2).await;
    assert_eq!(bench.withdraw("a", 0, 4).await, Withdrawn::TooMany { free: 3 });
    assert_eq!(bench.withdraw("a", 1, 1).await, Withdrawn::TooMany { free: 0 });
    assert_eq!(bench.counters().await, [(3, 2, 0), (0, 0, 0)]);
    assert_eq!(bench.withdraw("a", 0, 3).await, Withdrawn::Taken, "nothing was noted under this id");
    assert_eq!(bench.withdraw("b", 0, 1).await, Withdrawn::TooMany { free: 0 });

    // The gate had lost this order, and has set its unit aside.
    bench.hold(&[bench.effect(2, 1, "bob", 1, Outcome::Placed)]).await;
    assert_eq!(bench.withdraw("b", 0, 1).await, Withdrawn::TooMany { free: -1 });
    assert_eq!(bench.counters().await, [(-1, 2, 3), (0, 0, 0)]);
}

pub(super) async fn what_was_set_aside_comes_back_also_with_a_stock_that_is_old_news(bench: Bench) {
    bench.open(&[5], 1).await;
    assert_eq!(bench.withdraw("less", 0, 2).await, Withdrawn::Taken);
    // The end of it is change 1, and is overtaken by change 2, which adds ten.
    assert_eq!(bench.restock(0, 13, 2, None).await, NEWS);
    assert_eq!(bench.counters().await, [(11, 0, 2)]);
    assert_eq!(bench.restock(0, 3, 1, Some("less")).await, NEWS);
    assert_eq!(bench.restock(0, 3, 1, Some("less")).await, KNOWN);
    assert_eq!(bench.counters().await, [(13, 0, 0)]);
    assert_eq!(bench.withdraw("less", 0, 2).await, Withdrawn::Ended);
}

pub(super) async fn a_restock_raises_the_version_of_its_item_only(bench: Bench) {
    bench.open(&[2, 2], 1).await;
    let cases = [(1, 1, Some(5), [0, 5]), (1, 2, Some(3), [0, 5]), (1, 3, None, [0, 5]), (0, 0, Some(4), [4, 5])];
    for (item, rev, version, expected) in cases {
        let stock = ItemStock { units: 2, rev };
        let effect = StockEffect { item: ItemIndex::new(item), stock, ends: None };
        bench.gate.restock(bench.route, &effect, version).await.unwrap();
        let versions: Vec<i64> = bench.ready().await.0.items.iter().map(|item| item.version).collect();
        assert_eq!(versions, expected, "{effect:?} {version:?}");
    }
    assert_eq!(bench.counters().await, [(2, 0, 0), (2, 0, 0)]);
}

/// A sale as it is loaded for the second time, with what its item has by then.
fn reloaded(bench: &Bench, units: i64, rev: u32) -> WarmSale {
    WarmSale { stock: vec![ItemStock { units, rev }], ..bench.rules(2, &[units], 1) }
}

pub(super) async fn an_epoch_that_begins_during_a_withdrawal_counts_it_once(bench: Bench) {
    // Loaded before the smaller stock was written, or after it; its effect comes before or after the loading ends.
    for (sale, is_written, is_early) in [(1, false, false), (2, false, true), (3, true, false), (4, true, true)] {
        let bench = Bench { route: route(sale, 0), ..bench.clone() };
        bench.open(&[5], 1).await;
        assert_eq!(bench.withdraw("less", 0, 3).await, Withdrawn::Taken);
        let warm = if is_written { reloaded(&bench, 2, 1) } else { reloaded(&bench, 5, 0) };
        assert!(bench.gate.begin_epoch(&warm).await.unwrap());
        if is_early {
            assert_eq!(bench.restock(0, 2, 1, Some("less")).await, NEWS);
        }
        assert!(bench.gate.finish_epoch(bench.route, 2, &[0]).await.unwrap());
        if !is_early {
            assert_eq!(bench.counters().await, [(warm.stock[0].units, 0, 0)], "what was set aside is forgotten");
            // The withdrawal goes on where its units are still for sale.
            if !is_written {
                assert_eq!(bench.withdraw("less", 0, 3).await, Withdrawn::Taken);
            }
            assert_eq!(bench.restock(0, 2, 1, Some("less")).await, NEWS);
        }
        assert_eq!(bench.counters().await, [(2, 0, 0)]);
        assert_eq!(bench.restock(0, 2, 1, Some("less")).await, KNOWN);
        assert_eq!(bench.withdraw("less", 0, 1).await, Withdrawn::Ended);
        assert_eq!(bench.counters().await, [(2, 0, 0)]);
    }
}

pub(super) async fn a_sale_that_is_loading_takes_restocks_and_sets_nothing_aside(bench: Bench) {
    assert_eq!(bench.restock(0, 9, 9, None).await, Held::NotReady, "never loaded");
    assert_eq!(bench.withdraw("less", 0, 1).await, Withdrawn::NotReady);
    assert!(bench.gate.begin_epoch(&reloaded(&bench, 5, 3)).await.unwrap());
    assert_eq!(bench.withdraw("less", 0, 1).await, Withdrawn::NotReady, "loading");
    // Of before the loading, and of after it.
    assert_eq!(bench.restock(0, 99, 3, None).await, KNOWN);
    assert_eq!(bench.restock(0, 8, 4, None).await, NEWS);
    assert!(bench.gate.finish_epoch(bench.route, 2, &[0]).await.unwrap());
    assert_eq!(bench.counters().await, [(8, 0, 0)]);
    assert_eq!(bench.withdraw("less", 0, 1).await, Withdrawn::Taken);
}

pub(super) async fn an_item_that_is_not_there_has_no_units(bench: Bench) {
    bench.open(&[5], 1).await;
    for item in [1, 254] {
        assert_eq!(bench.withdraw("less", item, 1).await, Withdrawn::TooMany { free: 0 });
        assert_eq!(bench.restock(item, 9, 9, None).await, KNOWN);
    }
    assert_eq!(bench.restock(1, 9, 9, Some("less")).await, NEWS, "its end is noted all the same");
    assert_eq!(bench.withdraw("less", 1, 1).await, Withdrawn::Ended);
    assert_eq!(bench.counters().await, [(5, 0, 0)]);
}

pub(super) async fn every_unit_is_somewhere_while_all_of_it_happens_at_once(bench: Bench) {
    const STOCK: i64 = 30;
    bench.load(&bench.rules(1, &[STOCK], 1), SaleState::Open).await;
    for n in 0..10 {
        bench.expired(n, &format!("late-{n}"), 1).await;
    }
    // Ten late payments, ten withdrawals of two units and forty purchases want thirty units.
    let tasks: Vec<_> = (0..10_u16)
        .map(|n| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let mut taken = 0;
                for at in 0..4 {
                    let n = 100 + 4 * n + at;
                    taken += i64::from(matches!(
                        bench.buy(n, &format!("new-{n}"), 0, 1).await,
                        domain::Verdict::Admitted(_)
                    ));
                }
                let id = format!("w{n}");
                let is_taken = bench.withdraw(&id, 0, 2).await == Withdrawn::Taken;
                let is_reserved = bench.reserve(n, 2).await == Reserved::Reserved;
                (taken, is_taken, is_reserved)
            })
        })
        .collect();
    let (mut admitted, mut aside, mut reserved) = (0, 0, 0);
    for (n, task) in (0..).zip(tasks) {
        let (units, is_taken, is_reserved) = task.await.unwrap();
        admitted += units;
        aside += 2 * i64::from(is_taken);
        reserved += i64::from(is_reserved);
        assert_eq!(bench.reserve(n, 2).await == Reserved::Reserved, is_reserved, "nothing was given back");
    }
    let free = STOCK - admitted - aside - reserved;
    assert!((0..2).contains(&free), "{admitted} admitted, {aside} aside, {reserved} reserved");
    assert_eq!(bench.counters().await, [(free, admitted, aside + reserved)]);

    // All of it ends: the payments are refunded, the withdrawals refused.
    for n in 0..10 {
        bench.hold(&[bench.effect(n, 3, &format!("late-{n}"), 0, Outcome::Placed)]).await;
        bench.restock(0, STOCK, 1 + u32::from(n), Some(&format!("w{n}"))).await;
    }
    assert_eq!(bench.counters().await, [(STOCK - admitted, admitted, 0)]);
}
