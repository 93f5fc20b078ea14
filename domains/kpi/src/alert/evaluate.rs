//! Opening and closing alerts, as the figures of a revision say. A worker does it, in every replica.

use std::collections::HashMap;

use kernel::{Fault, Kind, NewEvent, Permission, Scope, Tx, rollup};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::store::{self, Mark, NewAlert};
use super::{Alert, GATHERED, Turn, letters, turn};
use crate::definition::{Level, Unit, comparable};
use crate::error::Error;
use crate::figure::Figure;
use crate::figure::service::at_revision;

/// Evaluates a company's alerts if its revision has moved since that was last done, and writes the letters that are due.
/// `public_url`: the server's own address, for the link in letters. Whether it was done: not while somebody else is at it.
/// Needs `kpi.read`.
///
/// # Errors
/// Faults.
pub async fn evaluate(scope: &Scope, public_url: &str) -> Result<bool, Error> {
    scope
        .write(|tx| {
            let public_url = public_url.to_owned();
            Box::pin(async move { evaluate_in(tx, &public_url).await })
        })
        .await
}

async fn evaluate_in(tx: &Tx, public_url: &str) -> Result<bool, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let Some(mut mark) = store::take_mark(tx).await? else { return Ok(false) };
    // Read before the definitions and the cells: what changes between these reads moves the revision beyond it, and is
    // evaluated the next time.
    let head = rollup::head(tx).await?;
    if mark.active && mark.revision != head.revision {
        let open = take_turns(tx, &mut mark).await?;
        mark.active = open;
        mark.revision = head.revision;
    }
    let now = tx.scope().clock().now();
    if mark.letters_due_at.is_some_and(|due| due <= now) {
        mark.letters_due_at = letters::write(tx, public_url).await?;
    }
    store::set_mark(tx, mark).await?;
    Ok(true)
}

/// Takes each figure's turn; whether there is anything left to watch.
async fn take_turns(tx: &Tx, mark: &mut Mark) -> Result<bool, Error> {
    let (_, readings) = at_revision(tx, None).await?;
    let open = store::lock_open(tx).await?;
    let mut open: HashMap<Uuid, Alert> = open.into_iter().map(|alert| (alert.kpi_id, alert)).collect();
    let mut watched = false;
    for figure in readings.into_iter().map(|reading| reading.figure) {
        let alert = open.remove(&figure.definition.id);
        watched |= figure.goal.warning.is_some() || figure.goal.critical.is_some();
        step(tx, mark, &figure, alert).await?;
    }
    // What is left is of figures that are not in use any more.
    for alert in open.into_values() {
        close(tx, &alert, None, "no_threshold").await?;
    }
    Ok(watched)
}

async fn step(tx: &Tx, mark: &mut Mark, figure: &Figure, alert: Option<Alert>) -> Result<(), Error> {
    let value = comparable(&figure.spec, &figure.value, tx.scope().company().currency);
    let before = alert.as_ref().map_or(Ok(Level::Ok), level_of)?;
    let now = figure.goal.level_after(before, value);
    match (turn(before, now), alert, value) {
        (Turn::Open(level), None, Some(value)) => open(tx, mark, figure, level, value).await,
        (Turn::Escalate(level), Some(alert), Some(value)) => {
            move_to(tx, figure, &alert, level, value, "kpi.alert_escalated").await?;
            wake(tx, mark);
            Ok(())
        }
        (Turn::Ease(level), Some(alert), Some(value)) => {
            move_to(tx, figure, &alert, level, value, "kpi.alert_eased").await
        }
        (Turn::Close, Some(alert), value) => {
            let because = match (figure.goal.warning, figure.goal.critical, value) {
                (None, None, _) => "no_threshold",
                (.., None) => "nothing_to_measure",
                _ => "better",
            };
            close(tx, &alert, value, because).await
        }
        _ => Ok(()),
    }
}

/// The level of a stored alert.
pub(super) fn level_of(alert: &Alert) -> Result<Level, Fault> {
    Level::parse(&alert.level).ok_or_else(|| Fault::Corrupt(format!("kpi_alert {}: level", alert.id)))
}

fn wake(tx: &Tx, mark: &mut Mark) {
    let due = tx.scope().clock().now() + GATHERED;
    mark.letters_due_at = Some(mark.letters_due_at.map_or(due, |before| before.min(due)));
}

async fn open(tx: &Tx, mark: &mut Mark, figure: &Figure, level: Level, value: Decimal) -> Result<(), Error> {
    let currency = (figure.spec.unit == Unit::Money).then(|| tx.scope().company().currency.code());
    let (id, kpi) = (tx.new_id(), figure.definition.id);
    // Who evaluates holds the mark, so there is none; the index is the second wall.
    if !store::insert(tx, NewAlert { id, kpi, level, value, currency }).await? {
        return Ok(());
    }
    wake(tx, mark);
    let event = NewEvent::new("kpi.alert_opened", Kind::KpiAlert, id).case(kpi);
    let event = event.fact("key", &figure.definition.key).fact("level", level.as_str()).fact("value", value);
    Ok(event.fact("currency", currency).append(tx).await?)
}

async fn move_to(
    tx: &Tx,
    figure: &Figure,
    alert: &Alert,
    level: Level,
    value: Decimal,
    kind: &'static str,
) -> Result<(), Error> {
    store::set_level(tx, alert.id, level, value).await?;
    let event = NewEvent::new(kind, Kind::KpiAlert, alert.id).case(alert.kpi_id);
    let event = event.changed("level", alert.level.as_str(), level.as_str()).fact("value", value);
    Ok(event.fact("key", &figure.definition.key).append(tx).await?)
}

async fn close(tx: &Tx, alert: &Alert, value: Option<Decimal>, because: &'static str) -> Result<(), Error> {
    store::close(tx, alert.id, value, because).await?;
    let event = NewEvent::new("kpi.alert_closed", Kind::KpiAlert, alert.id).case(alert.kpi_id);
    Ok(event.fact("because", because).fact("value", value).append(tx).await?)
}
