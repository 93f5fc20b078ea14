//! What can be done with parties.

use entity::invoicing::party::{Entity, Model};
use kernel::page::{Page, Slice};
use kernel::sparse::Columns;
use kernel::{Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use crate::edit::Edit;
use crate::error::Error;
use crate::listing;

use super::{NewParty, PartyEdit, store, tell_changes};

/// Which parties; all conditions hold.
#[derive(Clone, Debug, Default)]
pub struct PartyFilter {
    /// Customers, or the others.
    pub customer: Option<bool>,
    /// Suppliers, or the others.
    pub supplier: Option<bool>,
    /// Archived ones, or the others.
    pub archived: Option<bool>,
    /// Whose name starts so, in any case of letters.
    pub name_prefix: Option<String>,
    /// With this VAT number.
    pub vat_id: Option<String>,
    /// With this external reference.
    pub external_ref: Option<String>,
}

/// The order of a list of parties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartySort {
    /// The newest first.
    #[default]
    Newest,
    /// By name, in lower case.
    Name,
}

impl PartySort {
    /// A party's key in this order, for cursors.
    pub fn key(self, party: &Model) -> String {
        match self {
            Self::Newest => String::new(),
            Self::Name => party.name_lower.clone(),
        }
    }
}

const UNKNOWN: Error = Error::NotFound(Kind::Party, "id");

/// Creates a customer or supplier.
pub async fn create(tx: &Tx, party: NewParty) -> Result<Uuid, Error> {
    tx.scope().require(Permission::PartiesWrite)?;
    if party.iban.is_some() || party.bic.is_some() {
        tx.scope().require(Permission::PartiesBank)?;
    }
    create_in(tx, party).await
}

/// Creates a party in the caller's transaction, whose permission stands for it.
async fn create_in(tx: &Tx, mut party: NewParty) -> Result<Uuid, Error> {
    let id = tx.new_id();
    let iban = NewParty::checked_iban(party.iban.take().as_deref())?;
    let party = party.checked(tx.scope().company().currency)?;
    let iban = iban.map(|iban| store::seal_iban(tx, id, &iban)).transpose()?;
    let created = store::insert(tx, id, party, iban).await?;
    tell_changes(NewEvent::new("party.created", Kind::Party, id), None, &created).append(tx).await?;
    Ok(id)
}

/// Changes a party. Issued documents keep what they showed.
pub async fn update(tx: &Tx, id: Uuid, expected_version: i32, mut edit: PartyEdit) -> Result<(), Error> {
    tx.scope().require(Permission::PartiesWrite)?;
    if edit.touches_bank() {
        tx.scope().require(Permission::PartiesBank)?;
    }
    let before = store::lock(tx, id).await?.ok_or(UNKNOWN)?;
    Error::unless_version(expected_version, before.version)?;
    let iban = match std::mem::take(&mut edit.iban) {
        Edit::Keep => Edit::Keep,
        Edit::To(iban) => {
            let iban = NewParty::checked_iban(iban.as_deref())?;
            Edit::To(iban.map(|iban| store::seal_iban(tx, id, &iban)).transpose()?)
        }
    };
    let party = edit.applied_to(&before).checked(tx.scope().company().currency)?;
    let after = store::update(tx, &before, party, iban).await?;
    tell_changes(NewEvent::new("party.updated", Kind::Party, id), Some(&before), &after).append(tx).await?;
    Ok(())
}

/// Archives a party: it takes no new documents.
pub async fn archive(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    tx.scope().require(Permission::PartiesWrite)?;
    set_archived(tx, id, expected_version, true).await
}

/// Takes a party back into use.
pub async fn unarchive(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    tx.scope().require(Permission::PartiesWrite)?;
    set_archived(tx, id, expected_version, false).await
}

async fn set_archived(tx: &Tx, id: Uuid, expected_version: i32, archived: bool) -> Result<(), Error> {
    let before = store::lock(tx, id).await?.ok_or(UNKNOWN)?;
    Error::unless_version(expected_version, before.version)?;
    if before.archived_at.is_some() == archived {
        return Ok(());
    }
    store::set_archived(tx, id, archived).await?;
    let kind = if archived { "party.archived" } else { "party.unarchived" };
    NewEvent::new(kind, Kind::Party, id).append(tx).await?;
    Ok(())
}

/// The supplier that sent a document: found by VAT number, register number, or name and country, and marked as
/// a supplier; else created from what the document says. What is not well-formed in the document is left out.
/// A bank account is taken from a document only for a new supplier, and only by who may change bank details:
/// a forged document must not redirect payments.
pub async fn supplier_from_document_in(tx: &Tx, sender: &NewParty) -> Result<Uuid, Error> {
    let mut sender = sender.clone().without_malformed();
    sender.is_supplier = true;
    if let Some(id) = store::of_document(tx, &sender).await? {
        return supplier_in(tx, id).await;
    }
    store::lock_creation(tx).await?;
    if let Some(id) = store::of_document(tx, &sender).await? {
        return supplier_in(tx, id).await;
    }
    if !tx.scope().permissions().has(Permission::PartiesBank) {
        (sender.iban, sender.bic) = (None, None);
    }
    create_in(tx, sender).await
}

/// Marks a party as a supplier, unless it is one.
async fn supplier_in(tx: &Tx, id: Uuid) -> Result<Uuid, Error> {
    let known = store::by_ids(tx, &[id]).await?;
    if known.iter().any(|party| party.is_supplier) {
        return Ok(id);
    }
    let before = store::lock(tx, id).await?.ok_or(UNKNOWN)?;
    store::set_supplier(tx, id).await?;
    let event = NewEvent::new("party.updated", Kind::Party, id);
    event.changed("isSupplier", &before.is_supplier, &true).append(tx).await?;
    Ok(id)
}

/// A party.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Model, Error> {
    tx.scope().require(Permission::PartiesRead)?;
    get_in(tx, id, "id").await
}

/// A party, for another domain's use case; `field` is the input field that names it.
pub async fn get_in(tx: &Tx, id: Uuid, field: &'static str) -> Result<Model, Error> {
    store::by_ids(tx, &[id]).await?.pop().ok_or(Error::NotFound(Kind::Party, field))
}

/// The parties of these ids, by id, with some of their columns; unknown ones are left out.
pub async fn by_ids(tx: &Tx, ids: &[Uuid], columns: &Columns<Entity>) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::PartiesRead)?;
    let rest = "FROM party WHERE id = ANY($1) ORDER BY id";
    Ok(tx.columns(columns, rest, [ids.to_vec().into()]).await?)
}

/// A page of parties.
pub async fn list(
    tx: &Tx,
    filter: &PartyFilter,
    sort: PartySort,
    slice: &Slice,
) -> Result<Page<Model>, Error> {
    tx.scope().require(Permission::PartiesRead)?;
    listing::page(tx, store::select(tx, filter), &store::sort(sort == PartySort::Name), slice).await
}

/// How many parties.
pub async fn count(tx: &Tx, filter: &PartyFilter) -> Result<u64, Error> {
    tx.scope().require(Permission::PartiesRead)?;
    listing::count(tx, store::select(tx, filter), store::ID).await
}

/// The bank account of a party in electronic form, if it has one.
pub async fn iban(tx: &Tx, id: Uuid) -> Result<Option<String>, Error> {
    tx.scope().require(Permission::PartiesBank)?;
    let party = get_in(tx, id, "id").await?;
    party.iban_sealed.map(|sealed| store::open_iban(tx, id, &sealed)).transpose()
}
