//! Cubes: what domains declare so that figures can be kept, recomputed and drilled into.
//!
//! A cube is one SQL text of facts. Triggers of the same domain keep its sums in the rollups as deltas; the sum
//! over the facts is the recomputation; the facts of a figure are its drill-down. All three must agree, always.

use crate::id::Kind;

/// A declared cube.
#[derive(Clone, Copy, Debug)]
pub struct Cube {
    /// The name in `kpi_delta.cube` and `kpi_rollup.cube`, e.g. `invoice.issued`.
    pub name: &'static str,
    /// What it counts and adds up, for people who build figures on it.
    pub meaning: &'static str,
    /// The kind of the records behind its facts.
    pub record: Kind,
    /// What the day of a fact means, and so which windows make sense.
    pub shape: Shape,
    /// What `dim1`, `dim2` and `dim3` hold; `None` where a fact has nothing there.
    pub dimensions: [Option<Dimension>; 3],
    /// Which of them the cube's own rollup keeps. What it drops is empty there, and stays in the deltas: definitions that
    /// need it get a slice of their own. The SQL function `kept_dimensions` says the same.
    pub kept: [bool; 3],
    /// What its sums are; empty for a cube that only counts.
    pub quantities: &'static [Quantity],
    /// A SELECT without parameters: one row a fact, with the columns `record_id uuid, day date, dim1 text,
    /// dim2 text, dim3 text, currency text, count bigint, sum1 bigint, sum2 bigint`.
    pub facts: &'static str,
}

/// Cubes are the same when their names are: each name is declared once.
impl PartialEq for Cube {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Cube {}

/// What the day of a fact means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// What happened, at its day: the facts of a window are what happened in it.
    Flow,
    /// Movements: all facts up to a day, that day included, add up to what stood on it. So it is true at any past day.
    Balance,
    /// What is open now, at the day it is due. It does not tell what was open on another day.
    OpenByDueDay,
    /// What waits now, at the day it came in. It does not tell what waited on another day.
    OpenByReceiptDay,
}

impl Shape {
    /// Whether it tells of now only, and of no past day.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::OpenByDueDay | Self::OpenByReceiptDay)
    }
}

/// What tells the facts of a cube apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its name in definitions, e.g. `kind`; unique within the cube, and never `currency`, which every cube has.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// What it can be.
    pub values: Values,
}

/// What a dimension can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// One of these.
    Closed(&'static [&'static str]),
    /// The id of a customer or supplier, as UUID text; empty where there is none.
    Party,
    /// The id of an account, as UUID text.
    Account,
    /// The id of a journal, as UUID text.
    Journal,
    /// A way through a process: `bill.received.approved`.
    Path,
    /// A duration's bucket: its lower bound in milliseconds, 19 digits.
    Bucket,
    /// Any short text.
    Text,
}

/// What one of the sums of a cube is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// Its name in definitions, e.g. `net`; unique within the cube.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Where it stands.
    pub column: Column,
    /// What it is measured in.
    pub measured: Measured,
}

/// A sum of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// `sum1`.
    Sum1,
    /// `sum2`.
    Sum2,
}

/// What a sum is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// Minor units of the fact's currency.
    Money,
    /// Minor units of the company's currency, whatever the fact's currency.
    BaseMoney,
    /// Milliseconds.
    Milliseconds,
    /// Points of a score from 1 to 5.
    Score,
}

impl Cube {
    /// The place (0 to 2) of a dimension.
    pub fn place_of(&self, dimension: &str) -> Option<usize> {
        self.dimensions.iter().position(|known| known.is_some_and(|known| known.name == dimension))
    }

    /// A dimension by its name.
    pub fn dimension(&self, name: &str) -> Option<Dimension> {
        self.dimensions.iter().flatten().copied().find(|dimension| dimension.name == name)
    }

    /// A quantity by its name.
    pub fn quantity(&self, name: &str) -> Option<&'static Quantity> {
        self.quantities.iter().find(|quantity| quantity.name == name)
    }

    /// The place of the dimension that holds duration buckets.
    pub fn bucket(&self) -> Option<usize> {
        self.dimensions.iter().position(|known| known.is_some_and(|known| known.values == Values::Bucket))
    }
}
