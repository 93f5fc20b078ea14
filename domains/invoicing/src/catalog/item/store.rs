//! How items are read and written.

use entity::invoicing::item::{ActiveModel, Column, Entity, Model};
use kernel::{Fault, Tx};
use sea_orm::{ActiveModelTrait, ColumnTrait, NotSet, QueryFilter, Select, Set, Unchanged};
use uuid::Uuid;

use crate::error::Error;
use crate::listing;

use super::NewItem;
use super::service::ItemFilter;

/// An item's row, locked until the transaction ends.
pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Model>, Fault> {
    tx.one("SELECT * FROM item WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await
}

/// The items of these ids.
pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Fault> {
    tx.all("SELECT * FROM item WHERE id = ANY($1) ORDER BY id", [ids.to_vec().into()]).await
}

fn columns(item: NewItem) -> ActiveModel {
    ActiveModel {
        code: Set(item.code),
        name: Set(item.name),
        nature: Set(item.nature.as_str().to_owned()),
        unit: item.unit.map_or(NotSet, Set),
        unit_price: Set(item.unit_price),
        currency: item.currency.map_or(NotSet, Set),
        tax_code_id: Set(item.tax_code_id),
        account_id: Set(item.account_id),
        external_ref: Set(item.external_ref),
        ..Default::default()
    }
}

/// Stores a new, checked item.
pub(super) async fn insert(tx: &Tx, id: Uuid, item: NewItem) -> Result<Model, Error> {
    let (now, actor) = (tx.scope().clock().now(), tx.scope().actor().stored());
    let row = ActiveModel {
        tenant_id: Set(tx.scope().company().id),
        id: Set(id),
        created_at: Set(now),
        created_by: Set(actor.clone()),
        updated_at: Set(now),
        updated_by: Set(actor),
        ..columns(item)
    };
    row.insert(tx).await.map_err(|error| Error::of_constraint(error.into()))
}

/// Stores a changed, checked item over the locked row.
pub(super) async fn update(tx: &Tx, before: &Model, item: NewItem) -> Result<Model, Error> {
    let row = ActiveModel {
        tenant_id: Unchanged(before.tenant_id),
        id: Unchanged(before.id),
        version: Set(before.version + 1),
        updated_at: Set(tx.scope().clock().now()),
        updated_by: Set(tx.scope().actor().stored()),
        ..columns(item)
    };
    row.update(tx).await.map_err(|error| Error::of_constraint(error.into()))
}

/// Archives or unarchives the locked row.
pub(super) async fn set_archived(tx: &Tx, id: Uuid, archived: bool) -> Result<(), Fault> {
    let now = tx.scope().clock().now();
    tx.run(
        "UPDATE item SET archived_at = $2, version = version + 1, updated_at = $3, updated_by = $4 WHERE id = $1",
        [id.into(), archived.then_some(now).into(), now.into(), tx.scope().actor().stored().into()],
    )
    .await?;
    Ok(())
}

/// The selected items.
pub(super) fn select(tx: &Tx, filter: &ItemFilter) -> Select<Entity> {
    let mut select = tx.find(Entity);
    if let Some(archived) = filter.archived {
        select = select.filter(if archived {
            Column::ArchivedAt.is_not_null()
        } else {
            Column::ArchivedAt.is_null()
        });
    }
    if let Some(nature) = filter.nature {
        select = select.filter(Column::Nature.eq(nature.as_str()));
    }
    if let Some(prefix) = &filter.name_prefix {
        select = select.filter(listing::starts_with(Column::NameLower, &prefix.trim().to_lowercase()));
    }
    if let Some(code) = &filter.code {
        select = select.filter(Column::Code.eq(code.as_str()));
    }
    if let Some(external_ref) = &filter.external_ref {
        select = select.filter(Column::ExternalRef.eq(external_ref.as_str()));
    }
    select
}

/// The orders of items.
pub(super) fn sort(by_name: bool) -> listing::Sort<Column> {
    if by_name {
        listing::Sort { key: Some((Column::NameLower, listing::text_key)), id: Column::Id, descending: false }
    } else {
        listing::Sort { key: None, id: Column::Id, descending: true }
    }
}
