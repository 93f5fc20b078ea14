//! Values: cells of a cube in, a typed value out. Pure: no SQL, no clock.

pub mod audit;
pub mod histogram;
pub mod service;
pub(crate) mod store;

use chrono::NaiveDate;
use entity::kpi::kpi_definition::Model;
use kernel::{Currency, Fault, Kind, Money};
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use crate::definition::{Direction, Measure, Spec, Unit};

/// Whether a read must see what is committed but not folded yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The rollups at the head's revision: what is pushed. A few hundredths of a second old.
    AtRevision,
    /// The rollups and what is pending, in one statement: what was committed when the snapshot was taken.
    Current,
}

/// A cell of a cube: the sums of all its days in a window, for one first dimension and currency.
#[derive(Clone, Debug, PartialEq, Eq, sea_orm::FromQueryResult)]
pub struct Cell {
    /// The cube's first dimension.
    pub dim1: String,
    /// The currency's code, or nothing.
    pub currency: String,
    /// How many facts.
    pub count: i64,
    /// The first sum.
    pub sum1: i64,
}

/// An amount of one currency, and how many records it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// The sum.
    pub money: Money,
    /// How many records are in it.
    pub records: i64,
}

/// What a figure comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// The number of a count, of a duration (milliseconds, whole), of a share (four digits) or of a score (two
    /// digits). `None` for money, and for a mean, percentile or share of nothing.
    pub number: Option<Decimal>,
    /// Of money, and of a count of things that have an amount: the sum per currency, by code. A currency whose
    /// records add up to zero is listed; one without records is not.
    pub amounts: Vec<Amount>,
    /// How many records the value is made of.
    pub records: i64,
    /// Of a mean, a percentile and a share: the sum over the records, in milliseconds, scores, or bad ones.
    pub sum: Option<i64>,
}

/// How a value stands to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At the target or better.
    Reached,
    /// Worse than the target.
    Missed,
}

/// A figure: a definition, and what it comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub definition: Model,
    /// The definition, read.
    pub spec: Spec,
    /// What it comes to.
    pub value: Value,
    /// How it stands to its target. Money is compared in the company's currency alone: nothing is converted.
    pub standing: Option<Standing>,
    /// The first day it is made of; `None` when there is no first.
    pub from: Option<NaiveDate>,
    /// The last day it is made of; `None` when there is no last.
    pub to: Option<NaiveDate>,
    /// The company's revision at which it last may have changed: a cell of its window or its definition moved, or
    /// a day passed.
    pub revision: i64,
}

impl Figure {
    /// Whether anything but the revision differs.
    pub fn differs_from(&self, other: &Self) -> bool {
        Self { revision: other.revision, ..self.clone() } != *other
    }
}

/// The length of a history's steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grain {
    /// A point a day.
    #[default]
    Day,
    /// A point a month, named by its first day.
    Month,
}

/// A point of a history; see [`crate::HistoryMeaning`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The day, or the first day of the month.
    pub day: NaiveDate,
    /// What the figure comes to there.
    pub value: Value,
}

/// The part of a figure whose records are wanted: all of it, by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Within {
    /// Only records of this currency.
    pub currency: Option<Currency>,
    /// Only the records behind this point of the history.
    pub point: Option<(NaiveDate, Grain)>,
}

/// A record behind a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What kind of thing it is.
    pub kind: Kind,
    /// The thing.
    pub id: Uuid,
    /// The day at which it counts, in the company's calendar.
    pub day: NaiveDate,
    /// The cube's first dimension: kind of document, direction, outcome.
    pub group: String,
    /// What it adds to the figure's amount in its currency.
    pub amount: Option<Money>,
    /// What it adds to the figure's `sum`: milliseconds, a score, or 1 for a bad one of a share.
    pub part: Option<i64>,
}

/// What cells come to. Cells that do not belong to the figure are left out.
///
/// # Errors
/// A fault when sums exceed 64 bits, or a stored dimension is none.
pub fn evaluate(spec: &Spec, cells: &[Cell]) -> Result<Value, Fault> {
    let mine = || cells.iter().filter(|cell| spec.counts(&cell.dim1));
    let records = total(mine().map(|cell| cell.count))?;
    let value = Value { records, ..Value::default() };
    match &spec.measure {
        Measure::Sum => Ok(Value { amounts: amounts(mine())?, ..value }),
        Measure::Count => Ok(Value { number: Some(records.into()), amounts: amounts(mine())?, ..value }),
        Measure::Mean => {
            let sum = total(mine().map(|cell| cell.sum1))?;
            Ok(Value { number: quotient(spec.unit, sum, records), sum: Some(sum), ..value })
        }
        Measure::Percentile(percent) => {
            let buckets = mine().map(|cell| Ok((histogram::lower_bound(&cell.dim1)?, cell.count)));
            let number = histogram::percentile(*percent, buckets.collect::<Result<Vec<_>, Fault>>()?);
            let sum = total(mine().map(|cell| cell.sum1))?;
            Ok(Value { number: number.map(Decimal::from), sum: Some(sum), ..value })
        }
        Measure::Share(of) => {
            let sum = total(mine().filter(|cell| of.contains(&cell.dim1)).map(|cell| cell.count))?;
            Ok(Value { number: quotient(spec.unit, sum, records), sum: Some(sum), ..value })
        }
    }
}

fn total(mut values: impl Iterator<Item = i64>) -> Result<i64, Fault> {
    let sum = values.try_fold(0_i64, i64::checked_add);
    sum.ok_or_else(|| Fault::Corrupt("a figure exceeds 64 bits".to_owned()))
}

fn quotient(unit: Unit, sum: i64, records: i64) -> Option<Decimal> {
    let exact = Decimal::from(sum).checked_div(Decimal::from(records))?;
    Some(exact.round_dp_with_strategy(unit.digits(), RoundingStrategy::MidpointAwayFromZero))
}

fn amounts<'c>(cells: impl Iterator<Item = &'c Cell>) -> Result<Vec<Amount>, Fault> {
    let mut by_currency = std::collections::BTreeMap::<&str, (i64, i64)>::new();
    for cell in cells.filter(|cell| !cell.currency.is_empty()) {
        let (minor, records) = by_currency.entry(&cell.currency).or_default();
        *minor = total([*minor, cell.sum1].into_iter())?;
        *records = total([*records, cell.count].into_iter())?;
    }
    let listed = by_currency.into_iter().filter(|(_, sums)| *sums != (0, 0));
    listed
        .map(|(code, (minor, records))| Ok(Amount { money: Money::new(minor, currency(code)?), records }))
        .collect()
}

/// The currency of a stored code.
pub(crate) fn currency(code: &str) -> Result<Currency, Fault> {
    Currency::parse(code).ok_or_else(|| Fault::Corrupt(format!("currency `{code}`")))
}

/// How a value stands to a target; `None` without a target, and where there is nothing to compare.
pub fn standing(spec: &Spec, value: &Value, target: Option<Decimal>, company: Currency) -> Option<Standing> {
    let reached = match spec.unit {
        Unit::Money => {
            let own = value.amounts.iter().find(|amount| amount.money.currency == company);
            own.map_or(Decimal::ZERO, |amount| amount.money.amount())
        }
        _ => value.number?,
    };
    let target = target?;
    let good = match spec.direction {
        Direction::Up => reached >= target,
        Direction::Down => reached <= target,
    };
    Some(if good { Standing::Reached } else { Standing::Missed })
}

/// The statements that read figures, with a name for each: for tests of their plans.
pub const STATEMENTS: [(&str, &str); 2] = [(store::FOLDED, "folded"), (store::CURRENT, "current")];

#[cfg(test)]
mod tests;
