//! Links by which outsiders see a dashboard: made, listed, revoked.

use chrono::{DateTime, Utc};
use identity::embed;
use identity::member::reach;
use identity::secret;
use kernel::{Fault, Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use super::store::{self, NewLink};
use super::{EmbedLink, LONGEST_LINK, MOST_LINKS, layout_of};
use crate::definition::draft::{Named, checked_condition};
use crate::definition::{self, Condition, Spec};
use crate::error::Error;
use crate::figure::service::can_look_at;

/// A link to make.
#[derive(Clone, Debug)]
pub struct LinkDraft {
    /// A shared dashboard.
    pub dashboard: Uuid,
    /// What it shows is narrowed to; all conditions hold, each names at least one value.
    pub filters: Vec<Condition>,
    /// Until when it is good, at most [`LONGEST_LINK`] from now.
    pub expires_at: DateTime<Utc>,
}

/// A new token, for [`create`].
pub fn new_token() -> String {
    embed::token()
}

/// Makes a link to a shared dashboard. Its token is stored as a hash: who made it is shown it once. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, and `INVALID` with the field: for a dashboard that is not shared, a time that is past or too far ahead, an
/// unknown dimension or value, and a filter that a figure of the dashboard cannot be narrowed to.
pub async fn create(tx: &Tx, draft: LinkDraft, token: &str) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::KpiManage)?;
    let now = scope.clock().now();
    if draft.expires_at <= now || draft.expires_at > now + LONGEST_LINK {
        return Err(Error::invalid("expiresAt", "give a time to come, at most 365 days ahead"));
    }
    let me = reach::own_in(tx).await?;
    let found = store::lock(tx, draft.dashboard, me).await?;
    let dashboard = found.ok_or_else(|| Error::unknown("dashboard", "dashboardId"))?;
    if !dashboard.shared {
        return Err(Error::invalid(
            "dashboardId",
            "only a shared dashboard is shown to others: share it first",
        ));
    }
    let filters = checked_filters(tx, &draft.filters, &layout_of(&dashboard)?).await?;
    let links = store::links_of(tx, &[dashboard.id]).await?;
    if i64::try_from(links.len()).is_ok_and(|links| links >= MOST_LINKS) {
        let message = format!("a dashboard has at most {MOST_LINKS} links that are good: revoke one first");
        return Err(Error::invalid("dashboardId", message));
    }
    let id = tx.new_id();
    let (token_hash, expires_at) = (secret::hash(token), draft.expires_at);
    let new = NewLink { dashboard: dashboard.id, token_hash, filters: &filters, expires_at };
    store::insert_link(tx, id, new).await?;
    let event = NewEvent::new("embed_link.created", Kind::EmbedLink, id).case(dashboard.id);
    event.fact("filters", &filters).fact("expiresAt", expires_at).append(tx).await?;
    Ok(id)
}

/// Refuses what a figure of the dashboard cannot be narrowed to: then a link would show more than it says.
async fn checked_filters(
    tx: &Tx,
    filters: &[Condition],
    layout: &[super::Tile],
) -> Result<Vec<Condition>, Error> {
    if filters.len() > 5 {
        return Err(Error::invalid("lockedFilters", "a link has at most 5 filters"));
    }
    let keys: Vec<&str> = layout.iter().map(|tile| tile.kpi_key.as_str()).collect();
    let definitions = definition::store::all(tx).await?;
    let shown = definitions.iter().filter(|definition| keys.contains(&definition.key.as_str()));
    let mut specs = Vec::new();
    for definition in shown {
        specs.push((&definition.key, Spec::of(definition)?));
    }
    let (mut checked, mut named) = (Vec::new(), Named::default());
    for (place, filter) in filters.iter().enumerate() {
        let at = format!("lockedFilters.{place}");
        let refuse = |field: &str, message: String| {
            Err(Error::Invalid { field: format!("{at}.{field}").into(), message: message.into() })
        };
        if filter.any_of.is_empty() || !filter.none_of.is_empty() {
            return refuse("anyOf", "name at least one value".to_owned());
        }
        if filters[..place].iter().any(|other| other.dimension == filter.dimension) {
            return refuse("dimension", "it is named twice: name it once".to_owned());
        }
        let mut of_all = None;
        for (key, spec) in &specs {
            if !can_look_at(spec, &filter.dimension) {
                return refuse(
                    "dimension",
                    format!(
                        "`{key}` is not kept by it: take the figure off the dashboard, or leave the filter out"
                    ),
                );
            }
            let cubes = [spec.cube].into_iter().chain(spec.over().map(|over| over.cube));
            for cube in cubes {
                of_all = Some(checked_condition(&at, cube, filter, &mut named)?);
            }
        }
        match of_all {
            Some(condition) => checked.push(condition),
            None => return refuse("dimension", "the dashboard shows nothing: add figures first".to_owned()),
        }
    }
    definition::service::require_named(tx, &named).await?;
    Ok(checked)
}

/// The good links of these dashboards, newest first. Needs `kpi.manage`.
///
/// # Errors
/// Faults.
pub async fn links_of(tx: &Tx, dashboards: &[Uuid]) -> Result<Vec<EmbedLink>, Error> {
    tx.scope().require(Permission::KpiManage)?;
    Ok(store::links_of(tx, dashboards).await?)
}

/// Links by their ids, whether good or not, in no order; unknown ones are left out. Needs `kpi.manage`.
///
/// # Errors
/// Faults.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<EmbedLink>, Error> {
    tx.scope().require(Permission::KpiManage)?;
    Ok(store::links(tx, ids).await?)
}

/// Revokes a link: from now on it shows nothing. One that is revoked stays so. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn revoke(tx: &Tx, id: Uuid) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiManage)?;
    let found = store::lock_link(tx, id).await?.ok_or_else(|| Error::unknown("link", "embedLinkId"))?;
    if found.revoked_at.is_none() {
        store::revoke_link(tx, id).await?;
        NewEvent::new("embed_link.revoked", Kind::EmbedLink, id).case(found.dashboard_id).append(tx).await?;
    }
    Ok(id)
}

/// The stored filters of a link.
///
/// # Errors
/// A fault when they are none.
pub fn filters_of(link: &EmbedLink) -> Result<Vec<Condition>, Fault> {
    serde_json::from_value(link.filters.clone())
        .map_err(|e| Fault::Corrupt(format!("embed_link {}: {e}", link.id)))
}
