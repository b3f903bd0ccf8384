//! Keeps the catalog fresh: sales, counters and the ledger, every second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::ports::Condition;
use domain::{GateCounters, ItemBooks, Levels, Sale, Timestamp};
use futures_util::StreamExt as _;
use futures_util::stream;
use metrics::gauge;
use tracing::{error, info, warn};

use super::{Catalog, Dated, Ledger, Listed, View};

/// How old a page may be.
const REFRESH_EVERY: Duration = Duration::from_secs(1);

/// How old the ledger gauges may be while Postgres is quick.
const LEDGER_EVERY: Duration = Duration::from_secs(1);

/// Reading the ledger may take at most one part in so many of the time: a slow Postgres is not asked more often.
const LEDGER_SHARE: u32 = 20;

/// Books that do not balance for so long are not on their way to: effects arrive within a second.
const ALARM_AFTER: TimeDelta = TimeDelta::seconds(30);

/// Sales stay known this long after their end: the longest payment window, and the day after it in which jobs are
/// readable.
const KEEP_ENDED_S: u32 = 9 * 86_400;

/// Clocks that differ by less are the same clock: a question and its answer take about as long.
const CLOCK_NOISE: TimeDelta = TimeDelta::milliseconds(5);

/// Questions to the gate that are under way at once.
const AT_ONCE: usize = 16;

impl Catalog {
    /// Refreshes every second, for ever.
    pub async fn keep_fresh(&self) {
        let mut ticks = tokio::time::interval(REFRESH_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut away = false;
        loop {
            ticks.tick().await;
            let read = self.refresh().await;
            if !read && !away {
                warn!("sales cannot be read; what was known before is shown until they can");
            }
            away = !read;
        }
    }

    /// Reads everything now. Answers `false` when the sales could not be read.
    pub async fn refresh(&self) -> bool {
        let _turn = self.turn.lock().await;
        let before = self.view.load_full();
        let (sales, read) = match self.sales.sales(KEEP_ENDED_S).await {
            Ok(sales) => (sales, true),
            Err(_) => (before.listed.iter().map(|listed| listed.sale.clone()).collect(), false),
        };
        let now = self.clock.now();
        let answers =
            stream::iter(sales).map(|sale| self.ask_gate(sale, now)).buffered(AT_ONCE).collect::<Vec<_>>().await;
        let ahead = answers.iter().find_map(|(_, _, ahead)| *ahead).unwrap_or(before.ahead);
        let listed = answers.into_iter().map(|(sale, counters, _)| {
            let known = before.by_number.get(&sale.number);
            let counted = if counters.is_some() { Some(Instant::now()) } else { known.and_then(|known| known.counted) };
            let counters = counters.or_else(|| known?.counters.clone()).filter(|_| sale.epoch > 0);
            let tally = known.map_or_else(|| self.meter.tally(sale.number), |known| known.tally.clone());
            Arc::new(Listed { sale, counters, counted, tally })
        });
        let view = View::new(before.loaded || read, ahead, listed.collect());
        self.view.store(Arc::new(view));
        read
    }

    /// The gate's counters and how far its clock is ahead of ours, for a sale that can still move.
    async fn ask_gate(&self, sale: Sale, now: Timestamp) -> (Sale, Option<GateCounters>, Option<TimeDelta>) {
        if !can_move(&sale, now) {
            return (sale, None, None);
        }
        let (asked, started) = (self.clock.now(), Instant::now());
        let Ok(Condition::Ready(counters, _)) = self.gate.condition(sale.route()).await else {
            return (sale, None, None);
        };
        let half_way = TimeDelta::from_std(started.elapsed() / 2).unwrap_or_default();
        let ahead = counters.now - (asked + half_way);
        let ahead = if ahead.abs() < CLOCK_NOISE { TimeDelta::zero() } else { ahead };
        gauge!("seckill_jobs_waiting", "sale" => sale.id.to_string()).set(counters.waiting_jobs as f64);
        (sale, Some(counters), Some(ahead))
    }

    /// Reads the ledger again and again, for ever, never more than a small part of the time.
    pub async fn keep_ledger(&self) {
        loop {
            let started = Instant::now();
            self.read_ledger().await;
            tokio::time::sleep(LEDGER_EVERY.max(started.elapsed() * LEDGER_SHARE)).await;
        }
    }

    async fn read_ledger(&self) {
        let view = self.view.load_full();
        let now = self.now();
        let before = self.ledgers.load_full();
        let mut ledgers = HashMap::new();
        for listed in view.listed.iter().filter(|listed| can_move(&listed.sale, now)) {
            let sale = &listed.sale;
            let mut ledger = before.get(&sale.number).cloned().unwrap_or_default();
            // Not readable now: the gauges keep what they last said.
            if let Ok(Some((counters, books))) =
                order_intake::books(self.gate.as_ref(), self.orders.as_ref(), sale).await
            {
                books.iter().for_each(|line| show(sale, line));
                ledger.held_until = books.iter().map(|line| line.held_until).collect();
                ledger.watch(sale, &books, self.clock.now());
                listed.tally.level(Levels::of(&books, domain::whole_ms(counters.now)));
                ledger.books = Some(Dated::now(books.into()));
            }
            ledgers.insert(sale.number, ledger);
        }
        // A sale that is over raises no alarm any more.
        for listed in view.listed.iter().filter(|listed| !ledgers.contains_key(&listed.sale.number)) {
            if before.contains_key(&listed.sale.number) {
                gauge!("seckill_ledger_alarm", "sale" => listed.sale.id.to_string()).set(0.0);
            }
        }
        self.ledgers.store(Arc::new(ledgers));
    }
}

impl Ledger {
    /// Raises the alarm when the books have not balanced for [`ALARM_AFTER`], and takes it back when they do.
    fn watch(&mut self, sale: &Sale, books: &[ItemBooks], now: Timestamp) {
        let differs = books.iter().any(|line| line.difference != 0);
        self.differs_since = differs.then(|| self.differs_since.unwrap_or(now));
        let alarm = self.differs_since.is_some_and(|since| now - since >= ALARM_AFTER);
        gauge!("seckill_ledger_alarm", "sale" => sale.id.to_string()).set(f64::from(u8::from(alarm)));
        if alarm && !self.alarmed {
            let lines: Vec<String> = books
                .iter()
                .filter(|line| line.difference != 0)
                .map(|line| format!("{} {:+}", line.item, line.difference))
                .collect();
            error!(sale.id = %sale.id, difference = lines.join(", "),
                   "the books of sale {} have not balanced for {} s; `seckill sale reconcile {}` says why",
                   sale.id, ALARM_AFTER.num_seconds(), sale.id);
        } else if self.alarmed && !alarm {
            info!(sale.id = %sale.id, "the books of sale {} balance again", sale.id);
        }
        self.alarmed = alarm;
    }
}

/// Warm, and not yet past its last payment deadline (an hour later, to be sure of it).
fn can_move(sale: &Sale, now: Timestamp) -> bool {
    sale.epoch > 0 && now < sale.closes_at + TimeDelta::seconds(i64::from(sale.payment_window_s) + 3_600)
}

fn show(sale: &Sale, line: &ItemBooks) {
    let ItemBooks { item, stock, free, unpublished, queued, held, paid, difference, held_until: _ } = line;
    let terms = [
        ("stock", stock),
        ("free", free),
        ("unpublished", unpublished),
        ("queued", queued),
        ("held", held),
        ("paid", paid),
    ];
    for (term, units) in terms {
        gauge!("seckill_ledger_units", "sale" => sale.id.to_string(), "item" => item.to_string(), "term" => term)
            .set(*units as f64);
    }
    gauge!("seckill_ledger_difference", "sale" => sale.id.to_string(), "item" => item.to_string())
        .set(*difference as f64);
}
