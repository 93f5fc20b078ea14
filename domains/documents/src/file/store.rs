//! How files are read and written.

use entity::documents::file::{Column, Entity, Model};
use kernel::{Fault, Tx};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::{NewUpload, State};

pub(super) async fn insert(
    tx: &Tx,
    id: Uuid,
    upload: &NewUpload,
    expires_at: chrono::DateTime<chrono::Utc>,
) -> Result<(), Fault> {
    let scope = tx.scope();
    let size_bytes = i64::try_from(upload.size_bytes).map_err(|e| Fault::Internal(e.to_string()))?;
    tx.run(
        "INSERT INTO file (tenant_id, id, name, media_type, size_bytes, expires_at, created_at, created_by,
             updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $8)",
        [
            scope.company().id.into(),
            id.into(),
            upload.name.as_str().into(),
            upload.media_type.as_str().into(),
            size_bytes.into(),
            expires_at.into(),
            scope.clock().now().into(),
            scope.actor().stored().into(),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn get(tx: &Tx, id: Uuid) -> Result<Option<Model>, Fault> {
    Ok(tx.find(Entity).filter(Column::Id.eq(id)).one(tx).await?)
}

pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Model>, Fault> {
    Ok(tx.find(Entity).filter(Column::Id.eq(id)).lock_exclusive().one(tx).await?)
}

pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Fault> {
    tx.all("SELECT * FROM file WHERE id = ANY($1)", [ids.to_vec().into()]).await
}

pub(super) async fn set_stored(tx: &Tx, id: Uuid, key: &str, sha256: &[u8], by: &str) -> Result<(), Fault> {
    tx.run(
        "UPDATE file SET state = $2, storage_key = $3, sha256 = $4, stored_at = $5, version = version + 1,
             updated_at = $5, updated_by = $6
         WHERE id = $1",
        [
            id.into(),
            State::Stored.as_str().into(),
            key.into(),
            sha256.to_vec().into(),
            tx.scope().clock().now().into(),
            by.into(),
        ],
    )
    .await?;
    Ok(())
}
