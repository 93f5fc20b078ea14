//! How parties are read and written.

use entity::invoicing::party::{ActiveModel, Column, Entity, Model};
use kernel::vault::Place;
use kernel::{Fault, Tx};
use sea_orm::{ActiveModelTrait, ColumnTrait, NotSet, QueryFilter, Select, Set};
use uuid::Uuid;

use crate::edit::Edit;
use crate::error::Error;
use crate::listing;

use super::NewParty;
use super::service::PartyFilter;

/// A bank account as it is stored.
pub(super) struct SealedIban {
    pub(super) sealed: Vec<u8>,
    pub(super) digest: Vec<u8>,
    pub(super) hint: String,
}

fn place(tx: &Tx, row: Uuid) -> Place<'static> {
    Place { company: tx.scope().company().id, column: "party.iban", row }
}

/// Seals a bank account for its row. The digest is the company's own: equal accounts of two companies differ.
pub(super) fn seal_iban(tx: &Tx, row: Uuid, iban: &str) -> Result<SealedIban, Error> {
    let vault = tx.scope().vault();
    let keyed = [tx.scope().company().id.as_bytes(), iban.as_bytes()].concat();
    Ok(SealedIban {
        sealed: vault.seal(place(tx, row), iban)?,
        digest: vault.digest("party.iban", &keyed)?,
        hint: iban[iban.len().saturating_sub(4)..].to_owned(),
    })
}

/// Opens a bank account of a row.
pub(super) fn open_iban(tx: &Tx, row: Uuid, sealed: &[u8]) -> Result<String, Error> {
    Ok(tx.scope().vault().open(place(tx, row), sealed)?)
}

/// A party's row, locked until the transaction ends.
pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Model>, Fault> {
    tx.one("SELECT * FROM party WHERE id = $1 FOR NO KEY UPDATE", [id.into()]).await
}

/// The parties of these ids.
pub(super) async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Fault> {
    tx.all("SELECT * FROM party WHERE id = ANY($1) ORDER BY id", [ids.to_vec().into()]).await
}

/// The columns of a checked party; ids, bank account and stamps are left to the caller.
fn columns(party: NewParty) -> ActiveModel {
    ActiveModel {
        is_customer: Set(party.is_customer),
        is_supplier: Set(party.is_supplier),
        name: Set(party.name),
        legal_id: Set(party.legal_id),
        siret: Set(party.siret),
        vat_id: Set(party.vat_id),
        email: Set(party.email),
        phone: Set(party.phone),
        street: Set(party.street),
        street2: Set(party.street2),
        postcode: Set(party.postcode),
        city: Set(party.city),
        country: Set(party.country),
        currency: party.currency.map_or(NotSet, Set),
        payment_days: party.payment_days.map_or(NotSet, Set),
        end_of_month: Set(party.end_of_month),
        vat_on_payment: Set(party.vat_on_payment),
        bic: Set(party.bic),
        external_ref: Set(party.external_ref),
        ..Default::default()
    }
}

fn set_iban(row: &mut ActiveModel, iban: Option<SealedIban>) {
    let (sealed, digest, hint) = match iban {
        Some(iban) => (Some(iban.sealed), Some(iban.digest), Some(iban.hint)),
        None => (None, None, None),
    };
    (row.iban_sealed, row.iban_digest, row.iban_hint) = (Set(sealed), Set(digest), Set(hint));
}

/// Stores a new, checked party.
pub(super) async fn insert(
    tx: &Tx,
    id: Uuid,
    party: NewParty,
    iban: Option<SealedIban>,
) -> Result<Model, Error> {
    let (now, actor) = (tx.scope().clock().now(), tx.scope().actor().stored());
    let mut row = columns(party);
    set_iban(&mut row, iban);
    (row.tenant_id, row.id) = (Set(tx.scope().company().id), Set(id));
    (row.created_at, row.created_by) = (Set(now), Set(actor.clone()));
    (row.updated_at, row.updated_by) = (Set(now), Set(actor));
    row.insert(tx).await.map_err(|error| Error::of_constraint(error.into()))
}

/// Stores a changed, checked party over the locked row. The bank account may be kept.
pub(super) async fn update(
    tx: &Tx,
    before: &Model,
    party: NewParty,
    iban: Edit<Option<SealedIban>>,
) -> Result<Model, Error> {
    let mut row = columns(party);
    if let Edit::To(iban) = iban {
        set_iban(&mut row, iban);
    }
    (row.tenant_id, row.id) = (sea_orm::Unchanged(before.tenant_id), sea_orm::Unchanged(before.id));
    row.version = Set(before.version + 1);
    row.updated_at = Set(tx.scope().clock().now());
    row.updated_by = Set(tx.scope().actor().stored());
    row.update(tx).await.map_err(|error| Error::of_constraint(error.into()))
}

/// Archives or unarchives the locked row.
pub(super) async fn set_archived(tx: &Tx, id: Uuid, archived: bool) -> Result<(), Fault> {
    let now = tx.scope().clock().now();
    tx.run(
        "UPDATE party SET archived_at = $2, version = version + 1, updated_at = $3, updated_by = $4 WHERE id = $1",
        [id.into(), archived.then_some(now).into(), now.into(), tx.scope().actor().stored().into()],
    )
    .await?;
    Ok(())
}

/// Marks the locked row as a supplier.
pub(super) async fn set_supplier(tx: &Tx, id: Uuid) -> Result<(), Fault> {
    tx.run(
        "UPDATE party SET is_supplier = true, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), tx.scope().clock().now().into(), tx.scope().actor().stored().into()],
    )
    .await?;
    Ok(())
}

/// The party that a document's sender is: by VAT number, then by register number, then by name and country.
/// One in use is preferred to an archived one.
pub(super) async fn of_document(tx: &Tx, sender: &NewParty) -> Result<Option<Uuid>, Fault> {
    let found: Option<(Uuid,)> = tx
        .tuple(
            "SELECT id FROM (
                 SELECT id, archived_at, 1 AS by FROM party WHERE vat_id = $1
                 UNION ALL SELECT id, archived_at, 2 FROM party WHERE legal_id = $2 AND country = $4
                 UNION ALL SELECT id, archived_at, 3 FROM party WHERE name_lower = lower($3) AND country = $4
                     AND (vat_id IS NULL OR $1::text IS NULL) AND (legal_id IS NULL OR $2::text IS NULL)) AS found
             ORDER BY by, archived_at IS NOT NULL, id LIMIT 1",
            [
                sender.vat_id.clone().into(),
                sender.legal_id.clone().into(),
                sender.name.clone().into(),
                sender.country.clone().into(),
            ],
        )
        .await?;
    Ok(found.map(|(id,)| id))
}

/// Makes a second import of the same unknown supplier wait for the first one.
pub(super) async fn lock_creation(tx: &Tx) -> Result<(), Fault> {
    let key = format!("party from document {}", tx.scope().company().id);
    tx.run("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [key.into()]).await?;
    Ok(())
}

/// The selected parties.
pub(super) fn select(tx: &Tx, filter: &PartyFilter) -> Select<Entity> {
    let mut select = tx.find(Entity);
    if let Some(customer) = filter.customer {
        select = select.filter(Column::IsCustomer.eq(customer));
    }
    if let Some(supplier) = filter.supplier {
        select = select.filter(Column::IsSupplier.eq(supplier));
    }
    if let Some(archived) = filter.archived {
        select = select.filter(if archived {
            Column::ArchivedAt.is_not_null()
        } else {
            Column::ArchivedAt.is_null()
        });
    }
    if let Some(prefix) = &filter.name_prefix {
        select = select.filter(listing::starts_with(Column::NameLower, &prefix.trim().to_lowercase()));
    }
    if let Some(external_ref) = &filter.external_ref {
        select = select.filter(Column::ExternalRef.eq(external_ref.as_str()));
    }
    if let Some(vat_id) = &filter.vat_id {
        select = select.filter(Column::VatId.eq(super::identifiers::compact(vat_id)));
    }
    select
}

/// The id column, for counting.
pub(super) const ID: Column = Column::Id;

/// The orders of parties.
pub(super) fn sort(by_name: bool) -> listing::Sort<Column> {
    if by_name {
        listing::Sort { key: Some((Column::NameLower, listing::text_key)), id: Column::Id, descending: false }
    } else {
        listing::Sort { key: None, id: Column::Id, descending: true }
    }
}
