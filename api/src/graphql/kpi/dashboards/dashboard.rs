//! A dashboard, its tiles and its links.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use kernel::{Kind, Permission, Tx};
use kpi::dashboard::{self, View, embed, layout_of, service};
use uuid::Uuid;

use crate::graphql::activity::{Activity, feed};
use crate::graphql::actor::Actor;
use crate::graphql::connection::Connection;
use crate::graphql::cost::{about, costs, newest};
use crate::graphql::error::faulty;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::identity::member::Member;
use crate::graphql::ids::public;
use crate::graphql::request::{Batch, InRequest};

/// How a tile shows its KPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "View")]
pub(crate) enum DashboardTileView {
    /// Its value.
    Number,
    /// Its value and how it moved.
    Trend,
    /// Its parts by a dimension.
    Series,
}

/// A place on the grid of twelve columns that shows a KPI.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct DashboardTile {
    /// Names it within its dashboard.
    id: String,
    /// The KPI, by its key. It may have been archived since.
    kpi_key: String,
    /// The first column, from 0.
    x: u16,
    /// The first row, from 0.
    y: u16,
    /// How many columns.
    width: u16,
    /// How many rows.
    height: u16,
    /// How it is shown.
    view: DashboardTileView,
    /// Of a series: the dimension that the KPI is split by.
    dimension: Option<String>,
}

impl From<dashboard::Tile> for DashboardTile {
    fn from(tile: dashboard::Tile) -> Self {
        let dashboard::Tile { id, kpi_key, x, y, width, height, view, dimension } = tile;
        Self { id, kpi_key, x, y, width, height, view: view.into(), dimension }
    }
}

/// What KPIs are shown, and where.
#[derive(Clone)]
pub(crate) struct Dashboard(pub(crate) dashboard::Dashboard);

struct Dashboards;

impl Batch for Dashboards {
    type Key = Uuid;
    type Value = dashboard::Dashboard;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, dashboard::Dashboard>, Error> {
        let found = service::by_ids(tx, keys).await.told()?;
        Ok(found.into_iter().map(|dashboard| (dashboard.id, dashboard)).collect())
    }
}

impl Dashboard {
    /// A dashboard by id, if who asks may see it.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Dashboards>(id).await?.map(Self))
    }
}

/// What KPIs are shown, and where.
#[Object]
impl Dashboard {
    /// The public id of the dashboard.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Dashboard, self.0.id)
    }

    /// Its title.
    fn title(&self) -> &str {
        &self.0.title
    }

    /// Whether everybody sees it who may read KPIs, and not its owner alone.
    fn shared(&self) -> bool {
        self.0.shared
    }

    /// Whether it is the one that is shown first.
    fn is_default(&self) -> bool {
        self.0.is_default
    }

    /// Who made it; null for the one that every company begins with, and for one that a program made. Needs the right to
    /// see members.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Member>, Error> {
        match self.0.owner_id {
            Some(member) => Member::load(ctx, member).await,
            None => Ok(None),
        }
    }

    /// Its tiles, none over another.
    #[graphql(directive = about::apply(12))]
    fn layout(&self) -> Result<Vec<DashboardTile>, Error> {
        let tiles = layout_of(&self.0).map_err(|fault| faulty(&fault))?;
        Ok(tiles.into_iter().map(Into::into).collect())
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// The links by which outsiders see it, those that are good, newest first: for who may share dashboards.
    #[graphql(
        guard = "Needs(Permission::KpiManage)",
        directive = about::apply(5), directive = costs::apply(2)
    )]
    async fn embed_links(&self, ctx: &Context<'_>) -> Result<Vec<EmbedLink>, Error> {
        let links = ctx.session()?.load::<LinksOf>(self.0.id).await?;
        Ok(links.unwrap_or_default().into_iter().map(EmbedLink).collect())
    }

    /// What happened to it, newest first.
    #[graphql(directive = newest::apply(), directive = costs::apply(5))]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, at most 100.")] first: i32,
        #[graphql(desc = "Those before this one.")] after: Option<String>,
    ) -> Result<Connection<Activity>, Error> {
        feed(ctx, Some(self.0.id), first, after).await
    }
}

struct LinksOf;

impl Batch for LinksOf {
    type Key = Uuid;
    type Value = Vec<dashboard::EmbedLink>;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Vec<dashboard::EmbedLink>>, Error> {
        let mut by_dashboard = HashMap::<Uuid, Vec<dashboard::EmbedLink>>::new();
        for link in embed::links_of(tx, keys).await.told()? {
            by_dashboard.entry(link.dashboard_id).or_default().push(link);
        }
        Ok(by_dashboard)
    }
}

/// A condition that a link's figures are narrowed to.
#[derive(Clone, Debug, SimpleObject)]
pub(crate) struct LockedFilter {
    /// The dimension.
    dimension: String,
    /// The values of which one is needed.
    any_of: Vec<String>,
}

/// A link by which outsiders see a dashboard: values, targets and trends, never a record or a person. Its token is shown
/// once, when it is made.
#[derive(Clone)]
pub(crate) struct EmbedLink(pub(crate) dashboard::EmbedLink);

impl EmbedLink {
    /// A link by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(embed::by_ids(&tx, &[id]).await.told()?.pop().map(Self))
    }
}

/// A link by which outsiders see a dashboard: values, targets and trends, never a record or a person. Its token is shown
/// once, when it is made.
#[Object]
impl EmbedLink {
    /// The public id of the link.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::EmbedLink, self.0.id)
    }

    /// The dashboard. Null once it is archived, or its owner's alone.
    async fn dashboard(&self, ctx: &Context<'_>) -> Result<Option<Dashboard>, Error> {
        Dashboard::load(ctx, self.0.dashboard_id).await
    }

    /// What it is narrowed to; all conditions hold.
    #[graphql(directive = about::apply(2))]
    fn locked_filters(&self) -> Result<Vec<LockedFilter>, Error> {
        let filters = embed::filters_of(&self.0).map_err(|fault| faulty(&fault))?;
        let shown =
            |filter: kpi::Condition| LockedFilter { dimension: filter.dimension, any_of: filter.any_of };
        Ok(filters.into_iter().map(shown).collect())
    }

    /// Until when it is good.
    fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When it was revoked; null for one that was not.
    fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Who made it.
    fn created_by(&self) -> Actor {
        Actor(self.0.created_by.clone())
    }
}
