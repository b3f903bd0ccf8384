//! Migrations, and what operators leave behind.

use backends::postgres::Postgres;
use domain::ports::{Changed, Operator, OrderStore, SaleStore};
use domain::{ItemPatch, Patch, SaleState};
use serde_json::Value;
use sqlx::Connection as _;

use super::support::{crowd, described, in_a_database, in_an_empty_database, operator, patient};

#[derive(Debug, sqlx::FromRow)]
struct AuditLine {
    via: String,
    action: String,
    reason: Option<String>,
    before: Option<Value>,
    after: Value,
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_migrate_an_empty_database_once() {
    in_an_empty_database(|bench| async move {
        let pending = bench.postgres.pending_migrations().await.unwrap();
        assert_eq!(pending.first().map(String::as_str), Some("0001_sales_and_orders"));
        let other = Postgres::connect(&patient(&bench.url)).await.unwrap();
        let (one, two) = tokio::join!(bench.postgres.migrate(), other.migrate());
        assert!(one.unwrap() == pending || two.unwrap() == pending);
        assert!(bench.postgres.pending_migrations().await.unwrap().is_empty());
        assert!(bench.postgres.migrate().await.unwrap().is_empty());
        // A time limit that was lifted for the migration is not lifted for anybody else.
        let long = bench.postgres.create(&described("s", &[1], 1), &operator()).await;
        assert!(long.unwrap().is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_an_operator_has_its_line_and_a_refused_one_has_none() {
    in_a_database(|bench| async move {
        let postgres = &bench.postgres;
        let sale = postgres.create(&described("s", &[5], 1), &operator()).await.unwrap().unwrap();
        assert!(postgres.create(&described("s", &[5], 1), &operator()).await.unwrap().is_none());
        let refused = postgres.set_state(&sale.id, SaleState::Open, &operator()).await.unwrap();
        assert!(matches!(refused, Changed::Conflict(_)));
        let item = ItemPatch { id: "a".parse().unwrap(), price: None, stock: Some(7) };
        let patch = Patch { items: Some(vec![item]), reason: Some("more came in".to_owned()), ..Patch::default() };
        postgres.patch(&sale.id, &patch, &operator()).await.unwrap();
        let keeper = Operator { via: "keeper".to_owned(), reason: Some("the gate was restarted".to_owned()) };
        postgres.next_epoch(&sale.id, &keeper).await.unwrap();
        assert!(matches!(postgres.patch(&sale.id, &patch, &operator()).await.unwrap(), Changed::Conflict(_)));
        let by = Operator { via: "console".to_owned(), reason: None };
        postgres.set_state(&sale.id, SaleState::Open, &by).await.unwrap();

        let mut connection = sqlx::PgConnection::connect(&bench.url).await.unwrap();
        let lines: Vec<AuditLine> =
            sqlx::query_as("select via, action, reason, before, after from audit_log where sale_id = 's' order by id")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let who: Vec<_> = lines.iter().map(|line| (&*line.via, &*line.action, line.reason.as_deref())).collect();
        let expected = [
            ("cli", "create", Some("a test")),
            ("cli", "patch", Some("more came in")),
            ("keeper", "next-epoch", Some("the gate was restarted")),
            ("console", "set-state", None),
        ];
        assert_eq!(who, expected);
        assert_eq!(lines[0].before, None);
        assert!(
            lines.windows(2).all(|pair| pair[1].before.as_ref() == Some(&pair[0].after)),
            "each begins where the last ended"
        );
        assert_eq!(lines[1].after["sale"]["items"][0]["stock"], 7);
        assert_eq!((&lines[3].after["state"], &lines[3].after["epoch"]), (&Value::from("open"), &Value::from(1)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_and_a_closed_sale_still_place_what_was_accepted() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[5], 1).await;
        for (state, n) in [(SaleState::Paused, 1), (SaleState::Closed, 2)] {
            bench.postgres.set_state(&sale.id, state, &operator()).await.unwrap();
            assert_eq!(bench.place(&crowd(&sale, n, 1, 0)).await[0].outcome, super::support::PLACED);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_begins_between_two_transactions_and_never_inside_one() {
    in_a_database(|bench| async move {
        let sale = bench.open("s", &[1_000], 1).await;
        let placing = tokio::spawn({
            let (bench, sale) = (bench.clone(), sale.clone());
            async move {
                for at in 0..20 {
                    bench.place(&crowd(&sale, at * 10, 10, 0)).await;
                }
            }
        });
        let mut epoch = 1;
        while !placing.is_finished() {
            epoch = bench.postgres.next_epoch(&sale.id, &domain::ports::Operator::default()).await.unwrap().unwrap();
            // What came before is in the orders by now, what comes after has a later version.
            let seen = bench.postgres.versions(sale.number).await.unwrap();
            let totals = bench.postgres.totals(sale.number, &seen).await.unwrap();
            assert!(totals[0].held - totals[0].after <= 200);
        }
        placing.await.unwrap();
        assert_eq!(bench.postgres.sale(&sale.id).await.unwrap().unwrap().epoch, epoch);
        let versions = bench.postgres.versions(sale.number).await.unwrap();
        assert_eq!(versions, [20 + i64::from(epoch)], "each batch and each epoch moved it by one");
    })
    .await;
}
