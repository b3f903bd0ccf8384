//! One of the two gates: what it is told, what it answers, what can be seen of it.

use backends::SystemClock;
use domain::ports::{Clock, Concurrency, Condition, Gate, Held, JobLookup, Obeyed, Reserved, Withdrawn};
use domain::{
    Admissible, Attempt, ConcurrencyRules, GateCounters, Hold, ItemCounters, ItemIndex, ItemStock, JobId, JobRecord,
    Quantity, Refusal, RestockId, Route, SaleState, StockEffect, Verdict, WarmSale, Withdrawal, from_ms,
};

use super::commands::{BUYERS, CHANNELS, Command, Effect, JOBS, Try, item_of};

/// A gate that only follows is not told the stock.
const NO_STOCK: ItemStock = ItemStock { units: 0, rev: 0 };

/// What a gate answered, without its clock.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Verdicts(Vec<Verdict>),
    Noted,
    Held(Held),
    Done(bool),
    Reserved(Reserved),
    Withdrawn(Withdrawn),
    Obeyed(Obeyed),
}

/// What can be seen of a gate after a step, without its clock.
#[derive(Debug, PartialEq)]
pub(super) enum View {
    Missing,
    Loading { epoch: u32 },
    Ready { epoch: u32, state: SaleState, items: Vec<ItemCounters>, waiting_jobs: u64, jobs: Vec<JobLookup> },
}

/// One of the two gates, at one sale.
pub(super) struct Subject<'a> {
    pub(super) gate: &'a dyn Gate,
    pub(super) tokens: &'a dyn Concurrency,
    pub(super) route: Route,
}

impl Subject<'_> {
    fn job(&self, n: u8) -> JobId {
        JobId::new(1_795_000_000_000, self.route, [0, 0, 0, 0, 0, n])
    }

    fn jobs(&self, numbers: &[u8]) -> Vec<JobId> {
        numbers.iter().map(|n| self.job(*n)).collect()
    }

    fn attempt(&self, one: &Try) -> Attempt {
        Attempt {
            job: self.job(one.job),
            buyer: self.buyer(one.buyer).parse().unwrap(),
            channel: one.channel.to_owned(),
            item: one.item.map(ItemIndex::new),
            quantity: Quantity::try_from(one.quantity).unwrap(),
            admissible: one.admissible,
        }
    }

    fn effect(&self, one: &Effect) -> Hold {
        Hold {
            job: self.job(one.job),
            rev: one.rev,
            buyer: one.buyer.map(|buyer| self.buyer(buyer).parse().unwrap()),
            item: one.item.map(ItemIndex::new),
            quantity: one.quantity,
            units: one.units,
            outcome: one.outcome,
            at: from_ms(1_795_000_000_000 + i64::from(one.rev)),
        }
    }

    fn sale(&self, epoch: u32, stock: [ItemStock; 2], limit: u16) -> WarmSale {
        WarmSale {
            route: self.route,
            epoch,
            opens_at: from_ms(0),
            closes_at: SystemClock.now() + chrono::TimeDelta::hours(1),
            forget_at: SystemClock.now() + chrono::TimeDelta::hours(2),
            limit_per_buyer: limit,
            stock: stock.to_vec(),
            reloaded: false,
        }
    }

    pub(super) async fn obey(&self, command: &Command) -> Answer {
        let Self { gate, route, .. } = *self;
        match command {
            Command::Admit { attempts, confirmed } => {
                let attempts: Vec<Attempt> = attempts.iter().map(|one| self.attempt(one)).collect();
                let verdicts = gate.admit(route, &attempts, &self.jobs(confirmed)).await.unwrap();
                Answer::Verdicts(verdicts.into_iter().map(timeless_verdict).collect())
            }
            Command::MarkQueued(jobs) => {
                gate.mark_queued(route, &self.jobs(jobs)).await.unwrap();
                Answer::Noted
            }
            Command::Hold { holds, version } => {
                let holds: Vec<Hold> = holds.iter().map(|one| self.effect(one)).collect();
                let version = version.map(|(item, version)| (ItemIndex::new(item), version));
                Answer::Held(gate.hold(route, &holds, version).await.unwrap())
            }
            Command::Begin { epoch, stock, limit } => {
                Answer::Done(gate.begin_epoch(&self.sale(*epoch, *stock, *limit)).await.unwrap())
            }
            Command::Finish { epoch, versions } => {
                Answer::Done(gate.finish_epoch(route, *epoch, versions).await.unwrap())
            }
            Command::Follow { epoch, state, limit } => {
                Answer::Done(gate.follow(&self.sale(*epoch, [NO_STOCK; 2], *limit), *state).await.unwrap())
            }
            Command::Reserve { job, rev } => Answer::Reserved(gate.reserve(self.job(*job), *rev).await.unwrap()),
            Command::Withdraw { id, units, stock_rev } => {
                let (sale, item) = ("s1".parse().unwrap(), ItemIndex::new(item_of(*id)));
                let withdrawal =
                    Withdrawal { id: restock_id(*id), sale, route, item, units: *units, stock_rev: *stock_rev };
                Answer::Withdrawn(gate.withdraw(&withdrawal).await.unwrap())
            }
            Command::Restock { item, stock, ends, version } => {
                let effect = StockEffect { item: ItemIndex::new(*item), stock: *stock, ends: ends.map(restock_id) };
                Answer::Held(gate.restock(route, &effect, *version).await.unwrap())
            }
            Command::Limit { enabled, global, app, account } => {
                let rules = ConcurrencyRules {
                    enabled: *enabled,
                    global_max: *global,
                    account_max: *account,
                    platform_max: [(CHANNELS[0].to_owned(), *app)].into(),
                    ..ConcurrencyRules::default()
                };
                Answer::Obeyed(self.tokens.obey(1, &rules, false).await.unwrap())
            }
        }
    }

    pub(super) async fn view(&self) -> View {
        let (counters, state) = match self.gate.condition(self.route).await.unwrap() {
            Condition::Missing => return View::Missing,
            // What a gate answers of a job while it is loading is looked at by the scenarios.
            Condition::Stale { epoch, .. } => return View::Loading { epoch },
            Condition::Ready(counters, state) => (counters, state),
        };
        let mut jobs = Vec::new();
        for n in 0..JOBS {
            jobs.push(match self.gate.job(self.job(n)).await.unwrap() {
                JobLookup::Found(record) => JobLookup::Found(timeless(record)),
                other => other,
            });
        }
        let GateCounters { epoch, items, waiting_jobs, .. } = counters;
        View::Ready { epoch, state, items, waiting_jobs, jobs }
    }

    /// All records, page by page, in order of their jobs.
    pub(super) async fn pages(&self) -> Vec<JobRecord> {
        let (mut records, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            let page = self.gate.records(self.route, at, 2).await.unwrap().unwrap();
            records.extend(page.records.into_iter().map(timeless));
            from = page.next;
        }
        records.sort_by_key(|record| record.job);
        records.dedup();
        records
    }

    /// Nothing is limited, and no token is left of what was; but for buyers' own, whom only this run knows.
    pub(super) async fn lift_limits(&self) {
        let none = Command::Limit { enabled: true, global: 0, app: 0, account: 0 };
        self.obey(&none).await;
    }

    /// A buyer of this run.
    pub(super) fn buyer(&self, at: usize) -> String {
        format!("{}-{}", BUYERS[at], self.route)
    }

    /// Opens the sale with this limit, and lets the buyer press for one unit with the `n`th token.
    pub(super) async fn buys_at_limit(&self, epoch: u32, limit: u16, buyer: usize, n: u8) -> Verdict {
        let rules = self.sale(epoch, [NO_STOCK; 2], limit);
        assert!(self.gate.follow(&rules, SaleState::Open).await.unwrap());
        let one = Try { job: n, buyer, channel: "", item: Some(0), quantity: 1, admissible: Admissible::Yes };
        self.gate.admit(self.route, &[self.attempt(&one)], &[]).await.unwrap().remove(0)
    }
}

fn restock_id(n: u8) -> RestockId {
    format!("r{n}").parse().unwrap()
}

/// A record without what the gate's own clock wrote into it.
fn timeless(mut record: JobRecord) -> JobRecord {
    if record.rev == 0 {
        record.updated_at = from_ms(0);
    }
    record.admitted_at = from_ms(0);
    record
}

fn timeless_verdict(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Admitted(record) => Verdict::Admitted(timeless(record)),
        Verdict::Repeated(record) => Verdict::Repeated(timeless(record)),
        Verdict::Refused(Refusal::NotOpen { opens_at, .. }) => {
            Verdict::Refused(Refusal::NotOpen { opens_at, server_time: opens_at })
        }
        refused => refused,
    }
}
