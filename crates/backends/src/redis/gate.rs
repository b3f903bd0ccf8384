//! The port [`Gate`] in terms of the scripts.

use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{
    Condition, Connections, Gate, Health, Held, JobLookup, Leased, Outage, RecordPage, Reserved, Withdrawn,
};
use domain::{
    Admissible, Attempt, Hold, ItemIndex, JobId, Reservation, Route, SaleState, StockEffect, Timestamp, Verdict,
    WarmSale, Withdrawal, may_be_on_its_way,
};
use redis::Value;

use super::answers;
use super::link::{Args, Link, outage};
use super::record::{NO_ITEM, effect, unpack};
use super::scripts::Name;
use super::settings::RedisSettings;

/// Records in one page of `scan`: one call never holds up a purchase for long.
const SCAN_MAX: usize = 1_000;

/// The gate on one Redis server.
pub struct RedisGate {
    pub(super) link: Link,
    pub(super) namespace: String,
}

impl RedisGate {
    /// Answers at once, whether or not Redis does: a gate that is away is an outage of each call, not of the start.
    pub async fn connect(settings: &RedisSettings) -> Result<Arc<Self>, Outage> {
        Ok(Arc::new(Self { link: Link::new(settings)?, namespace: settings.namespace.clone() }))
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
            let item = attempt.item.map_or(NO_ITEM, ItemIndex::get);
            let admissible = match attempt.admissible {
                Admissible::Yes => b'y',
                Admissible::TokenExpired => b'e',
                Admissible::BrokerAway => b'b',
                Admissible::Backlog => b'w',
            };
            args.parts(&[attempt.job.as_bytes(), &[item], &attempt.quantity.get().to_be_bytes(), &[admissible]])
                .bytes(attempt.buyer.as_str().as_bytes())
                .bytes(attempt.channel.as_bytes())
                .text(attempt.job);
        }
        let answer: Vec<Vec<u8>> = self.link.run(Name::Admit, &self.keys(route), args).await?;
        answers::verdicts(attempts, &answer).ok_or_else(|| nonsense("admit"))
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
            let (head, buyer) = effect(hold);
            args.bytes(hold.job.as_bytes()).text(hold.job).parts(&[&head, buyer]);
        }
        let answer = self.link.run(Name::Hold, &self.keys(route), args).await?;
        answers::held(answer).ok_or_else(|| nonsense("hold"))
    }

    async fn reserve(&self, job: JobId, rev: u32) -> Result<Reserved, Outage> {
        let mut args = Args::default();
        args.bytes(job.as_bytes()).text(rev);
        let answer: String = self.link.run(Name::Reserve, &self.keys(job.route()), args).await?;
        answers::reserved(&answer).ok_or_else(|| nonsense("reserve"))
    }

    async fn withdraw(&self, withdrawal: &Withdrawal) -> Result<Withdrawn, Outage> {
        let Withdrawal { id, route, item, units, stock_rev, sale: _ } = withdrawal;
        let mut args = Args::default();
        args.text(id).text(item.get()).text(units).text(stock_rev);
        let answer: Vec<String> = self.link.run(Name::Withdraw, &self.keys(*route), args).await?;
        answers::withdrawn(&answer).ok_or_else(|| nonsense("withdraw"))
    }

    async fn restock(&self, route: Route, effect: &StockEffect, version: Option<i64>) -> Result<Held, Outage> {
        let mut args = Args::default();
        args.text(effect.item.get()).text(effect.stock.units).text(effect.stock.rev).text(version.unwrap_or(0));
        args.text(effect.ends.as_ref().map_or("", |id| id.as_str()));
        let answer = self.link.run(Name::Restock, &self.keys(route), args).await?;
        answers::held(answer).ok_or_else(|| nonsense("restock"))
    }

    async fn records(&self, route: Route, from: u64, limit: usize) -> Result<Option<RecordPage>, Outage> {
        let mut args = Args::default();
        args.text(from).text(limit.clamp(1, SCAN_MAX));
        let answer: Vec<Vec<u8>> = self.link.run(Name::Scan, &self.keys(route), args).await?;
        answers::page(&answer).ok_or_else(|| nonsense("scan"))
    }

    async fn jobs(&self, route: Route, jobs: &[JobId]) -> Result<Vec<JobLookup>, Outage> {
        let [_, hash, ..] = self.keys(route);
        let mut command = redis::cmd("HMGET");
        command.arg(hash);
        for job in jobs {
            command.arg(job.as_bytes());
        }
        let records: Vec<Option<Vec<u8>>> = self.link.query(&command).await.map_err(outage)?;
        if records.len() != jobs.len() {
            return Err(nonsense("HMGET of jobs"));
        }
        // Only where one is missing: what that means depends on what else is known of the sale.
        let condition = match records.iter().any(Option::is_none) {
            true => self.condition(route).await?,
            false => Condition::Missing,
        };
        let lookup = |(job, record): (&JobId, Option<Vec<u8>>)| match (record, &condition) {
            (Some(bytes), _) => unpack(*job, &bytes).map(JobLookup::Found).ok_or_else(|| nonsense("HMGET of jobs")),
            (None, Condition::Ready(gate, _)) if !may_be_on_its_way(*job, gate.reloaded_at, gate.now) => {
                Ok(JobLookup::Absent)
            }
            (None, _) => Ok(JobLookup::NotReady),
        };
        jobs.iter().zip(records).map(lookup).collect()
    }

    async fn begin_epoch(&self, sale: &WarmSale) -> Result<bool, Outage> {
        let mut args = Args::default();
        args.text(sale.epoch).text(ms(sale.opens_at)).text(ms(sale.closes_at)).text(sale.limit_per_buyer);
        args.text(ms(sale.forget_at)).text(u8::from(sale.reloaded));
        for stock in &sale.stock {
            args.text(stock.units).text(stock.rev);
        }
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

    async fn lease(&self, route: Route) -> Result<Leased, Outage> {
        let answer: Vec<String> = self.link.run(Name::Lease, &self.keys(route), Args::default()).await?;
        answers::leased(&answer).ok_or_else(|| nonsense("lease"))
    }

    async fn condition(&self, route: Route) -> Result<Condition, Outage> {
        let answer: Vec<String> = self.link.run(Name::Condition, &self.keys(route), Args::default()).await?;
        answers::condition(&answer).ok_or_else(|| nonsense("condition"))
    }
}

#[async_trait]
impl Health for RedisGate {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn connections(&self) -> Option<Connections> {
        Some(self.link.connections())
    }

    async fn check(&self) -> Result<(), Outage> {
        self.link.query::<Value>(&redis::cmd("PING")).await.map(|_| ()).map_err(outage)
    }

    async fn findings(&self) -> Result<Vec<String>, Outage> {
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

    async fn time(&self) -> Result<Option<Timestamp>, Outage> {
        let (seconds, micros): (i64, i64) = self.link.query(&redis::cmd("TIME")).await.map_err(outage)?;
        Ok(Some(domain::from_ms(seconds.saturating_mul(1_000).saturating_add(micros / 1_000))))
    }
}

fn ms(time: Timestamp) -> i64 {
    time.timestamp_millis()
}

/// An answer that no script of ours gives: somebody else writes to our keys. It may have happened.
pub(super) fn nonsense(what: &str) -> Outage {
    Outage::Unknown(format!("Redis: {what} answered what it cannot"))
}
