//! Begins an epoch: whoever is placing at this moment has read an older version and starts over.

use domain::ports::Operator;
use domain::{Sale, SaleId};

use super::audit::note;
use super::change::locked;
use crate::postgres::failure::Failure;
use crate::postgres::session::Session;

/// In the order in which placing locks them.
pub(in crate::postgres) const LOCK_ITEMS: &str =
    "select position from sale_items where sale_id = $1 order by sale_id, item_id for update";

pub(super) const BUMP_VERSIONS: &str = "update sale_items set version = version + 1 where sale_id = $1";

const BUMP_EPOCH: &str = "update sales set epoch = epoch + 1 where id = $1";

pub(super) async fn next(mut session: Session<'_>, id: SaleId, by: Operator) -> Result<Option<u32>, Failure> {
    let Some(before) = locked(&mut session, &id).await? else { return Ok(None) };
    session.all::<(i16,)>("lock_items", sqlx::query_as(LOCK_ITEMS).bind(id.as_str())).await?;
    session.write("bump_versions", sqlx::query(BUMP_VERSIONS).bind(id.as_str())).await?;
    session.write("bump_epoch", sqlx::query(BUMP_EPOCH).bind(id.as_str())).await?;
    let after = Sale { epoch: before.epoch + 1, ..before.clone() };
    note(&mut session, "next-epoch", &by, Some(&before), &after).await?;
    Ok(Some(after.epoch))
}
