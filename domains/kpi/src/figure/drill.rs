//! The records behind a figure: read from the tables, on any day.
//!
//! Of a cube of things that happened, the records are its facts. Of a balance they are the records whose movements up to
//! the day add up to something: each stands there once, with what stood of it. A way through a process may be gone twice
//! on one day by one record, which is then listed once and counts twice.

use chrono::NaiveDate;
use kernel::cube::{Column, Cube, Measured, Quantity, Shape, Values};
use kernel::page::{Cursor, Page, Slice};
use kernel::{Currency, Fault, Kind, Money, Permission, Tx};
use sea_orm::{FromQueryResult, Value as Sql};
use uuid::Uuid;

use super::history::days_of_point;
use super::slot::{Look, Slot, slots_of};
use super::{Record, Within};
use crate::definition::sieve::place_of;
use crate::definition::window::{FIRST_DAY, LAST_DAY};
use crate::definition::{self, CURRENCY, Condition, Measure, Spec, Total, Unit};
use crate::error::Error;

/// The rights that the records of a figure need.
fn require_rights(tx: &Tx, spec: &Spec, slot: &Slot) -> Result<(), Error> {
    for kind in kinds(spec.cube, slot) {
        tx.scope().require(right_to_read(kind))?;
    }
    Ok(())
}

/// The right that the records of a kind need.
fn right_to_read(kind: Kind) -> Permission {
    match kind {
        Kind::Bill => Permission::BillsRead,
        Kind::Payment => Permission::PaymentsRead,
        Kind::Invoice => Permission::InvoicingRead,
        Kind::Posting => Permission::LedgerRead,
        _ => Permission::KpiRead,
    }
}

/// The place of the dimension that holds ways through processes.
fn path(cube: &Cube) -> Option<usize> {
    cube.dimensions.iter().position(|known| known.is_some_and(|known| known.values == Values::Path))
}

/// What begins a way through a process.
fn kind_of_path(path: &str) -> Option<Kind> {
    let subject = path.split('.').next()?;
    [Kind::Bill, Kind::Invoice].into_iter().find(|kind| kind.prefix() == subject)
}

/// The kinds of records that a slot may have. Of a process, those that its filter leaves.
fn kinds(cube: &Cube, slot: &Slot) -> Vec<Kind> {
    let Some(place) = path(cube) else { return vec![cube.record] };
    let mut kinds = vec![Kind::Bill, Kind::Invoice];
    if let Some(paths) = &slot.sieve.any[place] {
        kinds.retain(|kind| paths.iter().any(|path| kind_of_path(path) == Some(*kind)));
    }
    kinds
}

/// The records that a figure is made of, newest day first: read from the tables in the snapshot of `tx`. Their `count`s,
/// and their sums of `amount` per currency or of `part`, are those of the figure read as `Current` in the same snapshot.
/// Of a quotient they are those of its own side. Needs `kpi.read` and the right to read the records.
///
/// # Errors
/// `NOT_FOUND`; `INVALID` for a cursor that is not one of this list, for a dimension that the figure's cube does not have,
/// and for another day of what tells of now only.
pub async fn drill_down(tx: &Tx, key: &str, within: &Within, slice: &Slice) -> Result<Page<Record>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let (spec, slot) = part(tx, key, within).await?;
    let after = bound("after", slice.after.as_ref())?.unwrap_or((LAST_DAY, Uuid::max()));
    let before = bound("before", slice.before.as_ref())?.unwrap_or((FIRST_DAY, Uuid::nil()));
    let (listed, mut values) = listed(&spec, &slot);
    let first = values.len() + 1;
    let order = if slice.backward { "day ASC, record_id ASC" } else { "day DESC, record_id DESC" };
    let text = format!(
        "SELECT * FROM ({listed}) AS record
         WHERE (day, record_id) < (${first}, ${}) AND (day, record_id) > (${}, ${}) ORDER BY {order} LIMIT ${}",
        first + 1,
        first + 2,
        first + 3,
        first + 4
    );
    values.extend([after.0.into(), after.1.into(), before.0.into(), before.1.into()]);
    values.push(i64::try_from(slice.probe()).unwrap_or(i64::MAX).into());
    let rows: Vec<Row> = tx.all(&text, values).await?;
    let books = tx.scope().company().currency;
    let records = rows.into_iter().map(|row| record(&spec, row, books)).collect::<Result<Vec<_>, Fault>>()?;
    Ok(Page::from_probe(slice, records))
}

/// How many records a part of a figure is made of, in the snapshot of `tx`: how many [`drill_down`] lists. Needs what
/// that needs.
pub async fn count_records(tx: &Tx, key: &str, within: &Within) -> Result<u64, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let (spec, slot) = part(tx, key, within).await?;
    let (listed, values) = listed(&spec, &slot);
    let counted: Option<(i64,)> =
        tx.tuple(&format!("SELECT count(*) FROM ({listed}) AS record"), values).await.map_err(Error::from)?;
    Ok(counted.and_then(|(count,)| u64::try_from(count).ok()).unwrap_or(0))
}

/// What a part of a figure is made of; refused to who may not read its records.
async fn part(tx: &Tx, key: &str, within: &Within) -> Result<(Spec, Slot), Error> {
    let spec = Spec::of(&definition::store::of_key(tx, key).await?)?;
    for condition in &within.conditions {
        if place_of(spec.cube, &condition.dimension).is_none() {
            let known = spec.cube.dimensions.iter().flatten().map(|known| known.name).chain([CURRENCY]);
            let known: Vec<&str> = known.collect();
            let message =
                format!("the figure's records have no such dimension: take one of {}", known.join(", "));
            return Err(Error::invalid("dimension", message));
        }
    }
    let today = within.as_of.unwrap_or_else(|| tx.scope().today());
    if !(FIRST_DAY..=LAST_DAY).contains(&today) {
        return Err(Error::invalid("asOf", "give a day between the years 1 and 9999"));
    }
    if spec.is_of_now_only() && today != tx.scope().today() {
        return Err(Error::invalid("asOf", "this figure tells of now only: leave the day out"));
    }
    let span = match within.point {
        Some((day, grain)) => days_of_point(&spec, day, grain, today),
        None => spec.window.days(today),
    };
    let of_currency = within.currency.map(|currency| Condition::any_of(CURRENCY, [currency.code()]));
    let conditions: Vec<Condition> = within.conditions.iter().cloned().chain(of_currency).collect();
    let (slot, _) = slots_of(&spec, span, today, Look { conditions: &conditions, split: None })?;
    require_rights(tx, &spec, &slot)?;
    Ok((spec, slot))
}

/// A record, or a fact of one, as it is listed.
#[derive(Clone, Debug, FromQueryResult)]
struct Row {
    record_id: Uuid,
    day: NaiveDate,
    dim1: String,
    dim2: String,
    currency: String,
    count: i64,
    sum1: i64,
    sum2: i64,
    /// How many of the facts are those that a share is of.
    hits: i64,
}

/// SQL of the records of a slot, with its parameters.
fn listed(spec: &Spec, slot: &Slot) -> (String, Vec<Sql>) {
    let (passes, sieve) = slot.sieve.sql(3);
    let mut values = vec![slot.first.into(), slot.last.into()];
    values.extend(sieve);
    let share = match &spec.measure {
        Measure::Share(of) => place_of(spec.cube, &of.dimension).map(|place| (place, of)),
        _ => None,
    };
    let hits = if let Some((place, of)) = share {
        let column = ["dim1", "dim2", "dim3", "currency"][place];
        let (any, none) = (values.len() + 1, values.len() + 2);
        let list = |values: &[String]| if values.is_empty() { None } else { Some(values.to_vec()) };
        values.extend([list(&of.any_of).into(), list(&of.none_of).into()]);
        format!(
            "CASE WHEN (${any}::text[] IS NULL OR {column} = ANY(${any}))
                 AND (${none}::text[] IS NULL OR {column} <> ALL(${none})) THEN count ELSE 0 END"
        )
    } else {
        "0::bigint".to_owned()
    };
    let facts = format!("({}) AS fact WHERE day BETWEEN $1 AND $2 AND {passes}", slot.cube.facts);
    let (day, together) = match slot.cube.shape {
        // It stands there since its first movement.
        Shape::Balance => ("min(day)", "record_id"),
        _ if path(slot.cube).is_some() => ("day", "record_id, day"),
        _ => {
            let columns = "record_id, day, dim1, dim2, currency, count, sum1, sum2";
            return (format!("SELECT {columns}, {hits} AS hits FROM {facts}"), values);
        }
    };
    let text = format!(
        "SELECT record_id, {day} AS day, min(dim1) AS dim1, min(dim2) AS dim2, min(currency) AS currency,
                sum(count)::bigint AS count, sum(sum1)::bigint AS sum1, sum(sum2)::bigint AS sum2,
                sum({hits})::bigint AS hits
         FROM {facts} GROUP BY {together}
         HAVING (sum(count), sum(sum1), sum(sum2)) <> (0, 0, 0)"
    );
    (text, values)
}

/// The quantity whose amounts a figure tells.
fn told(spec: &Spec) -> Option<&'static Quantity> {
    match &spec.measure {
        Measure::Sum(quantity)
        | Measure::Mean(quantity)
        | Measure::Quotient { of: Total::Sum(quantity), .. } => Some(*quantity),
        Measure::Count => spec
            .cube
            .quantities
            .iter()
            .find(|quantity| quantity.column == Column::Sum1 && quantity.measured == Measured::Money),
        Measure::Percentile(_) | Measure::Share(_) | Measure::Quotient { .. } => None,
    }
}

fn record(spec: &Spec, row: Row, books: Currency) -> Result<Record, Fault> {
    let of = |quantity: &Quantity| match quantity.column {
        Column::Sum1 => row.sum1,
        Column::Sum2 => row.sum2,
    };
    let amount = match told(spec) {
        Some(quantity) if quantity.measured == Measured::BaseMoney => Some(Money::new(of(quantity), books)),
        Some(quantity) if quantity.measured == Measured::Money && !row.currency.is_empty() => {
            Some(Money::new(of(quantity), super::currency(&row.currency)?))
        }
        _ => None,
    };
    let part = match &spec.measure {
        Measure::Sum(quantity) | Measure::Mean(quantity) if spec.unit != Unit::Money => Some(of(quantity)),
        Measure::Percentile(_) => Some(row.sum1),
        Measure::Share(_) => Some(row.hits),
        Measure::Quotient { of: Total::Count, .. } => Some(row.count),
        // Nothing is converted: an amount of another currency is none of the sum.
        Measure::Quotient { of: Total::Sum(quantity), .. } => {
            let counts = quantity.measured != Measured::Money || row.currency == books.code();
            Some(if counts { of(quantity) } else { 0 })
        }
        Measure::Sum(_) | Measure::Mean(_) | Measure::Count => None,
    };
    let kind = match path(spec.cube) {
        Some(_) => {
            kind_of_path(&row.dim2).ok_or_else(|| Fault::Corrupt(format!("the way `{}`", row.dim2)))?
        }
        None => spec.cube.record,
    };
    // A bucket tells nobody anything that the time itself does not.
    let group = if spec.cube.bucket() == Some(0) { String::new() } else { row.dim1 };
    Ok(Record { kind, id: row.record_id, day: row.day, group, count: row.count, amount, part })
}

/// Where a record stands in the list of its figure's records.
pub fn cursor_of(record: &Record) -> Cursor {
    Cursor { key: record.day.to_string(), id: record.id }
}

fn bound(field: &'static str, cursor: Option<&Cursor>) -> Result<Option<(NaiveDate, Uuid)>, Error> {
    let Some(cursor) = cursor else { return Ok(None) };
    let day: Option<NaiveDate> = cursor.key.parse().ok().filter(|day| (FIRST_DAY..=LAST_DAY).contains(day));
    let day = day
        .ok_or_else(|| Error::invalid(field, "this cursor is not one of this list: use one that it gave"))?;
    Ok(Some((day, cursor.id)))
}
