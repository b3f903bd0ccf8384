//! Says once a second how a sale is, from what is known by then. Waits for nobody.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use chrono::TimeDelta;
use domain::{ItemBooks, Phase, Role, Sale, SaleId, Stage, Timestamp};
use tokio::sync::watch;

use super::bodies::{
    DependencyBody, FunnelBody, GatewayBody, LiveBody, LiveItemBody, QueueBody, RatesBody, UnitsBody, event, latency,
};
use super::past::Past;
use super::reader::Readings;
use crate::catalog::{Dated, Listed};
use crate::edge::Edge;
use crate::health::Status;
use crate::views::{phase_word, to_ms};

/// How often.
const EVERY: Duration = Duration::from_secs(1);

/// What is older is not told as if it were so now. The ledger may take a twentieth of the time to be read.
const OLD: Duration = Duration::from_secs(6);

/// Seconds that everybody has told of: the last one is written at any moment of the next, and read up to a second later.
const TOLD_BEFORE_S: i64 = 2;

/// Seconds that rates are of.
const RATE_S: i64 = 2;

/// Seconds that latencies are of.
const LATENCY_S: i64 = 10;

/// Seconds that the pace of a projection is of.
const PACE_S: TimeDelta = TimeDelta::seconds(15);

/// Tells until nobody watches, the process ends, or there is no such sale any more.
pub(super) async fn tell(
    edge: Arc<Edge>,
    status: Arc<Status>,
    id: SaleId,
    readings: Arc<Readings>,
    tell: watch::Sender<Bytes>,
) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut pace = Pace::default();
    ticks.tick().await;
    loop {
        // The first word as soon as the past is known.
        let first = async {
            while tell.borrow().is_empty() && !readings.is_known() {
                tokio::time::sleep(EVERY / 20).await;
            }
            if !tell.borrow().is_empty() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = ticks.tick() => {}
            () = first => {}
            () = edge.stop.cancelled() => return,
        }
        let Some(listed) = edge.catalog.listed(&id) else { return };
        let body = live(&edge, &status, &listed, &readings, &mut pace);
        if tell.send(event("live", &body)).is_err() {
            return;
        }
    }
}

fn live(edge: &Edge, status: &Status, listed: &Listed, readings: &Readings, pace: &mut Pace) -> LiveBody {
    let (sale, now) = (&listed.sale, edge.catalog.now());
    let mut missing = Vec::new();
    let mut known = |name, is_known: bool| {
        if !is_known {
            missing.push(name)
        }
    };
    let books = fresh(edge.catalog.books(sale.number));
    let activity = readings.past(|past, read| (age_ms(read) < OLD.as_millis() as u64).then(|| course(past, read, now)));
    let activity = activity.flatten();
    let queue = listed.counted.filter(|counted| counted.elapsed() < OLD).and(listed.counters.as_ref());
    let (letters, instances) = (fresh(readings.dead_letters()), fresh(readings.instances()));
    known("ledger", books.is_some());
    known("activity", activity.is_some());
    known("queue", queue.is_some());
    known("deadLetters", letters.is_some());
    known("gateways", instances.is_some());

    let phase = listed.phase(now);
    let since = activity.as_ref().map(|activity| activity.none_since.as_slice()).unwrap_or_default();
    let items = items(sale, books.as_ref().map(|books| &*books.value), since, phase, now, pace);
    LiveBody {
        at: to_ms(now),
        phase: phase_word(phase),
        opens_at: sale.opens_at,
        closes_at: sale.closes_at,
        items,
        ledger_age_ms: books.map(|books| age_ms(books.read)),
        queue: queue.map(|counters| QueueBody {
            depth: counters.waiting_jobs,
            oldest_seconds: counters.oldest_ms as f64 / 1_000.0,
        }),
        dead_letters: letters.map(|letters| letters.value),
        gateways: instances.map(|seen| {
            let told = age_ms(seen.read);
            let gateways = seen.value.into_iter().filter(|one| one.role == Role::Gateway);
            gateways.map(|one| GatewayBody { instance: one.id, age_ms: one.age_ms + told }).collect()
        }),
        dependencies: status
            .dependency_states()
            .map(|(name, ok, age_ms)| DependencyBody { name, ok, age_ms })
            .collect(),
        missing,
        activity_age_ms: activity.as_ref().map(|activity| activity.age_ms),
        funnel: activity.as_ref().map(|activity| FunnelBody::from(&activity.sum)),
        per_second: activity.as_ref().map(|activity| RatesBody::new(&activity.recent, RATE_S)),
        latency_ms: activity.map(|activity| {
            let timed = Stage::ALL
                .into_iter()
                .filter_map(|stage| Some((stage.as_str(), latency(activity.timed.latencies.get(&stage)?)?)));
            timed.collect::<BTreeMap<_, _>>()
        }),
    }
}

fn age_ms(read: Instant) -> u64 {
    read.elapsed().as_millis() as u64
}

fn fresh<T>(known: Option<Dated<T>>) -> Option<Dated<T>> {
    known.filter(|known| known.read.elapsed() < OLD)
}

/// What is told of the past.
struct Course {
    age_ms: u64,
    sum: domain::Activity,
    recent: domain::Activity,
    timed: domain::Activity,
    none_since: Vec<Option<Timestamp>>,
}

fn course(past: &Past, read: Instant, now: Timestamp) -> Course {
    let (sum, told) = (past.sum.clone(), now.timestamp() - TOLD_BEFORE_S + 1);
    let none_since = sum.levels.iter().flat_map(|levels| &levels.items).map(|item| item.none_since).collect();
    Course {
        age_ms: age_ms(read),
        sum,
        recent: past.between(told - RATE_S, told),
        timed: past.between(now.timestamp() - LATENCY_S, i64::MAX),
        none_since,
    }
}

fn items(
    sale: &Sale,
    books: Option<&[ItemBooks]>,
    none_since: &[Option<Timestamp>],
    phase: Phase,
    now: Timestamp,
    pace: &mut Pace,
) -> Vec<LiveItemBody> {
    if let Some(books) = books {
        pace.note(now, books.iter().map(|line| line.free).collect());
    }
    let item = |(position, item): (usize, &domain::Item)| {
        let line = books.and_then(|books| books.get(position));
        let projected = || pace.sold_out_at(position).filter(|at| phase == Phase::Open && *at < sale.closes_at);
        let sold_out_at = line.and_then(|line| match line.free {
            ..=0 => none_since.get(position).copied().flatten(),
            _ => projected(),
        });
        LiveItemBody {
            id: item.id.to_string(),
            title: item.title.clone(),
            stock: line.map_or(item.stock, |line| line.stock),
            units: line.map(|line| UnitsBody {
                free: line.free,
                unpublished: line.unpublished,
                queued: line.queued,
                held: line.held,
                paid: line.paid,
                difference: line.difference,
            }),
            sold_out_at: sold_out_at.map(to_ms),
        }
    };
    sale.items.iter().enumerate().map(item).collect()
}

/// How fast units go.
#[derive(Default)]
struct Pace(VecDeque<(Timestamp, Vec<i64>)>);

impl Pace {
    /// So many of each item are free now.
    fn note(&mut self, now: Timestamp, free: Vec<i64>) {
        self.0.push_back((now, free));
        while self.0.front().is_some_and(|(at, _)| *at + PACE_S < now) {
            self.0.pop_front();
        }
    }

    /// When nothing is left of this item if it goes on so; `None` where none went.
    fn sold_out_at(&self, position: usize) -> Option<Timestamp> {
        let ((then, before), (now, after)) = (self.0.front()?, self.0.back()?);
        let (gone, left) = (before.get(position)? - after.get(position)?, *after.get(position)?);
        let took_ms = (*now - *then).num_milliseconds();
        if gone <= 0 || took_ms <= 0 {
            return None;
        }
        now.checked_add_signed(TimeDelta::try_milliseconds(took_ms.checked_mul(left)? / gone)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_projected_from_the_pace_of_the_last_seconds_and_not_while_nothing_goes() {
        let at = |second: i64| domain::from_ms(1_795_000_000_000 + second * 1_000);
        let mut pace = Pace::default();
        pace.note(at(0), vec![1_000, 50]);
        assert_eq!(pace.sold_out_at(0), None, "one look is no pace");
        pace.note(at(10), vec![900, 50]);
        assert_eq!((pace.sold_out_at(0), pace.sold_out_at(1), pace.sold_out_at(2)), (Some(at(100)), None, None));
        pace.note(at(20), vec![400, 60]);
        assert_eq!(pace.sold_out_at(0), Some(at(28)), "what was longer ago is no pace of now");
        assert_eq!(pace.sold_out_at(1), None, "units came back");
    }
}
