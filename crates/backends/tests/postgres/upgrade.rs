//! A database that has orders from the version before.

use domain::ports::{Cancelled, OrderLife, OrderStore, SaleStore};
use domain::{Money, OrderStatus, PaymentEvent, PaymentNoted, PaymentResult};
use sqlx::Connection as _;
use sqlx::migrate::Migrator;

use super::support::{Bench, in_an_empty_database, job, wants};

/// A sale as the first version kept it, with three units sold to three buyers.
const BEFORE: &str = "
    insert into sales (id, title, state, epoch, opens_at, closes_at, limit_per_buyer, payment_window_s, counted)
    values ('s', 'A sale', 'open', 1, now() - interval '1 hour', now() + interval '1 hour', 2, 600, true);
    insert into sale_items (sale_id, item_id, position, title, price_amount, currency, stock, sold, version)
    values ('s', 'a', 0, 'An item', 100, 'CNY', 9, 3, 2);
    insert into allowances (sale_id, buyer_id, units) select 's', 'buyer-' || n, 1 from generate_series(1, 3) as n;";

async fn order(bench: &Bench, sale: &domain::Sale, n: u32, status: &str) {
    let (id, reason) = (job(sale, n).uuid(), if status == "rejected" { "'sold-out'" } else { "null" });
    let units = i32::from(status != "rejected");
    let outcome = if units == 1 { "\"placed\"" } else { "{\"refused\":\"sold-out\"}" };
    let hold = format!(
        "[{{\"job\":\"{id}\",\"rev\":1,\"buyer\":\"buyer-{n}\",\"item\":0,\"quantity\":1,\"units\":{units},
          \"outcome\":{outcome},\"at\":\"2026-01-01T00:00:00Z\"}}]"
    );
    let event =
        format!("{{\"schema\":1,\"sale\":\"s\",\"item\":\"a\",\"events\":[{{\"orderId\":\"{id}\",\"seq\":1}}]}}");
    let version = if units == 1 { format!("{}", 10 + n) } else { "null".to_owned() };
    bench
        .execute(&format!(
            "insert into orders (id, sale_id, item_id, buyer_id, quantity, status, reason, amount, currency, exclusive,
                                 expires_at)
             values ('{id}', 's', 'a', 'buyer-{n}', 1, '{status}', {reason}, 100, 'CNY', false,
                     now() + interval '1 hour');
             insert into outbox (sink, sale_id, sale_number, shard, item_position, version, units_delta, body)
             values ('gate', 's', {number}, 0, 0, {version}, {units}, '{hold}'),
                    ('events', 's', {number}, 0, 0, null, 0, '{event}')",
            number = sale.number.get(),
        ))
        .await;
}

/// The sale as far as job ids need it: what the port reads, the first version's tables do not have yet.
fn sale_1() -> domain::Sale {
    let number = domain::SaleNumber::new(1).unwrap();
    let now = domain::from_ms(0);
    domain::Sale {
        number,
        id: "s".parse().unwrap(),
        title: String::new(),
        state: domain::SaleState::Open,
        epoch: 1,
        opens_at: now,
        closes_at: now,
        limit_per_buyer: 2,
        payment_window_s: 600,
        items: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_the_version_before_are_paid_cancelled_and_expired() {
    in_an_empty_database(|bench| async move {
        let all: Migrator = sqlx::migrate!("../../migrations");
        let first = all.iter().filter(|migration| migration.version == 1).cloned().collect::<Vec<_>>();
        let mut connection = sqlx::PgConnection::connect(&bench.url).await.unwrap();
        let before = Migrator::with_migrations(first);
        before.run_direct(None, &mut connection, false).await.unwrap();
        assert_eq!(
            bench.postgres.pending_migrations().await.unwrap(),
            [
                "0002_payments_and_restocks",
                "0003_settings",
                "0004_quotas",
                "0005_locks",
                "0006_fewer_index_entries",
                "0007_retention",
                "0008_activity",
            ]
        );
        bench.execute(BEFORE).await;
        let sale = sale_1();
        for (n, status) in [(1, "pending_payment"), (2, "pending_payment"), (3, "pending_payment"), (4, "rejected")] {
            order(&bench, &sale, n, status).await;
        }
        bench.execute(&format!("update orders set expires_at = now() where id = '{}'", job(&sale, 3).uuid())).await;
        bench.postgres.migrate().await.unwrap();
        bench.audit().await;

        let postgres = &bench.postgres;
        let event = PaymentEvent {
            event: "e".parse().unwrap(),
            payment: "p".parse().unwrap(),
            order: job(&sale, 1),
            amount: Money { amount: 100, currency: "CNY".to_owned().try_into().unwrap() },
            result: PaymentResult::Succeeded,
        };
        assert_eq!(postgres.note_payment(&event).await.unwrap(), PaymentNoted::Paid);
        let cancelled = postgres.cancel(job(&sale, 2), &"buyer-2".parse().unwrap()).await.unwrap();
        assert!(matches!(cancelled, Some(Cancelled::Done(_))), "{cancelled:?}");
        assert_eq!(postgres.expire(10).await.unwrap(), 1);
        let statuses = async |n: u32| {
            let view = postgres.order(job(&sale, n), &format!("buyer-{n}").parse().unwrap()).await.unwrap().unwrap();
            (view.status, view.refund)
        };
        assert_eq!(statuses(1).await, (OrderStatus::Paid, None));
        assert_eq!(statuses(2).await, (OrderStatus::Cancelled, None));
        assert_eq!(statuses(3).await, (OrderStatus::Expired, None));
        assert_eq!(statuses(4).await, (OrderStatus::Rejected, None));
        let holds = postgres.holds(sale.number, None, 10).await.unwrap();
        assert_eq!(
            holds.iter().map(|hold| (hold.rev, hold.units)).collect::<Vec<_>>(),
            [(1, 1), (2, 0), (2, 0), (1, 0)]
        );
        let read = postgres.sale(&sale.id).await.unwrap().unwrap();
        assert_eq!((read.items[0].stock, read.items[0].stock_rev), (9, 0));
        bench.place(&[wants(&read, 9, "buyer-9", 0, 2)]).await;
        bench.audit().await;
    })
    .await;
}
