//! Adds units to a sale, or takes some out, while it runs.
//!
//! Units that come are Postgres' to give: the gate hears of them. Units that go are taken at the gate first, so that
//! nobody is admitted for them in the meantime; whoever dies on the way is followed by [`finish_withdrawals`].

use std::time::Duration;

use domain::ports::{Gate, Operator, Outage, Restocked, SaleStore, Withdrawn};
use domain::{Restock, Sale, SaleId, Timestamp, WarmSale, Withdrawal};
use tracing::{info, warn};

/// An effect that is on its way to the gate arrives within milliseconds; it is waited for this often, and so long.
const LOOKS: usize = 40;
const AGAIN_AFTER: Duration = Duration::from_millis(50);

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
        Restocked::Withdraw(_) => {}
        ended => return Ok(ended),
    }
    // From here on it is noted, and will be finished whatever happens to us.
    let noted = |why: &str| Outage::Unknown(format!("the withdrawal is noted and will be finished: {why}"));
    for _ in 0..LOOKS {
        let looked = async {
            match sales.restock(sale, restock, by).await? {
                Restocked::Withdraw(withdrawal) => finish(gate, sales, &withdrawal).await,
                ended => Ok(Some(ended)),
            }
        };
        match looked.await {
            Ok(Some(Restocked::Done { stock, .. })) => return Ok(Restocked::Done { stock, repeated: false }),
            Ok(Some(ended)) => return Ok(ended),
            Ok(None) => tokio::time::sleep(AGAIN_AFTER).await,
            Err(outage) => return Err(noted(&outage.to_string())),
        }
    }
    Err(noted("the gate is behind"))
}

/// Finishes what others have begun and left.
pub(crate) async fn finish_withdrawals(gate: &dyn Gate, sales: &dyn SaleStore, now: Timestamp) -> Result<(), Outage> {
    for withdrawal in sales.open_withdrawals(ABANDONED_S).await? {
        let (sale, id) = (&withdrawal.sale, &withdrawal.id);
        // Of a sale that the gate has forgotten, nothing can be taken any more.
        let is_over = |sale: Sale| now >= WarmSale::new(&sale, sale.epoch).forget_at;
        let finished = match sales.sale(sale).await?.is_none_or(is_over) {
            true => sales.end_withdrawal(sale, id, false).await.map(Some),
            false => finish(gate, sales, &withdrawal).await,
        };
        match finished {
            Ok(Some(_)) => info!(sale.id = %sale, restock.id = %id, "an abandoned withdrawal is finished"),
            Ok(None) => {} // an effect is on its way; the next look will find it
            Err(outage) => warn!(sale.id = %sale, restock.id = %id, %outage, "a withdrawal cannot be finished now"),
        }
    }
    Ok(())
}

/// `None` when the gate knows the stock at another revision: it has to be looked at again.
async fn finish(gate: &dyn Gate, sales: &dyn SaleStore, withdrawal: &Withdrawal) -> Result<Option<Restocked>, Outage> {
    let taken = match gate.withdraw(withdrawal).await? {
        Withdrawn::Taken => true,
        // Ended: somebody else has finished it, and Postgres says how.
        Withdrawn::TooMany { .. } | Withdrawn::Ended => false,
        Withdrawn::Stale => return Ok(None),
        Withdrawn::NotReady => return Err(Outage::NotSent("the gate is loading this sale".to_owned())),
    };
    sales.end_withdrawal(&withdrawal.sale, &withdrawal.id, taken).await.map(Some)
}
