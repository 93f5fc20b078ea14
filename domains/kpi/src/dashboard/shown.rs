//! What outsiders see of a dashboard: values, targets and trends of this moment.

use chrono::{DateTime, Utc};
use identity::company::service::name_in;
use kernel::{Permission, Scope, Tx};

use super::{Tile, View, embed, layout_of, store};
use crate::definition::{self, Grain, Spec};
use crate::error::Error;
use crate::figure::history::sparkline_within;
use crate::figure::service::{can_look_at, figures_within};
use crate::figure::{Figure, Freshness, Point};

/// How many points a trend has.
const POINTS: u32 = 30;

/// A dashboard as a link shows it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its title.
    pub title: String,
    /// The company's name.
    pub company: String,
    /// Until when the link is good.
    pub expires_at: DateTime<Utc>,
    /// The company's revision.
    pub revision: i64,
    /// When it was read.
    pub as_of: DateTime<Utc>,
    /// Whether filters narrow it: then what the company aims at is not told, for that is of the whole.
    pub narrowed: bool,
    /// Its tiles.
    pub tiles: Vec<ShownTile>,
}

/// A tile as a link shows it.
#[derive(Clone, Debug)]
pub struct ShownTile {
    /// The tile.
    pub tile: Tile,
    /// The figure; `None` when there is none of its key any more, or it cannot be narrowed to the link's filters.
    pub figure: Option<Figure>,
    /// How it moved; empty where that was not asked for, and where the figure tells of now only.
    pub sparkline: Vec<Point>,
}

/// Whether a figure can be split, and narrowed, by a dimension.
pub(crate) fn splits(spec: &Spec, dimension: &str) -> bool {
    can_look_at(spec, dimension)
}

/// What a link shows, by the hash of its token, in one snapshot; `None` for one that is unknown, has expired or is revoked,
/// and when its dashboard is not shared any more: they are not told apart. `trends`: whether to read how figures moved.
/// Needs `kpi.read`, which is all that the scope of such a link has.
///
/// # Errors
/// Faults.
pub async fn by_link(scope: &Scope, token_hash: Vec<u8>, trends: bool) -> Result<Option<Shown>, Error> {
    scope.require(Permission::KpiRead)?;
    let tx = scope.read().await?;
    let shown = by_link_in(&tx, token_hash, trends).await;
    tx.end().await;
    shown
}

async fn by_link_in(tx: &Tx, token_hash: Vec<u8>, trends: bool) -> Result<Option<Shown>, Error> {
    let Some(link) = store::good_link(tx, token_hash).await? else { return Ok(None) };
    let Some(dashboard) = store::shared(tx, link.dashboard_id).await? else { return Ok(None) };
    let (layout, filters) = (layout_of(&dashboard)?, embed::filters_of(&link)?);
    // Whatever was put on the dashboard since the link was made: what cannot be narrowed is not shown.
    let mut definitions = Vec::new();
    for definition in definition::store::all(tx).await? {
        let spec = Spec::of(&definition)?;
        let wanted = layout.iter().any(|tile| tile.kpi_key == definition.key);
        if wanted && filters.iter().all(|filter| can_look_at(&spec, &filter.dimension)) {
            definitions.push(definition);
        }
    }
    let (head, figures) = figures_within(tx, definitions, &filters, Freshness::Current).await?;
    let mut tiles = Vec::with_capacity(layout.len());
    for tile in layout {
        let figure = figures.iter().find(|figure| figure.definition.key == tile.kpi_key).cloned();
        let sparkline = match &figure {
            // Parts by customer or supplier are nothing for strangers: a series shows its trend instead.
            Some(figure) if trends && tile.view != View::Number && !figure.spec.is_of_now_only() => {
                sparkline_within(tx, &figure.spec, &filters, POINTS, Grain::Day).await?
            }
            _ => Vec::new(),
        };
        tiles.push(ShownTile { tile, figure, sparkline });
    }
    Ok(Some(Shown {
        title: dashboard.title,
        company: name_in(tx).await?,
        expires_at: link.expires_at,
        revision: head.revision,
        as_of: tx.scope().clock().now(),
        narrowed: !filters.is_empty(),
        tiles,
    }))
}
