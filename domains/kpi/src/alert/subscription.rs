//! What members want to know of alerts.

use identity::member::reach;
use kernel::{Fault, Kind, NewEvent, Permission, Tx, id};
use sea_orm::Value;
use uuid::Uuid;

use super::Subscription;
use crate::definition::{self, Level};
use crate::error::Error;

/// Tells the letters of alerts to the member who acts: of one figure, or of all for `None`; from a level on; by mail, or
/// not. What is said of one figure goes before what is said of all. It replaces what was said before. Needs `kpi.read`.
///
/// # Errors
/// `NOT_FOUND` for an unknown figure; `INVALID` for who is no member, as programs are not.
pub async fn subscribe(tx: &Tx, kpi: Option<Uuid>, from: Level, mail: bool) -> Result<Uuid, Error> {
    let scope = tx.scope();
    scope.require(Permission::KpiRead)?;
    let member = member(tx).await?;
    if let Some(kpi) = kpi
        && definition::store::by_id(tx, kpi).await?.is_none()
    {
        return Err(Error::unknown("kpi", "kpiId"));
    }
    let target = if kpi.is_some() {
        "(tenant_id, membership_id, kpi_id) WHERE kpi_id IS NOT NULL"
    } else {
        "(tenant_id, membership_id) WHERE kpi_id IS NULL"
    };
    let sql = format!(
        "INSERT INTO kpi_subscription AS s (tenant_id, id, membership_id, kpi_id, min_level, mail, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
         ON CONFLICT {target} DO UPDATE SET min_level = excluded.min_level, mail = excluded.mail,
             updated_at = excluded.updated_at
         RETURNING id"
    );
    let values: [Value; 7] = [
        scope.company().id.into(),
        tx.new_id().into(),
        member.into(),
        kpi.into(),
        from.as_str().into(),
        mail.into(),
        scope.clock().now().into(),
    ];
    let stored: Option<(Uuid,)> = tx.tuple(&sql, values).await?;
    let (stored,) = stored.ok_or_else(|| Fault::Corrupt("a subscription was not stored".to_owned()))?;
    let event = NewEvent::new("kpi.subscribed", Kind::Membership, member).fact("kpi", public(kpi));
    event.fact("minLevel", from.as_str()).fact("mail", mail).append(tx).await?;
    Ok(stored)
}

/// Takes back what the member who acts said of a figure, or of all for `None`; whether there was anything. Needs `kpi.read`.
///
/// # Errors
/// `INVALID` for who is no member.
pub async fn unsubscribe(tx: &Tx, kpi: Option<Uuid>) -> Result<bool, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let member = member(tx).await?;
    let sql = "DELETE FROM kpi_subscription WHERE membership_id = $1 AND kpi_id IS NOT DISTINCT FROM $2";
    if tx.run(sql, [member.into(), kpi.into()]).await? == 0 {
        return Ok(false);
    }
    let event = NewEvent::new("kpi.unsubscribed", Kind::Membership, member).fact("kpi", public(kpi));
    event.append(tx).await?;
    Ok(true)
}

/// What the member who acts wants to know, that of all figures first; nothing for programs. Needs `kpi.read`.
///
/// # Errors
/// Faults.
pub async fn own(tx: &Tx) -> Result<Vec<Subscription>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let me = reach::own_in(tx).await?;
    let sql = "SELECT * FROM kpi_subscription WHERE membership_id = $1 ORDER BY kpi_id NULLS FIRST";
    Ok(tx.all(sql, [me.into()]).await?)
}

/// Everybody's.
pub(super) async fn all(tx: &Tx) -> Result<Vec<Subscription>, Fault> {
    tx.all("SELECT * FROM kpi_subscription ORDER BY membership_id, id", []).await
}

fn public(kpi: Option<Uuid>) -> Option<String> {
    kpi.map(|kpi| id::encode(Kind::Kpi, kpi))
}

/// The membership of who acts, locked, for it is what the events are about.
async fn member(tx: &Tx) -> Result<Uuid, Error> {
    let me = reach::own_locked_in(tx).await?;
    me.ok_or_else(|| Error::invalid("kpiId", "letters go to members: sign in as the person who wants them"))
}
