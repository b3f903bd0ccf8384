//! What the database does for the statements that are asked all the time: a table of a hundred thousand orders is
//! filled, and each statement may touch only so many pages of it, also under a plan that was made for nothing in
//! particular. The same for an outbox with two hundred thousand delivered rows, and a thousand sales that are over.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use domain::ports::Sink;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::activity::{NEW_ACTIVITY, OLD_SECOND, TAKE_MINUTE};
use super::archive;
use super::life::statements;
use super::orders::{ORDERS_OF, TOTALS};
use super::place::statements::{COUNTED, EXCLUSIVE};
use super::relay::{MARK, SWEEP, backlog, waiting};
use super::retention::{BEING_CLEARED, CLEAR, ENDED};
use super::sales::HOLDS;
use super::sales::line::RECENT;
use super::{Postgres, PostgresSettings};

/// 20 items of a sale with 5,000 orders each, of which 200 are due; and as many items of sales that are over.
const FILL: &str = "
    insert into sales (id, title, state, opens_at, closes_at, limit_per_buyer, payment_window_s, counted)
    select 's' || n, '', 'open', now(), now() + interval '1 hour', 1, 900, false from generate_series(1, 41) as n;
    insert into sale_items (sale_id, item_id, position, title, price_amount, currency, stock, sold, paid)
    select s.id, 'i' || n, n, '', 100, 'CNY', 10000, case s.id when 's1' then 5000 else 1000 end,
           case s.id when 's1' then 0 else 1000 end
    from sales s, generate_series(0, 19) as n where s.id = 's1' or n < 10;
    insert into orders (id, sale_id, item_id, buyer_id, quantity, status, amount, currency, exclusive, expires_at)
    select lpad(to_hex(n), 32, '0')::uuid, 's1', 'i' || n % 20, 'b' || n, 1, 'pending_payment', 100, 'CNY', true,
           now() + make_interval(secs => n / 5.0 - 1000)
    from generate_series(1, 100000) as n;
    insert into orders (id, sale_id, item_id, buyer_id, quantity, status, amount, currency, exclusive, expires_at)
    select lpad(to_hex(n), 32, '0')::uuid, 's2', 'i' || n % 10, 'b' || n, 1, 'paid', 100, 'CNY', true, now()
    from generate_series(100001, 120000) as n;
    insert into allowances (sale_id, buyer_id, units) select 's1', 'b' || n, 1 from generate_series(1, 100000) as n;
    insert into payments (id, order_id, amount, currency, state, reason, due_at)
    select 'p' || n, lpad(to_hex(n), 32, '0')::uuid, 100, 'CNY',
           case when n < 99000 then 'settled' when n < 99500 then 'open' else 'refund_due' end,
           case when n < 99500 then null else 'late' end, now() - interval '1 hour'
    from generate_series(1, 100000) as n;
    insert into outbox (sink, sale_id, sale_number, shard, item_position, version, units_delta, body)
    select 'gate', 's1', 1, 0, n % 20, n / 20, 1, '[]' from generate_series(0, 99999) as n;
    insert into outbox (sink, sale_id, sale_number, shard, body, published_at)
    select 'events', 's1', 1, 0, '{}', now() - make_interval(secs => n / 200.0) from generate_series(1, 200000) as n;
    insert into outbox (sink, sale_id, sale_number, shard, body)
    select 'events', 's1', 1, 0, '{}' from generate_series(1, 150) as n;
    insert into sales (id, title, state, opens_at, closes_at, limit_per_buyer, payment_window_s, counted)
    select 'old' || n, '', 'closed', now() - interval '1 year', now() - make_interval(days => 100 + n % 200), 1, 900, false
    from generate_series(1, 1000) as n;
    insert into sale_items (sale_id, item_id, position, title, price_amount, currency, stock, sold, paid)
    select 'old' || n, 'i', 0, '', 100, 'CNY', 10, 10, 10 from generate_series(1, 1000) as n;
    insert into sales (id, title, state, opens_at, closes_at, limit_per_buyer, payment_window_s, counted)
    values ('taken', '', 'closed', now() - interval '1 year', now() - interval '200 days', 1, 900, false);
    insert into activity (sale_number, at, seconds, instance, activity)
    select 1 + n % 20, now() - make_interval(secs => n / 20), 1, 'gateway-1', '{\"answers\": {\"sold-out\": 9}}'
    from generate_series(1, 100000) as n;";

/// 500 times the same is not looked up fewer times.
const BUYERS: &str = "array_fill(1, array[500]), array_fill('b20'::text, array[500])";

/// A statement, values for its parameters, the index that it has to use, and the pages that it may touch.
type Asked = (&'static str, &'static str, &'static str, i64);

/// Whichever it likes; but no table is read from end to end.
const ANY: &str = "";

#[rustfmt::skip]
fn asked() -> [Asked; 26] { [
    // A page or two for each of the 1,420 items, and the root and a leaf of the index for each of the 20 that wait.
    (statements::DUE_ITEMS, "100", "orders_due", 1_500),
    // 500 rows are found, locked, read again and written; each writes to five indexes.
    (statements::EXPIRE, "'s1', 'i1', 100", "orders_due", 8_000),
    (statements::CLAIM_OPEN, "100", "payments_due", 5_000),
    (statements::CLAIM_REFUNDS, "100", "payments_due", 5_000),
    (TOTALS, "1, array_fill(4990::bigint, array[20])", "orders_due", 1_000),
    (TOTALS, "1, array_fill(4990::bigint, array[20])", "outbox_changes", 1_000),
    // A few pages for each of 500 buyers.
    (COUNTED, BUYERS, "allowances_pkey", 5_000),
    (EXCLUSIVE, BUYERS, "orders_one_per_buyer", 6_000),
    (ORDERS_OF, "'b20'", "orders_one_per_buyer", 50),
    (ORDERS_OF, "'b20'", "orders_owner", 50),
    // A row, and twice an index of payments, for each of 100.
    (archive::PAGE, "'s1', '00000000-0000-0000-0000-000000000000', 100, null, 100", "orders_of_sale", 2_000),
    (archive::END_OF_LOOK, "'s1', '00000000-0000-0000-0000-000000000000', 1000", "orders_of_sale", 2_000),
    // However many were delivered.
    (waiting(Sink::Gate), "100", "outbox_to_gate", 20),
    (waiting(Sink::Events), "100", "outbox_to_events", 20),
    (MARK, "array[300001, 300002, 300003]", "outbox_pkey", 60),
    (backlog(Sink::Gate), "", "outbox_to_gate", 5_000),
    (backlog(Sink::Events), "", "outbox_to_events", 20),
    // Ten thousand rows are found and removed.
    (SWEEP, "600", "outbox_published", 60_000),
    // One page of a sale, whatever other sales there are.
    (HOLDS, "2, '00000000-0000-0000-0000-000000000000', 1000", "orders_of_sale", 5_000),
    // 41 sales with 420 items.
    (RECENT, "777600", "sales_closes", 1_000),
    // Once a minute, and all sales may be looked at.
    (BEING_CLEARED, "2592000", ANY, 5_000),
    // Everything that waits in the outbox is looked at: a hundred thousand rows here, a few as a rule.
    (ENDED, "2592000", ANY, 8_000),
    // What is new of one sale among twenty; a minute of it; the oldest second of all.
    (NEW_ACTIVITY, "1, 99900, 1000", "activity_pkey", 200),
    (TAKE_MINUTE, "1, date_trunc('minute', now() - interval '30 minutes')", ANY, 1_500),
    (OLD_SECOND, "3600", "activity_by_second", 20),
    // A thousand orders are found and removed, and as many seconds of activity.
    (CLEAR, "'s2', 1000", "orders_of_sale", 16_000),
] }

/// Every node of a plan.
fn nodes<'p>(plan: &'p Value, into: &mut Vec<&'p Value>) {
    into.push(plan);
    for below in plan["Plans"].as_array().into_iter().flatten() {
        nodes(below, into);
    }
}

async fn explained(connection: &mut PgConnection, statement: &str, values: &str) -> Value {
    let run = format!(
        "begin; deallocate all; prepare asked as {statement};
         explain (analyze, buffers, format json) execute asked{}",
        if values.is_empty() { String::new() } else { format!("({values})") }
    );
    let rows = sqlx::raw_sql(AssertSqlSafe(run)).fetch_all(&mut *connection).await.unwrap();
    let plan: Value = sqlx::Row::get(rows.last().unwrap(), 0);
    sqlx::raw_sql("rollback").execute(connection).await.unwrap();
    plan[0]["Plan"].clone()
}

async fn each_statement_keeps_to_its_index(url: &str) {
    let settings =
        PostgresSettings { url: url.to_owned(), statement_timeout_ms: 60_000, ..PostgresSettings::default() };
    Postgres::connect(&settings).await.unwrap().migrate().await.unwrap();
    let mut connection = PgConnection::connect_with(&settings.connect_options().unwrap()).await.unwrap();
    sqlx::raw_sql(FILL).execute(&mut connection).await.unwrap();
    // Before the statistics know of it, and after.
    for analyzed in [false, true] {
        if analyzed {
            sqlx::raw_sql("analyze").execute(&mut connection).await.unwrap();
        }
        for mode in ["force_generic_plan", "force_custom_plan"] {
            let mode_set = format!("set plan_cache_mode = {mode}");
            sqlx::raw_sql(AssertSqlSafe(mode_set)).execute(&mut connection).await.unwrap();
            for (statement, values, index, pages_max) in asked() {
                let plan = explained(&mut connection, statement, values).await;
                let mut all = Vec::new();
                nodes(&plan, &mut all);
                let what = format!("{mode}, analyzed {analyzed}: {statement}\n{plan:#}");
                assert!(all.iter().all(|node| node["Node Type"] != "Seq Scan"), "{what}");
                assert!(index == ANY || all.iter().any(|node| node["Index Name"] == index), "no {index}: {what}");
                let touched =
                    plan["Shared Hit Blocks"].as_i64().unwrap() + plan["Shared Read Blocks"].as_i64().unwrap();
                assert!(touched <= pages_max, "{touched} pages: {what}");
                let first = statement.split_whitespace().take(4).collect::<Vec<_>>().join(" ");
                eprintln!("{mode}, analyzed {analyzed}: {first} …: {touched} pages, {} ms", plan["Actual Total Time"]);
            }
        }
    }
}

#[tokio::test]
async fn statements_on_a_hundred_thousand_orders_keep_to_their_indexes() {
    let server = std::env::var("DATABASE_URL").unwrap_or_else(|_| panic!("set DATABASE_URL, or run cargo xtask test"));
    let name = format!("plans_{}", uuid::Uuid::new_v4().simple());
    let mut keeper = PgConnection::connect(&server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut keeper).await.unwrap();
    let (address, options) = server.split_once('?').unwrap_or((&server, ""));
    let url = format!("{}/{name}?{options}", address.rsplit_once('/').unwrap().0);
    let outcome = tokio::spawn(async move { each_statement_keeps_to_its_index(&url).await }).await;
    sqlx::raw_sql(AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&mut keeper).await.unwrap();
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}
