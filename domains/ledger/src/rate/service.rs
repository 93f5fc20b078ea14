//! What is done with exchange rates.

use chrono::NaiveDate;
use entity::ledger::exchange_rate;
use kernel::page::{Cursor, Page, Slice};
use kernel::{Currency, Kind, NewEvent, Permission, Tx};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, Select};
use uuid::Uuid;

use crate::error::Error;
use crate::listing;

/// Sets the rate of a currency on a day: company currency for one unit. A day that has another rate already is
/// changed only by who names its version; the same rate again changes nothing. Entries keep the rate they were
/// posted with. Needs `ledger.configure`.
pub async fn set(
    tx: &Tx,
    currency: Currency,
    on: NaiveDate,
    rate: Decimal,
    expected_version: Option<i32>,
) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::LedgerConfigure)?;
    super::check(scope.company().currency, currency, rate)?;
    let (id, rate) = (tx.new_id(), rate.normalize());
    let inserted = tx
        .run(
            "INSERT INTO exchange_rate
                 (tenant_id, id, currency, on_date, rate, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $7) ON CONFLICT (tenant_id, currency, on_date) DO NOTHING",
            [
                scope.company().id.into(),
                id.into(),
                currency.code().into(),
                on.into(),
                rate.into(),
                scope.clock().now().into(),
                scope.actor().stored().into(),
            ],
        )
        .await?;
    if inserted == 1 {
        if let Some(expected) = expected_version {
            return Err(Error::Conflict { expected, actual: 0 });
        }
        event(id, currency, on).fact("rate", rate).append(tx).await?;
        return Ok(id);
    }
    let before: Option<exchange_rate::Model> = tx
        .one(
            "SELECT * FROM exchange_rate WHERE currency = $1 AND on_date = $2 FOR NO KEY UPDATE",
            [currency.code().into(), on.into()],
        )
        .await?;
    let before = before.ok_or(Error::NotFound(Kind::ExchangeRate, "date"))?;
    if before.rate == rate {
        return Ok(before.id);
    }
    crate::error::same_version(expected_version.unwrap_or(0), before.version)?;
    tx.run(
        "UPDATE exchange_rate SET rate = $2, version = version + 1, updated_at = $3, updated_by = $4 WHERE id = $1",
        [before.id.into(), rate.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    event(before.id, currency, on).changed("rate", &before.rate, &rate).append(tx).await?;
    Ok(before.id)
}

fn event(id: Uuid, currency: Currency, on: NaiveDate) -> NewEvent {
    NewEvent::new("exchange_rate.set", Kind::ExchangeRate, id)
        .fact("currency", currency.code())
        .fact("on", on)
}

/// Which rates are listed; everything by default.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one currency.
    pub currency: Option<Currency>,
    /// From this day.
    pub from: Option<NaiveDate>,
    /// To this day.
    pub to: Option<NaiveDate>,
}

fn filtered(tx: &Tx, filter: &Filter) -> Select<exchange_rate::Entity> {
    use exchange_rate::Column;
    let mut query = tx.find(exchange_rate::Entity);
    if let Some(currency) = filter.currency {
        query = query.filter(Column::Currency.eq(currency.code()));
    }
    if let Some(from) = filter.from {
        query = query.filter(Column::OnDate.gte(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(Column::OnDate.lte(to));
    }
    query
}

/// Rates, the latest day first. Needs `ledger.read`.
pub async fn list(tx: &Tx, filter: &Filter, slice: &Slice) -> Result<Page<exchange_rate::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    let sorting = listing::Sorting {
        key: Some(exchange_rate::Column::OnDate),
        id: exchange_rate::Column::Id,
        descending: true,
    };
    Ok(listing::page(tx, filtered(tx, filter), &sorting, slice, listing::day).await?)
}

/// How many rates the filter lets through. Needs `ledger.read`.
pub async fn count(tx: &Tx, filter: &Filter) -> Result<u64, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(filtered(tx, filter).count(tx).await?)
}

/// The rates of these ids; unknown ones are left out. Needs `ledger.read`.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<exchange_rate::Model>, Error> {
    tx.scope().require(Permission::LedgerRead)?;
    Ok(tx.all("SELECT * FROM exchange_rate WHERE id = ANY($1)", [ids.to_vec().into()]).await?)
}

/// Where a rate stands in its list.
pub fn cursor(rate: &exchange_rate::Model) -> Cursor {
    Cursor { key: rate.on_date.to_string(), id: rate.id }
}

/// The rate of a currency on a day: company currency for one unit, the latest known on or before that day;
/// 1 for the company's own currency; `None` when no rate is known.
pub async fn exchange_rate_in(tx: &Tx, currency: Currency, on: NaiveDate) -> Result<Option<Decimal>, Error> {
    if currency == tx.scope().company().currency {
        return Ok(Some(Decimal::ONE));
    }
    let rate: Option<(Decimal,)> = tx
        .tuple(
            "SELECT rate FROM exchange_rate WHERE currency = $1 AND on_date <= $2 ORDER BY on_date DESC LIMIT 1",
            [currency.code().into(), on.into()],
        )
        .await?;
    Ok(rate.map(|(rate,)| rate))
}
