//! What can be done with tax codes.

use entity::invoicing::tax_code::Model;
use kernel::page::{Page, Slice};
use kernel::{Kind, NewEvent, Permission, Tx};
use ledger::year::Chart;
use uuid::Uuid;

use crate::edit::Edit;
use crate::error::Error;
use crate::listing;
use crate::tax::Category;
use crate::text::{optional, required};

use super::{NewTaxCode, seed, store};

/// Which tax codes; all conditions hold.
#[derive(Clone, Debug, Default)]
pub struct TaxCodeFilter {
    /// Archived ones, or the others.
    pub archived: Option<bool>,
    /// With this code.
    pub code: Option<String>,
    /// Of this category.
    pub category: Option<Category>,
}

const UNKNOWN: Error = Error::NotFound(Kind::TaxCode, "id");

/// Gives a new company its tax codes, in the caller's transaction.
pub async fn seed_in(tx: &Tx, chart: Chart) -> Result<(), Error> {
    for code in seed::codes(chart) {
        create_in(tx, code).await?;
    }
    Ok(())
}

/// Creates a tax code.
pub async fn create(tx: &Tx, code: NewTaxCode) -> Result<Uuid, Error> {
    tx.scope().require(Permission::CatalogWrite)?;
    create_in(tx, code).await
}

async fn create_in(tx: &Tx, code: NewTaxCode) -> Result<Uuid, Error> {
    let id = tx.new_id();
    let created = store::insert(tx, id, code.checked()?).await?;
    NewEvent::new("tax_code.created", Kind::TaxCode, id)
        .fact("code", &created.code)
        .fact("name", &created.name)
        .fact("category", &created.category)
        .fact("rate", created.rate.normalize())
        .fact("reason", &created.reason)
        .fact("chargeable", &created.chargeable)
        .append(tx)
        .await?;
    Ok(id)
}

/// Changes what people read of a tax code; what is computed with never changes.
pub async fn update(
    tx: &Tx,
    id: Uuid,
    expected_version: i32,
    name: Edit<String>,
    reason: Edit<Option<String>>,
) -> Result<(), Error> {
    tx.scope().require(Permission::CatalogWrite)?;
    let before = store::lock(tx, id).await?.ok_or(UNKNOWN)?;
    Error::unless_version(expected_version, before.version)?;
    let mut after = before.clone();
    after.name = required("name", &name.or(before.name.clone()), 100)?;
    after.reason = optional("reason", reason.or(before.reason.clone()).as_deref(), 200)?;
    let category = Category::parse(&before.category);
    if after.reason.is_none() && category.is_none_or(Category::needs_reason) {
        return Err(Error::invalid("reason", "say why no tax is charged: documents must tell it"));
    }
    store::update(tx, &before, &after).await?;
    NewEvent::new("tax_code.updated", Kind::TaxCode, id)
        .changed("name", &before.name, &after.name)
        .changed("reason", &before.reason, &after.reason)
        .append(tx)
        .await?;
    Ok(())
}

/// Archives a tax code: new lines cannot use it.
pub async fn archive(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    tx.scope().require(Permission::CatalogWrite)?;
    set_archived(tx, id, expected_version, true).await
}

/// Takes a tax code back into use.
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
    let after = Model { archived_at: archived.then(|| tx.scope().clock().now()), ..before.clone() };
    store::update(tx, &before, &after).await?;
    let kind = if archived { "tax_code.archived" } else { "tax_code.unarchived" };
    NewEvent::new(kind, Kind::TaxCode, id).append(tx).await?;
    Ok(())
}

/// A tax code.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Model, Error> {
    tx.scope().require(Permission::CatalogRead)?;
    store::by_ids(tx, &[id]).await?.pop().ok_or(UNKNOWN)
}

/// The tax codes of these ids, by id; unknown ones are left out.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::CatalogRead)?;
    by_ids_in(tx, ids).await
}

/// The same, for another use case.
pub async fn by_ids_in(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Error> {
    Ok(store::by_ids(tx, ids).await?)
}

/// A page of tax codes, by code.
pub async fn list(tx: &Tx, filter: &TaxCodeFilter, slice: &Slice) -> Result<Page<Model>, Error> {
    tx.scope().require(Permission::CatalogRead)?;
    listing::page(tx, store::select(tx, filter), &store::SORT, slice).await
}

/// How many tax codes.
pub async fn count(tx: &Tx, filter: &TaxCodeFilter) -> Result<u64, Error> {
    tx.scope().require(Permission::CatalogRead)?;
    listing::count(tx, store::select(tx, filter), store::SORT.id).await
}
