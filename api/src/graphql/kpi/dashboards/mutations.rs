//! What is done with dashboards.

use async_graphql::{Context, Error, ID, InputObject, Object};
use kernel::{Kind, Permission};
use kpi::dashboard::service::{self, DashboardChange};
use kpi::dashboard::{MOST_TILES, Tile};

use super::dashboard::{Dashboard, DashboardTileView};
use crate::graphql::error::bad_argument;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::kpi::errors::KpiUserError;
use crate::graphql::mutation::{mutate, payload};

/// A place on the grid of twelve columns that shows a KPI.
#[derive(InputObject)]
struct DashboardTileInput {
    /// Names it within its dashboard: 1 to 60 letters, digits, `_` and `-`.
    id: String,
    /// The KPI, by its key.
    kpi_key: String,
    /// The first column, from 0.
    x: u16,
    /// The first row, from 0.
    y: u16,
    /// How many columns, 1 to 12.
    width: u16,
    /// How many rows, 1 to 24.
    height: u16,
    /// How it is shown.
    view: DashboardTileView,
    /// Of a series: the dimension that the KPI is split by.
    dimension: Option<String>,
}

impl From<DashboardTileInput> for Tile {
    fn from(tile: DashboardTileInput) -> Self {
        let DashboardTileInput { id, kpi_key, x, y, width, height, view, dimension } = tile;
        Self { id, kpi_key, x, y, width, height, view: view.into(), dimension }
    }
}

fn tiles(layout: Vec<DashboardTileInput>) -> Result<Vec<Tile>, Error> {
    // The domain says so too; this spares it the work.
    if layout.len() > 10 * MOST_TILES {
        return Err(bad_argument("layout", format!("a dashboard has at most {MOST_TILES} tiles")));
    }
    Ok(layout.into_iter().map(Into::into).collect())
}

/// A dashboard to make.
#[derive(InputObject)]
struct CreateDashboardInput {
    /// Its title, 1 to 100 characters.
    title: String,
    /// Whether everybody sees it who may read KPIs. That needs the right to manage KPIs.
    #[graphql(default)]
    shared: bool,
    /// Its tiles, at most 40, none over another.
    layout: Vec<DashboardTileInput>,
}

/// What of a dashboard should be other; what is left out stays.
#[derive(InputObject)]
struct UpdateDashboardInput {
    /// The dashboard.
    dashboard_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Its title, 1 to 100 characters.
    title: Option<String>,
    /// Whether everybody sees it who may read KPIs.
    shared: Option<bool>,
    /// All its tiles, at most 40, none over another.
    layout: Option<Vec<DashboardTileInput>>,
}

/// A dashboard to archive.
#[derive(InputObject)]
struct ArchiveDashboardInput {
    /// The dashboard.
    dashboard_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

payload!(CreateDashboardPayload, dashboard: Dashboard, KpiUserError, "The dashboard.");
payload!(UpdateDashboardPayload, dashboard: Dashboard, KpiUserError, "The dashboard.");
payload!(ArchiveDashboardPayload, dashboard: Dashboard, KpiUserError, "Null, for it is shown no more.");

/// The dashboards' own part of the mutation root.
#[derive(Default)]
pub(crate) struct DashboardMutation;

#[Object]
impl DashboardMutation {
    /// Makes a dashboard: your own, or a shared one, which needs the right to manage KPIs.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn create_dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A dashboard to make.")] input: CreateDashboardInput,
    ) -> Result<CreateDashboardPayload, Error> {
        let (title, shared, layout) = (input.title, input.shared, tiles(input.layout)?);
        let done = mutate(ctx, move |tx| {
            let (title, layout) = (title.clone(), layout.clone());
            Box::pin(async move { service::create(tx, &title, shared, &layout).await })
        });
        Ok(CreateDashboardPayload(done.await?))
    }

    /// Changes a dashboard: your own, or one that is or will be shared, which needs the right to manage KPIs.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn update_dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What of a dashboard should be other; what is left out stays.")]
        input: UpdateDashboardInput,
    ) -> Result<UpdateDashboardPayload, Error> {
        let (id, expected) =
            (parse(Kind::Dashboard, "dashboardId", &input.dashboard_id)?, input.expected_version);
        let layout = input.layout.map(tiles).transpose()?;
        let change = DashboardChange { title: input.title, shared: input.shared, layout };
        let done = mutate(ctx, move |tx| Box::pin(service::update(tx, id, change.clone(), expected)));
        Ok(UpdateDashboardPayload(done.await?.or_current(id)))
    }

    /// Archives a dashboard: it is shown no more, nor by its links.
    #[graphql(guard = "Needs(Permission::KpiRead)")]
    async fn archive_dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A dashboard to archive.")] input: ArchiveDashboardInput,
    ) -> Result<ArchiveDashboardPayload, Error> {
        let (id, expected) =
            (parse(Kind::Dashboard, "dashboardId", &input.dashboard_id)?, input.expected_version);
        let done = mutate(ctx, move |tx| Box::pin(service::archive(tx, id, expected)));
        Ok(ArchiveDashboardPayload(done.await?.or_current(id)))
    }
}
