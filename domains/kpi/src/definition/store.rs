//! How definitions are read and written.

use entity::kpi::kpi_definition::{Column, Entity, Model};
use kernel::{Fault, Permission, Tx};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use serde_json::json;
use uuid::Uuid;

use super::parameters::Parameters;
use super::spec::Spec;
use crate::error::Error;

/// A definition in use by its id; `None` for an unknown one, an archived one and another company's alike.
pub async fn by_id(tx: &Tx, id: Uuid) -> Result<Option<Model>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    Ok(by_ids(tx, &[id]).await?.pop())
}

/// Definitions in use by their ids, in no order; the unknown ones are left out.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let text = "SELECT * FROM kpi_definition WHERE id = ANY($1) AND archived_at IS NULL";
    Ok(tx.all(text, [ids.to_vec().into()]).await?)
}

/// The definitions in use that are live, oldest first.
pub(crate) async fn all(tx: &Tx) -> Result<Vec<Model>, Fault> {
    let live = tx.find(Entity).filter(Column::ArchivedAt.is_null()).filter(Column::SpecVersion.gt(0));
    Ok(live.order_by_asc(Column::Id).all(tx).await?)
}

/// The definitions in use, those that are not live yet among them, oldest first. Needs `kpi.read`.
pub async fn in_use(tx: &Tx) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let in_use = tx.find(Entity).filter(Column::ArchivedAt.is_null()).order_by_asc(Column::Id);
    Ok(in_use.all(tx).await.map_err(Fault::from)?)
}

/// The definition in use of a key, also one that is not live yet. Needs `kpi.read`.
pub async fn find(tx: &Tx, key: &str) -> Result<Option<Model>, Error> {
    tx.scope().require(Permission::KpiRead)?;
    let found = tx.find(Entity).filter(Column::Key.eq(key)).filter(Column::ArchivedAt.is_null());
    Ok(found.one(tx).await.map_err(Fault::from)?)
}

/// The definitions of these keys, in their order; the first unknown key is refused with its place.
pub(crate) async fn of_keys(tx: &Tx, keys: &[String]) -> Result<Vec<Model>, Error> {
    let found: Vec<Model> = tx
        .all(
            "SELECT * FROM kpi_definition WHERE key = ANY($1) AND archived_at IS NULL AND spec_version > 0",
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

/// The live definition of a key.
pub(crate) async fn of_key(tx: &Tx, key: &str) -> Result<Model, Error> {
    let found = tx
        .find(Entity)
        .filter(Column::Key.eq(key))
        .filter(Column::ArchivedAt.is_null())
        .filter(Column::SpecVersion.gt(0))
        .one(tx)
        .await
        .map_err(Fault::from)?;
    found.ok_or_else(|| Error::not_found("key"))
}

/// A definition in use, locked for change.
pub(crate) async fn lock(tx: &Tx, id: Uuid) -> Result<Model, Error> {
    let text = "SELECT * FROM kpi_definition WHERE id = $1 AND archived_at IS NULL FOR NO KEY UPDATE";
    tx.one(text, [id.into()]).await?.ok_or_else(|| Error::not_found("kpiId"))
}

/// The keys that are taken, by archived definitions too, of these.
pub(crate) async fn taken(tx: &Tx, keys: &[&str]) -> Result<Vec<Model>, Fault> {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    tx.all("SELECT * FROM kpi_definition WHERE key = ANY($1)", [keys.into()]).await
}

/// Keeps everybody else of the company from making definitions until the transaction ends: what is counted stays so.
pub(crate) async fn alone(tx: &Tx) -> Result<(), Fault> {
    let text = "SELECT pg_advisory_xact_lock(hashtextextended('kpi_definition ' || $1, 0))::text";
    let company = tx.scope().company().id.to_string();
    let _locked: Option<(String,)> = tx.tuple(text, [company.into()]).await?;
    Ok(())
}

/// How many definitions are in use.
pub(crate) async fn count(tx: &Tx) -> Result<i64, Fault> {
    let text = "SELECT count(*) FROM kpi_definition WHERE archived_at IS NULL";
    Ok(tx.tuple(text, []).await?.map_or(0, |(count,)| count))
}

/// Writes what may change of a definition, and its next version.
pub(crate) async fn update(tx: &Tx, new: &Model) -> Result<(), Fault> {
    tx.run(
        "UPDATE kpi_definition SET label_fr = $2, label_en = $3, description_fr = $4, description_en = $5,
             direction = $6, band_low = $7, band_high = $8, target = $9, warning = $10, critical = $11,
             hysteresis = $12, owner_id = $13, archived_at = $14, version = version + 1, updated_at = $15,
             updated_by = $16
         WHERE id = $1",
        [
            new.id.into(),
            new.label_fr.clone().into(),
            new.label_en.clone().into(),
            new.description_fr.clone().into(),
            new.description_en.clone().into(),
            new.direction.clone().into(),
            new.band_low.into(),
            new.band_high.into(),
            new.target.into(),
            new.warning.into(),
            new.critical.into(),
            new.hysteresis.into(),
            new.owner_id.into(),
            new.archived_at.into(),
            tx.scope().clock().now().into(),
            tx.scope().actor().stored().into(),
        ],
    )
    .await?;
    Ok(())
}

/// A definition that is new: all of its row that is not said by the transaction.
#[derive(Clone, Debug)]
pub(crate) struct NewRow {
    pub(crate) id: Uuid,
    pub(crate) key: String,
    /// French, English.
    pub(crate) label: [String; 2],
    /// French, English.
    pub(crate) description: [String; 2],
    pub(crate) spec: Spec,
    pub(crate) goal: super::Goal,
    pub(crate) builtin: bool,
    /// 1 for what is live at once; 0 for what must be filled first.
    pub(crate) spec_version: i32,
    pub(crate) owner: Option<Uuid>,
}

/// How a spec stands in a row.
pub(crate) fn stored(spec: &Spec) -> Result<serde_json::Value, Fault> {
    serde_json::to_value(Parameters::of(spec)).map_err(|error| Fault::Internal(error.to_string()))
}

/// Writes definitions, in one statement.
pub(crate) async fn insert(tx: &Tx, new: &[NewRow]) -> Result<(), Fault> {
    let mut rows = Vec::with_capacity(new.len());
    for new in new {
        let band = new.goal.direction.band();
        rows.push(json!({
            "id": new.id,
            "key": new.key,
            "label_fr": new.label[0],
            "label_en": new.label[1],
            "description_fr": new.description[0],
            "description_en": new.description[1],
            "cube": new.spec.cube.name,
            "measure": new.spec.measure.as_str(),
            "parameters": stored(&new.spec)?,
            "unit": new.spec.unit.as_str(),
            "direction": new.goal.direction.as_str(),
            "band_low": band.map(|band| band.0),
            "band_high": band.map(|band| band.1),
            "target": new.goal.target,
            "warning": new.goal.warning,
            "critical": new.goal.critical,
            "hysteresis": new.goal.hysteresis,
            "builtin": new.builtin,
            "spec_version": new.spec_version,
            "owner_id": new.owner,
        }));
    }
    tx.run(
        "INSERT INTO kpi_definition (tenant_id, id, key, label_fr, label_en, description_fr, description_en, cube,
             measure, parameters, unit, direction, band_low, band_high, target, warning, critical, hysteresis, builtin,
             spec_version, owner_id, created_at, created_by, updated_at, updated_by)
         SELECT $1, d.*, $3, $4, $3, $4
         FROM jsonb_to_recordset($2) AS d (id uuid, key text, label_fr text, label_en text, description_fr text,
             description_en text, cube text, measure text, parameters jsonb, unit text, direction text,
             band_low numeric, band_high numeric, target numeric, warning numeric, critical numeric,
             hysteresis numeric, builtin boolean, spec_version integer, owner_id uuid)",
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
