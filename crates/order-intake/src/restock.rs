//! Adds units to a sale, or takes some out, while it runs.
//!
//! Units that come are Postgres' to give: the gate hears of them. Units that go are taken at the gate first, so that
//! nobody is admitted for them in the meantime; whoever dies on the way is followed by [`finish_withdrawals`].

use domain::ports::{Gate, Operator, Outage, Restocked, SaleStore, Withdrawn};
use domain::{Restock, SaleId, Withdrawal};
use tracing::{info, warn};

/// A withdrawal that was begun longer ago than this has lost whoever began it.
const ABANDONED_S: u32 = 5;

/// Changes an item's stock, once per id. Answers `Done`, `NotFound` or `Conflict`; an outage in the middle of a
/// withdrawal leaves it to be finished by whoever looks after sales, or by the same request again.
pub async fn restock(
    gate: &dyn Gate,
    sales: &dyn SaleStore,
    sale: &SaleId,
    restock: &Restock,
    by: &Operator,
) -> Result<Restocked, Outage> {
    match sales.restock(sale, restock, by).await? {
        Restocked::Withdraw(withdrawal) => finish(gate, sales, &withdrawal).await,
        ended => Ok(ended),
    }
}

/// Finishes what others have begun and left.
pub(crate) async fn finish_withdrawals(gate: &dyn Gate, sales: &dyn SaleStore) -> Result<(), Outage> {
    for withdrawal in sales.open_withdrawals(ABANDONED_S).await? {
        match finish(gate, sales, &withdrawal).await {
            Ok(_) => {
                info!(sale.id = %withdrawal.sale, restock.id = %withdrawal.id, "an abandoned withdrawal is finished")
            }
            Err(outage) => warn!(sale.id = %withdrawal.sale, restock.id = %withdrawal.id, %outage,
                                 "a withdrawal cannot be finished now"),
        }
    }
    Ok(())
}

async fn finish(gate: &dyn Gate, sales: &dyn SaleStore, withdrawal: &Withdrawal) -> Result<Restocked, Outage> {
    let taken = match gate.withdraw(withdrawal).await? {
        Withdrawn::Taken => true,
        // Ended: somebody else has finished it, and Postgres says how.
        Withdrawn::TooMany { .. } | Withdrawn::Ended => false,
        Withdrawn::NotReady => return Err(Outage::NotSent("the gate is loading this sale".to_owned())),
    };
    sales.end_withdrawal(&withdrawal.sale, &withdrawal.id, taken).await
}
