//! What people do with alerts: list them, say that they have seen them, put them off, give them to somebody.

use chrono::{DateTime, Utc};
use identity::member::reach;
use kernel::page::{Cursor, Page, Slice};
use kernel::{Kind, NewEvent, Permission, Tx, id};
use uuid::Uuid;

use super::{Alert, AlertFilter, LONGEST_SNOOZE, OpenAlerts, Posted, store};
use crate::error::Error;

/// A page of alerts, newest first. Needs `kpi.read`.
///
/// # Errors
/// Faults.
pub async fn list(tx: &Tx, filter: AlertFilter, slice: &Slice) -> Result<Page<Posted>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let me = own(tx, filter).await?;
    Ok(Page::from_probe(slice, store::page(tx, filter, me, slice).await?))
}

/// How many alerts a filter finds. Needs `kpi.read`.
///
/// # Errors
/// Faults.
pub async fn count(tx: &Tx, filter: AlertFilter) -> Result<u64, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let me = own(tx, filter).await?;
    Ok(store::count(tx, filter, me).await?)
}

async fn own(tx: &Tx, filter: AlertFilter) -> Result<Option<Uuid>, Error> {
    if filter.assigned_to_me { Ok(reach::own_in(tx).await?) } else { Ok(None) }
}

/// Where an alert stands in its list.
pub fn cursor_of(posted: &Posted) -> Cursor {
    Cursor { key: String::new(), id: posted.alert.id }
}

/// Alerts by their ids, in no order; unknown ones are left out. Needs `kpi.read`.
///
/// # Errors
/// Faults.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Posted>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    Ok(store::by_ids(tx, ids).await?)
}

/// The open alerts, oldest first. Needs `kpi.read`.
///
/// # Errors
/// Faults.
pub async fn open(tx: &Tx) -> Result<OpenAlerts, Error> {
    tx.scope().require(Permission::KpiRead)?;
    Ok(store::open(tx).await?)
}

/// Says that somebody has seen an alert. It says so once: who comes later changes nothing. Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, and `INVALID` for a closed alert.
pub async fn acknowledge(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let alert = locked(tx, id, expected_version).await?;
    if alert.acknowledged_at.is_some() {
        return Ok(id);
    }
    store::acknowledge(tx, id).await?;
    let event = NewEvent::new("kpi.alert_acknowledged", Kind::KpiAlert, id).case(alert.kpi_id);
    event.fact("level", &alert.level).append(tx).await?;
    Ok(id)
}

/// Puts an alert off: no letter tells of it until then. `None` ends that. Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, and `INVALID` for a closed alert, and for a time that is past or more than 90 days ahead.
pub async fn snooze(
    tx: &Tx,
    id: Uuid,
    until: Option<DateTime<Utc>>,
    expected_version: i32,
) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::KpiRead)?;
    let now = scope.clock().now();
    if until.is_some_and(|until| until <= now || until > now + LONGEST_SNOOZE) {
        return Err(Error::invalid("until", "give a time to come, at most 90 days ahead"));
    }
    store::wake_letters(tx, until.unwrap_or(now)).await?;
    let alert = locked(tx, id, expected_version).await?;
    if alert.snoozed_until == until {
        return Ok(id);
    }
    store::snooze(tx, id, until).await?;
    let event = NewEvent::new("kpi.alert_snoozed", Kind::KpiAlert, id).case(alert.kpi_id);
    event.changed("until", &alert.snoozed_until, &until).append(tx).await?;
    Ok(id)
}

/// Gives an alert to a member who may read figures, or to nobody. Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND` for an unknown alert or member, `CONFLICT`, and `INVALID` for a closed alert, and for a member who may not
/// read figures.
pub async fn assign(tx: &Tx, id: Uuid, member: Option<Uuid>, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let alert = locked(tx, id, expected_version).await?;
    if let Some(member) = member {
        let may = reach::with_permission_in(tx, &[member], Permission::KpiRead).await?;
        if may.is_empty() {
            // Not told apart from an unknown one: what a member may do is not for everybody to ask.
            return Err(Error::unknown("member who may read figures", "memberId"));
        }
    }
    if alert.assignee_id == member {
        return Ok(id);
    }
    store::assign(tx, id, member).await?;
    let public = |member: Option<Uuid>| member.map(|member| id::encode(Kind::Membership, member));
    let event = NewEvent::new("kpi.alert_assigned", Kind::KpiAlert, id).case(alert.kpi_id);
    event.changed("assignee", &public(alert.assignee_id), &public(member)).append(tx).await?;
    Ok(id)
}

async fn locked(tx: &Tx, id: Uuid, expected: i32) -> Result<Alert, Error> {
    let alert = store::lock(tx, id).await?.ok_or_else(|| Error::unknown("alert", "kpiAlertId"))?;
    if alert.version != expected {
        return Err(Error::Conflict { expected, actual: alert.version });
    }
    if alert.closed_at.is_some() {
        return Err(Error::invalid("kpiAlertId", "the alert is closed: there is nothing left to do"));
    }
    Ok(alert)
}
