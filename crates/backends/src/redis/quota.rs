//! The port [`QuotaGate`] in terms of the scripts.

use async_trait::async_trait;
use domain::ports::{Outage, QuotaGate};
use domain::{QuotaEnd, QuotaKey, QuotaKind, QuotaSeed, QuotaTaken, QuotaUsage, QuotaUse, Timestamp};

use super::RedisGate;
use super::gate::nonsense;
use super::link::Args;
use super::scripts::Name;

/// A counter is kept so long after its day: gateways' clocks differ, and the last uses have to be written.
const AFTER_DAY_MS: i64 = 3_600_000;

/// A request is sent again by us alone, within seconds: its id is kept for one to two of these.
const REQUEST_IDS_MS: i64 = 60_000;

impl RedisGate {
    fn counter(&self, key: &QuotaKey) -> String {
        let QuotaKey { kind, subject, day } = key;
        format!("{}:quota:{{{}:{subject}}}:{day}:used", self.namespace, kind.as_str())
    }

    fn quota_keys(&self, one: &QuotaUse) -> [String; 2] {
        let QuotaKey { kind, subject, day } = &one.key;
        // A purchase may be repeated all day; a client with a million requests must not leave a million ids.
        let part = match kind {
            QuotaKind::Purchases => 0,
            QuotaKind::Requests => one.at.timestamp_millis() / REQUEST_IDS_MS,
        };
        let ids = format!("{}:quota:{{{}:{subject}}}:{day}:ids:{part}", self.namespace, kind.as_str());
        [self.counter(&one.key), ids]
    }
}

#[async_trait]
impl QuotaGate for RedisGate {
    async fn take(
        &self,
        one: &QuotaUse,
        limit: u64,
        ends_at: Timestamp,
        seed: Option<&QuotaSeed>,
    ) -> Result<QuotaTaken, Outage> {
        let end_ms = ends_at.timestamp_millis() + AFTER_DAY_MS;
        let ids_end_ms = match one.key.kind {
            QuotaKind::Purchases => end_ms,
            QuotaKind::Requests => one.at.timestamp_millis() + 2 * REQUEST_IDS_MS,
        };
        let mut args = Args::default();
        args.text(&one.id).text(one.units).text(limit).text(end_ms).text(ids_end_ms);
        args.text(seed.map_or("", |seed| &seed.generation)).text(seed.map_or(0, |seed| seed.used)).text(&one.attempt);
        let answer: Vec<String> = self.link.run(Name::QuotaTake, &self.quota_keys(one), args).await?;
        taken(&answer).ok_or_else(|| nonsense("quota_take"))
    }

    async fn end(&self, one: &QuotaUse, end: QuotaEnd) -> Result<bool, Outage> {
        let how = match end {
            QuotaEnd::Unknown => 0,
            QuotaEnd::NotMade => 1,
            QuotaEnd::Denied => 2,
        };
        let mut args = Args::default();
        args.text(&one.id).text(&one.attempt).text(how);
        let answer: i64 = self.link.run(Name::QuotaReturn, &self.quota_keys(one), args).await?;
        Ok(answer == 1)
    }

    async fn raise(&self, key: &QuotaKey, written: &[QuotaUsage]) -> Result<(), Outage> {
        let mut args = Args::default();
        for QuotaUsage { generation, used } in written {
            args.text(generation).text(used);
        }
        self.link.run::<i64>(Name::QuotaRaise, &[self.counter(key)], args).await.map(|_| ())
    }

    async fn counted(&self, key: &QuotaKey) -> Result<Option<u64>, Outage> {
        let counted: i64 = self.link.run(Name::QuotaRaise, &[self.counter(key)], Args::default()).await?;
        Ok(u64::try_from(counted).ok())
    }
}

fn taken(answer: &[String]) -> Option<QuotaTaken> {
    let [word, rest @ ..] = answer else { return None };
    if word == "unseeded" {
        return Some(QuotaTaken::Unseeded);
    }
    let [remaining, generation] = rest else { return None };
    let remaining = remaining.parse().ok()?;
    Some(match word.as_str() {
        "allowed" => QuotaTaken::Allowed { remaining, generation: generation.clone() },
        "before" | "held" => QuotaTaken::Before { remaining, generation: generation.clone(), held: word == "held" },
        "exceeded" => QuotaTaken::Exceeded { remaining },
        _ => return None,
    })
}
