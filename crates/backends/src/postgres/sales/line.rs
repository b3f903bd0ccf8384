//! Reads sales: a sale and its items in one statement, so that they belong together.

use domain::{Item, Money, Sale, SaleId, SaleState, Timestamp};

use crate::postgres::failure::Failure;
use crate::postgres::rows::{count, currency, item_id, sale_id, sale_number, small};
use crate::postgres::session::Session;

/// The columns of a [`Line`].
macro_rules! select_lines {
    ($rest:literal) => {
        concat!(
            "select s.number, s.id, s.title, s.state, s.epoch, s.opens_at, s.closes_at, s.limit_per_buyer,
                    s.payment_window_s, i.item_id, i.title as item_title, i.price_amount, i.currency, i.stock,
                    i.stock_rev
             from sales s join sale_items i on i.sale_id = s.id ",
            $rest
        )
    };
}

const ONE: &str = select_lines!("where s.id = $1 order by i.position");

pub(in crate::postgres) const RECENT: &str = select_lines!(
    "where s.closes_at > now() - make_interval(secs => $1::double precision)
     order by s.number desc, i.position"
);

#[derive(sqlx::FromRow)]
struct Line {
    number: i32,
    id: String,
    title: String,
    state: String,
    epoch: i32,
    opens_at: Timestamp,
    closes_at: Timestamp,
    limit_per_buyer: i32,
    payment_window_s: i32,
    item_id: String,
    item_title: String,
    price_amount: i64,
    currency: String,
    stock: i64,
    stock_rev: i32,
}

/// One sale.
pub(in crate::postgres) async fn sale(session: &mut Session<'_>, id: &SaleId) -> Result<Option<Sale>, Failure> {
    let lines = session.all("sale", sqlx::query_as(ONE).bind(id.as_str())).await?;
    Ok(sales_of(lines)?.pop())
}

/// Sales that ended less than so many seconds ago, newest first.
pub(super) async fn recent(session: &mut Session<'_>, keep_ended_s: u32) -> Result<Vec<Sale>, Failure> {
    sales_of(session.all("sales", sqlx::query_as(RECENT).bind(f64::from(keep_ended_s))).await?)
}

fn sales_of(lines: Vec<Line>) -> Result<Vec<Sale>, Failure> {
    let mut sales: Vec<Sale> = Vec::new();
    for line in lines {
        let item = Item {
            id: item_id(line.item_id)?,
            title: line.item_title,
            price: Money { amount: line.price_amount, currency: currency(line.currency)? },
            stock: line.stock,
            stock_rev: count(line.stock_rev)?,
        };
        if let Some(sale) = sales.last_mut()
            && sale.id.as_str() == line.id
        {
            sale.items.push(item);
            continue;
        }
        sales.push(Sale {
            number: sale_number(line.number)?,
            id: sale_id(line.id)?,
            title: line.title,
            state: SaleState::from_word(&line.state).ok_or_else(|| Failure::unreadable(line.state))?,
            epoch: count(line.epoch)?,
            opens_at: line.opens_at,
            closes_at: line.closes_at,
            limit_per_buyer: small(line.limit_per_buyer)?,
            payment_window_s: count(line.payment_window_s)?,
            items: vec![item],
        });
    }
    Ok(sales)
}
