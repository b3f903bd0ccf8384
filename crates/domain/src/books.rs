//! The conservation ledger: `stock = free + unpublished + queued + held + paid`.
//!
//! The first three terms are counted by the gate, the last two by Postgres, at different moments. Each change of
//! an item's held units has a version; the gate says which version it has applied, Postgres takes back what came
//! after it, and the difference is taken at one version. No term is derived from the others.

use chrono::TimeDelta;

use crate::{ItemId, JobId, Timestamp};

/// What the gate knows of one sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateCounters {
    /// The gate's clock: the one that decides about windows.
    pub now: Timestamp,
    /// The epoch of its data.
    pub epoch: u32,
    /// First moment of admission that it obeys.
    pub opens_at: Timestamp,
    /// First moment after it.
    pub closes_at: Timestamp,
    /// Units one buyer may hold.
    pub limit_per_buyer: u16,
    /// Jobs whose effect has not arrived yet: admitted and not settled.
    pub waiting_jobs: u64,
    /// How long the job in the middle of those has waited, in milliseconds; 0 when none does. One job that hangs says
    /// nothing about the others, the middle one does.
    pub waiting_ms: u64,
    /// How long the oldest of them has waited, in milliseconds, as far as a few looks show; 0 when none does.
    pub oldest_ms: u64,
    /// When it was loaded again after a loss; `None` for a sale that was loaded once.
    pub reloaded_at: Option<Timestamp>,
    /// By position.
    pub items: Vec<ItemCounters>,
}

/// After a sale was loaded again, what was accepted before may still be on its way for so long: the drain of the
/// queue takes at most five seconds of it, a publish under way one.
pub const SETTLING: TimeDelta = TimeDelta::seconds(15);

/// Clocks of gateways, which issue job ids, may be off by this much.
pub(crate) const ISSUE_LEEWAY: TimeDelta = TimeDelta::seconds(2);

/// May a job that the gate does not know have been accepted all the same, before the gate was loaded again? Then
/// nobody may be told yet that it was not.
pub fn may_be_on_its_way(job: JobId, reloaded_at: Option<Timestamp>, now: Timestamp) -> bool {
    let issued_at = i64::try_from(job.issued_ms()).map_or(Timestamp::MAX_UTC, crate::from_ms);
    reloaded_at.is_some_and(|at| issued_at < at + ISSUE_LEEWAY && now < at + SETTLING)
}

/// What the gate knows of one item, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemCounters {
    /// For sale.
    pub free: i64,
    /// Admitted, without a noted confirm of the broker.
    pub unpublished: i64,
    /// Confirmed by the broker, without an applied effect; or set aside for a late payment or a withdrawal.
    pub queued: i64,
    /// Version of the last effect applied.
    pub version: i64,
}

/// What Postgres knows of one item, in units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemTotals {
    /// The item.
    pub item: ItemId,
    /// In total, at the version that the gate has applied.
    pub stock: i64,
    /// In orders that wait for their payment.
    pub held: i64,
    /// In paid orders.
    pub paid: i64,
    /// Change of `held + paid` by effects after the version that the gate has applied.
    pub after: i64,
    /// The latest deadline of an unpaid order; `None` when no unit waits for its payment.
    pub held_until: Option<Timestamp>,
}

/// One line of the ledger, in units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemBooks {
    /// The item.
    pub item: ItemId,
    /// In total.
    pub stock: i64,
    /// For sale.
    pub free: i64,
    /// Admitted, not known to be published.
    pub unpublished: i64,
    /// On the queue, or set aside for a late payment or a withdrawal.
    pub queued: i64,
    /// In unpaid orders.
    pub held: i64,
    /// In paid orders.
    pub paid: i64,
    /// `stock − (free + unpublished + queued + held + paid)`: above 0, units are missing; below, too many exist.
    pub difference: i64,
    /// The latest deadline of an unpaid order.
    pub held_until: Option<Timestamp>,
}

/// The ledger of a sale, item by item.
pub fn ledger(gate: &GateCounters, totals: &[ItemTotals]) -> Vec<ItemBooks> {
    let missing = ItemCounters::default();
    totals
        .iter()
        .enumerate()
        .map(|(at, total)| {
            let counters = gate.items.get(at).unwrap_or(&missing);
            let ItemCounters { free, unpublished, queued, .. } = *counters;
            let held = total.held - total.after;
            ItemBooks {
                item: total.item.clone(),
                stock: total.stock,
                free,
                unpublished,
                queued,
                held,
                paid: total.paid,
                difference: total.stock - (free + unpublished + queued + held + total.paid),
                held_until: total.held_until,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(free: i64, unpublished: i64, queued: i64, held: i64, paid: i64, after: i64) -> ItemBooks {
        let gate = GateCounters {
            now: crate::from_ms(0),
            epoch: 1,
            opens_at: crate::from_ms(0),
            closes_at: crate::from_ms(1),
            limit_per_buyer: 1,
            waiting_jobs: 0,
            waiting_ms: 0,
            oldest_ms: 0,
            reloaded_at: None,
            items: vec![ItemCounters { free, unpublished, queued, version: 4 }],
        };
        let totals = [ItemTotals { item: "a".parse().unwrap(), stock: 100, held, paid, after, held_until: None }];
        ledger(&gate, &totals).remove(0)
    }

    #[test]
    fn an_effect_on_its_way_to_the_gate_is_not_counted_twice() {
        // 10 units are committed in Postgres while the gate still counts them as queued.
        let line = books(50, 5, 15, 40, 0, 10);
        assert_eq!((line.held, line.difference), (30, 0));
    }

    #[test]
    fn an_old_job_may_be_on_its_way_for_a_while_after_a_loss_and_a_new_one_is_not() {
        let route = crate::Route { sale: crate::SaleNumber::new(1).unwrap(), shard: crate::Shard::default() };
        let (old, new) = (JobId::new(1_000_000, route, [0; 6]), JobId::new(1_022_000, route, [0; 6]));
        let (reloaded_at, just_after, later) =
            (crate::from_ms(1_020_000), crate::from_ms(1_021_000), crate::from_ms(1_035_000));
        assert!(may_be_on_its_way(old, Some(reloaded_at), just_after));
        assert!(!may_be_on_its_way(old, Some(reloaded_at), later));
        assert!(!may_be_on_its_way(new, Some(reloaded_at), just_after));
        assert!(!may_be_on_its_way(old, None, just_after));
    }

    #[test]
    fn a_unit_that_was_lost_or_invented_shows() {
        assert_eq!(books(49, 0, 0, 40, 10, 0).difference, 1);
        assert_eq!(books(51, 0, 0, 40, 10, 0).difference, -1);
    }
}
