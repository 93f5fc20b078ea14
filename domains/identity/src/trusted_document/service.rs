//! Registering, listing and archiving trusted documents, and finding them for clients.

use chrono::{DateTime, Utc};
use kernel::page::{Page, Slice};
use kernel::{Fault, Kind, NewEvent, Permission, Tx};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::store::{self, Stored};
use super::{MOST_AT_ONCE, NewDocument, hash, written};
use crate::error::Error;

/// A document, without its text.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Document {
    /// The document.
    pub id: Uuid,
    /// The SHA-256 of its text, 32 bytes.
    pub sha256: Vec<u8>,
    /// What it is for.
    pub name: String,
    /// When it was first registered.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
    /// Since when it is out of use.
    pub archived_at: Option<DateTime<Utc>>,
}

/// Which documents; all conditions hold.
#[derive(Clone, Debug, Default)]
pub struct DocumentFilter {
    /// Archived ones, or the others.
    pub archived: Option<bool>,
    /// With the text of this hash.
    pub sha256: Option<Vec<u8>>,
}

/// Registers documents; their ids, in the order given. A text that is registered already keeps its id and its first
/// name; one that was archived is in use again.
pub async fn register(tx: &Tx, documents: &[NewDocument]) -> Result<Vec<Uuid>, Error> {
    tx.scope().require(Permission::TrustedDocumentsManage)?;
    if !(1..=MOST_AT_ONCE).contains(&documents.len()) {
        return Err(Error::invalid("documents", format!("register 1 to {MOST_AT_ONCE} documents at once")));
    }
    for (place, document) in documents.iter().enumerate() {
        document.check(place)?;
    }
    let mut by_hash: Vec<_> = documents.iter().map(|document| hash(&document.text)).zip(0..).collect();
    // In one order for all, so that two registrations of the same texts do not wait for each other.
    by_hash.sort_unstable();
    let mut ids = vec![Uuid::nil(); documents.len()];
    for (sha256, place) in by_hash {
        ids[place] = register_one(tx, &documents[place], &sha256).await?;
    }
    Ok(ids)
}

async fn register_one(tx: &Tx, document: &NewDocument, sha256: &[u8; 32]) -> Result<Uuid, Error> {
    let name = document.name.trim();
    let (id, name) = match store::insert(tx, tx.new_id(), sha256, name, &document.text).await? {
        Stored::New(id) => (id, name.to_owned()),
        Stored::Known(known) if known.archived_at.is_some() => {
            store::set_archived(tx, known.id, None).await?;
            (known.id, known.name)
        }
        Stored::Known(known) => return Ok(known.id),
    };
    let event = NewEvent::new("trusted_document.registered", Kind::TrustedDocument, id);
    event.fact("name", name).fact("sha256", written(sha256)).append(tx).await?;
    Ok(id)
}

/// Takes a document out of use. Archiving an archived one changes nothing.
pub async fn archive(tx: &Tx, id: Uuid) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::TrustedDocumentsManage)?;
    let known = store::lock(tx, id).await?.ok_or(Error::NotFound(Kind::TrustedDocument))?;
    if known.archived_at.is_some() {
        return Ok(());
    }
    store::set_archived(tx, id, Some(scope.clock().now())).await?;
    let event = NewEvent::new("trusted_document.archived", Kind::TrustedDocument, id);
    Ok(event.fact("name", known.name).fact("sha256", written(&known.sha256)).append(tx).await?)
}

/// A page of documents, the newest first.
pub async fn list(tx: &Tx, filter: &DocumentFilter, slice: &Slice) -> Result<Page<Document>, Error> {
    tx.scope().require(Permission::TrustedDocumentsRead)?;
    Ok(store::page(tx, filter, slice).await?)
}

/// How many documents there are.
pub async fn count(tx: &Tx, filter: &DocumentFilter) -> Result<u64, Error> {
    tx.scope().require(Permission::TrustedDocumentsRead)?;
    Ok(store::count(tx, filter).await?)
}

/// The documents of these ids; unknown ones are left out.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Document>, Error> {
    tx.scope().require(Permission::TrustedDocumentsRead)?;
    Ok(store::by_ids(tx, ids).await?)
}

/// The texts of these documents; unknown ones are left out.
pub async fn texts(tx: &Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, Error> {
    tx.scope().require(Permission::TrustedDocumentsRead)?;
    Ok(store::texts(tx, ids).await?)
}

/// The text of a document in use, by its hash. For whoever sends the hash: no permission is needed to run what the
/// company has registered, and what the text asks for needs its own.
pub async fn text_in(tx: &Tx, sha256: &[u8; 32]) -> Result<Option<String>, Fault> {
    store::text_in_use(tx, sha256).await
}
