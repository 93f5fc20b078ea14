//! A KPI at other times, beside other times, and by the values of a dimension.

use async_graphql::SimpleObject;
use rust_decimal::Decimal;

use super::figure::KpiValue;
use super::spec::{kind_of, told_value};
use crate::graphql::cost::about;
use crate::graphql::date::Date;

/// A KPI as of a day.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiFigureAt {
    /// The day.
    day: Date,
    /// What it came to.
    value: KpiValue,
    /// The first day it is made of. Null when there is no first.
    from: Option<Date>,
    /// The last day it is made of. Null when there is no last.
    to: Option<Date>,
}

impl From<kpi::FigureAt> for KpiFigureAt {
    fn from(at: kpi::FigureAt) -> Self {
        let (from, to) = (at.from.map(Date::from), at.to.map(Date::from));
        Self { day: at.day.into(), value: KpiValue::from(&at.value), from, to }
    }
}

/// What a KPI came to in another period.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiPeriodValue {
    /// The first day; of what stood at the end of a day, that day.
    from: Date,
    /// The last day.
    to: Date,
    /// What it came to.
    value: KpiValue,
    /// By how much the KPI is greater now, as a share of what it was: `0.25` is a quarter more. Of money, in the company's
    /// currency. Null where there was nothing, or zero.
    change: Option<Decimal>,
}

impl From<kpi::PeriodValue> for KpiPeriodValue {
    fn from(period: kpi::PeriodValue) -> Self {
        Self {
            from: period.from.into(),
            to: period.to.into(),
            value: KpiValue::from(&period.value),
            change: period.change,
        }
    }
}

/// A KPI beside what it was, like with like: a period that is not over is compared with as many days of the others.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiComparison {
    /// In the period before; of what stands at the end of a day, a month before.
    previous_period: Option<KpiPeriodValue>,
    /// In the same period a year before.
    previous_year: Option<KpiPeriodValue>,
}

impl From<kpi::Comparison> for KpiComparison {
    fn from(comparison: kpi::Comparison) -> Self {
        Self {
            previous_period: comparison.previous_period.map(Into::into),
            previous_year: comparison.previous_year.map(Into::into),
        }
    }
}

/// What a KPI comes to for one value of a dimension.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiSeriesItem {
    /// The dimension's value: a word, a currency, or the public id of a party, an account or a journal. Empty where the
    /// records have none.
    value: String,
    /// What people call it: a name, to who may read it.
    label: String,
    /// What the KPI comes to for it.
    kpi_value: KpiValue,
}

/// A KPI by the values of a dimension. All items and the others are the KPI.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiSeries {
    /// The greatest, greatest first: of money by the amount in the company's currency.
    #[graphql(directive = about::apply(10))]
    items: Vec<KpiSeriesItem>,
    /// All others together. Null when there are none.
    other: Option<KpiValue>,
}

impl From<kpi::Series> for KpiSeries {
    fn from(series: kpi::Series) -> Self {
        let kind = series.values.and_then(kind_of);
        let items = series.items.into_iter().map(|item| KpiSeriesItem {
            value: told_value(kind, &item.value),
            label: if item.label == item.value { told_value(kind, &item.label) } else { item.label },
            kpi_value: KpiValue::from(&item.comes_to),
        });
        Self { items: items.collect(), other: series.other.as_ref().map(KpiValue::from) }
    }
}
