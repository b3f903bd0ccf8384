//! What an operator writes about a sale, and what is wrong with it: every value out of its range is named by its
//! field.

use domain::{Item, ItemPatch, Money, NewItem, NewSale, Patch, Sale, SaleError, SaleId, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A new sale.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSaleDraft {
    /// 1 to 64 letters, digits, `-`, `_` or `.`; never changes.
    #[schema(example = "s1")]
    id: String,
    /// For people, 1 to 200 characters.
    title: String,
    /// First moment at which a purchase is accepted, RFC 3339.
    #[schema(format = DateTime)]
    opens_at: String,
    /// First moment at which none is accepted any more, RFC 3339.
    #[schema(format = DateTime)]
    closes_at: String,
    /// Units that one buyer may hold, 1 to 10000; 1 if left out.
    limit_per_buyer: Option<i64>,
    /// Seconds an order waits for its payment, 10 to 604800; 900 if left out.
    payment_window_seconds: Option<i64>,
    /// 1 to 50 items.
    items: Vec<NewItemDraft>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// An item of a new sale.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItemDraft {
    /// 1 to 64 letters, digits, `-`, `_` or `.`; never changes.
    #[schema(example = "red-42")]
    id: String,
    /// For people, 1 to 200 characters.
    title: String,
    /// For one unit.
    price: PriceDraft,
    /// Units for sale, 0 to 100000000.
    stock: i64,
}

/// A price in minor units.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceDraft {
    /// 0 to 1000000000000.
    amount: i64,
    /// ISO 4217: three capital letters.
    currency: String,
}

/// Changes of a sale; what is left out stays. Limit and window may change at any time, price and stock only before
/// warm-up.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchDraft {
    /// For people, 1 to 200 characters.
    title: Option<String>,
    /// New opening, RFC 3339.
    #[schema(format = DateTime)]
    opens_at: Option<String>,
    /// New closing, RFC 3339.
    #[schema(format = DateTime)]
    closes_at: Option<String>,
    /// New limit, 1 to 10000.
    limit_per_buyer: Option<i64>,
    /// New payment window, 10 to 604800 seconds.
    payment_window_seconds: Option<i64>,
    /// New prices and stocks.
    items: Option<Vec<ItemPatchDraft>>,
    /// Why, for the audit log.
    reason: Option<String>,
}

/// Changes of an item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemPatchDraft {
    /// Which item.
    id: String,
    /// New price of one unit.
    price: Option<PriceDraft>,
    /// New stock, 0 to 100000000 units.
    stock: Option<i64>,
}

impl NewSaleDraft {
    /// The sale, if every value is in its range.
    pub fn check(self) -> Result<NewSale, Problem> {
        let item = |(at, draft): (usize, NewItemDraft)| {
            let field = |name: &str| format!("items[{at}].{name}");
            Ok(NewItem {
                id: parse(&draft.id, field("id"))?,
                title: draft.title,
                price: draft.price.check(field("price"))?,
                stock: draft.stock,
            })
        };
        let sale = NewSale {
            id: own(parse(&self.id, "id".to_owned())?)?,
            title: self.title,
            opens_at: time(&self.opens_at, "opensAt")?,
            closes_at: time(&self.closes_at, "closesAt")?,
            limit_per_buyer: self.limit_per_buyer.map_or(1, narrow),
            payment_window_seconds: self.payment_window_seconds.map_or(900, narrow),
            items: self.items.into_iter().enumerate().map(item).collect::<Result<_, Problem>>()?,
        };
        checked(&sale)?;
        Ok(sale)
    }
}

/// An id that is not ours already.
fn own(id: SaleId) -> Result<SaleId, Problem> {
    if id.is_of_dry_runs() {
        return Err(Problem::validation("id", "is the name of the sale that dry runs buy from; choose another one"));
    }
    Ok(id)
}

impl PatchDraft {
    /// The change, if `sale` is still a possible one with it.
    pub fn check(self, sale: &Sale) -> Result<Patch, Problem> {
        let item = |(at, draft): (usize, ItemPatchDraft)| {
            let field = |name: &str| format!("items[{at}].{name}");
            let id = parse(&draft.id, field("id"))?;
            if sale.item(&id).is_none() {
                return Err(Problem::validation(field("id"), "names no item of this sale"));
            }
            let price = draft.price.map(|price| price.check(field("price"))).transpose()?;
            Ok(ItemPatch { id, price, stock: draft.stock })
        };
        let items = self.items.map(|items| items.into_iter().enumerate().map(item).collect::<Result<Vec<_>, _>>());
        let patch = Patch {
            title: self.title,
            opens_at: self.opens_at.map(|text| time(&text, "opensAt")).transpose()?,
            closes_at: self.closes_at.map(|text| time(&text, "closesAt")).transpose()?,
            limit_per_buyer: self.limit_per_buyer.map(narrow),
            payment_window_seconds: self.payment_window_seconds.map(narrow),
            items: items.transpose()?,
            reason: super::operator(self.reason)?.reason,
        };
        checked(&patched(sale, &patch))?;
        Ok(patch)
    }
}

impl PriceDraft {
    fn check(self, field: String) -> Result<Money, Problem> {
        let currency = self.currency.try_into();
        let currency = currency
            .map_err(|_: String| Problem::validation(format!("{field}.currency"), "has to be three capital letters"))?;
        Ok(Money { amount: self.amount, currency })
    }
}

/// The sale as it would be, to be checked by the same rules as a new one.
fn patched(sale: &Sale, patch: &Patch) -> NewSale {
    let item = |item: &Item| {
        let change = patch.items.iter().flatten().find(|change| change.id == item.id);
        NewItem {
            id: item.id.clone(),
            title: item.title.clone(),
            price: change.and_then(|change| change.price).unwrap_or(item.price),
            stock: change.and_then(|change| change.stock).unwrap_or(item.stock),
        }
    };
    NewSale {
        id: sale.id.clone(),
        title: patch.title.clone().unwrap_or_else(|| sale.title.clone()),
        opens_at: patch.opens_at.unwrap_or(sale.opens_at),
        closes_at: patch.closes_at.unwrap_or(sale.closes_at),
        limit_per_buyer: patch.limit_per_buyer.unwrap_or(sale.limit_per_buyer),
        payment_window_seconds: patch.payment_window_seconds.unwrap_or(sale.payment_window_s),
        items: sale.items.iter().map(item).collect(),
    }
}

fn checked(sale: &NewSale) -> Result<(), Problem> {
    sale.check().map_err(|SaleError { field, why }| Problem::validation(field, &why))
}

fn parse<T: std::str::FromStr<Err = domain::InvalidId>>(text: &str, field: String) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::validation(field, "has to be 1 to 64 letters, digits, '-', '_' or '.'"))
}

fn time(text: &str, field: &str) -> Result<Timestamp, Problem> {
    let time = text.parse::<chrono::DateTime<chrono::FixedOffset>>();
    time.map(|time| domain::whole_ms(time.to_utc()))
        .map_err(|_| Problem::validation(field, "has to be a time like 2026-11-21T10:00:00Z"))
}

/// A number that does not fit becomes 0, which no rule allows: the check that follows names the field.
fn narrow<T: TryFrom<i64> + Default>(number: i64) -> T {
    T::try_from(number).unwrap_or_default()
}
