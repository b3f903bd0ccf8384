//! The port [`Concurrency`] in terms of the scripts.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::ConcurrencyRules;
use domain::ports::{Acquired, Concurrency, ConcurrencyUsage, Obeyed, Outage};

use super::gate::{RedisGate, nonsense};
use super::link::Args;
use super::scripts::Name;

impl RedisGate {
    async fn ask(&self, name: Name, args: Args) -> Result<Vec<String>, Outage> {
        self.link.run(name, &[], args).await
    }

    async fn task(&self, action: &str, task: &str, token: &str) -> Result<Option<Acquired>, Outage> {
        let mut args = Args::default();
        args.text(action).text(task).text(token);
        let answer = self.ask(Name::ConcurrencyTask, args).await?;
        match answer.first().map(String::as_str) {
            Some("taken") => Ok(Some(Acquired::Taken)),
            Some("busy") => Ok(Some(Acquired::Busy)),
            Some("unlimited") => Ok(Some(Acquired::Unlimited)),
            Some("released") => Ok(None),
            _ => Err(nonsense("concurrency_task")),
        }
    }
}

#[async_trait]
impl Concurrency for RedisGate {
    async fn obey(&self, version: i64, rules: &ConcurrencyRules, force: bool) -> Result<Obeyed, Outage> {
        let json =
            serde_json::to_string(rules).map_err(|why| Outage::NotSent(format!("the rules are no JSON: {why}")))?;
        let mut args = Args::default();
        args.text(version).text(json).text(u8::from(force));
        let answer = self.ask(Name::ConcurrencyConfig, args).await?;
        let obeyed = match answer.first().map(String::as_str) {
            Some("written") => Some(Obeyed::Written),
            Some("kept") => Some(Obeyed::Kept),
            Some("newer") => answer.get(1).and_then(|text| text.parse().ok()).map(Obeyed::Newer),
            _ => None,
        };
        obeyed.ok_or_else(|| nonsense("concurrency_config"))
    }

    async fn acquire(&self, task: &str, token: &str) -> Result<Acquired, Outage> {
        self.task("acquire", task, token).await?.ok_or_else(|| nonsense("concurrency_task"))
    }

    async fn renew(&self, task: &str, token: &str) -> Result<(), Outage> {
        self.task("renew", task, token).await.map(|_| ())
    }

    async fn release(&self, task: &str, token: &str) -> Result<(), Outage> {
        self.task("release", task, token).await.map(|_| ())
    }

    async fn usage(&self) -> Result<ConcurrencyUsage, Outage> {
        let answer = self.ask(Name::ConcurrencyUsage, Args::default()).await?;
        let counts = pairs("usage", &answer).ok_or_else(|| nonsense("concurrency_usage"))?;
        let mut usage = ConcurrencyUsage::default();
        for (dimension, live) in counts {
            match dimension.split_once(':') {
                Some(("platform", name)) => drop(usage.platforms.insert(name.to_owned(), live)),
                Some(("task_type", name)) => drop(usage.task_types.insert(name.to_owned(), live)),
                _ => usage.global = Some(live),
            }
        }
        Ok(usage)
    }

    async fn stats(&self) -> Result<BTreeMap<String, u64>, Outage> {
        let answer = self.ask(Name::ConcurrencyStats, Args::default()).await?;
        pairs("stats", &answer).ok_or_else(|| nonsense("concurrency_stats"))
    }
}

fn pairs(word: &str, answer: &[String]) -> Option<BTreeMap<String, u64>> {
    let (first, pairs) = answer.split_first()?;
    if first != word || pairs.len() % 2 != 0 {
        return None;
    }
    pairs.chunks_exact(2).map(|pair| Some((pair[0].clone(), pair[1].parse().ok()?))).collect()
}
