//! The port [`Gate`] in terms of the scripts.

use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{Condition, Gate, Health, Held, JobLookup, Outage, RecordPage, Reserved, Withdrawn};
use domain::{
    Admissible, Attempt, GateCounters, Hold, ItemCounters, ItemIndex, JobId, Refusal, Reservation, Route, SaleState,
    StockEffect, Timestamp, Verdict, WarmSale, Withdrawal, from_ms, may_be_on_its_way,
};
use redis::Value;

use super::link::{Args, Link, outage};
use super::record::{NO_ITEM, codes, unpack};
use super::scripts::Name;
use super::settings::RedisSettings;

/// The gate on one Redis server.
pub struct RedisGate {
    link: Link,
    namespace: String,
}

impl RedisGate {
    /// Answers at once, whether or not Redis does: a gate that is away is an outage of each call, not of the start.
    pub async fn connect(settings: &RedisSettings) -> Result<Arc<Self>, Outage> {
        Ok(Arc::new(Self { link: Link::new(settings)?, namespace: settings.namespace.clone() }))
    }

    /// What makes this server unsafe to sell with, in sentences; empty is good.
    pub async fn findings(&self) -> Result<Vec<String>, Outage> {
        let info: String = self.link.query(&redis::cmd("INFO")).await.map_err(outage)?;
        let value = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let mut findings = Vec::new();
        match value("maxmemory_policy") {
            Some("noeviction") | None => {}
            Some(policy) => findings.push(format!(
                "Redis evicts keys when memory is short (maxmemory-policy {policy}); set it to noeviction, or stock and \
                 allowances can vanish in the middle of a sale"
            )),
        }
        if value("role") == Some("slave") {
            findings.push("Redis is a replica and takes no writes; point redis.url at the primary".to_owned());
        }
        Ok(findings)
    }

    /// Is persistence on? Without it a restart is repaired by a rebuild, which closes the sale for a moment.
    pub async fn keeps_a_log(&self) -> Result<bool, Outage> {
        let info: String = self.link.query(redis::cmd("INFO").arg("persistence")).await.map_err(outage)?;
        Ok(info.lines().any(|line| line == "aof_enabled:1"))
    }

    fn keys(&self, route: Route) -> [String; 4] {
        let Self { namespace, .. } = self;
        ["sale", "jobs", "buyers", "check"].map(|name| format!("{namespace}:{{{route}}}:{name}"))
    }

    async fn yes(&self, name: Name, route: Route, args: Args) -> Result<bool, Outage> {
        self.link.run::<i64>(name, &self.keys(route), args).await.map(|answer| answer == 1)
    }
}

#[async_trait]
impl Gate for RedisGate {
    async fn admit(&self, route: Route, attempts: &[Attempt], confirmed: &[JobId]) -> Result<Vec<Verdict>, Outage> {
        let mut args = Args::default();
        args.text(confirmed.len());
        args.jobs(confirmed);
        for attempt in attempts {
            let admissible = match attempt.admissible {
                Admissible::Yes => "y",
                Admissible::TokenExpired => "e",
                Admissible::BrokerAway => "b",
            };
            args.bytes(attempt.job.as_bytes())
                .text(&attempt.buyer)
                .text(attempt.item.map_or(NO_ITEM, ItemIndex::get))
                .text(attempt.quantity.get())
                .text(admissible);
        }
        let answer: Vec<Vec<u8>> = self.link.run(Name::Admit, &self.keys(route), args).await?;
        verdicts(attempts, &answer).ok_or_else(|| nonsense("admit"))
    }

    async fn mark_queued(&self, route: Route, confirmed: &[JobId]) -> Result<(), Outage> {
        let mut args = Args::default();
        args.jobs(confirmed);
        self.yes(Name::MarkQueued, route, args).await.map(|_| ())
    }

    async fn claim_overdue(&self, route: Route, limit: usize) -> Result<Vec<Reservation>, Outage> {
        let mut args = Args::default();
        args.text(limit);
        let answer: Vec<Vec<u8>> = self.link.run(Name::ClaimOverdue, &self.keys(route), args).await?;
        let reservation = |pair: &[Vec<u8>]| unpack(JobId::from_bytes(&pair[0]).ok()?, pair.get(1)?)?.reservation();
        Ok(answer.chunks(2).filter_map(reservation).collect())
    }

    async fn hold(&self, route: Route, holds: &[Hold], version: Option<(ItemIndex, i64)>) -> Result<Held, Outage> {
        let mut args = Args::default();
        args.text(version.map_or(NO_ITEM, |(item, _)| item.get())).text(version.map_or(0, |(_, version)| version));
        for hold in holds {
            let (state, reason) = codes(hold.outcome);
            args.bytes(hold.job.as_bytes())
                .text(hold.rev)
                .text(hold.buyer.as_ref().map_or("", |buyer| buyer.as_str()))
                .text(hold.item.map_or(NO_ITEM, ItemIndex::get))
                .text(hold.quantity)
                .text(hold.units)
                .text(state)
                .text(reason)
                .text(hold.at.timestamp_millis());
        }
        match self.link.run::<i64>(Name::Hold, &self.keys(route), args).await? {
            -1 => Ok(Held::NotReady),
            applied => usize::try_from(applied).map(Held::Applied).map_err(|_| nonsense("hold")),
        }
    }

    async fn reserve(&self, _job: JobId, _rev: u32) -> Result<Reserved, Outage> {
        Err(Outage::NotSent("not built yet".to_owned()))
    }

    async fn withdraw(&self, _withdrawal: &Withdrawal) -> Result<Withdrawn, Outage> {
        Err(Outage::NotSent("not built yet".to_owned()))
    }

    async fn restock(&self, _route: Route, _effect: &StockEffect, _version: Option<i64>) -> Result<Held, Outage> {
        Err(Outage::NotSent("not built yet".to_owned()))
    }

    async fn records(&self, _route: Route, _from: u64, _limit: usize) -> Result<Option<RecordPage>, Outage> {
        Err(Outage::NotSent("not built yet".to_owned()))
    }

    async fn job(&self, job: JobId) -> Result<JobLookup, Outage> {
        let [_, jobs, ..] = self.keys(job.route());
        let mut command = redis::cmd("HGET");
        command.arg(jobs).arg(job.as_bytes());
        let record: Option<Vec<u8>> = self.link.query(&command).await.map_err(outage)?;
        match record {
            Some(bytes) => unpack(job, &bytes).map(JobLookup::Found).ok_or_else(|| nonsense("HGET of a job")),
            None => match self.condition(job.route()).await? {
                Condition::Ready(gate, _) if !may_be_on_its_way(job, gate.reloaded_at, gate.now) => {
                    Ok(JobLookup::Absent)
                }
                Condition::Ready(..) | Condition::Missing | Condition::Stale { .. } => Ok(JobLookup::NotReady),
            },
        }
    }

    async fn begin_epoch(&self, sale: &WarmSale) -> Result<bool, Outage> {
        let mut args = Args::default();
        args.text(sale.epoch).text(ms(sale.opens_at)).text(ms(sale.closes_at)).text(sale.limit_per_buyer);
        args.text(ms(sale.forget_at)).text(u8::from(sale.reloaded));
        args.texts(&sale.stock.iter().map(|stock| stock.units).collect::<Vec<_>>());
        self.yes(Name::BeginEpoch, sale.route, args).await
    }

    async fn finish_epoch(&self, route: Route, epoch: u32, versions: &[i64]) -> Result<bool, Outage> {
        let mut args = Args::default();
        args.text(epoch);
        args.texts(versions);
        self.yes(Name::FinishEpoch, route, args).await
    }

    async fn follow(&self, sale: &WarmSale, state: SaleState) -> Result<bool, Outage> {
        let mut args = Args::default();
        args.text(sale.epoch).text(state.as_str()).text(ms(sale.opens_at)).text(ms(sale.closes_at));
        args.text(sale.limit_per_buyer).text(ms(sale.forget_at));
        self.yes(Name::Follow, sale.route, args).await
    }

    async fn condition(&self, route: Route) -> Result<Condition, Outage> {
        let answer: Vec<String> = self.link.run(Name::Condition, &self.keys(route), Args::default()).await?;
        condition(&answer).ok_or_else(|| nonsense("condition"))
    }
}

#[async_trait]
impl Health for RedisGate {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn check(&self) -> Result<(), Outage> {
        self.link.query::<Value>(&redis::cmd("PING")).await.map(|_| ()).map_err(outage)
    }
}

fn verdicts(attempts: &[Attempt], answer: &[Vec<u8>]) -> Option<Vec<Verdict>> {
    let (now, pairs) = answer.split_first()?;
    let server_time = from_ms(number(now)?);
    if pairs.len() != 2 * attempts.len() {
        return None;
    }
    attempts
        .iter()
        .zip(pairs.chunks(2))
        .map(|(attempt, pair)| verdict(attempt, &pair[0], &pair[1], server_time))
        .collect()
}

fn verdict(attempt: &Attempt, word: &[u8], detail: &[u8], server_time: Timestamp) -> Option<Verdict> {
    let refusal = match word {
        b"admitted" => return unpack(attempt.job, detail).map(Verdict::Admitted),
        b"repeated" => return unpack(attempt.job, detail).map(Verdict::Repeated),
        b"not-ready" => Refusal::NotReady,
        b"token-expired" => Refusal::TokenExpired,
        b"not-open" => Refusal::NotOpen { opens_at: from_ms(number(detail)?), server_time },
        b"ended" => Refusal::Ended,
        b"paused" => Refusal::Paused,
        b"unknown-item" => Refusal::UnknownItem,
        b"above-limit" => Refusal::QuantityAboveLimit { limit: number(detail)? },
        b"broker-away" => Refusal::BrokerAway,
        b"sold-out" => Refusal::SoldOut,
        b"limit-reached" => {
            let space = detail.iter().position(|byte| *byte == b' ')?;
            let job = JobId::from_bytes(&detail[space + 1..]).ok()?;
            Refusal::LimitReached { limit: number(&detail[..space])?, job }
        }
        _ => return None,
    };
    Some(Verdict::Refused(refusal))
}

fn condition(answer: &[String]) -> Option<Condition> {
    match answer.first()?.as_str() {
        "missing" => Some(Condition::Missing),
        "stale" => {
            let loading = answer.get(2)?;
            let loading_for_ms = if loading.is_empty() { None } else { Some(loading.parse().ok()?) };
            Some(Condition::Stale { epoch: answer.get(1)?.parse().ok()?, loading_for_ms })
        }
        "ready" => {
            let (head, counters) = answer.split_at_checked(9)?;
            let reloaded_at = if head[5].is_empty() { None } else { Some(from_ms(head[5].parse().ok()?)) };
            let numbers: Vec<i64> = counters.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
            let items = numbers
                .chunks_exact(4)
                .map(|item| ItemCounters { free: item[0], unpublished: item[1], queued: item[2], version: item[3] })
                .collect();
            let counters = GateCounters {
                now: from_ms(head[3].parse().ok()?),
                epoch: head[1].parse().ok()?,
                opens_at: from_ms(head[6].parse().ok()?),
                closes_at: from_ms(head[7].parse().ok()?),
                limit_per_buyer: head[8].parse().ok()?,
                waiting_jobs: head[4].parse().ok()?,
                reloaded_at,
                items,
            };
            Some(Condition::Ready(counters, SaleState::from_word(&head[2])?))
        }
        _ => None,
    }
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn ms(time: Timestamp) -> i64 {
    time.timestamp_millis()
}

/// An answer that no script of ours gives: somebody else writes to our keys. It may have happened.
fn nonsense(what: &str) -> Outage {
    Outage::Unknown(format!("Redis: {what} answered what it cannot"))
}
