//! The ports [`ActivityStore`] and [`Accountant`].

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::activity::MINUTE;
use domain::ports::{Accountant, ActivityStore, NotedActivity, Outage, Seen};
use domain::{Accounts, ActivityRow, Instance, ItemAccounts, OrderStatus, Role, SaleNumber, Timestamp};

use super::EmbeddedStore;
use super::state::Tables;

/// What every process has seen, and which of them are alive.
#[derive(Default)]
pub(super) struct ActivityTable {
    rows: BTreeMap<SaleNumber, BTreeMap<i64, ActivityRow>>,
    /// What is there: sale, time, length and instance.
    keys: HashSet<(SaleNumber, Timestamp, u16, String)>,
    last_id: i64,
    instances: HashMap<String, (Role, Timestamp)>,
}

impl ActivityTable {
    fn put(&mut self, row: ActivityRow) {
        if self.keys.insert((row.sale, row.at, row.seconds, row.instance.clone())) {
            self.last_id += 1;
            self.rows.entry(row.sale).or_default().insert(self.last_id, row);
        }
    }

    /// Takes the rows out that are chosen.
    fn take(&mut self, sale: SaleNumber, chosen: impl Fn(&ActivityRow) -> bool) -> Vec<ActivityRow> {
        let Some(rows) = self.rows.get_mut(&sale) else { return Vec::new() };
        let taken: Vec<ActivityRow> = rows.extract_if(.., |_, row| chosen(row)).map(|(_, row)| row).collect();
        if rows.is_empty() {
            self.rows.remove(&sale);
        }
        for row in &taken {
            self.keys.remove(&(row.sale, row.at, row.seconds, row.instance.clone()));
        }
        taken
    }

    /// Forgets a sale.
    pub(super) fn forget(&mut self, sale: SaleNumber) {
        self.take(sale, |_| true);
    }

    /// The oldest minute before `end` that is still seconds.
    fn old_minute(&self, end: Timestamp) -> Option<(SaleNumber, Timestamp)> {
        let seconds = self.rows.values().flat_map(BTreeMap::values).filter(|row| row.seconds == 1);
        let oldest = seconds.filter(|row| minute_of(row.at) + minute() <= end).min_by_key(|row| row.at)?;
        Some((oldest.sale, minute_of(oldest.at)))
    }
}

fn minute() -> TimeDelta {
    TimeDelta::seconds(i64::from(MINUTE))
}

fn minute_of(at: Timestamp) -> Timestamp {
    at - TimeDelta::milliseconds(at.timestamp_millis().rem_euclid(minute().num_milliseconds()))
}

#[async_trait]
impl ActivityStore for EmbeddedStore {
    async fn note(&self, by: &Instance, rows: &[ActivityRow]) -> Result<(), Outage> {
        let now = self.now();
        let Tables { activity, sales, .. } = &mut *self.tables();
        activity.instances.insert(by.id.clone(), (by.role, now));
        rows.iter().filter(|row| sales.contains_key(&row.sale)).for_each(|row| activity.put(row.clone()));
        Ok(())
    }

    async fn activity(&self, sale: SaleNumber, after: i64, limit: usize) -> Result<Vec<NotedActivity>, Outage> {
        let tables = self.tables();
        let rows = tables.activity.rows.get(&sale).into_iter().flat_map(|rows| rows.range(after + 1..));
        Ok(rows.take(limit).map(|(id, row)| NotedActivity { id: *id, row: row.clone() }).collect())
    }

    async fn instances(&self, within_s: u32) -> Result<Vec<Seen>, Outage> {
        let now = self.now();
        let tables = self.tables();
        let seen = tables.activity.instances.iter().map(|(id, (role, at))| Seen {
            id: id.clone(),
            role: *role,
            age_ms: (now - *at).num_milliseconds().max(0).unsigned_abs(),
        });
        let mut seen: Vec<Seen> = seen.filter(|one| one.age_ms < u64::from(within_s) * 1_000).collect();
        seen.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(seen)
    }

    async fn condense(&self, older_than_s: u32, limit: usize) -> Result<u64, Outage> {
        let end = self.now() - TimeDelta::seconds(i64::from(older_than_s));
        let activity = &mut self.tables().activity;
        let mut minutes = 0;
        while minutes < limit as u64 {
            let Some((sale, begin)) = activity.old_minute(end) else {
                activity.instances.retain(|_, (_, at)| end <= *at);
                break;
            };
            let rows = activity.take(sale, |row| begin <= row.at && row.at < begin + minute());
            activity.put(ActivityRow::minute(sale, begin, &rows));
            minutes += 1;
        }
        Ok(minutes)
    }
}

#[async_trait]
impl Accountant for EmbeddedStore {
    async fn accounts(&self, sale: SaleNumber) -> Result<Option<Accounts>, Outage> {
        let tables = self.tables();
        let Some(row) = tables.sales.get(&sale) else { return Ok(None) };
        let mut accounts = Accounts::default();
        accounts.items.extend(row.sale.items.iter().map(|item| ItemAccounts {
            item: item.id.clone(),
            stock: item.stock,
            paid: 0,
            unpaid: 0,
            returned: 0,
            revenue: 0,
        }));
        let mut buyers = HashSet::new();
        for (job, order) in &row.orders {
            accounts.refunded += tables.payments.refunded(*job);
            match order.status {
                OrderStatus::PendingPayment | OrderStatus::Paid => {
                    buyers.insert(&order.buyer);
                }
                OrderStatus::Expired => accounts.expired += 1,
                OrderStatus::Cancelled => accounts.cancelled += 1,
                OrderStatus::Rejected => accounts.rejected += 1,
            }
            let Some(item) = order.item.and_then(|item| accounts.items.get_mut(usize::from(item.get()))) else {
                continue;
            };
            let units = i64::from(order.quantity);
            match order.status {
                OrderStatus::Paid => {
                    item.paid += units;
                    item.revenue += order.amount.map_or(0, |money| money.amount);
                }
                OrderStatus::PendingPayment => item.unpaid += units,
                OrderStatus::Expired | OrderStatus::Cancelled => item.returned += units,
                OrderStatus::Rejected => {}
            }
        }
        accounts.buyers = buyers.len() as u64;
        Ok(Some(accounts))
    }
}
