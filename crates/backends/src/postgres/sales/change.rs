//! Creates and changes sales, under the lock of the sale's row.

use std::time::Duration;

use domain::ports::{Changed, Operator};
use domain::{Currency, NewSale, Patch, Sale, SaleId, SaleState};

use super::audit::note;
use super::epoch::{BUMP_VERSIONS, LOCK_ITEMS};
use super::line;
use crate::postgres::failure::Failure;
use crate::postgres::session::Session;

/// Counting what a million orders hold takes seconds.
const COUNT_MAX: Duration = Duration::from_secs(60);

const TAKEN: &str = "select true from sales where id = $1";

/// A limit above 1 has to be counted from the start.
const CREATE: &str = "
    insert into sales (id, title, state, opens_at, closes_at, limit_per_buyer, payment_window_s, counted)
    values ($1, $2, 'draft', $3, $4, $5, $6, $5 > 1)
    on conflict (id) do nothing";

const CREATE_ITEMS: &str = "
    insert into sale_items (sale_id, position, item_id, title, price_amount, currency, stock)
    select $1, at - 1, item_id, title, price_amount, currency, stock
    from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])
        with ordinality as new (item_id, title, price_amount, currency, stock, at)";

const LOCK: &str = "select true from sales where id = $1 for update";

const SET_STATE: &str = "update sales set state = $2 where id = $1";

const PATCH: &str = "
    update sales
    set title = $2, opens_at = $3, closes_at = $4, limit_per_buyer = $5, payment_window_s = $6,
        counted = counted or $5 > 1
    where id = $1";

const PATCH_ITEMS: &str = "
    update sale_items i
    set price_amount = new.price_amount, currency = new.currency, stock = new.stock, version = i.version + 1
    from unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[]) as new (item_id, price_amount, currency, stock)
    where i.sale_id = $1 and i.item_id = new.item_id
      and (i.price_amount, i.currency, i.stock) is distinct from (new.price_amount, new.currency, new.stock)";

const IS_COUNTED: &str = "select counted from sales where id = $1";

const COUNT_ALLOWANCES: &str = "
    insert into allowances (sale_id, buyer_id, units)
    select sale_id, buyer_id, sum(quantity)
    from orders
    where sale_id = $1 and exclusive and status in ('pending_payment', 'paid')
    group by sale_id, buyer_id";

/// A new draft; `None` when its id is taken.
pub(super) async fn create(mut session: Session<'_>, new: NewSale, by: Operator) -> Result<Option<Sale>, Failure> {
    let id = new.id.as_str();
    // Asked first, because an insert that is turned away uses up one of the numbers.
    if session.one::<(bool,)>("sale_taken", sqlx::query_as(TAKEN).bind(id)).await?.is_some() {
        return Ok(None);
    }
    let query = sqlx::query(CREATE)
        .bind(id)
        .bind(&new.title)
        .bind(new.opens_at)
        .bind(new.closes_at)
        .bind(i32::from(new.limit_per_buyer))
        .bind(new.payment_window_seconds.cast_signed());
    if session.write("create_sale", query).await? == 0 {
        return Ok(None);
    }
    let query = sqlx::query(CREATE_ITEMS)
        .bind(id)
        .bind(new.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>())
        .bind(new.items.iter().map(|item| item.title.as_str()).collect::<Vec<_>>())
        .bind(new.items.iter().map(|item| item.price.amount).collect::<Vec<_>>())
        .bind(new.items.iter().map(|item| Currency::as_str(&item.price.currency)).collect::<Vec<_>>())
        .bind(new.items.iter().map(|item| item.stock).collect::<Vec<_>>());
    session.write("create_items", query).await?;
    let sale = line::sale(&mut session, &new.id).await?;
    if let Some(sale) = &sale {
        note(&mut session, "create", &by, None, sale).await?;
    }
    Ok(sale)
}

/// Moves a sale to another state, as far as the domain allows it.
pub(super) async fn set_state(
    mut session: Session<'_>,
    id: SaleId,
    state: SaleState,
    by: Operator,
) -> Result<Changed, Failure> {
    let Some(before) = locked(&mut session, &id).await? else { return Ok(Changed::NotFound) };
    if let Err(why) = before.may_become(state) {
        return Ok(Changed::Conflict(why));
    }
    session.write("set_state", sqlx::query(SET_STATE).bind(id.as_str()).bind(state.as_str())).await?;
    let after = Sale { state, ..before.clone() };
    note(&mut session, "set-state", &by, Some(&before), &after).await?;
    Ok(Changed::Done(after))
}

/// Changes what may be changed. A reason given in the patch is the one for the audit log.
pub(super) async fn patch(
    mut session: Session<'_>,
    id: SaleId,
    patch: Patch,
    by: Operator,
) -> Result<Changed, Failure> {
    let Some(before) = locked(&mut session, &id).await? else { return Ok(Changed::NotFound) };
    let after = match before.patched(&patch) {
        Ok(after) => after,
        Err(why) => return Ok(Changed::Conflict(why)),
    };
    if after.limit_per_buyer > 1 {
        start_counting(&mut session, &id).await?;
    }
    let query = sqlx::query(PATCH)
        .bind(id.as_str())
        .bind(&after.title)
        .bind(after.opens_at)
        .bind(after.closes_at)
        .bind(i32::from(after.limit_per_buyer))
        .bind(after.payment_window_s.cast_signed());
    session.write("patch_sale", query).await?;
    if before.items != after.items {
        let query = sqlx::query(PATCH_ITEMS)
            .bind(id.as_str())
            .bind(after.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>())
            .bind(after.items.iter().map(|item| item.price.amount).collect::<Vec<_>>())
            .bind(after.items.iter().map(|item| Currency::as_str(&item.price.currency)).collect::<Vec<_>>())
            .bind(after.items.iter().map(|item| item.stock).collect::<Vec<_>>());
        session.write("patch_items", query).await?;
    }
    let by = Operator { reason: patch.reason.or(by.reason), ..by };
    note(&mut session, "patch", &by, Some(&before), &after).await?;
    // What is stored is what is answered: the database keeps microseconds.
    Ok(line::sale(&mut session, &id).await?.map_or(Changed::NotFound, Changed::Done))
}

/// The sale, which nobody else changes until this transaction ends.
pub(super) async fn locked(session: &mut Session<'_>, id: &SaleId) -> Result<Option<Sale>, Failure> {
    if session.one::<(bool,)>("lock_sale", sqlx::query_as(LOCK).bind(id.as_str())).await?.is_none() {
        return Ok(None);
    }
    line::sale(session, id).await
}

/// A sale whose limit was 1 until now has its buyers' units only in the unique index: they are counted once, and from
/// then on with every order. Whoever is placing at this moment has read an older version of the items and starts over.
async fn start_counting(session: &mut Session<'_>, id: &SaleId) -> Result<(), Failure> {
    if session.one::<(bool,)>("is_counted", sqlx::query_as(IS_COUNTED).bind(id.as_str())).await? == Some((true,)) {
        return Ok(());
    }
    session.take_time(COUNT_MAX).await?;
    session.all::<(i16,)>("lock_items", sqlx::query_as(LOCK_ITEMS).bind(id.as_str())).await?;
    session.write("bump_versions", sqlx::query(BUMP_VERSIONS).bind(id.as_str())).await?;
    session.write("start_counting", sqlx::query(COUNT_ALLOWANCES).bind(id.as_str())).await?;
    Ok(())
}
