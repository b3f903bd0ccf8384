//! Sales as the operator decides them.

use chrono::TimeDelta;
use domain::ports::Changed;
use domain::{ItemPatch, Outcome, Patch, Sale, SaleNumber, SaleState};

use super::bench::{Bench, described, job, now, operator, wants};

fn done(changed: Changed) -> Sale {
    match changed {
        Changed::Done(sale) => sale,
        other => panic!("not done: {other:?}"),
    }
}

impl Bench {
    async fn is_conflict(&self, sale: &Sale, changed: Changed) {
        assert!(matches!(&changed, Changed::Conflict(why) if !why.is_empty()), "{changed:?}");
        assert_eq!(self.sales.sale(&sale.id).await.unwrap().as_ref(), Some(sale), "nothing has changed");
    }
}

pub(super) async fn a_sale_is_kept_as_it_was_described(bench: Bench) {
    let new = described("s.1", &[5, 0, 7], 3);
    let sale = bench.sales.create(&new, &operator()).await.unwrap().unwrap();
    assert_eq!((sale.id.as_str(), sale.title.as_str()), ("s.1", "A sale"));
    assert_eq!((sale.state, sale.epoch), (SaleState::Draft, 0));
    assert_eq!((sale.opens_at, sale.closes_at), (new.opens_at, new.closes_at));
    assert_eq!((sale.limit_per_buyer, sale.payment_window_s), (3, 600));
    for (item, new) in sale.items.iter().zip(&new.items) {
        assert_eq!((&item.id, &item.title, item.price, item.stock), (&new.id, &new.title, new.price, new.stock));
    }
    assert_eq!(bench.sales.sale(&sale.id).await.unwrap(), Some(sale.clone()));
    assert_eq!(bench.sales.create(&described("s.1", &[1], 1), &operator()).await.unwrap(), None, "the id is taken");
    assert_eq!(bench.sales.sale(&sale.id).await.unwrap(), Some(sale.clone()));

    let other = bench.sales.create(&described("s.2", &[1], 1), &operator()).await.unwrap().unwrap();
    assert_ne!(other.number, sale.number);
    assert_eq!(bench.sales.sale(&"s.3".parse().unwrap()).await.unwrap(), None);
}

pub(super) async fn sales_are_listed_newest_first_while_they_matter(bench: Bench) {
    for (id, ended_s) in [("old", 100), ("recent", 10), ("live", -100)] {
        let mut new = described(id, &[1], 1);
        new.closes_at = now() - TimeDelta::seconds(ended_s);
        new.opens_at = new.closes_at - TimeDelta::hours(1);
        bench.sales.create(&new, &operator()).await.unwrap().unwrap();
    }
    let ids = async |keep_ended_s| {
        let sales = bench.sales.sales(keep_ended_s).await.unwrap();
        sales.iter().map(|sale| sale.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(0).await, ["live"]);
    assert_eq!(ids(50).await, ["live", "recent"]);
    assert_eq!(ids(500).await, ["live", "recent", "old"]);
}

pub(super) async fn a_sale_moves_only_as_it_may(bench: Bench) {
    let sale = bench.sales.create(&described("s", &[1], 1), &operator()).await.unwrap().unwrap();
    let nowhere = "nowhere".parse().unwrap();
    let changed = bench.sales.set_state(&nowhere, SaleState::Open, &operator()).await.unwrap();
    assert_eq!(changed, Changed::NotFound);

    // Open before it is warm; then every state after every other, as the domain allows it.
    let changed = bench.sales.set_state(&sale.id, SaleState::Open, &operator()).await.unwrap();
    bench.is_conflict(&sale, changed).await;
    bench.sales.next_epoch(&sale.id, &domain::ports::Operator::default()).await.unwrap();
    let mut sale = bench.sales.sale(&sale.id).await.unwrap().unwrap();
    use SaleState::{Closed, Draft, Open, Paused};
    for state in [Paused, Draft, Open, Open, Draft, Paused, Paused, Draft, Open, Closed, Open, Paused, Draft, Closed] {
        let allowed = sale.may_become(state).is_ok();
        let changed = bench.sales.set_state(&sale.id, state, &operator()).await.unwrap();
        if allowed {
            let after = done(changed);
            assert_eq!(after, Sale { state, ..sale });
            sale = after;
        } else {
            bench.is_conflict(&sale, changed).await;
        }
    }
    assert_eq!(sale.state, Closed);
}

pub(super) async fn price_and_stock_are_fixed_once_it_is_warm(bench: Bench) {
    let sale = bench.sales.create(&described("s", &[5, 6], 1), &operator()).await.unwrap().unwrap();
    let price = domain::Money { amount: 1, ..sale.items[0].price };
    let item = |price, stock| Patch {
        items: Some(vec![ItemPatch { id: "b".parse().unwrap(), price, stock }]),
        ..Patch::default()
    };
    let after = done(bench.sales.patch(&sale.id, &item(Some(price), Some(9)), &operator()).await.unwrap());
    assert_eq!((after.items[1].price, after.items[1].stock), (price, 9));
    assert_eq!(after.items[0], sale.items[0]);
    assert_eq!(bench.sales.sale(&sale.id).await.unwrap(), Some(after));

    bench.sales.next_epoch(&sale.id, &domain::ports::Operator::default()).await.unwrap();
    let warm = bench.sales.sale(&sale.id).await.unwrap().unwrap();
    for patch in [item(Some(price), None), item(None, Some(10)), item(Some(price), Some(10))] {
        let changed = bench.sales.patch(&sale.id, &patch, &operator()).await.unwrap();
        bench.is_conflict(&warm, changed).await;
    }
    let rules = Patch {
        title: Some("Another title".to_owned()),
        opens_at: Some(warm.opens_at + TimeDelta::seconds(1)),
        closes_at: Some(warm.closes_at + TimeDelta::seconds(2)),
        limit_per_buyer: Some(7),
        payment_window_seconds: Some(77),
        ..Patch::default()
    };
    let after = done(bench.sales.patch(&sale.id, &rules, &operator()).await.unwrap());
    let expected = Sale {
        title: "Another title".to_owned(),
        opens_at: warm.opens_at + TimeDelta::seconds(1),
        closes_at: warm.closes_at + TimeDelta::seconds(2),
        limit_per_buyer: 7,
        payment_window_s: 77,
        ..warm
    };
    assert_eq!(after, expected);
    assert_eq!(bench.sales.sale(&sale.id).await.unwrap(), Some(expected));
}

pub(super) async fn a_patch_that_makes_no_sense_changes_nothing(bench: Bench) {
    let sale = bench.sales.create(&described("s", &[5], 1), &operator()).await.unwrap().unwrap();
    let unknown = ItemPatch { id: "z".parse().unwrap(), price: None, stock: Some(1) };
    for patch in [
        Patch { closes_at: Some(sale.opens_at), ..Patch::default() },
        Patch { items: Some(vec![unknown]), title: Some("Half of it".to_owned()), ..Patch::default() },
    ] {
        let changed = bench.sales.patch(&sale.id, &patch, &operator()).await.unwrap();
        bench.is_conflict(&sale, changed).await;
    }
    let nowhere = "nowhere".parse().unwrap();
    assert_eq!(bench.sales.patch(&nowhere, &Patch::default(), &operator()).await.unwrap(), Changed::NotFound);
}

pub(super) async fn each_epoch_is_new_and_moves_every_version(bench: Bench) {
    let sale = bench.sales.create(&described("s", &[5, 5], 1), &operator()).await.unwrap().unwrap();
    let before = bench.sales.versions(sale.number).await.unwrap();
    assert_eq!(before.len(), 2);
    for epoch in 1..=3 {
        assert_eq!(bench.sales.next_epoch(&sale.id, &domain::ports::Operator::default()).await.unwrap(), Some(epoch));
        assert_eq!(bench.sales.sale(&sale.id).await.unwrap().unwrap().epoch, epoch);
    }
    let after = bench.sales.versions(sale.number).await.unwrap();
    assert!(before.iter().zip(&after).all(|(before, after)| *after >= before + 3), "{before:?} {after:?}");
    assert_eq!(
        bench.sales.next_epoch(&"nowhere".parse().unwrap(), &domain::ports::Operator::default()).await.unwrap(),
        None
    );

    // Two at once get two epochs.
    let racers: Vec<_> = (0..4)
        .map(|_| {
            let (bench, id) = (bench.clone(), sale.id.clone());
            tokio::spawn(async move {
                bench.sales.next_epoch(&id, &domain::ports::Operator::default()).await.unwrap().unwrap()
            })
        })
        .collect();
    let mut epochs = Vec::new();
    for racer in racers {
        epochs.push(racer.await.unwrap());
    }
    epochs.sort_unstable();
    assert_eq!(epochs, [4, 5, 6, 7]);
}

pub(super) async fn what_orders_hold_is_listed_page_by_page(bench: Bench) {
    let (sale, other) = (bench.open("s", &[4], 1).await, bench.open("other", &[9], 1).await);
    let batch: Vec<_> = (0..7).map(|n| wants(&sale, n, &format!("buyer-{n}"), 0, 1)).collect();
    bench.outcomes(&batch).await;
    bench.outcomes(&[wants(&other, 3, "ann", 0, 1)]).await;

    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = bench.sales.holds(sale.number, after, 3).await.unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = Some(last.job);
        listed.extend(page);
    }
    assert_eq!(
        listed.iter().map(|hold| hold.job).collect::<Vec<_>>(),
        (0..7).map(|n| job(&sale, n)).collect::<Vec<_>>()
    );
    assert_eq!(listed.iter().map(|hold| i64::from(hold.units)).sum::<i64>(), 4);
    for hold in &listed {
        assert_eq!(hold.units == 1, hold.outcome == Outcome::Placed, "{hold:?}");
    }
    let mut effects = bench.effects().await;
    effects.retain(|hold| hold.job.route() == sale.route());
    effects.sort_by_key(|hold| hold.job);
    assert_eq!(effects, listed, "what is loaded is what was sent");
    let nowhere = SaleNumber::new(9_999).unwrap();
    assert!(bench.sales.holds(nowhere, None, 3).await.unwrap().is_empty());
}
