//! What the gate and the world have to hear of a batch.

use std::collections::HashMap;

use domain::{ItemIndex, SaleNumber};

use super::Changes;
use super::judge::Facts;
use crate::postgres::failure::Failure;
use crate::postgres::outbox::{Moved, Rows, events, holds};
use crate::postgres::session::Session;

/// One row for the gate and one for the world for each item; effects that are only sent again follow in a row of
/// their own, without a version, and the world has heard of them.
pub(super) async fn write(session: &mut Session<'_>, facts: &Facts, changes: &Changes<'_>) -> Result<(), Failure> {
    let mut rows = Rows::default();
    let mut steps: HashMap<(SaleNumber, ItemIndex), i64> = HashMap::new();
    for (place @ (route, item), change) in changes {
        let Some(sale) = facts.sales.get(&route.sale) else { continue };
        let shelf = item.and_then(|item| facts.item(route.sale, item).map(|facts| (item, facts)));
        let moved = shelf.filter(|_| change.units > 0).map(|(item, facts)| {
            let step = steps.entry((route.sale, item)).or_default();
            *step += 1;
            Moved { version: facts.version + *step, units: change.units, stock: 0 }
        });
        if !change.written.is_empty() {
            rows.effect(*place, &sale.id, moved, &holds(change.written.iter().copied()));
        }
        if !change.repeated.is_empty() {
            rows.effect(*place, &sale.id, None, &holds(change.repeated.iter().copied()));
        }
        if !change.written.is_empty() {
            let item = shelf.map(|(_, facts)| &facts.id);
            rows.events(*place, &sale.id, item, events(change.written.iter().copied()));
        }
    }
    rows.write(session).await
}
