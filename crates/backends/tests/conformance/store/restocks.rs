//! Stock that changes while a sale runs.

use domain::ports::{Restocked, Sink};
use domain::{ItemIndex, ItemStock, NewSale, Restock, Sale, SaleState, StockEffect, Withdrawal};

use super::bench::{Bench, PLACED, SOLD_OUT, described, operator, stock_of, wants};

fn change(id: &str, item: &str, delta: i64) -> Restock {
    Restock { id: id.parse().unwrap(), item: item.parse().unwrap(), delta }
}

fn done(stock: i64, repeated: bool) -> Restocked {
    Restocked::Done { stock, repeated }
}

fn is_conflict(answer: &Restocked) -> bool {
    matches!(answer, Restocked::Conflict(why) if !why.is_empty())
}

impl Bench {
    async fn restock(&self, sale: &Sale, id: &str, item: &str, delta: i64) -> Restocked {
        self.sales.restock(&sale.id, &change(id, item, delta), &operator()).await.unwrap()
    }

    async fn withdraw(&self, sale: &Sale, id: &str, item: &str, delta: i64) -> Withdrawal {
        match self.restock(sale, id, item, delta).await {
            Restocked::Withdraw(withdrawal) => withdrawal,
            other => panic!("{other:?}"),
        }
    }

    async fn end(&self, withdrawal: &Withdrawal, taken: bool) -> Restocked {
        self.sales.end_withdrawal(&withdrawal.sale, &withdrawal.id, taken).await.unwrap()
    }

    /// `(stock, stock_rev)` of each item.
    async fn stock(&self, sale: &Sale) -> Vec<(i64, u32)> {
        let sale = self.sales.sale(&sale.id).await.unwrap().unwrap();
        sale.items.iter().map(|item| (item.stock, item.stock_rev)).collect()
    }

    /// What the gate has to hear of stocks, with the version.
    async fn stock_effects(&self) -> Vec<(StockEffect, Option<i64>)> {
        let rows = self.relay_all(Sink::Gate).await;
        rows.iter().filter_map(|row| Some((stock_of(row)?, row.version.map(|(_, version)| version)))).collect()
    }
}

fn effect(item: u8, units: i64, rev: u32, ends: Option<&str>) -> StockEffect {
    let ends = ends.map(|id| id.parse().unwrap());
    StockEffect { item: ItemIndex::new(item), stock: ItemStock { units, rev }, ends }
}

pub(super) async fn added_units_are_for_sale_at_once_and_once(bench: Bench) {
    let sale = bench.open("s", &[9, 1], 1).await;
    bench.order_of_item(&sale, 1, "ann", 1).await;
    assert_eq!(bench.outcomes(&[wants(&sale, 2, "bob", 1, 1)]).await, [SOLD_OUT]);
    assert_eq!(bench.restock(&sale, "r1", "b", 2).await, done(3, false));
    assert_eq!(bench.restock(&sale, "r1", "b", 2).await, done(3, true));
    assert_eq!(bench.restock(&sale, "r2", "b", 1).await, done(4, false));
    assert_eq!(bench.restock(&sale, "r1", "b", 2).await, done(3, true), "what came of it then");
    assert_eq!(bench.stock(&sale).await, [(9, 0), (4, 2)]);
    let newest = bench.sales.versions(sale.number).await.unwrap()[1];
    let expected = [(effect(1, 3, 1, None), Some(newest - 1)), (effect(1, 4, 2, None), Some(newest))];
    assert_eq!(bench.stock_effects().await, expected);
    assert_eq!(bench.outcomes(&[wants(&sale, 3, "bob", 1, 1)]).await, [PLACED]);
    assert_eq!(bench.totals(&sale).await, [(0, 0), (2, 0)]);
}

pub(super) async fn a_withdrawal_shrinks_the_stock_when_the_gate_has_taken_it(bench: Bench) {
    let sale = bench.open("s", &[9, 5], 1).await;
    bench.order_of_item(&sale, 1, "ann", 1).await;
    bench.relay_all(Sink::Gate).await;
    let withdrawal = bench.withdraw(&sale, "r", "b", -4).await;
    let expected = Withdrawal {
        id: "r".parse().unwrap(),
        sale: sale.id.clone(),
        route: sale.route(),
        item: ItemIndex::new(1),
        units: 4,
        stock_rev: 0,
    };
    assert_eq!(withdrawal, expected);
    assert_eq!(bench.withdraw(&sale, "r", "b", -4).await, expected, "again: it goes on where it stopped");
    assert_eq!(bench.stock(&sale).await, [(9, 0), (5, 0)], "nothing has happened yet");
    assert!(bench.stock_effects().await.is_empty());

    assert_eq!(bench.end(&withdrawal, true).await, done(1, false));
    assert_eq!(bench.end(&withdrawal, true).await, done(1, true));
    assert_eq!(bench.end(&withdrawal, false).await, done(1, true), "it has ended already");
    assert_eq!(bench.restock(&sale, "r", "b", -4).await, done(1, true));
    assert_eq!(bench.stock(&sale).await, [(9, 0), (1, 1)]);
    let newest = bench.sales.versions(sale.number).await.unwrap()[1];
    assert_eq!(bench.stock_effects().await, [(effect(1, 1, 1, Some("r")), Some(newest))]);
    assert_eq!(bench.outcomes(&[wants(&sale, 2, "bob", 1, 1)]).await, [SOLD_OUT]);
}

pub(super) async fn a_withdrawal_that_the_gate_refused_stays_refused(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let withdrawal = bench.withdraw(&sale, "r", "a", -4).await;
    let versions = bench.sales.versions(sale.number).await.unwrap();
    assert!(is_conflict(&bench.end(&withdrawal, false).await));
    assert!(is_conflict(&bench.end(&withdrawal, true).await), "it has ended already");
    assert!(is_conflict(&bench.restock(&sale, "r", "a", -4).await));
    assert_eq!(bench.stock(&sale).await, [(5, 1)]);
    assert_eq!(bench.sales.versions(sale.number).await.unwrap(), versions, "no units moved");
    assert_eq!(bench.stock_effects().await, [(effect(0, 5, 1, Some("r")), None)], "what was set aside is set free");
    assert_eq!(bench.withdraw(&sale, "r2", "a", -4).await.units, 4, "another one may be tried");
}

pub(super) async fn more_than_is_left_is_never_withdrawn(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let withdrawal = bench.withdraw(&sale, "r", "a", -4).await;
    bench.order(&sale, 1, "ann").await;
    bench.order(&sale, 2, "bob").await;
    // Whatever a gate that has lost its data says.
    assert!(is_conflict(&bench.end(&withdrawal, true).await));
    assert_eq!(bench.stock(&sale).await, [(5, 1)]);
    assert_eq!(bench.stock_effects().await, [(effect(0, 5, 1, Some("r")), None)]);

    let (one, two) = (bench.withdraw(&sale, "one", "a", -3).await, bench.withdraw(&sale, "two", "a", -3).await);
    assert_eq!(bench.end(&one, true).await, done(2, false));
    assert!(is_conflict(&bench.end(&two, true).await));
    assert_eq!(bench.totals(&sale).await, [(2, 0)]);
}

pub(super) async fn a_sale_that_was_never_warm_is_changed_at_once(bench: Bench) {
    let sale = bench.sales.create(&described("s", &[5], 1), &operator()).await.unwrap().unwrap();
    assert_eq!(bench.restock(&sale, "more", "a", 3).await, done(8, false));
    assert_eq!(bench.restock(&sale, "less", "a", -7).await, done(1, false));
    assert_eq!(bench.restock(&sale, "less", "a", -7).await, done(1, true));
    assert_eq!(bench.stock(&sale).await, [(1, 0)], "restocks are counted since warm-up");
    assert!(bench.stock_effects().await.is_empty(), "no gate has anything of it");
    assert!(bench.sales.open_withdrawals(0).await.unwrap().is_empty());
}

pub(super) async fn what_cannot_be_is_a_conflict_and_changes_nothing(bench: Bench) {
    let sale = bench.open("s", &[5, 5], 1).await;
    let nowhere = "nowhere".parse().unwrap();
    let answer = bench.sales.restock(&nowhere, &change("r", "a", 1), &operator()).await.unwrap();
    assert_eq!(answer, Restocked::NotFound);
    assert_eq!(bench.restock(&sale, "r", "z", 1).await, Restocked::NotFound);
    assert_eq!(bench.sales.end_withdrawal(&sale.id, &"r".parse().unwrap(), true).await.unwrap(), Restocked::NotFound);
    for delta in [-6, 0, NewSale::STOCK_MAX - 4, i64::MAX, i64::MIN] {
        assert!(is_conflict(&bench.restock(&sale, "r", "a", delta).await), "{delta}");
    }
    assert_eq!(bench.restock(&sale, "r", "a", NewSale::STOCK_MAX - 5).await, done(NewSale::STOCK_MAX, false));
    assert!(is_conflict(&bench.restock(&sale, "r", "a", 1).await), "the same id with another number");
    assert!(is_conflict(&bench.restock(&sale, "r", "b", NewSale::STOCK_MAX - 5).await), "with another item");

    let begun = bench.withdraw(&sale, "begun", "b", -2).await;
    bench.sales.set_state(&sale.id, SaleState::Closed, &operator()).await.unwrap();
    assert!(is_conflict(&bench.restock(&sale, "late", "b", 1).await), "a closed sale");
    assert_eq!(bench.restock(&sale, "r", "a", NewSale::STOCK_MAX - 5).await, done(NewSale::STOCK_MAX, true));
    assert_eq!(bench.end(&begun, true).await, done(3, false), "what was begun is ended");
    assert_eq!(bench.stock(&sale).await, [(NewSale::STOCK_MAX, 1), (3, 1)]);
}

pub(super) async fn stock_is_taken_back_to_the_version_that_was_seen(bench: Bench) {
    let sale = bench.open("s", &[5, 5], 2).await;
    // Each entry: versions, and stock and held units at that version.
    let mut seen = vec![(bench.sales.versions(sale.number).await.unwrap(), [5, 5], 0)];
    bench.order(&sale, 1, "ann").await;
    seen.push((bench.sales.versions(sale.number).await.unwrap(), [5, 5], 1));
    bench.restock(&sale, "more", "a", 10).await;
    seen.push((bench.sales.versions(sale.number).await.unwrap(), [15, 5], 1));
    bench.order(&sale, 2, "bob").await;
    seen.push((bench.sales.versions(sale.number).await.unwrap(), [15, 5], 2));
    let withdrawal = bench.withdraw(&sale, "less", "a", -3).await;
    seen.push((bench.sales.versions(sale.number).await.unwrap(), [15, 5], 2));
    bench.end(&withdrawal, true).await;
    seen.push((bench.sales.versions(sale.number).await.unwrap(), [12, 5], 2));
    bench.restock(&sale, "b", "b", 1).await;
    seen.push((bench.sales.versions(sale.number).await.unwrap(), [12, 6], 2));
    // Whether the rows have been delivered makes no difference.
    for _ in 0..2 {
        for (versions, stock, held) in &seen {
            let totals = bench.orders.totals(sale.number, versions).await.unwrap();
            assert_eq!(totals.iter().map(|line| line.stock).collect::<Vec<_>>(), stock, "at {versions:?}");
            assert_eq!(totals[0].held - totals[0].after, *held, "at {versions:?}");
        }
        bench.relay_all(Sink::Gate).await;
    }
}

pub(super) async fn a_withdrawal_that_was_forgotten_is_found(bench: Bench) {
    let sale = bench.open("s", &[5, 5], 1).await;
    let (one, two) = (bench.withdraw(&sale, "one", "a", -1).await, bench.withdraw(&sale, "two", "b", -2).await);
    bench.restock(&sale, "more", "a", 1).await;
    // Whoever finishes it has to take the units at the stock as it is now.
    let one = Withdrawal { stock_rev: 1, ..one };
    assert!(bench.sales.open_withdrawals(3_600).await.unwrap().is_empty(), "too young");
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert_eq!(bench.sales.open_withdrawals(0).await.unwrap(), [one.clone(), two.clone()]);
    bench.end(&one, true).await;
    assert_eq!(bench.sales.open_withdrawals(0).await.unwrap(), std::slice::from_ref(&two));
    bench.end(&two, false).await;
    assert!(bench.sales.open_withdrawals(0).await.unwrap().is_empty());
}

pub(super) async fn racing_restocks_of_one_id_happen_once(bench: Bench) {
    let sale = bench.open("s", &[5], 1).await;
    let racers: Vec<_> = (0..6)
        .map(|_| {
            let (bench, sale) = (bench.clone(), sale.clone());
            tokio::spawn(async move { bench.restock(&sale, "r", "a", 2).await })
        })
        .collect();
    let mut repeated = 0;
    for racer in racers {
        let answer = racer.await.unwrap();
        assert!(answer == done(7, false) || answer == done(7, true), "{answer:?}");
        repeated += usize::from(answer == done(7, true));
    }
    assert_eq!(repeated, 5);
    assert_eq!(bench.stock(&sale).await, [(7, 1)]);
}
