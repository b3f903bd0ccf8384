//! The port `Retention`: removes sales that are over, a few rows at a time.
//!
//! A sale without items is one that is being cleared. Its items go first, in one transaction with the line in the audit
//! log: from then on nobody finds the sale, and a message that arrives for it is unplaceable, whether its order is still
//! there or not. A placement that has read the items just before finds their rows gone when it takes its units, and starts
//! over. The sale's own row goes last, so that its id is nobody else's while there are orders under it.

use async_trait::async_trait;
use domain::SaleId;
use domain::ports::{AuditNote, Operator, Outage, Retention};
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::Postgres;
use super::failure::Failure;
use super::rows::sale_id;
use super::sales::{LOCK_ITEMS, line};
use super::session::Session;
use super::setting::write_note;

pub(super) const BEING_CLEARED: &str = "
    select s.id
    from sales s
    where s.closes_at < now() - make_interval(secs => $1::double precision)
      and not exists (select from sale_items i where i.sale_id = s.id)
    order by s.closes_at
    limit 1
    for update skip locked";

pub(super) const ENDED: &str = "
    select s.id
    from sales s
    where s.closes_at < now() - make_interval(secs => $1::double precision)
      and s.closes_at < now() - make_interval(secs => $1::double precision + s.payment_window_s)
      and exists (select from sale_items i where i.sale_id = s.id)
      and not exists (select from orders o where o.sale_id = s.id and o.status = 'pending_payment')
      and not exists (select from restocks r where r.sale_id = s.id and r.state = 'withdrawing')
      and not exists (select from outbox b where b.published_at is null and b.sink = 'gate' and b.sale_id = s.id)
      and not exists (select from outbox b where b.published_at is null and b.sink = 'events' and b.sale_id = s.id)
      and not exists (select from payments p join orders o on o.id = p.order_id
                      where p.state in ('open', 'refund_due') and o.sale_id = s.id)
    order by s.closes_at
    limit 1
    for update skip locked";

const BOOKS: &str = "
    select coalesce(jsonb_agg(jsonb_build_object('item', item_id, 'stock', stock, 'sold', sold, 'paid', paid)
                              order by position), '[]')
    from sale_items
    where sale_id = $1";

const TAKE_RESTOCKS: &str = "delete from restocks where sale_id = $1";

const TAKE_ITEMS: &str = "delete from sale_items where sale_id = $1";

pub(super) const CLEAR: &str = "
    with gone as (
        delete from orders where id in (select id from orders where sale_id = $1 limit $2) returning id
    ), money as (
        delete from payments p using gone where p.order_id = gone.id returning p.id
    ), webhooks as (
        delete from payment_events e using money where e.payment_id = money.id
    ), counted as (
        delete from allowances
        where (sale_id, buyer_id) in (select sale_id, buyer_id from allowances where sale_id = $1 limit $2)
        returning true
    ), seen as (
        delete from activity
        where (sale_number, id) in (
            select sale_number, id from activity
            where sale_number = (select number from sales where id = $1) limit $2)
        returning true
    )
    select (select count(*) from gone) + (select count(*) from counted) + (select count(*) from seen)";

const TAKE_SALE: &str = "delete from sales where id = $1";

#[async_trait]
impl Retention for Postgres {
    async fn clear_ended(&self, older_than_s: u32, limit: usize) -> Result<u64, Outage> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(self.database.transaction("clear", move |session| step(session, older_than_s, limit).boxed()).await?)
    }
}

async fn step(mut session: Session<'_>, older_than_s: u32, limit: i64) -> Result<u64, Failure> {
    let found = sqlx::query_as(BEING_CLEARED).bind(f64::from(older_than_s));
    if let Some((id,)) = session.one::<(String,)>("being_cleared", found).await? {
        let query = sqlx::query_as(CLEAR).bind(id.clone()).bind(limit);
        let cleared = session.one::<(i64,)>("clear", query).await?.map_or(0, |(rows,)| rows.unsigned_abs());
        return match cleared {
            0 => session.write("clear_sale", sqlx::query(TAKE_SALE).bind(id)).await,
            rows => Ok(rows),
        };
    }
    let found = sqlx::query_as(ENDED).bind(f64::from(older_than_s));
    match session.one::<(String,)>("ended_sale", found).await? {
        Some((id,)) => take_away(&mut session, &sale_id(id)?).await,
        None => Ok(0),
    }
}

/// From here on there is no such sale.
async fn take_away(session: &mut Session<'_>, id: &SaleId) -> Result<u64, Failure> {
    // In the order in which placing locks them.
    session.all::<(i16,)>("lock_items", sqlx::query_as(LOCK_ITEMS).bind(id.as_str())).await?;
    // Begun by somebody else since it was looked for: the next step finds it so.
    let Some(sale) = line::sale(session, id).await? else { return Ok(1) };
    let books: Option<(Value,)> = session.one("books", sqlx::query_as(BOOKS).bind(id.as_str())).await?;
    let note = AuditNote {
        action: "clear".to_owned(),
        sale: Some(id.clone()),
        before: Some(sale.audited()),
        after: json!({ "books": books.map(|(books,)| books) }),
    };
    write_note(session, note, Operator { via: "retention".to_owned(), reason: None }).await?;
    let restocks = session.write("clear_restocks", sqlx::query(TAKE_RESTOCKS).bind(id.as_str())).await?;
    Ok(restocks + session.write("clear_items", sqlx::query(TAKE_ITEMS).bind(id.as_str())).await?)
}
