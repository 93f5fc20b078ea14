//! What companies can make KPIs of.

use async_graphql::{Enum, SimpleObject};
use kernel::cube::{Cube, Dimension, Measured, Quantity, Shape, Values};

use super::figure::KpiUnit;
use crate::graphql::cost::about;

/// What the day of a cube's facts means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum KpiCubeShape {
    /// What happened, at its day.
    Flow,
    /// Movements, which add up to what stood at the end of any day.
    Balance,
    /// What is open now, at the day it is due. It does not tell what was open on another day.
    OpenByDueDay,
    /// What waits now, at the day it came in. It does not tell what waited on another day.
    OpenByReceiptDay,
}

/// What the values of a dimension are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum KpiDimensionKind {
    /// One of `values`.
    Closed,
    /// A currency, ISO 4217.
    Currency,
    /// A customer or supplier, by public id; empty where there is none.
    Party,
    /// An account, by public id.
    Account,
    /// A journal, by public id.
    Journal,
    /// A way through a process, such as `bill.received.approved`.
    Path,
    /// A bucket of durations: for percentiles only.
    Bucket,
    /// Any short text.
    Text,
}

/// What tells the facts of a cube apart.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiDimension {
    /// Its name in filters.
    name: &'static str,
    /// What it says, in English.
    meaning: &'static str,
    /// What its values are.
    kind: KpiDimensionKind,
    /// The values that there are, where they are known before.
    #[graphql(directive = about::apply(5))]
    values: Option<Vec<&'static str>>,
    /// Whether it is kept already: a KPI that needs no other is live at once, and needs no cells of its own.
    kept: bool,
}

/// What a cube adds up.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiQuantity {
    /// Its name in measures.
    name: &'static str,
    /// What it says, in English.
    meaning: &'static str,
    /// What it is counted in.
    unit: KpiUnit,
    /// Of money: whether it is told in the company's currency, whatever the currency of the record.
    in_company_currency: bool,
}

/// Facts of one kind: what a KPI is made of.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiCube {
    /// Its name.
    name: &'static str,
    /// What it counts and adds up, in English.
    meaning: &'static str,
    /// What the day of a fact means.
    shape: KpiCubeShape,
    /// What tells facts apart.
    #[graphql(directive = about::apply(4))]
    dimensions: Vec<KpiDimension>,
    /// What it adds up, beside counting.
    #[graphql(directive = about::apply(2))]
    quantities: Vec<KpiQuantity>,
}

impl From<&Quantity> for KpiQuantity {
    fn from(quantity: &Quantity) -> Self {
        Self {
            name: quantity.name,
            meaning: quantity.meaning,
            unit: kpi::definition::spec::unit_of(quantity).into(),
            in_company_currency: quantity.measured == Measured::BaseMoney,
        }
    }
}

fn dimension(Dimension { name, meaning, values }: Dimension, kept: bool) -> KpiDimension {
    let (kind, values) = match values {
        Values::Closed(values) => (KpiDimensionKind::Closed, Some(values.to_vec())),
        Values::Party => (KpiDimensionKind::Party, None),
        Values::Account => (KpiDimensionKind::Account, None),
        Values::Journal => (KpiDimensionKind::Journal, None),
        Values::Path => (KpiDimensionKind::Path, None),
        Values::Bucket => (KpiDimensionKind::Bucket, None),
        Values::Text => (KpiDimensionKind::Text, None),
    };
    KpiDimension { name, meaning, kind, values, kept }
}

impl From<&Cube> for KpiCube {
    fn from(cube: &Cube) -> Self {
        let named = cube.dimensions.iter().zip(cube.kept);
        let mut dimensions: Vec<KpiDimension> =
            named.filter_map(|(found, kept)| found.map(|found| dimension(found, kept))).collect();
        if cube.quantities.iter().any(|quantity| quantity.measured == Measured::Money) {
            dimensions.push(KpiDimension {
                name: kpi::definition::CURRENCY,
                meaning: "The currency of the record.",
                kind: KpiDimensionKind::Currency,
                values: None,
                kept: true,
            });
        }
        Self {
            name: cube.name,
            meaning: cube.meaning,
            shape: match cube.shape {
                Shape::Flow => KpiCubeShape::Flow,
                Shape::Balance => KpiCubeShape::Balance,
                Shape::OpenByDueDay => KpiCubeShape::OpenByDueDay,
                Shape::OpenByReceiptDay => KpiCubeShape::OpenByReceiptDay,
            },
            dimensions,
            quantities: cube.quantities.iter().map(KpiQuantity::from).collect(),
        }
    }
}
