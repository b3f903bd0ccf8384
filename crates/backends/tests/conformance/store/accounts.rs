//! What the orders of a sale add up to.

use domain::{Accounts, ItemAccounts, SaleNumber};

use super::bench::{Bench, job, wants};
use super::till::paid;

fn item(id: &str, units: [i64; 4], revenue: i64) -> ItemAccounts {
    let [stock, paid, unpaid, returned] = units;
    ItemAccounts { item: id.parse().unwrap(), stock, paid, unpaid, returned, revenue }
}

pub(super) async fn orders_are_added_up_by_what_became_of_them(bench: Bench) {
    let sale = bench.open("s", &[4, 9, 9], 3).await;
    let other = bench.open("t", &[9], 3).await;
    let batch = [
        wants(&sale, 0, "ann", 0, 2),
        wants(&sale, 1, "bob", 0, 2),
        wants(&sale, 2, "eve", 0, 1), // nothing is left
        wants(&sale, 3, "ann", 1, 1),
        wants(&sale, 4, "kim", 1, 3),
    ];
    bench.place(&batch).await;
    bench.place(&[wants(&other, 0, "ann", 0, 1)]).await;
    bench.life.note_payment(&paid("p", job(&sale, 0), 200)).await.unwrap();
    bench.life.note_payment(&paid("again", job(&sale, 0), 200)).await.unwrap();
    bench.life.note_refunded(&"again".parse().unwrap()).await.unwrap();
    bench.cancels(job(&sale, 4), "kim").await;
    let accounts = bench.accountant.accounts(sale.number).await.unwrap().unwrap();
    let items = vec![item("a", [4, 2, 2, 0], 200), item("b", [9, 0, 1, 3], 0), item("c", [9, 0, 0, 0], 0)];
    assert_eq!(accounts, Accounts { items, buyers: 2, expired: 0, cancelled: 1, rejected: 1, refunded: 1 });

    let hurried = bench.open_in_a_hurry("u", &[5], 1).await;
    bench.place(&[wants(&hurried, 0, "ann", 0, 1)]).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(bench.life.expire(10).await.unwrap(), 1);
    let accounts = bench.accountant.accounts(hurried.number).await.unwrap().unwrap();
    assert_eq!((accounts.items[0].returned, accounts.expired, accounts.buyers), (1, 1, 0));
}

pub(super) async fn there_are_no_accounts_of_no_sale(bench: Bench) {
    assert_eq!(bench.accountant.accounts(SaleNumber::new(77).unwrap()).await.unwrap(), None);
}
