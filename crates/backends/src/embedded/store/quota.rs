//! The port [`QuotaStore`].

use std::collections::{BTreeMap, BTreeSet, HashSet};

use async_trait::async_trait;
use chrono::NaiveDate;
use domain::ports::{Outage, QuotaStore};
use domain::{BuyerId, QuotaEvent, QuotaKey, QuotaKind, QuotaTaken, QuotaUsage, QuotaUse, Timestamp};

use super::EmbeddedStore;

/// What was used, by key and generation, and which uses that is.
#[derive(Default)]
pub(super) struct QuotaTable {
    usage: BTreeMap<QuotaKey, BTreeMap<String, u64>>,
    events: HashSet<(QuotaKey, String)>,
}

impl QuotaTable {
    fn sum(&self, key: &QuotaKey) -> u64 {
        self.usage.get(key).map_or(0, |generations| generations.values().sum())
    }

    fn add(&mut self, key: &QuotaKey, generation: &str, units: u32) {
        *self.usage.entry(key.clone()).or_default().entry(generation.to_owned()).or_default() += u64::from(units);
    }
}

#[async_trait]
impl QuotaStore for EmbeddedStore {
    async fn write(&self, events: &[QuotaEvent]) -> Result<Vec<QuotaKey>, Outage> {
        let quotas = &mut self.tables().quotas;
        for QuotaEvent { of, generation } in events {
            if quotas.events.insert((of.key.clone(), of.id.clone())) {
                quotas.add(&of.key, generation, of.units);
            }
        }
        let keys: BTreeSet<&QuotaKey> = events.iter().map(|event| &event.of.key).collect();
        let many = |key: &&&QuotaKey| quotas.usage.get(**key).is_some_and(|generations| generations.len() > 1);
        Ok(keys.iter().filter(many).map(|key| (*key).clone()).collect())
    }

    async fn written(&self, key: &QuotaKey) -> Result<Vec<QuotaUsage>, Outage> {
        let tables = self.tables();
        let generations = tables.quotas.usage.get(key).into_iter().flatten();
        Ok(generations.map(|(generation, used)| QuotaUsage { generation: generation.clone(), used: *used }).collect())
    }

    async fn used(&self, key: &QuotaKey, from: Timestamp, until: Timestamp) -> Result<u64, Outage> {
        let tables = self.tables();
        let written = tables.quotas.sum(key);
        let Some(buyer) = key.subject.parse::<BuyerId>().ok().filter(|_| key.kind == QuotaKind::Purchases) else {
            return Ok(written);
        };
        let jobs = tables.by_buyer.get(&buyer).map(Vec::as_slice).unwrap_or_default();
        let orders = jobs.iter().filter_map(|job| tables.view(*job));
        let of_day = orders.filter(|order| {
            order.status != domain::OrderStatus::Rejected && from <= order.created_at && order.created_at < until
        });
        Ok(written.max(of_day.map(|order| u64::from(order.quantity)).sum()))
    }

    async fn take_directly(&self, one: &QuotaUse, limit: u64) -> Result<QuotaTaken, Outage> {
        let quotas = &mut self.tables().quotas;
        let remaining = limit.saturating_sub(quotas.sum(&one.key));
        let units = u64::from(one.units);
        let event = (one.key.clone(), one.id.clone());
        if quotas.events.contains(&event) {
            return Ok(QuotaTaken::Before { remaining, generation: QuotaUsage::DIRECT.to_owned(), held: false });
        }
        if units > remaining {
            return Ok(QuotaTaken::Exceeded { remaining });
        }
        quotas.events.insert(event);
        quotas.add(&one.key, QuotaUsage::DIRECT, one.units);
        Ok(QuotaTaken::Allowed { remaining: remaining - units, generation: QuotaUsage::DIRECT.to_owned() })
    }

    async fn sweep(&self, before: NaiveDate, limit: usize) -> Result<u64, Outage> {
        let quotas = &mut self.tables().quotas;
        let old: HashSet<_> = quotas.events.iter().filter(|(key, _)| key.day < before).take(limit).cloned().collect();
        quotas.events.retain(|event| !old.contains(event));
        let usage: Vec<_> = quotas.usage.keys().filter(|key| key.day < before).take(limit).cloned().collect();
        usage.iter().for_each(|key| drop(quotas.usage.remove(key)));
        Ok((old.len() + usage.len()) as u64)
    }
}
