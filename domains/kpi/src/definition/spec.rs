//! What a figure measures: which facts, and how they become a value. Pure.

use entity::kpi::kpi_definition::Model;
use kernel::Fault;
use kernel::cube::{Cube, Measured, Quantity, Shape};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::parameters::Parameters;
use super::window::Window;

/// The dimension that every cube has beside its own.
pub const CURRENCY: &str = "currency";

/// What a value is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Amounts, one for each currency.
    Money,
    /// A whole number of things.
    Count,
    /// Milliseconds.
    Duration,
    /// A share of one, from 0 to 1; of a quotient, how many times.
    Ratio,
    /// A score from 1 (bad) to 5 (good).
    Score,
}

impl Unit {
    /// Every unit there is.
    pub const ALL: &'static [Self] = &[Self::Money, Self::Count, Self::Duration, Self::Ratio, Self::Score];

    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::Count => "count",
            Self::Duration => "duration",
            Self::Ratio => "ratio",
            Self::Score => "score",
        }
    }

    /// Reads the stored form.
    pub fn parse(stored: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|unit| unit.as_str() == stored)
    }

    /// How many decimal digits a value of this unit is rounded to, half up; money follows its currency.
    pub(crate) const fn digits(self) -> u32 {
        match self {
            Self::Money | Self::Count | Self::Duration => 0,
            Self::Ratio => 4,
            Self::Score => 2,
        }
    }
}

/// What a point of a figure's history means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryMeaning {
    /// What happened on that day alone: the days of a month add up to the figure of the month.
    OfDay,
    /// The figure as it is recomputed for that day: its window ends there.
    AsOfDay,
    /// What is open now, by the day it is due. It does not tell what was open on that day.
    ByDueDay,
    /// What waits now, by the day it was received. It does not tell what waited on that day.
    ByReceiptDay,
}

/// Which facts count, by one dimension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A dimension of the cube, or [`CURRENCY`].
    pub dimension: String,
    /// Only facts with one of these values; any, when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<String>,
    /// Without those with one of these values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none_of: Vec<String>,
}

impl Condition {
    /// One of these values.
    pub fn any_of<V: Into<String>>(dimension: &str, values: impl IntoIterator<Item = V>) -> Self {
        let any_of = values.into_iter().map(Into::into).collect();
        Self { dimension: dimension.to_owned(), any_of, none_of: Vec::new() }
    }

    /// None of these values.
    pub fn none_of<V: Into<String>>(dimension: &str, values: impl IntoIterator<Item = V>) -> Self {
        let none_of = values.into_iter().map(Into::into).collect();
        Self { dimension: dimension.to_owned(), any_of: Vec::new(), none_of }
    }

    /// Whether a value counts.
    pub fn holds(&self, value: &str) -> bool {
        let is = |known: &String| known == value;
        (self.any_of.is_empty() || self.any_of.iter().any(is)) && !self.none_of.iter().any(is)
    }
}

/// What is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// How many facts.
    Count,
    /// A quantity of the cube.
    Sum(&'static Quantity),
}

/// Facts and what of them is added up: the other side of a quotient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The cube.
    pub cube: &'static Cube,
    /// Which of its facts count; all conditions hold.
    pub filter: Vec<Condition>,
    /// What is added up.
    pub total: Total,
}

/// How the cells of a cube become a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A quantity, added up; money for each currency.
    Sum(&'static Quantity),
    /// How many; beside it the first sum for each currency, where the cube has currencies.
    Count,
    /// A quantity by the count; money for each currency.
    Mean(&'static Quantity),
    /// The percentile (1 to 99) of a cube with duration buckets; see [`crate::figure::histogram`].
    Percentile(u8),
    /// The share of those for which a condition holds.
    Share(Condition),
    /// One total by another, over the same window; money only in the company's currency.
    Quotient {
        /// The dividend, of the figure's own cube and filter.
        of: Total,
        /// The divisor.
        over: Part,
    },
}

impl Measure {
    /// The stored form.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sum(_) => "sum",
            Self::Count => "count",
            Self::Mean(_) => "mean",
            Self::Percentile(_) => "percentile",
            Self::Share(_) => "share",
            Self::Quotient { .. } => "quotient",
        }
    }

    /// What a value is counted in; `None` where the measure makes no sense.
    pub fn unit(&self) -> Option<Unit> {
        let of_total = |total: Total| match total {
            Total::Count => Unit::Count,
            Total::Sum(quantity) => unit_of(quantity),
        };
        match self {
            // Points are averaged; their sum says nothing.
            Self::Sum(quantity) => Some(unit_of(quantity)).filter(|unit| *unit != Unit::Score),
            Self::Mean(quantity) => Some(unit_of(quantity)),
            Self::Count => Some(Unit::Count),
            Self::Percentile(_) => Some(Unit::Duration),
            Self::Share(_) => Some(Unit::Ratio),
            Self::Quotient { of, over } => match (of_total(*of), of_total(over.total)) {
                (of, over) if of == over => Some(Unit::Ratio),
                (of, Unit::Count) => Some(of),
                _ => None,
            },
        }
    }
}

/// What a quantity is counted in.
pub const fn unit_of(quantity: &Quantity) -> Unit {
    match quantity.measured {
        Measured::Money | Measured::BaseMoney => Unit::Money,
        Measured::Milliseconds => Unit::Duration,
        Measured::Score => Unit::Score,
    }
}

/// Where the cells of a figure are kept apart, when the cube's own rollup does not keep what it needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slices {
    /// Of the figure's own cube and filter.
    pub own: Option<Uuid>,
    /// Of the other side of a quotient.
    pub over: Option<Uuid>,
}

/// What a figure measures, as its definition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The cube it is read from.
    pub cube: &'static Cube,
    /// Which of its facts count; all conditions hold.
    pub filter: Vec<Condition>,
    /// How cells become the value.
    pub measure: Measure,
    /// Over which days.
    pub window: Window,
    /// By which dimensions it can be split; names of the cube's dimensions, or [`CURRENCY`].
    pub dimensions: Vec<String>,
    /// What the value is counted in: what the measure gives.
    pub unit: Unit,
    /// Where its cells are kept.
    pub slices: Slices,
}

impl Spec {
    /// Reads a definition's row.
    ///
    /// # Errors
    /// A fault when the row says what cannot be: the row is written by us alone.
    pub fn of(definition: &Model) -> Result<Self, Fault> {
        let spec = Self::stored(&definition.cube, &definition.measure, &definition.parameters)
            .map_err(|what| Fault::Corrupt(format!("kpi_definition {}: {what}", definition.key)))?;
        Ok(Self { slices: Slices { own: definition.slice, over: definition.over_slice }, ..spec })
    }

    /// Reads what a row of a definition or of one of its versions holds. Values of older servers are read too.
    pub(crate) fn stored(cube: &str, measure: &str, parameters: &serde_json::Value) -> Result<Self, String> {
        Parameters::read(measure, parameters)?.spec(cube)
    }

    /// What a point of its history means.
    pub fn history(&self) -> HistoryMeaning {
        match (self.cube.shape, self.window) {
            (Shape::OpenByDueDay, _) => HistoryMeaning::ByDueDay,
            (Shape::OpenByReceiptDay, _) => HistoryMeaning::ByReceiptDay,
            (Shape::Balance, _) | (_, Window::Rolling { .. } | Window::Balance) => HistoryMeaning::AsOfDay,
            _ => HistoryMeaning::OfDay,
        }
    }

    /// Its own side: cube, filter, and what is added up where that is one total.
    pub fn over(&self) -> Option<&Part> {
        match &self.measure {
            Measure::Quotient { over, .. } => Some(over),
            _ => None,
        }
    }

    /// The dimension by which its cells must be told apart to become a value: buckets, or what a share is of.
    pub(crate) fn grouping(&self) -> Option<&str> {
        match &self.measure {
            Measure::Percentile(_) => {
                self.cube.bucket().and_then(|place| self.cube.dimensions[place]).map(|d| d.name)
            }
            Measure::Share(of) => Some(&of.dimension),
            _ => None,
        }
    }

    /// Whether it tells of now only, and of no past day.
    pub fn is_of_now_only(&self) -> bool {
        self.cube.shape.is_open() || self.over().is_some_and(|over| over.cube.shape.is_open())
    }
}
