//! Values: cells of a cube in, a typed value out. Pure: no SQL, no clock.

pub mod audit;
pub mod comparison;
pub mod drill;
pub mod histogram;
pub mod history;
pub mod series;
pub mod service;
pub(crate) mod slot;
pub(crate) mod store;

use chrono::NaiveDate;
use entity::kpi::kpi_definition::Model;
use kernel::cube::{Column, Measured, Quantity};
use kernel::{Currency, Fault, Kind, Money};
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use crate::definition::{Condition, Goal, Grain, Level, Measure, Spec, Standing, Total, Unit};

/// Whether a read must see what is committed but not folded yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The rollups at the head's revision: what is pushed. A few hundredths of a second old.
    AtRevision,
    /// The rollups and what is pending, in one statement: what was committed when the snapshot was taken.
    Current,
}

/// A cell of a figure: the sums of its facts in a window, for one currency and, where the measure tells them apart, one
/// value of a dimension.
#[derive(Clone, Debug, Default, PartialEq, Eq, sea_orm::FromQueryResult)]
pub struct Cell {
    /// The value of the dimension that the measure tells apart: a bucket, or what a share is of. Else empty.
    #[sea_orm(from_alias = "grp")]
    pub group: String,
    /// The currency's code, or nothing.
    pub currency: String,
    /// How many facts.
    pub count: i64,
    /// The first sum.
    pub sum1: i64,
    /// The second sum.
    pub sum2: i64,
}

impl Cell {
    const fn of(&self, column: Column) -> i64 {
        match column {
            Column::Sum1 => self.sum1,
            Column::Sum2 => self.sum2,
        }
    }
}

/// The cells of a figure, and those of the other side of a quotient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// The figure's own.
    pub own: Vec<Cell>,
    /// Of the other side.
    pub over: Vec<Cell>,
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
    /// The number of a count, of a duration (milliseconds, whole), of a share or ratio (four digits) or of a score (two
    /// digits). `None` for money, and for a mean, percentile, share or quotient of nothing.
    pub number: Option<Decimal>,
    /// Of money, and of a count of things that have an amount: the sum (or mean) per currency, by code. A currency whose
    /// records add up to zero is listed; one without records is not.
    pub amounts: Vec<Amount>,
    /// How many records the value is made of.
    pub records: i64,
    /// Of a mean, a percentile, a share and a quotient: the sum over the records, in milliseconds, scores, minor units, or
    /// bad ones. `None` of a mean of money, which has one for each currency.
    pub sum: Option<i64>,
    /// Of a quotient: the sum of its other side.
    pub over: Option<i64>,
}

/// A figure: a definition, and what it comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub definition: Model,
    /// The definition, read.
    pub spec: Spec,
    /// What is aimed at, read.
    pub goal: Goal,
    /// What it comes to.
    pub value: Value,
    /// How it stands to its target or band. Money is compared in the company's currency alone: nothing is converted.
    pub standing: Option<Standing>,
    /// How bad the value is by itself: what a figure was before does not change it.
    pub level: Option<Level>,
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

/// A figure as of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureAt {
    /// The day.
    pub day: NaiveDate,
    /// What it came to.
    pub value: Value,
    /// The first day it is made of; `None` when there is no first.
    pub from: Option<NaiveDate>,
    /// The last day it is made of; `None` when there is no last.
    pub to: Option<NaiveDate>,
}

/// A point of a history; see [`crate::HistoryMeaning`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The day, or the first day of the step.
    pub day: NaiveDate,
    /// What the figure comes to there.
    pub value: Value,
}

/// The part of a figure whose records are wanted: all of it, by default.
#[derive(Clone, Debug, Default)]
pub struct Within {
    /// Only records of this currency.
    pub currency: Option<Currency>,
    /// Only the records behind this point of the history.
    pub point: Option<(NaiveDate, Grain)>,
    /// As of the end of this day; of now, for `None`.
    pub as_of: Option<NaiveDate>,
    /// Only records for which these conditions hold: any dimension of the figure's cube, kept or not.
    pub conditions: Vec<Condition>,
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
    /// How often it counts in the figure: once, but for one that went the same way through a process twice on a day.
    pub count: i64,
    /// What it adds to the figure's amount in its currency.
    pub amount: Option<Money>,
    /// What it adds to the figure's `sum`: milliseconds, a score, or 1 for a bad one of a share.
    pub part: Option<i64>,
}

/// What cells come to, of a company that keeps its books in a currency.
///
/// # Errors
/// A fault when sums exceed 64 bits, or a stored dimension is none.
pub fn evaluate(spec: &Spec, cells: &Cells, books: Currency) -> Result<Value, Fault> {
    let own = &cells.own;
    let records = total(own.iter().map(|cell| cell.count))?;
    let value = Value { records, ..Value::default() };
    match &spec.measure {
        Measure::Sum(quantity) if spec.unit == Unit::Money => {
            Ok(Value { amounts: amounts(own, quantity, books)?, ..value })
        }
        Measure::Sum(quantity) => {
            let sum = total(own.iter().map(|cell| cell.of(quantity.column)))?;
            Ok(Value { number: Some(sum.into()), sum: Some(sum), ..value })
        }
        Measure::Count => {
            let first = spec.cube.quantities.iter().find(|quantity| quantity.column == Column::Sum1);
            let amounts = match first {
                Some(quantity) if quantity.measured == Measured::Money => amounts(own, quantity, books)?,
                _ => Vec::new(),
            };
            Ok(Value { number: Some(records.into()), amounts, ..value })
        }
        Measure::Mean(quantity) if spec.unit == Unit::Money => {
            Ok(Value { amounts: means(amounts(own, quantity, books)?), ..value })
        }
        Measure::Mean(quantity) => {
            let sum = total(own.iter().map(|cell| cell.of(quantity.column)))?;
            Ok(Value { number: quotient(spec.unit, sum, records), sum: Some(sum), ..value })
        }
        Measure::Percentile(percent) => {
            let buckets = own.iter().map(|cell| Ok((histogram::lower_bound(&cell.group)?, cell.count)));
            let number = histogram::percentile(*percent, buckets.collect::<Result<Vec<_>, Fault>>()?);
            let sum = total(own.iter().map(|cell| cell.sum1))?;
            Ok(Value { number: number.map(Decimal::from), sum: Some(sum), ..value })
        }
        Measure::Share(of) => {
            let sum = total(own.iter().filter(|cell| of.holds(&cell.group)).map(|cell| cell.count))?;
            Ok(Value { number: quotient(spec.unit, sum, records), sum: Some(sum), ..value })
        }
        Measure::Quotient { of, over } => {
            let sum = one_total(own, *of, books)?;
            let over = one_total(&cells.over, over.total, books)?;
            let value = Value { sum: Some(sum), over: Some(over), ..value };
            if spec.unit != Unit::Money {
                return Ok(Value { number: quotient(spec.unit, sum, over), ..value });
            }
            let minor = quotient(spec.unit, sum, over).map(whole).transpose()?;
            let amount = minor.map(|minor| Amount { money: Money::new(minor, books), records });
            Ok(Value { amounts: amount.into_iter().collect(), ..value })
        }
    }
}

fn total(mut values: impl Iterator<Item = i64>) -> Result<i64, Fault> {
    let sum = values.try_fold(0_i64, i64::checked_add);
    sum.ok_or_else(too_large)
}

fn too_large() -> Fault {
    Fault::Corrupt("a figure exceeds 64 bits".to_owned())
}

/// One side of a quotient: of money, what is in the currency of the books, for nothing is converted.
fn one_total(cells: &[Cell], of: Total, books: Currency) -> Result<i64, Fault> {
    match of {
        Total::Count => total(cells.iter().map(|cell| cell.count)),
        Total::Sum(quantity) => {
            let counts = |cell: &&Cell| quantity.measured != Measured::Money || cell.currency == books.code();
            total(cells.iter().filter(counts).map(|cell| cell.of(quantity.column)))
        }
    }
}

fn quotient(unit: Unit, sum: i64, by: i64) -> Option<Decimal> {
    let exact = Decimal::from(sum).checked_div(Decimal::from(by))?;
    Some(exact.round_dp_with_strategy(unit.digits(), RoundingStrategy::MidpointAwayFromZero))
}

fn whole(number: Decimal) -> Result<i64, Fault> {
    i64::try_from(number).map_err(|_| too_large())
}

fn amounts(cells: &[Cell], quantity: &Quantity, books: Currency) -> Result<Vec<Amount>, Fault> {
    let mut by_currency = std::collections::BTreeMap::<&str, (i64, i64)>::new();
    for cell in cells {
        let currency = match quantity.measured {
            Measured::BaseMoney => books.code(),
            _ if cell.currency.is_empty() => continue,
            _ => &cell.currency,
        };
        let (minor, records) = by_currency.entry(currency).or_default();
        *minor = total([*minor, cell.of(quantity.column)].into_iter())?;
        *records = total([*records, cell.count].into_iter())?;
    }
    let listed = by_currency.into_iter().filter(|(_, sums)| *sums != (0, 0));
    listed
        .map(|(code, (minor, records))| Ok(Amount { money: Money::new(minor, currency(code)?), records }))
        .collect()
}

/// The mean of each currency; a currency whose records cancel out has none.
fn means(amounts: Vec<Amount>) -> Vec<Amount> {
    let mean = |Amount { money, records }: Amount| {
        let minor = i64::try_from(quotient(Unit::Money, money.minor, records)?).ok()?;
        Some(Amount { money: Money::new(minor, money.currency), records })
    };
    amounts.into_iter().filter_map(mean).collect()
}

/// The currency of a stored code.
pub(crate) fn currency(code: &str) -> Result<Currency, Fault> {
    Currency::parse(code).ok_or_else(|| Fault::Corrupt(format!("currency `{code}`")))
}

/// The statements that read figures, with a name for each: for tests of their plans.
pub const STATEMENTS: [(&str, &str); 2] = [(store::FOLDED, "folded"), (store::CURRENT, "current")];

#[cfg(test)]
mod tests;
