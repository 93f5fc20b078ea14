//! A dashboard as outsiders see it, by a link.

use std::sync::Arc;

use async_graphql::{Context, Error, Object, SimpleObject};
use chrono::{DateTime, Utc};
use kpi::dashboard::shown::{self, Shown, ShownTile};
use rust_decimal::Decimal;

use super::dashboard::DashboardTileView;
use crate::graphql::cost::{about, costs};
use crate::graphql::date::Date;
use crate::graphql::error::faulty;
use crate::graphql::guard::Told;
use crate::graphql::kpi::figure::{KpiBand, KpiDirection, KpiLevel, KpiStanding, KpiUnit, KpiValue};
use crate::graphql::request::InRequest;

/// Whose dashboard it is.
#[derive(SimpleObject)]
struct EmbeddedCompany {
    /// The company's name.
    name: String,
    /// Its language, `fr` or `en`.
    locale: String,
    /// The currency of its books, ISO 4217.
    currency: &'static str,
}

/// A dashboard as a link shows it: values, targets and trends, never a record or a person.
#[derive(SimpleObject)]
struct EmbeddedDashboard {
    /// Its title.
    title: String,
    /// Whose it is.
    company: EmbeddedCompany,
    /// Until when the link is good.
    expires_at: DateTime<Utc>,
    /// The company's revision: nothing has changed while it is the same.
    revision: i64,
    /// When it was read.
    as_of: DateTime<Utc>,
    /// Its tiles, none over another.
    #[graphql(directive = about::apply(12))]
    tiles: Vec<EmbeddedTile>,
}

/// A place on the grid of twelve columns.
#[derive(SimpleObject)]
struct EmbeddedTile {
    /// Names it within its dashboard.
    id: String,
    /// The first column, from 0.
    x: u16,
    /// The first row, from 0.
    y: u16,
    /// How many columns.
    width: u16,
    /// How many rows.
    height: u16,
    /// How it is shown. Parts by a dimension are not shown to outsiders: of a series there is the trend.
    view: DashboardTileView,
    /// What it shows. Null when there is no such KPI any more, or it is not kept by what the link is narrowed to.
    figure: Option<EmbeddedFigure>,
}

/// A KPI as a link shows it.
struct EmbeddedFigure {
    figure: Arc<kpi::Figure>,
    sparkline: Vec<kpi::Point>,
    narrowed: bool,
}

/// What a KPI came to on a day.
#[derive(SimpleObject)]
struct EmbeddedPoint {
    /// The day, in the company's calendar.
    day: Date,
    /// What it came to.
    value: KpiValue,
}

/// A KPI as a link shows it.
#[Object]
impl EmbeddedFigure {
    /// What it is called in French.
    fn label_fr(&self) -> &str {
        &self.figure.definition.label_fr
    }

    /// What it is called in English.
    fn label_en(&self) -> &str {
        &self.figure.definition.label_en
    }

    /// What its number counts.
    fn unit(&self) -> KpiUnit {
        self.figure.spec.unit.into()
    }

    /// Which way is better.
    fn direction(&self) -> KpiDirection {
        self.figure.goal.direction.into()
    }

    /// What it comes to.
    fn value(&self) -> KpiValue {
        KpiValue::from(&self.figure.value)
    }

    /// What the company aims at, in the unit. Null without a target, and when the link is narrowed: the target is of the
    /// whole.
    fn target(&self) -> Option<Decimal> {
        self.figure.goal.target.filter(|_| !self.narrowed)
    }

    /// The band that it should stay within. Null as a target is.
    fn band(&self) -> Option<KpiBand> {
        let band = self.figure.goal.direction.band().filter(|_| !self.narrowed);
        band.map(|(low, high)| KpiBand { low, high })
    }

    /// How the value stands to the target or the band. Null as a target is.
    fn standing(&self) -> Option<KpiStanding> {
        self.figure.standing.filter(|_| !self.narrowed).map(KpiStanding::from)
    }

    /// How bad the value is. Null without thresholds, and when the link is narrowed.
    fn level(&self) -> Option<KpiLevel> {
        self.figure.level.filter(|_| !self.narrowed).map(KpiLevel::from)
    }

    /// The first day that it is made of. Null when there is no first.
    fn from(&self) -> Option<Date> {
        self.figure.from.map(Date::from)
    }

    /// The last day that it is made of. Null when there is no last.
    fn to(&self) -> Option<Date> {
        self.figure.to.map(Date::from)
    }

    /// The last 30 days, of tiles that show a trend; empty for a number.
    #[graphql(directive = about::apply(30))]
    fn sparkline(&self) -> Vec<EmbeddedPoint> {
        let point =
            |point: &kpi::Point| EmbeddedPoint { day: point.day.into(), value: KpiValue::from(&point.value) };
        self.sparkline.iter().map(point).collect()
    }
}

impl EmbeddedDashboard {
    fn new(shown: Shown, company: &kernel::Company) -> Self {
        let narrowed = shown.narrowed;
        let tile = |ShownTile { tile, figure, sparkline }| EmbeddedTile {
            id: tile.id,
            x: tile.x,
            y: tile.y,
            width: tile.width,
            height: tile.height,
            view: tile.view.into(),
            figure: figure.map(|figure| EmbeddedFigure { figure: Arc::new(figure), sparkline, narrowed }),
        };
        Self {
            title: shown.title,
            company: EmbeddedCompany {
                name: shown.company,
                locale: company.locale.clone(),
                currency: company.currency.code(),
            },
            expires_at: shown.expires_at,
            revision: shown.revision,
            as_of: shown.as_of,
            tiles: shown.tiles.into_iter().map(tile).collect(),
        }
    }
}

/// What outsiders ask of dashboards.
#[derive(Default)]
pub(crate) struct EmbeddedQuery;

#[Object]
impl EmbeddedQuery {
    /// The dashboard of a link, without an account. Null for a token that is unknown, has expired or is revoked: they are not
    /// told apart.
    #[graphql(directive = costs::apply(20))]
    async fn embedded_dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token: what stands after the last slash of the link.")] token: String,
    ) -> Result<Option<EmbeddedDashboard>, Error> {
        let session = ctx.session()?;
        let found = identity::embed::scope(&session.app().auth, &token, session.origin().clone()).await;
        let Some((scope, hash)) = found.map_err(|fault| faulty(&fault))? else { return Ok(None) };
        let trends = ctx.look_ahead().field("tiles").field("figure").field("sparkline").exists();
        let shown = shown::by_link(&scope, hash, trends).await.told()?;
        Ok(shown.map(|shown| EmbeddedDashboard::new(shown, scope.company())))
    }
}
