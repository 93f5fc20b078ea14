//! How trusted documents are read and written.

use chrono::{DateTime, Utc};
use entity::identity::trusted_document::{Column, Entity};
use kernel::page::{Page, Slice};
use kernel::{Fault, Tx};
use sea_orm::{ColumnTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::service::{Document, DocumentFilter};

/// What a list shows: not the texts, which are large.
const LISTED: &str = "id, sha256, name, created_at, created_by, archived_at";
const LISTED_COLUMNS: [Column; 6] =
    [Column::Id, Column::Sha256, Column::Name, Column::CreatedAt, Column::CreatedBy, Column::ArchivedAt];

/// What became of a text to store.
pub(super) enum Stored {
    /// It is there now.
    New(Uuid),
    /// It was there before; the row is locked until the transaction ends.
    Known(Document),
}

pub(super) async fn insert(
    tx: &Tx,
    id: Uuid,
    sha256: &[u8; 32],
    name: &str,
    text: &str,
) -> Result<Stored, Fault> {
    let scope = tx.scope();
    let inserted = tx
        .run(
            "INSERT INTO trusted_document (tenant_id, id, sha256, name, body, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $7) ON CONFLICT (tenant_id, sha256) DO NOTHING",
            [
                scope.company().id.into(),
                id.into(),
                sha256.to_vec().into(),
                name.into(),
                text.into(),
                scope.clock().now().into(),
                scope.actor().stored().into(),
            ],
        )
        .await?;
    if inserted == 1 {
        return Ok(Stored::New(id));
    }
    let sql = format!("SELECT {LISTED} FROM trusted_document WHERE sha256 = $1 FOR NO KEY UPDATE");
    let known = tx.one(&sql, [sha256.to_vec().into()]).await?;
    known
        .map(Stored::Known)
        .ok_or_else(|| Fault::Corrupt("a document is registered and cannot be read".to_owned()))
}

/// A document, locked until the transaction ends.
pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Document>, Fault> {
    let sql = format!("SELECT {LISTED} FROM trusted_document WHERE id = $1 FOR NO KEY UPDATE");
    tx.one(&sql, [id.into()]).await
}

pub(super) async fn set_archived(tx: &Tx, id: Uuid, at: Option<DateTime<Utc>>) -> Result<(), Fault> {
    let scope = tx.scope();
    tx.run(
        "UPDATE trusted_document SET archived_at = $2, version = version + 1, updated_at = $3, updated_by = $4
         WHERE id = $1",
        [id.into(), at.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    Ok(())
}

pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Document>, Fault> {
    let sql = format!("SELECT {LISTED} FROM trusted_document WHERE id = ANY($1)");
    tx.all(&sql, [ids.to_vec().into()]).await
}

pub(super) async fn texts(tx: &Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, Fault> {
    tx.tuples("SELECT id, body FROM trusted_document WHERE id = ANY($1)", [ids.to_vec().into()]).await
}

pub(super) async fn text_in_use(tx: &Tx, sha256: &[u8; 32]) -> Result<Option<String>, Fault> {
    let row: Option<(String,)> = tx
        .tuple(
            "SELECT body FROM trusted_document WHERE sha256 = $1 AND archived_at IS NULL",
            [sha256.to_vec().into()],
        )
        .await?;
    Ok(row.map(|(text,)| text))
}

fn filtered(tx: &Tx, filter: &DocumentFilter) -> Select<Entity> {
    let mut select = tx.find(Entity);
    if let Some(archived) = filter.archived {
        let column = Column::ArchivedAt;
        select = select.filter(if archived { column.is_not_null() } else { column.is_null() });
    }
    if let Some(sha256) = &filter.sha256 {
        select = select.filter(Column::Sha256.eq(sha256.clone()));
    }
    select
}

/// A page, by falling id.
pub(super) async fn page(tx: &Tx, filter: &DocumentFilter, slice: &Slice) -> Result<Page<Document>, Fault> {
    let mut select = filtered(tx, filter);
    if let Some(after) = &slice.after {
        select = select.filter(Column::Id.lt(after.id));
    }
    if let Some(before) = &slice.before {
        select = select.filter(Column::Id.gt(before.id));
    }
    let order = if slice.backward { Order::Asc } else { Order::Desc };
    let select = select.order_by(Column::Id, order).limit(slice.probe());
    let rows = select.select_only().columns(LISTED_COLUMNS).into_model().all(tx).await?;
    Ok(Page::from_probe(slice, rows))
}

pub(super) async fn count(tx: &Tx, filter: &DocumentFilter) -> Result<u64, Fault> {
    Ok(filtered(tx, filter).select_only().column(Column::Id).count(tx).await?)
}
