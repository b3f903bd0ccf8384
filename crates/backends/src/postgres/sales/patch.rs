//! What a patch makes of a sale. No I/O.

use domain::{Patch, Sale};

use super::audit::described;

/// The sale with what the patch names changed, or why it cannot be.
pub(super) fn patched(sale: &Sale, patch: &Patch) -> Result<Sale, String> {
    // Taken apart, so that a new field has to be thought about here.
    let Patch { title, opens_at, closes_at, limit_per_buyer, payment_window_seconds, items, reason: _ } = patch;
    let mut after = sale.clone();
    for change in items.iter().flatten() {
        let is_priced_or_stocked = change.price.is_some() || change.stock.is_some();
        if sale.epoch > 0 && is_priced_or_stocked {
            return Err(format!("sale {} is warm: price and stock cannot be changed any more", sale.id));
        }
        let item = after.items.iter_mut().find(|item| item.id == change.id);
        let item = item.ok_or_else(|| format!("sale {} has no item {}", sale.id, change.id))?;
        item.price = change.price.unwrap_or(item.price);
        item.stock = change.stock.unwrap_or(item.stock);
    }
    if let Some(title) = title {
        after.title.clone_from(title);
    }
    after.opens_at = opens_at.unwrap_or(after.opens_at);
    after.closes_at = closes_at.unwrap_or(after.closes_at);
    after.limit_per_buyer = limit_per_buyer.unwrap_or(after.limit_per_buyer);
    after.payment_window_s = payment_window_seconds.unwrap_or(after.payment_window_s);
    described(&after).check().map_err(|error| error.to_string())?;
    Ok(after)
}
