//! The ledger of a sale, read from the gate and from Postgres.

use domain::ports::{Condition, Gate, OrderStore, Outage};
use domain::{GateCounters, ItemBooks, Sale, ledger};

/// The ledger, and the gate's counters that it was made with; `None` while the gate is not ready.
///
/// The gate is read first: whatever Postgres commits after that carries a later version and is taken back.
pub async fn books(
    gate: &dyn Gate,
    orders: &dyn OrderStore,
    sale: &Sale,
) -> Result<Option<(GateCounters, Vec<ItemBooks>)>, Outage> {
    let Condition::Ready(counters, _) = gate.condition(sale.route()).await? else { return Ok(None) };
    let seen: Vec<i64> = counters.items.iter().map(|item| item.version).collect();
    let totals = orders.totals(sale.number, &seen).await?;
    let lines = ledger(&counters, &totals);
    Ok(Some((counters, lines)))
}
