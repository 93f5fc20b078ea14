//! What a KPI measures, as it is told and as it is given.

use async_graphql::{Enum, InputObject, SimpleObject};
use kernel::cube::{Cube, Values};
use kernel::{Kind, id};
use kpi::definition::{MeasureDraft, PartDraft, SpecDraft, Total, TotalDraft};
use kpi::{Condition, Grain, Measure, Spec, Window};
use uuid::Uuid;

use crate::graphql::cost::about;

/// How facts become a KPI's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum KpiMeasureKind {
    /// A quantity of the cube, added up; money for each currency.
    Sum,
    /// How many; beside it the first quantity for each currency, where the cube has currencies.
    Count,
    /// A quantity by the count; money for each currency.
    Mean,
    /// A percentile of durations: that many of a hundred took less time. Exact to 6.25 %.
    Percentile,
    /// The share of those for which a condition holds.
    Share,
    /// One total by another, over the same window; money only in the company's currency.
    Quotient,
}

impl From<&Measure> for KpiMeasureKind {
    fn from(measure: &Measure) -> Self {
        match measure {
            Measure::Sum(_) => Self::Sum,
            Measure::Count => Self::Count,
            Measure::Mean(_) => Self::Mean,
            Measure::Percentile(_) => Self::Percentile,
            Measure::Share(_) => Self::Share,
            Measure::Quotient { .. } => Self::Quotient,
        }
    }
}

/// Over which days of the company's calendar a KPI is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum KpiWindowKind {
    /// Today.
    Day,
    /// The week of today, from Monday to Sunday.
    Week,
    /// The month of today.
    Month,
    /// The quarter of today.
    Quarter,
    /// The year of today.
    Year,
    /// So many days that end with today.
    Rolling,
    /// All days.
    All,
    /// All days up to today: what stands at its end. The only one for cubes of balances.
    Balance,
    /// All days before today: of what is open by the day it is due, what is overdue.
    BeforeToday,
}

/// The days that a KPI is made of.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub(crate) struct KpiWindow {
    /// Which days.
    kind: KpiWindowKind,
    /// Of a day, week, month, quarter or year: whether it ends with today. Else days to come are in it too.
    to_date: bool,
    /// Of a rolling window: how many days.
    days: Option<u32>,
}

impl From<Window> for KpiWindow {
    fn from(window: Window) -> Self {
        let (kind, to_date, days) = match window {
            Window::Calendar { period, to_date } => {
                let kind = match period {
                    Grain::Day => KpiWindowKind::Day,
                    Grain::Week => KpiWindowKind::Week,
                    Grain::Month => KpiWindowKind::Month,
                    Grain::Quarter => KpiWindowKind::Quarter,
                    Grain::Year => KpiWindowKind::Year,
                };
                (kind, to_date, None)
            }
            Window::Rolling { days } => (KpiWindowKind::Rolling, false, Some(days)),
            Window::All => (KpiWindowKind::All, false, None),
            Window::Balance => (KpiWindowKind::Balance, false, None),
            Window::BeforeToday => (KpiWindowKind::BeforeToday, false, None),
        };
        Self { kind, to_date, days }
    }
}

/// The days that a KPI is to be made of.
#[derive(Clone, Copy, Debug, InputObject)]
pub(crate) struct KpiWindowInput {
    /// Which days.
    kind: KpiWindowKind,
    /// Of a day, week, month, quarter or year: whether it ends with today. Else days to come are in it too.
    #[graphql(default)]
    to_date: bool,
    /// Of a rolling window: how many days, 1 to 1100.
    days: Option<u32>,
}

impl From<KpiWindowInput> for Window {
    fn from(input: KpiWindowInput) -> Self {
        let calendar = |period| Self::Calendar { period, to_date: input.to_date };
        match input.kind {
            KpiWindowKind::Day => calendar(Grain::Day),
            KpiWindowKind::Week => calendar(Grain::Week),
            KpiWindowKind::Month => calendar(Grain::Month),
            KpiWindowKind::Quarter => calendar(Grain::Quarter),
            KpiWindowKind::Year => calendar(Grain::Year),
            // No days are refused as 0 days are.
            KpiWindowKind::Rolling => Self::Rolling { days: input.days.unwrap_or(0) },
            KpiWindowKind::All => Self::All,
            KpiWindowKind::Balance => Self::Balance,
            KpiWindowKind::BeforeToday => Self::BeforeToday,
        }
    }
}

/// Which facts count, by one dimension.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiCondition {
    /// A dimension of the cube, or `currency`.
    dimension: String,
    /// Only facts with one of these values; any, when empty. Parties, accounts and journals are told by their public ids.
    #[graphql(directive = about::apply(5))]
    any_of: Vec<String>,
    /// Without those with one of these values.
    #[graphql(directive = about::apply(5))]
    none_of: Vec<String>,
}

/// Which facts are to count, by one dimension.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct KpiConditionInput {
    /// A dimension of the cube, or `currency`.
    dimension: String,
    /// Only facts with one of these values; any, when empty. Parties, accounts and journals are given by their public ids.
    #[graphql(default)]
    any_of: Vec<String>,
    /// Without those with one of these values.
    #[graphql(default)]
    none_of: Vec<String>,
}

impl KpiConditionInput {
    /// The condition as it is stored; of a cube, to know which of its dimensions hold ids.
    pub(crate) fn condition(self, cube: Option<&Cube>) -> Condition {
        let kind =
            cube.and_then(|cube| cube.dimension(&self.dimension)).and_then(|found| kind_of(found.values));
        let stored = |value: String| stored_value(kind, value);
        Condition {
            dimension: self.dimension,
            any_of: self.any_of.into_iter().map(stored).collect(),
            none_of: self.none_of.into_iter().map(stored).collect(),
        }
    }
}

/// The kind of the things whose ids a dimension holds.
pub(crate) fn kind_of(values: Values) -> Option<Kind> {
    match values {
        Values::Party => Some(Kind::Party),
        Values::Account => Some(Kind::Account),
        Values::Journal => Some(Kind::Journal),
        Values::Closed(_) | Values::Path | Values::Bucket | Values::Text => None,
    }
}

/// A value of a dimension as it is told: ids are public ones.
pub(crate) fn told_value(kind: Option<Kind>, value: &str) -> String {
    match (kind, value.parse::<Uuid>()) {
        (Some(kind), Ok(thing)) => id::encode(kind, thing),
        _ => value.to_owned(),
    }
}

/// A value of a dimension as it is stored. What is no id stays, and is refused by who knows its place.
pub(crate) fn stored_value(kind: Option<Kind>, value: String) -> String {
    kind.and_then(|kind| id::decode(kind, &value).ok()).map_or(value, |id| id.to_string())
}

fn told(cube: &Cube, condition: &Condition) -> KpiCondition {
    let kind = cube.dimension(&condition.dimension).and_then(|found| kind_of(found.values));
    let values = |values: &[String]| values.iter().map(|value| told_value(kind, value)).collect();
    KpiCondition {
        dimension: condition.dimension.clone(),
        any_of: values(&condition.any_of),
        none_of: values(&condition.none_of),
    }
}

fn quantity_of(total: Total) -> Option<String> {
    match total {
        Total::Count => None,
        Total::Sum(quantity) => Some(quantity.name.to_owned()),
    }
}

/// The other side of a quotient.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiPart {
    /// The cube.
    cube: String,
    /// Which of its facts count; all conditions hold.
    #[graphql(directive = about::apply(3))]
    filter: Vec<KpiCondition>,
    /// What is added up; null for how many.
    quantity: Option<String>,
}

/// What a KPI measures.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiSpec {
    /// The cube that it is read from; see `kpiCubes`.
    cube: String,
    /// Which of its facts count; all conditions hold.
    #[graphql(directive = about::apply(3))]
    filter: Vec<KpiCondition>,
    /// How facts become the value.
    measure: KpiMeasureKind,
    /// What is added up, of a sum, a mean, and a quotient that does not count.
    quantity: Option<String>,
    /// Of a percentile: 1 to 99.
    percent: Option<u32>,
    /// Of a share: what it is the share of.
    share_of: Option<KpiCondition>,
    /// Of a quotient: what it is divided by.
    over: Option<KpiPart>,
    /// Over which days.
    window: KpiWindow,
    /// By which dimensions it can be split.
    #[graphql(directive = about::apply(2))]
    dimensions: Vec<String>,
}

impl From<&Spec> for KpiSpec {
    fn from(spec: &Spec) -> Self {
        let (mut quantity, mut percent, mut share_of, mut over) = (None, None, None, None);
        match &spec.measure {
            Measure::Sum(of) | Measure::Mean(of) => quantity = Some(of.name.to_owned()),
            Measure::Count => {}
            Measure::Percentile(of) => percent = Some(u32::from(*of)),
            Measure::Share(of) => share_of = Some(told(spec.cube, of)),
            Measure::Quotient { of, over: by } => {
                quantity = quantity_of(*of);
                over = Some(KpiPart {
                    cube: by.cube.name.to_owned(),
                    filter: by.filter.iter().map(|condition| told(by.cube, condition)).collect(),
                    quantity: quantity_of(by.total),
                });
            }
        }
        Self {
            cube: spec.cube.name.to_owned(),
            filter: spec.filter.iter().map(|condition| told(spec.cube, condition)).collect(),
            measure: (&spec.measure).into(),
            quantity,
            percent,
            share_of,
            over,
            window: spec.window.into(),
            dimensions: spec.dimensions.clone(),
        }
    }
}

/// The other side of a quotient.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct KpiPartInput {
    /// A cube; see `kpiCubes`.
    cube: String,
    /// Which of its facts count; all conditions hold.
    #[graphql(default)]
    filter: Vec<KpiConditionInput>,
    /// What is added up; left out for how many.
    quantity: Option<String>,
}

/// How facts are to become the value.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct KpiMeasureInput {
    /// How.
    kind: KpiMeasureKind,
    /// What is added up: of a sum, a mean, and of a quotient, where it is left out for how many.
    quantity: Option<String>,
    /// Of a percentile: 1 to 99.
    percent: Option<u32>,
    /// Of a share: what it is the share of.
    share_of: Option<KpiConditionInput>,
    /// Of a quotient: what it is divided by.
    over: Option<KpiPartInput>,
}

/// What a KPI is to measure.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct KpiSpecInput {
    /// A cube; see `kpiCubes`.
    cube: String,
    /// Which of its facts count; all conditions hold.
    #[graphql(default)]
    filter: Vec<KpiConditionInput>,
    /// How they become the value.
    measure: KpiMeasureInput,
    /// Over which days.
    window: KpiWindowInput,
    /// By which dimensions it can be split.
    #[graphql(default)]
    dimensions: Vec<String>,
}

fn conditions(cube: &str, filter: Vec<KpiConditionInput>) -> Vec<Condition> {
    let cube = kpi::cubes::by_name(cube);
    filter.into_iter().map(|condition| condition.condition(cube)).collect()
}

fn total(quantity: Option<String>) -> TotalDraft {
    quantity.map_or(TotalDraft::Count, TotalDraft::Sum)
}

impl From<KpiSpecInput> for SpecDraft {
    /// What a measure needs and was not given is refused as an empty one would be.
    fn from(input: KpiSpecInput) -> Self {
        let KpiMeasureInput { kind, quantity, percent, share_of, over } = input.measure;
        let measure = match kind {
            KpiMeasureKind::Sum => MeasureDraft::Sum(quantity.unwrap_or_default()),
            KpiMeasureKind::Count => MeasureDraft::Count,
            KpiMeasureKind::Mean => MeasureDraft::Mean(quantity.unwrap_or_default()),
            KpiMeasureKind::Percentile => MeasureDraft::Percentile(percent.unwrap_or(0)),
            KpiMeasureKind::Share => {
                let cube = kpi::cubes::by_name(&input.cube);
                MeasureDraft::Share(share_of.map(|of| of.condition(cube)).unwrap_or_default())
            }
            KpiMeasureKind::Quotient => {
                let over = match over {
                    Some(KpiPartInput { cube, filter, quantity }) => {
                        PartDraft { filter: conditions(&cube, filter), cube, total: total(quantity) }
                    }
                    None => PartDraft { cube: String::new(), filter: Vec::new(), total: TotalDraft::Count },
                };
                MeasureDraft::Quotient { of: total(quantity), over }
            }
        };
        Self {
            filter: conditions(&input.cube, input.filter),
            cube: input.cube,
            measure,
            window: input.window.into(),
            dimensions: input.dimensions,
        }
    }
}
