//! How definitions are read and written.

use entity::kpi::kpi_definition::{Column, Entity, Model};
use kernel::{Fault, Permission, Tx};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use serde_json::json;
use uuid::Uuid;

use super::builtin::Builtin;
use crate::error::Error;

/// A definition by its id; `None` for an unknown one and another company's alike.
pub async fn by_id(tx: &Tx, id: Uuid) -> Result<Option<Model>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    Ok(tx.find(Entity).filter(Column::Id.eq(id)).one(tx).await.map_err(Fault::from)?)
}

/// Definitions by their ids, in no order; the unknown ones are left out.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    Ok(tx.all("SELECT * FROM kpi_definition WHERE id = ANY($1)", [ids.to_vec().into()]).await?)
}

/// The definitions in use, oldest first.
pub(crate) async fn all(tx: &Tx) -> Result<Vec<Model>, Fault> {
    Ok(tx.find(Entity).filter(Column::ArchivedAt.is_null()).order_by_asc(Column::Id).all(tx).await?)
}

/// The definitions of these keys, in their order; the first unknown key is refused with its place.
pub(crate) async fn of_keys(tx: &Tx, keys: &[String]) -> Result<Vec<Model>, Error> {
    let found: Vec<Model> = tx
        .all(
            "SELECT * FROM kpi_definition WHERE key = ANY($1) AND archived_at IS NULL",
            [keys.to_vec().into()],
        )
        .await?;
    keys.iter()
        .enumerate()
        .map(|(place, key)| {
            let definition = found.iter().find(|definition| definition.key == *key);
            definition.cloned().ok_or_else(|| Error::not_found(format!("keys.{place}")))
        })
        .collect()
}

/// The definition of a key.
pub(crate) async fn of_key(tx: &Tx, key: &str) -> Result<Model, Error> {
    let found = tx
        .find(Entity)
        .filter(Column::Key.eq(key))
        .filter(Column::ArchivedAt.is_null())
        .one(tx)
        .await
        .map_err(Fault::from)?;
    found.ok_or_else(|| Error::not_found("key"))
}

/// A definition, locked for change.
pub(crate) async fn lock(tx: &Tx, id: Uuid) -> Result<Model, Error> {
    let found = tx.one("SELECT * FROM kpi_definition WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await?;
    found.ok_or_else(|| Error::not_found("kpiId"))
}

/// Writes what may change of a definition.
pub(crate) async fn update(tx: &Tx, new: &Model) -> Result<(), Fault> {
    tx.run(
        "UPDATE kpi_definition SET label_fr = $2, label_en = $3, target = $4, version = version + 1,
             updated_at = $5, updated_by = $6 WHERE id = $1",
        [
            new.id.into(),
            new.label_fr.clone().into(),
            new.label_en.clone().into(),
            new.target.into(),
            tx.scope().clock().now().into(),
            tx.scope().actor().stored().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Writes built-in definitions, in one statement.
pub(crate) async fn insert(tx: &Tx, builtins: &[Builtin]) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(builtins.len());
    for builtin in builtins {
        let parameters = serde_json::to_value(builtin.parameters())
            .map_err(|e| Fault::Internal(format!("parameters of {}: {e}", builtin.key)))?;
        rows.push(json!({
            "id": tx.new_id(),
            "key": builtin.key,
            "label_fr": builtin.label[0],
            "label_en": builtin.label[1],
            "description_fr": builtin.description[0],
            "description_en": builtin.description[1],
            "cube": builtin.cube,
            "measure": builtin.measure.as_str(),
            "parameters": parameters,
            "unit": builtin.unit.as_str(),
            "direction": builtin.direction.as_str(),
        }));
    }
    tx.run(
        "INSERT INTO kpi_definition (tenant_id, id, key, label_fr, label_en, description_fr, description_en, cube,
             measure, parameters, unit, direction, created_at, created_by, updated_at, updated_by)
         SELECT $1, d.*, $3, $4, $3, $4
         FROM jsonb_to_recordset($2) AS d (id uuid, key text, label_fr text, label_en text, description_fr text,
             description_en text, cube text, measure text, parameters jsonb, unit text, direction text)",
        [
            tx.scope().company().id.into(),
            serde_json::Value::from(rows).into(),
            tx.scope().clock().now().into(),
            tx.scope().actor().stored().into(),
        ],
    )
    .await?;
    Ok(())
}
