//! Changes of an item's stock while its sale runs, each done once per id.

use domain::ports::{Operator, Restocked};
use domain::{ItemId, ItemIndex, ItemStock, Restock, RestockId, Sale, SaleId, StockEffect, Withdrawal};

use super::audit::note;
use super::change::locked;
use super::line;
use crate::postgres::failure::Failure;
use crate::postgres::outbox::{Moved, Rows};
use crate::postgres::rows::{count, item_id, item_index, sale_id, sale_number};
use crate::postgres::session::Session;

const EARLIER: &str = "
    select item_id, delta, state, stock, why, via, reason from restocks where sale_id = $1 and id = $2";

const BEGIN: &str = "
    insert into restocks (sale_id, id, item_id, delta, state, via, reason)
    values ($1, $2, $3, $4, 'withdrawing', $5, $6)";

const DONE: &str = "
    insert into restocks as r (sale_id, id, item_id, delta, state, via, reason, stock, ended_at)
    values ($1, $2, $3, $4, 'done', $5, $6, $7, now())
    on conflict (sale_id, id) do update set state = 'done', stock = excluded.stock, ended_at = now()";

const REFUSED: &str = "
    update restocks set state = 'refused', why = $3, ended_at = now() where sale_id = $1 and id = $2";

const LOCK_ITEM: &str = "select stock, sold from sale_items where sale_id = $1 and item_id = $2 for update";

/// The version moves with the stock only: a withdrawal that was refused moves no books.
const STOCK: &str = "
    update sale_items
    set stock = stock + $3, stock_rev = stock_rev + $4, version = version + case when $3 = 0 then 0 else 1 end
    where sale_id = $1 and item_id = $2
    returning stock, stock_rev, version";

const OPEN: &str = "
    select r.id, r.sale_id, s.number, i.position, r.delta, i.stock_rev
    from restocks r join sales s on s.id = r.sale_id
    join sale_items i on i.sale_id = r.sale_id and i.item_id = r.item_id
    where r.state = 'withdrawing' and r.created_at < now() - make_interval(secs => $1::double precision)
    order by r.created_at
    limit 100";

/// A restock that was asked for before.
#[derive(sqlx::FromRow)]
struct Earlier {
    item_id: String,
    delta: i64,
    state: String,
    stock: Option<i64>,
    why: Option<String>,
    via: String,
    reason: Option<String>,
}

impl Earlier {
    /// What came of it; `None` while it is under way.
    fn answer(&self) -> Result<Option<Restocked>, Failure> {
        match (self.state.as_str(), self.stock, &self.why) {
            ("withdrawing", ..) => Ok(None),
            ("done", Some(stock), _) => Ok(Some(Restocked::Done { stock, repeated: true })),
            ("refused", _, Some(why)) => Ok(Some(Restocked::Conflict(why.clone()))),
            (state, ..) => Err(Failure::unreadable(format_args!("restock state {state}"))),
        }
    }
}

async fn earlier(session: &mut Session<'_>, sale: &SaleId, id: &RestockId) -> Result<Option<Earlier>, Failure> {
    session.one("restock", sqlx::query_as(EARLIER).bind(sale.as_str()).bind(id.as_str())).await
}

/// See `SaleStore::restock`. The lock of the sale keeps one id from being asked for twice at once.
pub(super) async fn restock(
    mut session: Session<'_>,
    sale: SaleId,
    restock: Restock,
    by: Operator,
) -> Result<Restocked, Failure> {
    let Some(sale) = locked(&mut session, &sale).await? else { return Ok(Restocked::NotFound) };
    let Some((index, _)) = sale.item(&restock.item) else { return Ok(Restocked::NotFound) };
    if let Some(earlier) = earlier(&mut session, &sale.id, &restock.id).await? {
        if (earlier.item_id.as_str(), earlier.delta) != (restock.item.as_str(), restock.delta) {
            return Ok(Restocked::Conflict(format!("restock {} was another item or number before", restock.id)));
        }
        return Ok(earlier.answer()?.unwrap_or_else(|| Restocked::Withdraw(sale.withdrawal(&restock, index))));
    }
    let Some((stock, sold)) = lock_item(&mut session, &sale.id, &restock.item).await? else {
        return Ok(Restocked::NotFound);
    };
    if let Err(why) = sale.may_restock(stock, sold, restock.delta) {
        return Ok(Restocked::Conflict(why));
    }
    if sale.epoch > 0 && restock.delta < 0 {
        let query = sqlx::query(BEGIN)
            .bind(sale.id.as_str())
            .bind(restock.id.as_str())
            .bind(restock.item.as_str())
            .bind(restock.delta)
            .bind(by.via.as_str())
            .bind(by.reason.as_deref());
        session.write("begin_withdrawal", query).await?;
        return Ok(Restocked::Withdraw(sale.withdrawal(&restock, index)));
    }
    change(&mut session, &sale, index, &restock, &by).await
}

/// Changes the stock, and tells the gate of a warm sale. Units that are sold stay in the stock.
async fn change(
    session: &mut Session<'_>,
    sale: &Sale,
    index: ItemIndex,
    restock: &Restock,
    by: &Operator,
) -> Result<Restocked, Failure> {
    let warm = sale.epoch > 0;
    let (stock, stock_rev, version) = shift(session, &sale.id, &restock.item, restock.delta, warm).await?;
    let query = sqlx::query(DONE)
        .bind(sale.id.as_str())
        .bind(restock.id.as_str())
        .bind(restock.item.as_str())
        .bind(restock.delta)
        .bind(by.via.as_str())
        .bind(by.reason.as_deref())
        .bind(stock);
    session.write("restock_done", query).await?;
    if warm {
        let moved = Moved { version, units: 0, stock: restock.delta };
        let ends = (restock.delta < 0).then(|| restock.id.clone());
        tell(
            session,
            sale,
            StockEffect { item: index, stock: ItemStock { units: stock, rev: stock_rev }, ends },
            Some(moved),
        )
        .await?;
    }
    if let Some(after) = line::sale(session, &sale.id).await? {
        note(session, "restock", by, Some(sale), &after).await?;
    }
    Ok(Restocked::Done { stock, repeated: false })
}

/// See `SaleStore::end_withdrawal`.
pub(super) async fn end(
    mut session: Session<'_>,
    sale: SaleId,
    id: RestockId,
    taken: bool,
) -> Result<Restocked, Failure> {
    let Some(sale) = locked(&mut session, &sale).await? else { return Ok(Restocked::NotFound) };
    let Some(earlier) = earlier(&mut session, &sale.id, &id).await? else { return Ok(Restocked::NotFound) };
    if let Some(answer) = earlier.answer()? {
        return Ok(answer);
    }
    let restock = Restock { id, item: item_id(earlier.item_id)?, delta: earlier.delta };
    let Some((index, _)) = sale.item(&restock.item) else { return Ok(Restocked::NotFound) };
    let Some((stock, sold)) = lock_item(&mut session, &sale.id, &restock.item).await? else {
        return Ok(Restocked::NotFound);
    };
    if taken && sold <= stock + restock.delta {
        let by = Operator { via: earlier.via, reason: earlier.reason };
        return change(&mut session, &sale, index, &restock, &by).await;
    }
    let why = if taken {
        format!("{sold} units of item {} are sold, more than would be left of {stock}", restock.item)
    } else {
        format!("fewer than {} units of item {} are free", -restock.delta, restock.item)
    };
    let query = sqlx::query(REFUSED).bind(sale.id.as_str()).bind(restock.id.as_str()).bind(&why);
    session.write("restock_refused", query).await?;
    let (units, rev, _) = shift(&mut session, &sale.id, &restock.item, 0, true).await?;
    let effect = StockEffect { item: index, stock: ItemStock { units, rev }, ends: Some(restock.id) };
    tell(&mut session, &sale, effect, None).await?;
    Ok(Restocked::Conflict(why))
}

/// Stock and sold units of an item, which nobody else changes until the transaction ends.
async fn lock_item(session: &mut Session<'_>, sale: &SaleId, item: &ItemId) -> Result<Option<(i64, i64)>, Failure> {
    session.one("lock_item", sqlx::query_as(LOCK_ITEM).bind(sale.as_str()).bind(item.as_str())).await
}

/// Stock, its revision and the item's version after that.
async fn shift(
    session: &mut Session<'_>,
    sale: &SaleId,
    item: &ItemId,
    delta: i64,
    warm: bool,
) -> Result<(i64, u32, i64), Failure> {
    let query = sqlx::query_as(STOCK).bind(sale.as_str()).bind(item.as_str()).bind(delta).bind(i32::from(warm));
    let line: Option<(i64, i32, i64)> = session.one("change_stock", query).await?;
    let (stock, rev, version) = line.ok_or_else(|| Failure::unreadable(format_args!("item {item} of sale {sale}")))?;
    Ok((stock, count(rev)?, version))
}

async fn tell(
    session: &mut Session<'_>,
    sale: &Sale,
    effect: StockEffect,
    moved: Option<Moved>,
) -> Result<(), Failure> {
    let mut rows = Rows::default();
    rows.effect((sale.route(), Some(effect.item)), &sale.id, moved, &effect);
    rows.write(session).await
}

/// See `SaleStore::open_withdrawals`.
pub(super) async fn open(session: &mut Session<'_>, older_than_s: u32) -> Result<Vec<Withdrawal>, Failure> {
    let query = sqlx::query_as(OPEN).bind(f64::from(older_than_s));
    let lines: Vec<OpenLine> = session.all("open_withdrawals", query).await?;
    lines.into_iter().map(withdrawal).collect()
}

type OpenLine = (String, String, i32, i16, i64, i32);

fn withdrawal((id, sale, number, position, delta, stock_rev): OpenLine) -> Result<Withdrawal, Failure> {
    Ok(Withdrawal {
        id: id.try_into().map_err(Failure::unreadable)?,
        sale: sale_id(sale)?,
        route: domain::Route { sale: sale_number(number)?, shard: domain::Shard::default() },
        item: item_index(position)?,
        units: -delta,
        stock_rev: count(stock_rev)?,
    })
}
