//! What can be done with items.

use entity::invoicing::item::{Column, Model};
use kernel::page::{Page, Slice};
use kernel::{Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use crate::catalog::tax_code;
use crate::error::Error;
use crate::listing;

use super::{ItemEdit, Nature, NewItem, store};

/// Which items; all conditions hold.
#[derive(Clone, Debug, Default)]
pub struct ItemFilter {
    /// Archived ones, or the others.
    pub archived: Option<bool>,
    /// Goods or services.
    pub nature: Option<Nature>,
    /// Whose name starts so, in any case of letters.
    pub name_prefix: Option<String>,
    /// With this code.
    pub code: Option<String>,
    /// With this external reference.
    pub external_ref: Option<String>,
}

/// The order of a list of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ItemSort {
    /// The newest first.
    #[default]
    Newest,
    /// By name, in lower case.
    Name,
}

impl ItemSort {
    /// An item's key in this order, for cursors.
    pub fn key(self, item: &Model) -> String {
        match self {
            Self::Newest => String::new(),
            Self::Name => item.name_lower.clone(),
        }
    }
}

const UNKNOWN: Error = Error::NotFound(Kind::Item, "id");

/// Refuses an unknown or archived tax code.
async fn require_tax_code(tx: &Tx, id: Uuid) -> Result<(), Error> {
    let code = tax_code::service::by_ids_in(tx, &[id]).await?.pop();
    let code = code.ok_or(Error::NotFound(Kind::TaxCode, "taxCodeId"))?;
    if code.archived_at.is_some() {
        return Err(Error::Archived(Kind::TaxCode, "taxCodeId".into()));
    }
    Ok(())
}

/// Creates an item.
pub async fn create(tx: &Tx, item: NewItem) -> Result<Uuid, Error> {
    tx.scope().require(Permission::CatalogWrite)?;
    let item = item.checked(tx.scope().company().currency)?;
    require_tax_code(tx, item.tax_code_id).await?;
    let id = tx.new_id();
    let created = store::insert(tx, id, item).await?;
    NewEvent::new("item.created", Kind::Item, id)
        .fact("code", &created.code)
        .fact("name", &created.name)
        .fact("nature", &created.nature)
        .fact("unit", &created.unit)
        .fact("unitPrice", created.unit_price)
        .fact("currency", &created.currency)
        .fact("taxCodeId", kernel::id::encode(Kind::TaxCode, created.tax_code_id))
        .append(tx)
        .await?;
    Ok(id)
}

/// Changes an item. Lines that exist keep what they copied.
pub async fn update(tx: &Tx, id: Uuid, expected_version: i32, edit: ItemEdit) -> Result<(), Error> {
    tx.scope().require(Permission::CatalogWrite)?;
    let before = store::lock(tx, id).await?.ok_or(UNKNOWN)?;
    Error::unless_version(expected_version, before.version)?;
    let nature = Nature::parse(&before.nature)
        .ok_or_else(|| kernel::Fault::Corrupt(format!("nature {} of item {id}", before.nature)))?;
    let item = NewItem {
        code: edit.code.or(before.code.clone()),
        name: edit.name.or(before.name.clone()),
        nature: edit.nature.or(nature),
        unit: Some(edit.unit.or(before.unit.clone())),
        unit_price: edit.unit_price.or(before.unit_price),
        currency: Some(edit.currency.or(before.currency.clone())),
        tax_code_id: edit.tax_code_id.or(before.tax_code_id),
        account_id: edit.account_id.or(before.account_id),
        external_ref: edit.external_ref.or(before.external_ref.clone()),
    };
    let item = item.checked(tx.scope().company().currency)?;
    if item.tax_code_id != before.tax_code_id {
        require_tax_code(tx, item.tax_code_id).await?;
    }
    let after = store::update(tx, &before, item).await?;
    let tax_code = |model: &Model| kernel::id::encode(Kind::TaxCode, model.tax_code_id);
    let account = |model: &Model| model.account_id.map(|id| kernel::id::encode(Kind::Account, id));
    NewEvent::new("item.updated", Kind::Item, id)
        .changed("code", &before.code, &after.code)
        .changed("name", &before.name, &after.name)
        .changed("nature", &before.nature, &after.nature)
        .changed("unit", &before.unit, &after.unit)
        .changed("unitPrice", &before.unit_price, &after.unit_price)
        .changed("currency", &before.currency, &after.currency)
        .changed("taxCodeId", &tax_code(&before), &tax_code(&after))
        .changed("accountId", &account(&before), &account(&after))
        .changed("externalRef", &before.external_ref, &after.external_ref)
        .append(tx)
        .await?;
    Ok(())
}

/// Archives an item: new lines cannot use it.
pub async fn archive(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    tx.scope().require(Permission::CatalogWrite)?;
    set_archived(tx, id, expected_version, true).await
}

/// Takes an item back into use.
pub async fn unarchive(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    tx.scope().require(Permission::CatalogWrite)?;
    set_archived(tx, id, expected_version, false).await
}

async fn set_archived(tx: &Tx, id: Uuid, expected_version: i32, archived: bool) -> Result<(), Error> {
    let before = store::lock(tx, id).await?.ok_or(UNKNOWN)?;
    Error::unless_version(expected_version, before.version)?;
    if before.archived_at.is_some() == archived {
        return Ok(());
    }
    store::set_archived(tx, id, archived).await?;
    let kind = if archived { "item.archived" } else { "item.unarchived" };
    NewEvent::new(kind, Kind::Item, id).append(tx).await?;
    Ok(())
}

/// An item.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Model, Error> {
    tx.scope().require(Permission::CatalogRead)?;
    store::by_ids(tx, &[id]).await?.pop().ok_or(UNKNOWN)
}

/// The items of these ids, by id; unknown ones are left out.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::CatalogRead)?;
    by_ids_in(tx, ids).await
}

/// The same, for another use case.
pub async fn by_ids_in(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Error> {
    Ok(store::by_ids(tx, ids).await?)
}

/// A page of items.
pub async fn list(tx: &Tx, filter: &ItemFilter, sort: ItemSort, slice: &Slice) -> Result<Page<Model>, Error> {
    tx.scope().require(Permission::CatalogRead)?;
    listing::page(tx, store::select(tx, filter), &store::sort(sort == ItemSort::Name), slice).await
}

/// How many items.
pub async fn count(tx: &Tx, filter: &ItemFilter) -> Result<u64, Error> {
    tx.scope().require(Permission::CatalogRead)?;
    listing::count(tx, store::select(tx, filter), Column::Id).await
}
