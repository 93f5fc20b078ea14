//! What can be done with definitions: they are seeded, renamed, and given a target.

use kernel::{Kind, NewEvent, Permission, Tx};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Spec, builtin, check_target, store};
use crate::error::Error;

/// Gives a new company its built-in figures, in the caller's transaction. Needs no permission of its own.
pub async fn seed_in(tx: &Tx) -> Result<(), Error> {
    Ok(store::insert(tx, &builtin::builtins()).await?)
}

/// Sets what the company aims at, in the figure's unit (money: of the company's currency; durations:
/// milliseconds; shares: 0 to 1), or takes it away. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, and `INVALID` for a target that no value of the unit can have.
pub async fn set_target(
    tx: &Tx,
    id: Uuid,
    target: Option<Decimal>,
    expected_version: i32,
) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiManage)?;
    let before = store::lock(tx, id).await?;
    expect_version(&before, expected_version)?;
    if let Some(target) = target {
        check_target(Spec::of(&before)?.unit, target)?;
    }
    let target = target.map(|target| target.normalize());
    let event = NewEvent::new("kpi.target_set", Kind::Kpi, id).changed("target", &before.target, &target);
    if event.is_empty() {
        return Ok(id);
    }
    let key = before.key.clone();
    store::update(tx, &entity::kpi::kpi_definition::Model { target, ..before }).await?;
    event.fact("key", key).append(tx).await?;
    Ok(id)
}

/// New names of a figure; `None` keeps the one it has.
#[derive(Clone, Debug, Default)]
pub struct Rename {
    /// The French name, 1 to 100 characters.
    pub label_fr: Option<String>,
    /// The English name, 1 to 100 characters.
    pub label_en: Option<String>,
}

/// Gives a figure other names. Needs `kpi.manage`.
///
/// # Errors
/// `NOT_FOUND`, `CONFLICT`, and `INVALID` for an empty or too long name.
pub async fn rename(tx: &Tx, id: Uuid, names: Rename, expected_version: i32) -> Result<Uuid, Error> {
    tx.scope().require(Permission::KpiManage)?;
    let before = store::lock(tx, id).await?;
    expect_version(&before, expected_version)?;
    let mut after = before.clone();
    if let Some(name) = names.label_fr {
        after.label_fr = checked_name("labelFr", &name)?;
    }
    if let Some(name) = names.label_en {
        after.label_en = checked_name("labelEn", &name)?;
    }
    let event = NewEvent::new("kpi.renamed", Kind::Kpi, id)
        .changed("labelFr", &before.label_fr, &after.label_fr)
        .changed("labelEn", &before.label_en, &after.label_en);
    if event.is_empty() {
        return Ok(id);
    }
    store::update(tx, &after).await?;
    event.fact("key", &after.key).append(tx).await?;
    Ok(id)
}

fn expect_version(before: &entity::kpi::kpi_definition::Model, expected: i32) -> Result<(), Error> {
    if before.version == expected {
        Ok(())
    } else {
        Err(Error::Conflict { expected, actual: before.version })
    }
}

fn checked_name(field: &'static str, name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "a name has 1 to 100 characters, on one line"));
    }
    Ok(name.to_owned())
}
