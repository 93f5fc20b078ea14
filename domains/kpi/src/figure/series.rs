//! A figure by the values of a dimension: the greatest, and all others together.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::invoicing::party;
use kernel::cube::Values;
use kernel::sparse::Columns;
use kernel::{Fault, Permission, Tx};
use uuid::Uuid;

use super::slot::{Look, slots_of};
use super::store::{self, SlotCell};
use super::{Cell, Cells, Freshness, Value, evaluate};
use crate::definition::{self, Span, Spec, comparable};
use crate::error::Error;
use crate::figure::service::require_dimension;

/// Most values of one series.
pub const MOST_ITEMS: u32 = 50;

/// What a dimension's value comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesItem {
    /// The dimension's value, as it is stored.
    pub value: String,
    /// What people call it.
    pub label: String,
    /// What the figure comes to for it.
    pub comes_to: Value,
}

/// A figure by the values of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What the dimension's values are; `None` for currencies.
    pub values: Option<Values>,
    /// The greatest, greatest first: of money by the company's currency, whatever the sign.
    pub items: Vec<SeriesItem>,
    /// All others together; `None` when there are none.
    pub other: Option<Value>,
}

/// A figure by the values of a dimension that it was defined with, of its own days or of others. All items and the others
/// add up to the figure of these days. Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND`; `INVALID` for a dimension that the figure is not kept by, no or too many items, and days in the wrong order
/// or of what tells of now only.
pub async fn series(
    tx: &Tx,
    key: &str,
    dimension: &str,
    first: u32,
    days: (Option<NaiveDate>, Option<NaiveDate>),
) -> Result<Series, Error> {
    tx.scope().require(Permission::KpiRead)?;
    if first == 0 || first > MOST_ITEMS {
        return Err(Error::invalid("first", format!("ask for 1 to {MOST_ITEMS} values")));
    }
    let spec = Spec::of(&definition::store::of_key(tx, key).await?)?;
    require_dimension(&spec, "dimension", dimension)?;
    let (span, today) = span_of(&spec, days, tx.scope().today())?;
    let (own, over) = slots_of(&spec, span, today, Look { conditions: &[], split: Some(dimension) })?;
    let mut slots = vec![own];
    slots.extend(over);
    let (_, cells) = store::cells(tx, &slots, Freshness::Current).await?;
    let books = tx.scope().company().currency;
    let mut items = Vec::new();
    for (value, cells) in by_value(cells) {
        let comes_to = evaluate(&spec, &cells, books)?;
        let size = comparable(&spec, &comes_to, books).map(|number| number.abs());
        items.push((size, value, cells, comes_to));
    }
    items.sort_by(|a, b| (b.0, b.3.records).cmp(&(a.0, a.3.records)).then_with(|| a.1.cmp(&b.1)));
    let rest = items.split_off(items.len().min(usize::try_from(first).unwrap_or(usize::MAX)));
    let other = if rest.is_empty() {
        None
    } else {
        Some(evaluate(&spec, &together(rest.into_iter().map(|item| item.2))?, books)?)
    };
    let values = spec.cube.dimension(dimension).map(|dimension| dimension.values);
    let names = labels(tx, values, items.iter().map(|item| item.1.as_str())).await?;
    let items = items.into_iter().map(|(_, value, _, comes_to)| {
        let label = names.get(&value).cloned().unwrap_or_else(|| value.clone());
        SeriesItem { value, label, comes_to }
    });
    Ok(Series { values, items: items.collect(), other })
}

/// The days of a series, and the day that counts as today for them.
fn span_of(
    spec: &Spec,
    days: (Option<NaiveDate>, Option<NaiveDate>),
    today: NaiveDate,
) -> Result<(Span, NaiveDate), Error> {
    if days == (None, None) {
        return Ok((spec.window.days(today), today));
    }
    if spec.is_of_now_only() && !matches!(spec.window, definition::Window::All) {
        return Err(Error::invalid("from", "this figure tells of now only: leave the days out"));
    }
    let own = spec.window.days(today);
    let (from, to) = (days.0.unwrap_or(own.0), days.1.unwrap_or(own.1));
    if from > to {
        return Err(Error::invalid("to", "the last day is before the first: exchange them"));
    }
    // What stood at the end of a past day is asked for as if it were today.
    Ok(((from, to), today.max(to)))
}

fn by_value(cells: Vec<SlotCell>) -> BTreeMap<String, Cells> {
    let mut by_value = BTreeMap::<String, Cells>::new();
    for SlotCell { slot, split, cell, .. } in cells {
        // What has come and gone leaves nothing.
        if (cell.count, cell.sum1, cell.sum2) == (0, 0, 0) {
            continue;
        }
        let of_value = by_value.entry(split).or_default();
        if slot == 0 { of_value.own.push(cell) } else { of_value.over.push(cell) }
    }
    by_value
}

fn together(many: impl Iterator<Item = Cells>) -> Result<Cells, Fault> {
    let mut all = Cells::default();
    for cells in many {
        all.own.extend(cells.own);
        all.over.extend(cells.over);
    }
    // Buckets are counted once: cells of one group and currency become one.
    Ok(Cells { own: merged(all.own)?, over: merged(all.over)? })
}

fn merged(cells: Vec<Cell>) -> Result<Vec<Cell>, Fault> {
    let mut sums = BTreeMap::<(String, String), (i64, i64, i64)>::new();
    for cell in cells {
        let sum = sums.entry((cell.group, cell.currency)).or_default();
        let add = |a: i64, b: i64| a.checked_add(b).ok_or_else(super::too_large);
        *sum = (add(sum.0, cell.count)?, add(sum.1, cell.sum1)?, add(sum.2, cell.sum2)?);
    }
    let cell = |((group, currency), (count, sum1, sum2))| Cell { group, currency, count, sum1, sum2 };
    Ok(sums.into_iter().map(cell).collect())
}

/// What people call values: the names of customers and suppliers, the numbers and names of accounts, to who may read them.
async fn labels(
    tx: &Tx,
    values: Option<Values>,
    named: impl Iterator<Item = &str>,
) -> Result<BTreeMap<String, String>, Error> {
    let ids: Vec<Uuid> = named.filter_map(|value| value.parse().ok()).collect();
    let scope = tx.scope();
    Ok(match values {
        Some(Values::Party) if scope.require(Permission::PartiesRead).is_ok() => {
            let columns = Columns::Only(vec![party::Column::Id, party::Column::Name]);
            let parties = invoicing::party::service::by_ids(tx, &ids, &columns).await.map_err(inner)?;
            parties.into_iter().map(|party| (party.id.to_string(), party.name)).collect()
        }
        Some(Values::Account) if scope.require(Permission::LedgerRead).is_ok() => {
            let accounts = ledger::account::service::by_ids(tx, &ids).await.map_err(inner)?;
            let label = |account: entity::ledger::account::Model| {
                (account.id.to_string(), format!("{} {}", account.number, account.name))
            };
            accounts.into_iter().map(label).collect()
        }
        _ => BTreeMap::new(),
    })
}

/// What another domain refuses here is a fault: the right was asked for before.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn inner<E: kernel::DomainError>(error: E) -> Error {
    Fault::Internal(error.to_string()).into()
}
