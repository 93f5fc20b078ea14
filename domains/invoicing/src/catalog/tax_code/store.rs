//! How tax codes are read and written.

use entity::invoicing::tax_code::{ActiveModel, Column, Entity, Model};
use kernel::{Fault, Tx};
use sea_orm::{ActiveModelTrait, ColumnTrait, QueryFilter, Select, Set, Unchanged};
use uuid::Uuid;

use crate::error::Error;
use crate::listing;

use super::NewTaxCode;
use super::service::TaxCodeFilter;

/// A code's row, locked until the transaction ends.
pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Model>, Fault> {
    tx.one("SELECT * FROM tax_code WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await
}

/// The codes of these ids.
pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Fault> {
    tx.all("SELECT * FROM tax_code WHERE id = ANY($1) ORDER BY id", [ids.to_vec().into()]).await
}

/// Stores a new, checked code.
pub(super) async fn insert(tx: &Tx, id: Uuid, code: NewTaxCode) -> Result<Model, Error> {
    let (now, actor) = (tx.scope().clock().now(), tx.scope().actor().stored());
    let row = ActiveModel {
        tenant_id: Set(tx.scope().company().id),
        id: Set(id),
        code: Set(code.code),
        name: Set(code.name),
        category: Set(code.category.as_str().to_owned()),
        rate: Set(code.rate),
        reason: Set(code.reason),
        chargeable: Set(code.chargeable.as_str().to_owned()),
        created_at: Set(now),
        created_by: Set(actor.clone()),
        updated_at: Set(now),
        updated_by: Set(actor),
        ..Default::default()
    };
    row.insert(tx).await.map_err(|error| Error::of_constraint(error.into()))
}

/// Stores new texts, or (un)archives, over the locked row.
pub(super) async fn update(tx: &Tx, before: &Model, after: &Model) -> Result<(), Error> {
    let row = ActiveModel {
        tenant_id: Unchanged(before.tenant_id),
        id: Unchanged(before.id),
        name: Set(after.name.clone()),
        reason: Set(after.reason.clone()),
        archived_at: Set(after.archived_at),
        version: Set(before.version + 1),
        updated_at: Set(tx.scope().clock().now()),
        updated_by: Set(tx.scope().actor().stored()),
        ..Default::default()
    };
    row.update(tx).await.map_err(|error| Error::of_constraint(error.into()))?;
    Ok(())
}

/// The selected codes.
pub(super) fn select(tx: &Tx, filter: &TaxCodeFilter) -> Select<Entity> {
    let mut select = tx.find(Entity);
    if let Some(archived) = filter.archived {
        select = select.filter(if archived {
            Column::ArchivedAt.is_not_null()
        } else {
            Column::ArchivedAt.is_null()
        });
    }
    if let Some(code) = &filter.code {
        select = select.filter(Column::Code.eq(code.as_str()));
    }
    if let Some(category) = filter.category {
        select = select.filter(Column::Category.eq(category.as_str()));
    }
    select
}

/// The order of codes: by code.
pub(super) const SORT: listing::Sort<Column> =
    listing::Sort { key: Some((Column::Code, listing::text_key)), id: Column::Id, descending: false };
