//! What can be done with dashboards.

use identity::member::reach;
use kernel::{Fault, Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use super::store::{self, NewDashboard};
use super::{
    Dashboard, MOST_DASHBOARDS, Tile, check_figure, check_layout, checked_title, layout_of, refusal,
};
use crate::definition::{self, Spec};
use crate::error::Error;

/// Lays the dashboard that a company begins with, in the caller's transaction.
///
/// # Errors
/// Faults.
pub async fn seed_in(tx: &Tx) -> Result<(), Error> {
    let title = if tx.scope().company().locale == "fr" { "Tableau de bord" } else { "Dashboard" };
    Ok(store::insert_default(tx, title).await?)
}

/// The dashboards that who asks may see: the shared ones and the own ones; the first is the default. Needs `kpi.read`.
///
/// # Errors
/// Faults.
pub async fn list(tx: &Tx) -> Result<Vec<Dashboard>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    Ok(store::seen(tx, reach::own_in(tx).await?).await?)
}

/// Dashboards by their ids, in no order; those that who asks may not see are left out, as unknown ones are. Needs
/// `kpi.read`.
///
/// # Errors
/// Faults.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Dashboard>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    Ok(store::by_ids(tx, ids, reach::own_in(tx).await?).await?)
}

/// Makes a dashboard: one's own with `kpi.read`, a shared one with `kpi.manage`.
///
/// # Errors
/// `INVALID` with the field; for an own one also when who acts is no member.
pub async fn create(tx: &Tx, title: &str, shared: bool, layout: &[Tile]) -> Result<Uuid, Error> {
    tx.scope().require(if shared { Permission::KpiManage } else { Permission::KpiRead })?;
    tx.scope().require(Permission::KpiRead)?;
    let owner = reach::own_in(tx).await?;
    if owner.is_none() && !shared {
        return Err(Error::invalid("shared", "a program has no dashboard of its own: share it"));
    }
    let title = checked_title(title)?;
    check(tx, layout, &[]).await?;
    if store::count(tx).await? >= MOST_DASHBOARDS {
        let message = format!("a company has at most {MOST_DASHBOARDS} dashboards: archive one first");
        return Err(Error::invalid("title", message));
    }
    let id = tx.new_id();
    store::insert(tx, id, NewDashboard { title: &title, shared, owner, layout }).await?;
    let event = NewEvent::new("dashboard.created", Kind::Dashboard, id).fact("title", &title);
    event.fact("shared", shared).fact("layout", layout).append(tx).await?;
    Ok(id)
}

/// What should be other; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct DashboardChange {
    /// The title.
    pub title: Option<String>,
    /// Whether everybody sees it who may read figures.
    pub shared: Option<bool>,
    /// All its tiles.
    pub layout: Option<Vec<Tile>>,
}

/// Changes a dashboard: one's own with `kpi.read`; one that is or will be shared with `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, and `INVALID` with the field. The default dashboard stays shared, and nobody takes another
/// member's away.
pub async fn update(tx: &Tx, id: Uuid, change: DashboardChange, expected: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let me = reach::own_in(tx).await?;
    let before = locked(tx, id, me, expected).await?;
    let mut after = before.clone();
    if let Some(title) = change.title {
        after.title = checked_title(&title)?;
    }
    if let Some(shared) = change.shared {
        after.shared = shared;
    }
    if before.shared || after.shared {
        tx.scope().require(Permission::KpiManage)?;
    }
    if before.shared && !after.shared {
        if before.is_default {
            return Err(Error::invalid("shared", "the default dashboard is everybody's: make another one"));
        }
        if before.owner_id.is_none() || before.owner_id != me {
            return Err(Error::invalid(
                "shared",
                "only who made it can keep it to themselves: make another one",
            ));
        }
    }
    if let Some(layout) = change.layout {
        check(tx, &layout, &layout_of(&before)?).await?;
        after.layout = json(&layout)?;
    }
    let event = NewEvent::new("dashboard.changed", Kind::Dashboard, id)
        .changed("title", &before.title, &after.title)
        .changed("shared", &before.shared, &after.shared)
        .changed("layout", &before.layout, &after.layout);
    if event.is_empty() {
        return Ok(id);
    }
    store::update(tx, &after).await?;
    event.append(tx).await?;
    Ok(id)
}

/// Archives a dashboard: it is shown no more, nor by its links. One's own with `kpi.read`, a shared one with `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, and `INVALID` for the default one.
pub async fn archive(tx: &Tx, id: Uuid, expected: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let before = locked(tx, id, reach::own_in(tx).await?, expected).await?;
    if before.shared {
        tx.scope().require(Permission::KpiManage)?;
    }
    if before.is_default {
        return Err(Error::invalid("dashboardId", "the default dashboard stays: change its tiles instead"));
    }
    store::archive(tx, id).await?;
    NewEvent::new("dashboard.archived", Kind::Dashboard, id).fact("title", &before.title).append(tx).await?;
    Ok(id)
}

pub(super) async fn locked(
    tx: &Tx,
    id: Uuid,
    member: Option<Uuid>,
    expected: i32,
) -> Result<Dashboard, Error> {
    let found = store::lock(tx, id, member).await?;
    let found = found.ok_or_else(|| Error::unknown("dashboard", "dashboardId"))?;
    if found.version != expected {
        return Err(Error::Conflict { expected, actual: found.version });
    }
    Ok(found)
}

fn json(layout: &[Tile]) -> Result<serde_json::Value, Fault> {
    serde_json::to_value(layout).map_err(|e| Fault::Internal(format!("a layout: {e}")))
}

/// Refuses a layout that cannot be shown. A tile that stood there `before` may stay when its figure has been archived since.
async fn check(tx: &Tx, layout: &[Tile], before: &[Tile]) -> Result<(), Error> {
    check_layout(layout)?;
    let definitions = definition::store::all(tx).await?;
    for (place, tile) in layout.iter().enumerate() {
        match definitions.iter().find(|definition| definition.key == tile.kpi_key) {
            Some(definition) => check_figure(place, tile, &Spec::of(definition)?)?,
            None if before.contains(tile) => {}
            None => {
                let message = format!("there is no kpi `{}`: give the key of one", tile.kpi_key);
                return Err(refusal(place, "kpiKey", message));
            }
        }
    }
    Ok(())
}
