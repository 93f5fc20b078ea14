//! What a figure comes to.

use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use kernel::Kind;
use rust_decimal::Decimal;

use super::spec::{KpiMeasureKind, KpiWindow};
use crate::graphql::cost::about;
use crate::graphql::date::Date;
use crate::graphql::ids::public;
use crate::graphql::request::InRequest;

/// What the number of a KPI counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "kpi::Unit")]
pub(crate) enum KpiUnit {
    /// Money: see `amounts`, one for each currency. Currencies are never added up or converted.
    Money,
    /// A whole number of things.
    Count,
    /// Milliseconds.
    Duration,
    /// A share of one, from 0 to 1.
    Ratio,
    /// A score from 1 (bad) to 5 (good).
    Score,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum KpiDirection {
    /// The more, the better: the target is a floor.
    Up,
    /// The less, the better: the target is a ceiling.
    Down,
    /// Between the ends of a band, which is the target.
    Band,
}

impl From<kpi::Direction> for KpiDirection {
    fn from(direction: kpi::Direction) -> Self {
        match direction {
            kpi::Direction::Up => Self::Up,
            kpi::Direction::Down => Self::Down,
            kpi::Direction::Band { .. } => Self::Band,
        }
    }
}

/// The values between which a KPI is good, both of them included, in its unit.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub(crate) struct KpiBand {
    /// The least good value.
    pub(super) low: Decimal,
    /// The greatest good value.
    pub(super) high: Decimal,
}

/// How bad a value is, by the company's thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "kpi::Level")]
pub(crate) enum KpiLevel {
    /// No threshold is passed.
    Ok,
    /// Worse than the warning threshold.
    Warning,
    /// Worse than the critical threshold.
    Critical,
}

/// How a value stands to its target or band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "kpi::Standing")]
pub(crate) enum KpiStanding {
    /// At the target or better; within the band.
    Reached,
    /// Worse than the target; outside of the band.
    Missed,
}

/// What a point of a KPI's history means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "kpi::HistoryMeaning")]
#[expect(clippy::enum_variant_names, reason = "the public values say of which day, each in its own way")]
pub(crate) enum KpiHistoryMeaning {
    /// What happened on that day alone: the days of a month add up to the figure of the month.
    OfDay,
    /// The figure as it is recomputed for that day: its window ends there.
    AsOfDay,
    /// What is open now, by the day it is due. It does not tell what was open on that day.
    ByDueDay,
    /// What waits now, by the day it was received. It does not tell what waited on that day.
    ByReceiptDay,
}

/// An amount of one currency in a KPI's value. Exact: never a float.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiAmount {
    /// The amount in the currency's main unit, with all digits of the currency: `"12.50"`.
    amount: Decimal,
    /// The currency, ISO 4217.
    currency: &'static str,
    /// How many records it is made of.
    records: i64,
}

/// What a KPI comes to.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct KpiValue {
    /// The number, in the KPI's unit: a count, whole milliseconds, a share (four digits) or a score (two digits).
    /// Null for money, and where there is nothing to measure.
    number: Option<Decimal>,
    /// Of money, and of a count of things with an amount: the sum for each currency. Credit notes are negative.
    #[graphql(directive = about::apply(2))]
    amounts: Vec<KpiAmount>,
    /// How many records it is made of.
    records: i64,
    /// Of a mean, a percentile, a share or a quotient: the sum over its records, in milliseconds, points, minor units or
    /// failed ones. Of a mean and a share, `number` is `sum` by `records`; of a quotient, `sum` by `over`.
    sum: Option<i64>,
    /// Of a quotient: the sum of what it is divided by.
    over: Option<i64>,
}

impl From<&kpi::Value> for KpiValue {
    fn from(value: &kpi::Value) -> Self {
        let amounts = value.amounts.iter().map(|amount| KpiAmount {
            amount: amount.money.amount(),
            currency: amount.money.currency.code(),
            records: amount.records,
        });
        Self {
            number: value.number,
            amounts: amounts.collect(),
            records: value.records,
            sum: value.sum,
            over: value.over,
        }
    }
}

/// A KPI with what it comes to.
#[derive(Clone)]
pub(crate) struct KpiFigure(pub(crate) Arc<kpi::Figure>);

/// A KPI with what it comes to.
#[Object]
impl KpiFigure {
    /// The public id of the KPI.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Kpi, self.0.definition.id)
    }

    /// Its stable name, e.g. `revenue_month`.
    fn key(&self) -> &str {
        &self.0.definition.key
    }

    /// Its name, in the company's language.
    fn label(&self, ctx: &Context<'_>) -> Result<&str, Error> {
        let french = ctx.session()?.scope()?.company().locale == "fr";
        let definition = &self.0.definition;
        Ok(if french { &definition.label_fr } else { &definition.label_en })
    }

    /// Its name in French.
    fn label_fr(&self) -> &str {
        &self.0.definition.label_fr
    }

    /// Its name in English.
    fn label_en(&self) -> &str {
        &self.0.definition.label_en
    }

    /// What exactly it measures, in the company's language.
    fn description(&self, ctx: &Context<'_>) -> Result<&str, Error> {
        let french = ctx.session()?.scope()?.company().locale == "fr";
        let definition = &self.0.definition;
        Ok(if french { &definition.description_fr } else { &definition.description_en })
    }

    /// What its number counts.
    fn unit(&self) -> KpiUnit {
        self.0.spec.unit.into()
    }

    /// Which way is better.
    fn direction(&self) -> KpiDirection {
        self.0.goal.direction.into()
    }

    /// The band, of a KPI that should stay between two values.
    fn band(&self) -> Option<KpiBand> {
        self.0.goal.direction.band().map(|(low, high)| KpiBand { low, high })
    }

    /// What the company aims at, in the unit (money: of the company's currency). Null without a target.
    fn target(&self) -> Option<Decimal> {
        self.0.definition.target
    }

    /// A value that is worse than this is a warning; of a band, one that lies farther outside of it than this. In the unit.
    fn warning(&self) -> Option<Decimal> {
        self.0.goal.warning
    }

    /// A value that is worse than this is critical; of a band, one that lies farther outside of it than this. In the unit.
    fn critical(&self) -> Option<Decimal> {
        self.0.goal.critical
    }

    /// How much better than a threshold the value must be for an alert to end. In the unit.
    fn hysteresis(&self) -> Decimal {
        self.0.goal.hysteresis
    }

    /// The company's currency: that of target, band and thresholds of money, ISO 4217.
    fn currency(&self, ctx: &Context<'_>) -> Result<&'static str, Error> {
        Ok(ctx.session()?.scope()?.company().currency.code())
    }

    /// What it comes to.
    fn value(&self) -> KpiValue {
        KpiValue::from(&self.0.value)
    }

    /// How bad the value is, by the thresholds. It tells of the value alone: an alert that is open stays so until the value is
    /// better by the hysteresis. Null without thresholds, and where there is nothing to measure.
    fn level(&self) -> Option<KpiLevel> {
        self.0.level.map(KpiLevel::from)
    }

    /// How the value stands to the target or the band. Money is compared in the company's currency alone. Null without a
    /// target, and where there is nothing to measure.
    fn standing(&self) -> Option<KpiStanding> {
        self.0.standing.map(KpiStanding::from)
    }

    /// The first day it is made of, in the company's calendar. Null when there is no first.
    fn from(&self) -> Option<Date> {
        self.0.from.map(Date::from)
    }

    /// The last day it is made of, in the company's calendar. Null when there is no last.
    fn to(&self) -> Option<Date> {
        self.0.to.map(Date::from)
    }

    /// What a point of its history means.
    fn history_meaning(&self) -> KpiHistoryMeaning {
        self.0.spec.history().into()
    }

    /// Whether it ships with the product: what it measures is not the company's to change.
    fn builtin(&self) -> bool {
        self.0.definition.builtin
    }

    /// The cube that it is read from; see `kpiCubes`.
    fn cube(&self) -> &'static str {
        self.0.spec.cube.name
    }

    /// How the cube's facts become the value.
    fn measure(&self) -> KpiMeasureKind {
        (&self.0.spec.measure).into()
    }

    /// Over which days.
    fn window(&self) -> KpiWindow {
        self.0.spec.window.into()
    }

    /// By which dimensions it can be split, beside the currency.
    #[graphql(directive = about::apply(2))]
    fn dimensions(&self) -> &[String] {
        &self.0.spec.dimensions
    }

    /// The version of what it measures; 0 while the first one is being filled from history, and there is no value yet.
    fn spec_version(&self) -> i32 {
        self.0.definition.spec_version
    }

    /// The company's revision at which it last may have changed.
    fn revision(&self) -> i64 {
        self.0.revision
    }

    /// For `expectedVersion` of the next change of its name or target.
    fn version(&self) -> i32 {
        self.0.definition.version
    }
}
