//! What is looked at.

use std::time::Duration;

use chrono::TimeDelta;
use domain::ports::{AuditEntry, Condition, Health, Outage};
use domain::{JobId, Sale, SaleState, SaleToken, whole_ms};
use tokio::join;

use super::CheckBody;
use crate::edge::Edge;
use crate::health::Status;
use crate::operators::{dry_run, reconcile};

/// Whatever takes longer to answer is not well.
const PATIENCE: Duration = Duration::from_secs(2);

/// Clocks may differ by so much. Tokens have a leeway of 2 s, and shoppers see the difference as an opening that is late.
const SKEW_MAX: TimeDelta = TimeDelta::milliseconds(500);

/// A dry run or a comparison of the books that is older says little about today.
const RECENT: TimeDelta = TimeDelta::hours(24);

/// What was found, or what is wrong and what to do about it.
type Found = Result<String, (String, String)>;

/// Everything that the checks look at.
pub struct Checks<'a> {
    pub edge: &'a Edge,
    pub status: &'a Status,
    pub sale: &'a Sale,
}

impl Checks<'_> {
    /// All of them, at the same time.
    pub async fn all(&self) -> Vec<CheckBody> {
        let (gate, queue) = (&self.edge.gate, &self.edge.queue);
        let (stored, condition, consumers, depth, database, redis, broker, clocks, tried, compared) = join!(
            answer(self.edge.sales.sale(&self.sale.id)),
            answer(gate.condition(self.sale.route())),
            answer(queue.consumers()),
            answer(queue.depth()),
            self.settings("postgres"),
            self.settings("redis"),
            self.dependency("rabbitmq"),
            self.clocks(),
            answer(self.edge.audit.latest(&self.sale.id, dry_run::ACTION)),
            answer(self.edge.audit.latest(&self.sale.id, reconcile::ACTION)),
        );
        let reached = |asked: Result<(), Outage>, what: &str, todo: &str| {
            asked.map(|()| "It answers.".to_owned()).map_err(|outage| (format!("{what}: {outage}."), todo.to_owned()))
        };
        let database_answers = reached(
            stored.map(drop),
            "The database does not answer",
            "Start Postgres, or look at postgres.url and at the network between.",
        );
        let redis_answers = reached(
            condition.as_ref().map(|_| ()).map_err(Clone::clone),
            "Redis does not answer",
            "Start Redis, or look at redis.url and at the network between.",
        );
        vec![
            check("database", database_answers.and_then(|said| database.map(|_| said))),
            check("redis", redis_answers),
            check("redis-settings", redis),
            check("broker", self.broker(broker)),
            check("consumers", consumers_of(consumers)),
            check("queue-empty", empty(depth)),
            check("clocks", clocks),
            check("limits", self.limits()),
            check("keys", self.keys()),
            check("warm", self.warm(condition)),
            check("dry-run", self.last(tried, "dry run", "Start a dry run.")),
            check("reconcile", self.last(compared, "comparison of the books", "Compare the books (reconcile).")),
        ]
    }

    /// Is there anything about a dependency's settings that makes it unsafe to sell with?
    async fn settings(&self, name: &str) -> Found {
        let Some(dependency) = self.named(name) else {
            return Ok("It is a part of this process: there is nothing to set.".to_owned());
        };
        match answer(dependency.findings()).await {
            Ok(findings) if findings.is_empty() => Ok("Its settings are safe to sell with.".to_owned()),
            Ok(findings) => {
                Err(("Its settings are not safe to sell with.".to_owned(), format!("{}.", findings.join(". "))))
            }
            Err(outage) => Err((format!("Its settings cannot be read: {outage}."), format!("Look at {name}."))),
        }
    }

    async fn dependency(&self, name: &str) -> Result<(), Outage> {
        match self.named(name) {
            Some(dependency) => answer(dependency.check()).await,
            None => Ok(()),
        }
    }

    fn named(&self, name: &str) -> Option<&dyn Health> {
        self.status.dependencies().iter().find(|dependency| dependency.name() == name).map(AsRef::as_ref)
    }

    fn broker(&self, checked: Result<(), Outage>) -> Found {
        let todo = "Start RabbitMQ, or look at its memory, its disk and rabbitmq.url.";
        match checked {
            Err(outage) => Err((format!("The broker does not answer: {outage}."), todo.to_owned())),
            Ok(()) if !self.edge.queue.is_open() => Err(("The broker takes no messages.".to_owned(), todo.to_owned())),
            Ok(()) => Ok("It takes messages.".to_owned()),
        }
    }

    /// Each clock that decides about anything, held against this gateway's.
    async fn clocks(&self) -> Found {
        let (mut told, mut worst) = (Vec::new(), TimeDelta::zero());
        for dependency in self.status.dependencies() {
            let before = self.edge.clock.now();
            let name = dependency.name();
            let time = answer(dependency.time()).await;
            let time = time.map_err(|outage| {
                (format!("The clock of {name} cannot be read: {outage}."), format!("Look at {name}."))
            })?;
            let Some(time) = time else { continue };
            // It was read somewhere in between; as a whole millisecond it may be one too early.
            let middle = before + (self.edge.clock.now() - before) / 2;
            let ahead = time - middle;
            told.push(format!("{name} {:+} ms", ahead.num_milliseconds()));
            worst = worst.max(ahead.abs());
        }
        let told = if told.is_empty() {
            "There is one clock only.".to_owned()
        } else {
            format!("Against this gateway: {}.", told.join(", "))
        };
        if worst <= SKEW_MAX {
            Ok(told)
        } else {
            Err((told, "Set the clocks of all servers by NTP, this one's too.".to_owned()))
        }
    }

    fn limits(&self) -> Found {
        let document = self.edge.limits.document().get();
        let local = &document.local;
        let rates = [
            ("by address", local.per_ip),
            ("tokens by buyer", local.token_per_buyer),
            ("orders by buyer", local.order_per_buyer),
            ("reads", local.status),
        ];
        let off: Vec<&str> = rates.iter().filter(|(_, rate)| !rate.enabled).map(|(name, _)| *name).collect();
        if off.is_empty() {
            return Ok(format!("On, with {} rules over all gateways.", document.shared.len()));
        }
        Err((
            format!("Off: {}.", off.join(", ")),
            "Switch them on, or one caller can take the time of all others.".to_owned(),
        ))
    }

    /// A token is signed and read again, and somebody can report payments.
    fn keys(&self) -> Found {
        let edge = self.edge;
        let now = whole_ms(edge.clock.now());
        let issued_ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        let buyer = "readiness".parse().map_err(|_| ("No token can be made.".to_owned(), String::new()))?;
        let job = JobId::new(issued_ms, self.sale.route(), edge.entropy.six());
        let token = SaleToken { job, buyer, channel: String::new(), not_before: now, expires_at: now };
        if edge.token_keys.verify(&edge.token_keys.sign(&token)).ok() != Some(token) {
            return Err((
                "A token that was just signed is not accepted.".to_owned(),
                "Look at secrets.token_keys.".to_owned(),
            ));
        }
        if !edge.webhooks.can_be_believed() {
            let todo = "Set secrets.webhook_secrets, or unpaid orders expire though their buyers have paid.";
            return Err(("No payment will be believed: there is no webhook secret.".to_owned(), todo.to_owned()));
        }
        Ok("Tokens are signed and accepted, logins and payments can be verified.".to_owned())
    }

    fn warm(&self, condition: Result<Condition, Outage>) -> Found {
        let wrong = |detail: &str, todo: &str| Err((detail.to_owned(), todo.to_owned()));
        if self.sale.state == SaleState::Closed {
            return wrong("The sale is closed.", "A closed sale stays closed: create another one.");
        }
        if self.sale.epoch == 0 {
            return wrong("The sale was never warmed.", "Warm the sale.");
        }
        match condition {
            Ok(Condition::Ready(counters, state)) if counters.epoch == self.sale.epoch && state == self.sale.state => {
                let free: i64 = counters.items.iter().map(|item| item.free).sum();
                let stock: i64 = self.sale.items.iter().map(|item| item.stock).sum();
                Ok(format!("{free} of {stock} units are free, in epoch {}.", counters.epoch))
            }
            Ok(Condition::Ready(..)) => wrong(
                "The gate does not follow the sale yet.",
                "Wait some seconds; if it stays so, warm the sale again.",
            ),
            Ok(Condition::Stale { .. }) => wrong("The gate is loading the sale.", "Wait until it has been loaded."),
            Ok(Condition::Missing) => wrong("The gate has nothing of this sale.", "Warm the sale."),
            Err(_) => wrong("Redis does not answer.", "See `redis`."),
        }
    }

    /// How and when something ended that is done from time to time.
    fn last(&self, latest: Result<Option<AuditEntry>, Outage>, what: &str, todo: &str) -> Found {
        let entry = match latest {
            Ok(Some(entry)) => entry,
            Ok(None) => return Err((format!("There was no {what} yet."), todo.to_owned())),
            Err(outage) => {
                return Err((format!("The last {what} cannot be read: {outage}."), "See `database`.".to_owned()));
            }
        };
        let at = entry.at.format("%Y-%m-%d %H:%M:%S UTC");
        let after = &entry.note.after;
        if after["ok"] != true {
            let why = after["detail"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
            let todo = format!("Look into it, then do it again. {todo}");
            return Err((format!("The last {what}, at {at}, did not go well{why}."), todo));
        }
        if self.edge.clock.now() - entry.at > RECENT {
            return Err((format!("The last {what} was at {at}, more than a day ago."), todo.to_owned()));
        }
        Ok(format!("The last {what} went well, at {at}."))
    }
}

fn consumers_of(consumers: Result<u64, Outage>) -> Found {
    match consumers {
        Ok(0) => {
            Err(("Nobody takes orders from the queue.".to_owned(), "Start a consumer: seckill consumer.".to_owned()))
        }
        Ok(count) => Ok(format!("{count} connected.")),
        Err(outage) => Err((format!("The broker does not say: {outage}."), "See `broker`.".to_owned())),
    }
}

fn empty(depth: Result<u64, Outage>) -> Found {
    match depth {
        Ok(0) => Ok("Nothing waits.".to_owned()),
        Ok(depth) => Err((
            format!("{depth} orders or messages wait for a consumer."),
            "Wait until they are placed; if they are not, look at the consumers and at the database.".to_owned(),
        )),
        Err(outage) => Err((format!("The broker does not say: {outage}."), "See `broker`.".to_owned())),
    }
}

fn check(name: &'static str, found: Found) -> CheckBody {
    match found {
        Ok(detail) => CheckBody { name, ok: true, detail, todo: None },
        Err((detail, todo)) => CheckBody { name, ok: false, detail, todo: Some(todo) },
    }
}

async fn answer<T>(asked: impl Future<Output = Result<T, Outage>>) -> Result<T, Outage> {
    let answered = tokio::time::timeout(PATIENCE, asked).await;
    answered.unwrap_or_else(|_| Err(Outage::Unknown(format!("no answer within {} s", PATIENCE.as_secs()))))
}
