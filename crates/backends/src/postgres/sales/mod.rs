//! The port `SaleStore`: what operators decide, each change with its line in the audit log.

mod audit;
mod change;
mod epoch;
pub(super) mod line;
mod restock;

use async_trait::async_trait;
use domain::ports::{Changed, Operator, Outage, Restocked, SaleStore};
use domain::{Hold, JobId, NewSale, Patch, Restock, RestockId, Sale, SaleId, SaleNumber, SaleState, Withdrawal};
use futures_util::FutureExt as _;
use uuid::Uuid;

pub(super) use self::epoch::LOCK_ITEMS;
use super::Postgres;
use super::failure::Failure;
use super::rows::{Order, OrderLine, select_orders};

const VERSIONS: &str = "
    select i.version
    from sales s join sale_items i on i.sale_id = s.id
    where s.number = $1
    order by i.position";

/// In an order that only the index of a sale's orders has: asked for one sale by id, the planner takes the primary key
/// once there are statistics, past the orders of all other sales.
pub(super) const HOLDS: &str = select_orders!(
    "where (o.sale_id, o.id) > ((select id from sales where number = $1), $2)
       and o.sale_id <= (select id from sales where number = $1)
     order by o.sale_id, o.id
     limit $3"
);

#[async_trait]
impl SaleStore for Postgres {
    async fn create(&self, sale: &NewSale, by: &Operator) -> Result<Option<Sale>, Outage> {
        let (new, by) = (sale.clone(), by.clone());
        Ok(self.database.transaction("operator", move |session| change::create(session, new, by).boxed()).await?)
    }

    async fn sales(&self, keep_ended_s: u32) -> Result<Vec<Sale>, Outage> {
        Ok(self
            .database
            .read(move |mut session| async move { line::recent(&mut session, keep_ended_s).await }.boxed())
            .await?)
    }

    async fn sale(&self, id: &SaleId) -> Result<Option<Sale>, Outage> {
        let id = id.clone();
        Ok(self.database.read(move |mut session| async move { line::sale(&mut session, &id).await }.boxed()).await?)
    }

    async fn set_state(&self, id: &SaleId, state: SaleState, by: &Operator) -> Result<Changed, Outage> {
        let (id, by) = (id.clone(), by.clone());
        Ok(self
            .database
            .transaction("operator", move |session| change::set_state(session, id, state, by).boxed())
            .await?)
    }

    async fn patch(&self, id: &SaleId, patch: &Patch, by: &Operator) -> Result<Changed, Outage> {
        let (id, patch, by) = (id.clone(), patch.clone(), by.clone());
        Ok(self.database.transaction("operator", move |session| change::patch(session, id, patch, by).boxed()).await?)
    }

    async fn next_epoch(&self, id: &SaleId, by: &Operator) -> Result<Option<u32>, Outage> {
        let (id, by) = (id.clone(), by.clone());
        Ok(self.database.transaction("operator", move |session| epoch::next(session, id, by).boxed()).await?)
    }

    async fn versions(&self, sale: SaleNumber) -> Result<Vec<i64>, Outage> {
        let query = sqlx::query_as(VERSIONS).bind(sale.get().cast_signed());
        let versions: Vec<(i64,)> =
            self.database.read(|mut session| async move { session.all("versions", query).await }.boxed()).await?;
        Ok(versions.into_iter().map(|(version,)| version).collect())
    }

    async fn restock(&self, sale: &SaleId, restock: &Restock, by: &Operator) -> Result<Restocked, Outage> {
        let (sale, restock, by) = (sale.clone(), restock.clone(), by.clone());
        let work =
            self.database.transaction("operator", move |session| restock::restock(session, sale, restock, by).boxed());
        let restocked = work.await?;
        self.wake.signal();
        Ok(restocked)
    }

    async fn end_withdrawal(&self, sale: &SaleId, id: &RestockId, taken: bool) -> Result<Restocked, Outage> {
        let (sale, id) = (sale.clone(), id.clone());
        let work = self.database.transaction("operator", move |session| restock::end(session, sale, id, taken).boxed());
        let restocked = work.await?;
        self.wake.signal();
        Ok(restocked)
    }

    async fn open_withdrawals(&self, older_than_s: u32) -> Result<Vec<Withdrawal>, Outage> {
        let open = self
            .database
            .read(move |mut session| async move { restock::open(&mut session, older_than_s).await }.boxed());
        Ok(open.await?)
    }

    async fn holds(&self, sale: SaleNumber, after: Option<JobId>, limit: usize) -> Result<Vec<Hold>, Outage> {
        let after = after.map_or(Uuid::nil(), JobId::uuid);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query = sqlx::query_as(HOLDS).bind(sale.get().cast_signed()).bind(after).bind(limit);
        let lines: Vec<OrderLine> =
            self.database.read(|mut session| async move { session.all("holds", query).await }.boxed()).await?;
        let holds: Result<Vec<Hold>, Failure> =
            lines.into_iter().map(|line| Order::try_from(line).map(|order| order.hold())).collect();
        Ok(holds?)
    }
}
