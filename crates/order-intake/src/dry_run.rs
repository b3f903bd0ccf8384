//! A purchase that is undone: through token, gate, broker, consumer, database and back, to see that all of it works
//! before a crowd does.
//!
//! It is bought from a sale of its own, [`SaleId::of_dry_runs`], which shoppers are not shown and nobody gets tokens
//! for. To gate, queue, consumers and database that is a sale like any other: every rule of the protocol holds for it,
//! and none knows of dry runs. The units of real sales are not touched, and whoever listens to events knows these by the
//! sale's name. What a dry run leaves behind when it is cut off at any point ends as every purchase does: the watch
//! publishes it, a consumer places it, and it expires within a minute.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::ports::{
    Cancelled, Changed, Clock, Entropy, Gate, JobLookup, Operator, OrderLife, OrderStore, Outage, Queue, SaleStore,
};
use domain::{
    Admissible, Attempt, BuyerId, ItemIndex, JobId, JobRecord, JobState, Money, NewItem, NewSale, OrderStatus, Patch,
    Quantity, Refusal, Reservation, Sale, SaleId, SaleState, SaleToken, TokenKeys, Verdict, whole_ms,
};

use crate::discard::discard_job;
use crate::warmup::Warmup;

/// Units in the sale of dry runs: each holds one for a moment, and one that is cut off for a minute.
const STOCK: i64 = 1_000_000;

/// An order of a dry run that was cut off gives its unit back so soon.
const PAYMENT_WINDOW_S: u32 = 60;

/// The window of the sale is moved along: the gate and retention may forget it when there are no more dry runs.
const OPEN_FOR: TimeDelta = TimeDelta::hours(24);

/// A window that ends sooner than this is moved.
const OPEN_AT_LEAST: TimeDelta = TimeDelta::hours(1);

/// What the first token is good for.
const TOKEN_LIFE: TimeDelta = TimeDelta::minutes(1);

/// How long each step may take. In a sale that runs well all of them together take some 50 ms.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Everything that a purchase goes through.
pub struct DryRun {
    /// Loads the sale of dry runs, and changes it.
    pub warmup: Arc<Warmup>,
    /// Admits.
    pub gate: Arc<dyn Gate>,
    /// Carries.
    pub queue: Arc<dyn Queue>,
    /// Where a consumer writes the order.
    pub orders: Arc<dyn OrderStore>,
    /// Cancels it.
    pub life: Arc<dyn OrderLife>,
    /// Where the sale of dry runs is.
    pub sales: Arc<dyn SaleStore>,
    /// For the token.
    pub clock: Arc<dyn Clock>,
    /// Likewise.
    pub entropy: Arc<dyn Entropy>,
    /// Likewise.
    pub token_keys: TokenKeys,
}

/// One step, as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `token`, `admit`, `publish`, `place`, `effect` or `undo`.
    pub name: &'static str,
    /// Did it succeed?
    pub ok: bool,
    /// How long it took.
    pub took: Duration,
    /// What is worth knowing; of a step that failed: why.
    pub detail: Option<String>,
}

type Outcome<T> = Result<T, String>;

impl DryRun {
    /// Buys one unit and gives it back. The steps up to the first that failed, and `undo` if there is anything to undo:
    /// all six, and all well, when everything works. `by` makes the sale of dry runs, should there be none yet.
    pub async fn run(&self, by: &Operator) -> Vec<Step> {
        let mut steps = Steps::default();
        let Some((token, sale)) = steps.take("token", self.token(by)).await else { return steps.0 };
        let Some(record) = steps.take("admit", self.admit(&token, &sale)).await else { return steps.0 };
        let went_well = async {
            let reservation = record.reservation().ok_or("the gate's record is of no reservation");
            let reservation = reservation.map_err(str::to_owned);
            steps.take("publish", async { self.publish(&sale, reservation?).await }).await?;
            steps.take("place", self.place(record.job)).await?;
            steps.take("effect", self.effect(record.job)).await
        };
        went_well.await;
        steps.take("undo", self.undo(record.job, &token.buyer)).await;
        steps.0
    }

    /// The sale is ready, and a token for it is ours and nobody else's.
    async fn token(&self, by: &Operator) -> Outcome<(SaleToken, Sale)> {
        let sale = self.sale(by).await?;
        let now = whole_ms(self.clock.now());
        let (random, issued_ms) = (self.entropy.six(), u64::try_from(now.timestamp_millis()).unwrap_or(0));
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let buyer: BuyerId = format!("dry-run-{name}").parse().map_err(|_| "the buyer has no name".to_owned())?;
        let token = SaleToken {
            job: JobId::new(issued_ms, sale.route(), random),
            buyer,
            channel: String::new(),
            not_before: now,
            expires_at: now + TOKEN_LIFE,
        };
        match self.token_keys.verify(&self.token_keys.sign(&token)) {
            Ok(read) if read == token => Ok((token, sale)),
            Ok(_) => Err("the token says something else than was signed".to_owned()),
            Err(_) => Err("the token that was just signed is not accepted: look at secrets.token_keys".to_owned()),
        }
    }

    /// The sale of dry runs: there, warm, open, and its window not about to end.
    async fn sale(&self, by: &Operator) -> Outcome<Sale> {
        let id = SaleId::of_dry_runs();
        let now = whole_ms(self.clock.now());
        let mut sale = match self.sales.sale(&id).await.map_err(said)? {
            Some(sale) => sale,
            None => {
                // Another gateway may be faster: then it is there.
                self.sales.create(&described(id.clone(), now)?, by).await.map_err(said)?;
                let made = self.sales.sale(&id).await.map_err(said)?;
                made.ok_or_else(|| format!("there is no sale {id}, though it was just made"))?
            }
        };
        if sale.closes_at < now + OPEN_AT_LEAST {
            let patch = Patch { closes_at: Some(now + OPEN_FOR), ..Patch::default() };
            sale = done(self.warmup.patch(&id, &patch, by).await)?;
        }
        let warmed = self.warmup.warm(&id, by).await.map_err(|error| error.to_string())?;
        sale.epoch = warmed.epoch;
        if sale.state != SaleState::Open {
            sale = done(self.warmup.change(&id, SaleState::Open, by).await)?;
        }
        Ok(sale)
    }

    /// A sale that was just loaded again admits nobody for a moment, nor does one that another gateway has just opened.
    async fn admit(&self, token: &SaleToken, sale: &Sale) -> Outcome<JobRecord> {
        let attempt = Attempt {
            job: token.job,
            buyer: token.buyer.clone(),
            channel: token.channel.clone(),
            item: Some(ItemIndex::new(0)),
            quantity: Quantity::ONE,
            admissible: if self.queue.is_open() { Admissible::Yes } else { Admissible::BrokerAway },
        };
        until(|| async {
            let verdicts = self.gate.admit(sale.route(), std::slice::from_ref(&attempt), &[]).await.map_err(said)?;
            match verdicts.into_iter().next() {
                Some(Verdict::Admitted(record) | Verdict::Repeated(record)) => Ok(Some(record)),
                Some(Verdict::Refused(Refusal::NotReady | Refusal::Paused)) => Ok(None),
                Some(Verdict::Refused(refusal)) => Err(format!("refused: {}", refused(&refusal))),
                None => Err("the gate gave no verdict".to_owned()),
            }
        })
        .await?
        .ok_or_else(|| format!("the gate was not ready to sell for {} s", PATIENCE.as_secs()))
    }

    async fn publish(&self, sale: &Sale, reservation: Reservation) -> Outcome<()> {
        let (route, job) = (sale.route(), reservation.job);
        self.queue.publish(route.shard, &[reservation]).await.map_err(said)?;
        // It may be late or lost, and then costs a duplicate message.
        let _ = self.gate.mark_queued(route, &[job]).await;
        Ok(())
    }

    /// A consumer has written the order.
    async fn place(&self, job: JobId) -> Outcome<()> {
        let placed = until(|| async { self.orders.hold(job).await.map_err(said) }).await?;
        let waited = PATIENCE.as_secs();
        let hold = placed.ok_or_else(|| format!("no consumer has written the order within {waited} s"))?;
        match hold.outcome {
            domain::Outcome::Placed => Ok(()),
            domain::Outcome::Refused(reason) => Err(format!("the order was rejected: {}", reason.as_str())),
        }
    }

    /// The gate has heard of the order.
    async fn effect(&self, job: JobId) -> Outcome<()> {
        self.heard(job, |record| record.state == JobState::Placed).await
    }

    /// The order is cancelled, and its unit is free again at the gate. A job without an order is ended first, as an
    /// operator ends one that hangs.
    async fn undo(&self, job: JobId, buyer: &BuyerId) -> Outcome<()> {
        let undone = async {
            discard_job(self.gate.as_ref(), self.orders.as_ref(), job).await.map_err(said)?;
            match self.life.cancel(job, buyer).await.map_err(said)? {
                Some(Cancelled::Done(_)) => {}
                Some(Cancelled::TooLate(order)) if order.status == OrderStatus::Rejected => {}
                Some(Cancelled::TooLate(order)) => return Err(format!("the order is {}", order.status.as_str())),
                None => return Err("the order is not there".to_owned()),
            }
            self.heard(job, |record| record.rev > 0 && record.units == 0).await
        };
        undone.await.map_err(|why| format!("{why}; the unit, of no real sale, comes back by itself"))
    }

    async fn heard(&self, job: JobId, is_so: impl Fn(&JobRecord) -> bool) -> Outcome<()> {
        let is_so = &is_so;
        let heard = until(|| async {
            match self.gate.job(job).await.map_err(said)? {
                JobLookup::Found(record) if is_so(&record) => Ok(Some(())),
                _ => Ok(None),
            }
        });
        let waited = PATIENCE.as_secs();
        heard.await?.ok_or_else(|| format!("the order's effect has not come back to the gate within {waited} s"))
    }
}

#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    async fn take<T>(&mut self, name: &'static str, step: impl Future<Output = Outcome<T>>) -> Option<T> {
        let started = Instant::now();
        let outcome = tokio::time::timeout(2 * PATIENCE, step).await;
        let outcome = outcome.unwrap_or_else(|_| Err(format!("no answer within {} s", 2 * PATIENCE.as_secs())));
        let (ok, took) = (outcome.is_ok(), started.elapsed());
        let (value, detail) = match outcome {
            Ok(value) => (Some(value), None),
            Err(why) => (None, Some(why)),
        };
        self.0.push(Step { name, ok, took, detail });
        value
    }
}

/// Looks until there is something, or until the patience ends. An outage ends it too.
async fn until<T, F: Future<Output = Outcome<Option<T>>>>(look: impl Fn() -> F) -> Outcome<Option<T>> {
    let started = Instant::now();
    loop {
        let seen = look().await?;
        if seen.is_some() || started.elapsed() > PATIENCE {
            return Ok(seen);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn described(id: SaleId, now: domain::Timestamp) -> Outcome<NewSale> {
    let currency = "XXX".to_owned().try_into().map_err(|_| "XXX is no currency".to_owned())?;
    let item = NewItem {
        id: "unit".parse().map_err(|_| "an item needs a name".to_owned())?,
        title: "Dry run".to_owned(),
        price: Money { amount: 0, currency },
        stock: STOCK,
    };
    Ok(NewSale {
        id,
        title: "Dry runs, not for sale".to_owned(),
        opens_at: now - OPEN_AT_LEAST,
        closes_at: now + OPEN_FOR,
        limit_per_buyer: 1,
        payment_window_seconds: PAYMENT_WINDOW_S,
        items: vec![item],
    })
}

fn done(changed: Result<Changed, Outage>) -> Outcome<Sale> {
    match changed.map_err(said)? {
        Changed::Done(sale) => Ok(sale),
        Changed::NotFound => Err("the sale of dry runs is gone".to_owned()),
        Changed::Conflict(why) => Err(why),
    }
}

fn said(outage: Outage) -> String {
    outage.to_string()
}

fn refused(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotOpen { .. } | Refusal::Ended => "the gate's clock is outside the window; look at the clocks",
        Refusal::SoldOut => "the sale of dry runs is sold out",
        Refusal::BrokerAway => "the broker takes no messages",
        Refusal::Backlog => "accepted orders wait too long for the database",
        Refusal::AllBusy | Refusal::ChannelBusy | Refusal::BuyerBusy { .. } => {
            "as many orders are under way as the concurrency limits allow"
        }
        Refusal::LimitReached { .. }
        | Refusal::QuantityAboveLimit { .. }
        | Refusal::UnknownItem
        | Refusal::TokenExpired
        | Refusal::Paused
        | Refusal::NotReady => "the gate has something else under the name of the sale of dry runs",
    }
}
