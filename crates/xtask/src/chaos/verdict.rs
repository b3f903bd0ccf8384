//! The verdict on a run: what the promises say, read from the rows, the ledger and what the buyers saw.

use std::collections::{HashMap, HashSet};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::crowd::{Buyer, Ending, Seen};
use super::shop::Shop;
use crate::signals;

/// Between two looks at what is not settled yet.
const LOOK: Duration = Duration::from_millis(500);

/// Faults of one sort that are printed.
const SHOWN: usize = 5;

/// A row of `orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub sale: String,
    pub item: String,
    pub buyer: String,
    pub units: i64,
    pub status: String,
    pub reason: String,
}

impl Order {
    fn is_live(&self) -> bool {
        matches!(self.status.as_str(), "pending_payment" | "paid")
    }
}

/// All that is written down.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Books {
    /// By id.
    pub orders: HashMap<String, Order>,
    /// Sale, item, stock, sold.
    pub items: Vec<(String, String, i64, i64)>,
    /// Effects and events that are not out.
    pub waiting: u64,
    pub dead_letters: usize,
    /// A sale's ledger, line by line.
    pub ledger: Vec<(String, Value)>,
}

/// Reads until everything is settled, or `within` has passed; how long that took, and the last that was read.
pub fn settled(shop: &Shop, sales: &[String], seen: &Seen, within: Duration) -> Result<(Duration, Books)> {
    let started = Instant::now();
    loop {
        let read = read(shop, sales);
        let late = started.elapsed() > within || signals::stopping();
        match read {
            Ok(books) if late || is_settled(&books, seen) => return Ok((started.elapsed(), books)),
            Err(error) if late => return Err(error),
            Ok(_) | Err(_) => thread::sleep(LOOK),
        }
    }
}

fn read(shop: &Shop, sales: &[String]) -> Result<Books> {
    let mut books = Books::default();
    for sale in sales {
        let ledger = shop.operator("GET", &format!("/admin/v1/sales/{sale}/ledger"), "")?;
        let lines = ledger["items"].as_array().context("the ledger has no items")?;
        books.ledger.extend(lines.iter().map(|line| (sale.clone(), line.clone())));
    }
    let letters: Value = serde_json::from_str(&shop.seckill(&["dlq", "list", "-o", "json"])?)?;
    books.dead_letters = letters.as_array().map_or(usize::MAX, Vec::len);
    let mut sql = shop.sql()?;
    let orders = "select id, sale_id, coalesce(item_id, ''), coalesce(buyer_id, ''), quantity, status, \
                  coalesce(reason, '') from orders";
    for row in sql.rows(orders)? {
        let columns: Vec<&str> = row.split('|').collect();
        let [id, sale, item, buyer, units, status, reason] = columns[..] else { continue };
        let text = str::to_owned;
        let order = Order {
            sale: text(sale),
            item: text(item),
            buyer: text(buyer),
            units: units.parse()?,
            status: text(status),
            reason: text(reason),
        };
        books.orders.insert(text(id), order);
    }
    for row in sql.rows("select sale_id, item_id, stock, sold from sale_items")? {
        let columns: Vec<&str> = row.split('|').collect();
        let [sale, item, stock, sold] = columns[..] else { continue };
        books.items.push((sale.to_owned(), item.to_owned(), stock.parse()?, sold.parse()?));
    }
    books.waiting = sql.number("select count(*) from outbox where published_at is null")?;
    Ok(books)
}

fn is_settled(books: &Books, seen: &Seen) -> bool {
    let still = |line: &Value| ["unpublished", "queued", "difference"].iter().all(|name| line[name] == 0);
    books.waiting == 0
        && books.ledger.iter().all(|(_, line)| still(line))
        && accepted(seen).all(|job| books.orders.contains_key(job))
}

fn accepted(seen: &Seen) -> impl Iterator<Item = &String> {
    seen.endings.iter().filter_map(|ending| match ending {
        Ending::Accepted(job) => Some(job),
        Ending::Refused(_) | Ending::Open => None,
    })
}

/// Jobs that were answered 202 and refused afterwards.
pub fn refused_late(books: &Books, seen: &Seen) -> usize {
    accepted(seen).filter(|job| books.orders.get(*job).is_some_and(|order| order.status == "rejected")).count()
}

/// What is wrong, in words; empty: nothing. `lost_data`: has Redis lost anything during the run?
pub fn faults(books: &Books, buyers: &[Buyer], seen: &Seen, lost_data: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let mut say = |what: &str, found: Vec<String>| {
        if !found.is_empty() {
            let shown = found.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            faults.push(format!("{what}: {} ({shown}{})", found.len(), if found.len() > SHOWN { ", …" } else { "" }));
        }
    };
    let live = || books.orders.values().filter(|order| order.is_live());

    let mut units: HashMap<(&str, &str), i64> = HashMap::new();
    let mut held: HashMap<(&str, &str), i64> = HashMap::new();
    for order in live() {
        *units.entry((&order.sale, &order.item)).or_default() += order.units;
        *held.entry((&order.sale, &order.buyer)).or_default() += order.units;
    }
    let of = |sale: &str, item: &str| units.get(&(sale, item)).copied().unwrap_or(0);
    let items = || books.items.iter();
    let wrong = |broken: fn(i64, i64, i64) -> bool| {
        let wrong = items().filter(|(sale, item, stock, sold)| broken(of(sale, item), *stock, *sold));
        wrong.map(|(sale, item, stock, sold)| format!("{sale} {} of {stock}, sold {sold}", of(sale, item))).collect()
    };
    say("items oversold", wrong(|live, stock, _| live > stock));
    say("items whose count of what is sold is not their live orders", wrong(|live, _, sold| live != sold));
    say(
        "buyers with more than they may hold",
        held.iter().filter(|(_, units)| **units > 1).map(|((sale, buyer), _)| format!("{sale} {buyer}")).collect(),
    );

    let lost = accepted(seen).filter(|job| !books.orders.contains_key(*job));
    say("jobs that were answered 202 and have no order", lost.cloned().collect());
    let late = accepted(seen).filter_map(|job| Some((job, books.orders.get(job)?)));
    let late = late.filter(|(_, order)| order.status == "rejected" && !(lost_data && order.reason == "sold-out"));
    say("jobs that were answered 202 and refused without a cause", {
        late.map(|(job, order)| format!("{job} {}", order.reason)).collect()
    });
    let mut twice = HashSet::new();
    say("jobs that two buyers were given", accepted(seen).filter(|job| !twice.insert(*job)).cloned().collect());

    let holders: HashSet<(&str, &str)> = live().map(|order| (order.sale.as_str(), order.buyer.as_str())).collect();
    let ended = |wanted: fn(&Ending) -> bool| {
        buyers.iter().zip(&seen.endings).filter(move |(_, ending)| wanted(ending)).map(|(buyer, _)| buyer)
    };
    let refused = ended(|ending| matches!(ending, Ending::Refused(_)));
    say("buyers who were refused for good and have an order", {
        refused.filter(|buyer| holders.contains(&(&*buyer.sale, &*buyer.name))).map(|one| one.name.clone()).collect()
    });
    say("buyers without a final answer", ended(|ending| *ending == Ending::Open).map(|one| one.name.clone()).collect());
    say("answers that do not exist", seen.strange.clone());

    for (name, what) in [
        ("difference", "items with a difference in their books"),
        ("unpublished", "items with units that were never published"),
        ("queued", "items with units that are still queued"),
    ] {
        let moving = books.ledger.iter().filter(|(_, line)| line[name] != 0);
        say(what, moving.map(|(sale, line)| format!("{sale} {}", line[name])).collect());
    }
    if books.waiting > 0 {
        faults.push(format!("effects and events that are not out: {}", books.waiting));
    }
    if books.dead_letters > 0 {
        faults.push(format!("dead letters: {}", books.dead_letters));
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(buyer: &str, status: &str, reason: &str) -> Order {
        let text = str::to_owned;
        let (sale, item) = (text("s1"), text("unit"));
        Order { sale, item, buyer: text(buyer), units: 1, status: text(status), reason: text(reason) }
    }

    /// One of two units sold: to ann, whose job is j1; bob was refused.
    fn right() -> (Books, Vec<Buyer>, Seen) {
        let line = json!({"stock": 2, "free": 1, "unpublished": 0, "queued": 0, "held": 1, "paid": 0, "difference": 0});
        let books = Books {
            orders: HashMap::from([("j1".to_owned(), order("ann", "pending_payment", ""))]),
            items: vec![("s1".to_owned(), "unit".to_owned(), 2, 1)],
            ledger: vec![("s1".to_owned(), line)],
            ..Books::default()
        };
        let buyer = |name: &str| Buyer { sale: "s1".to_owned(), name: name.to_owned(), body: String::new() };
        let endings = vec![Ending::Accepted("j1".to_owned()), Ending::Refused("sold-out".to_owned())];
        (books, vec![buyer("ann"), buyer("bob")], Seen { endings, ..Seen::default() })
    }

    #[test]
    fn right_books_have_no_faults() {
        let (books, buyers, seen) = right();
        assert_eq!(faults(&books, &buyers, &seen, false), Vec::<String>::new());
        assert!(is_settled(&books, &seen));
    }

    #[test]
    fn each_broken_promise_is_found() {
        let found = |break_it: fn(&mut Books, &mut Seen)| {
            let (mut books, buyers, mut seen) = right();
            break_it(&mut books, &mut seen);
            faults(&books, &buyers, &seen, false).join("; ")
        };
        assert!(found(|books, _| books.items[0].2 = 0).contains("items oversold: 1 (s1 1 of 0, sold 1)"));
        assert!(found(|books, _| books.items[0].3 = 2).contains("count of what is sold"));
        assert!(
            found(|books, _| drop(books.orders.insert("j2".to_owned(), order("ann", "paid", ""))))
                .contains("more than they may hold")
        );
        assert!(found(|books, _| books.orders.clear()).contains("have no order: 1 (j1)"));
        assert!(
            found(|books, _| drop(books.orders.insert("j1".to_owned(), order("ann", "rejected", "sold-out"))))
                .contains("refused without a cause")
        );
        assert!(
            found(|books, _| drop(books.orders.insert("j3".to_owned(), order("bob", "paid", ""))))
                .contains("refused for good and have an order: 1 (bob)")
        );
        assert!(found(|_, seen| seen.endings[1] = Ending::Open).contains("without a final answer: 1 (bob)"));
        assert!(found(|_, seen| seen.endings[1] = Ending::Accepted("j1".to_owned())).contains("two buyers were given"));
        assert!(found(|_, seen| seen.strange.push("500".to_owned())).contains("do not exist"));
        for name in ["difference", "unpublished", "queued"] {
            let (mut books, buyers, seen) = right();
            books.ledger[0].1[name] = json!(-1);
            assert_eq!(faults(&books, &buyers, &seen, false).len(), 1, "{name}");
            assert!(!is_settled(&books, &seen));
        }
        assert!(found(|books, _| books.waiting = 3).contains("not out: 3"));
        assert!(found(|books, _| books.dead_letters = 1).contains("dead letters: 1"));
    }

    #[test]
    fn a_late_refusal_has_its_cause_only_where_redis_lost_data_and_somebody_else_has_the_unit() {
        let (mut books, buyers, seen) = right();
        books.items[0].3 = 0;
        books.orders.insert("j1".to_owned(), order("ann", "rejected", "sold-out"));
        assert_eq!(faults(&books, &buyers, &seen, true), Vec::<String>::new());
        assert_eq!(refused_late(&books, &seen), 1);
        books.orders.insert("j1".to_owned(), order("ann", "rejected", "unplaceable"));
        assert_eq!(faults(&books, &buyers, &seen, true).len(), 1);
    }
}
