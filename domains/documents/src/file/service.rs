//! Announces files, takes their bytes, and hands them out again.

use bytes::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use entity::documents::file::Model;
use kernel::signed::{self, Grant};
use kernel::vault::Vault;
use kernel::{Fault, Kind, NewEvent, Permission, Scope, Tx};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{DOWNLOAD_LIFETIME, NewUpload, State, UPLOAD_LIFETIME, checked, hex, store as rows};
use crate::blobs::{Body, Files, Written};
use crate::error::Error;

/// The purpose of a link that takes a file's bytes.
const UPLOAD: &str = "upload";
/// The purpose of a link that gives them.
const DOWNLOAD: &str = "download";

/// An announced file, and the right to send its bytes once.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The file.
    pub file_id: Uuid,
    /// The signed token of the link to PUT to. A secret.
    pub token: String,
    /// Until when the bytes may come.
    pub expires_at: DateTime<Utc>,
}

/// The right to fetch a file's bytes.
#[derive(Clone, Debug)]
pub struct Download {
    /// The signed token of the link to GET. A secret.
    pub token: String,
    /// Until when it opens.
    pub expires_at: DateTime<Utc>,
}

/// A stored file, opened for its reader.
pub struct Opened {
    /// What it is.
    pub file: Model,
    /// Its bytes, in pieces.
    pub body: Body<'static>,
}

/// A stored file with all its bytes, as they came.
#[derive(Clone, Debug)]
pub struct Content {
    /// What it is.
    pub file: Model,
    /// Its bytes; their SHA-256 is the recorded one.
    pub bytes: Bytes,
}

/// Announces a file: its bytes may be sent to the link for 15 minutes, once. Needs `files.write`.
pub async fn create_upload(tx: &Tx, upload: &NewUpload) -> Result<Upload, Error> {
    tx.scope().require(Permission::FilesWrite)?;
    let upload = checked(upload)?;
    let file_id = tx.new_id();
    let (token, expires_at) = token(tx.scope(), UPLOAD, file_id, UPLOAD_LIFETIME)?;
    rows::insert(tx, file_id, &upload, expires_at).await?;
    NewEvent::new("file.announced", Kind::File, file_id)
        .fact("mediaType", &upload.media_type)
        .fact("sizeBytes", upload.size_bytes)
        .changed_personal("name", None, Some(&upload.name))
        .append(tx)
        .await?;
    Ok(Upload { file_id, token, expires_at })
}

/// Whom an upload's token is for: the company whose scope to open, and the file.
pub fn upload_grant(vault: &Vault, token: &str, now: DateTime<Utc>) -> Result<Grant, Error> {
    signed::verify(vault, UPLOAD, token, now).ok_or(Error::BadLink)
}

/// Whom a download's token is for: the company whose scope to open, and the file.
pub fn download_grant(vault: &Vault, token: &str, now: DateTime<Utc>) -> Result<Grant, Error> {
    signed::verify(vault, DOWNLOAD, token, now).ok_or(Error::BadLink)
}

/// Takes the bytes of an announced file. The verified grant is the right to it: no permission is needed.
///
/// The bytes come outside of any transaction, for they come as slowly as their sender likes; so this takes the
/// scope and not a transaction. Each attempt writes a blob of its own, and only the row says which one counts:
/// of two senders at once one is refused, and neither can overwrite what the other stored.
pub async fn store(scope: &Scope, files: &Files, grant: &Grant, body: Body<'_>) -> Result<Uuid, Error> {
    if grant.company != scope.company().id {
        return Err(Error::BadLink);
    }
    let snapshot = scope.read().await?;
    let announced = rows::get(&snapshot, grant.thing).await;
    snapshot.end().await;
    let announced = awaited(announced?)?;
    let size_bytes = u64::try_from(announced.size_bytes).map_err(|e| Fault::Corrupt(e.to_string()))?;
    let key = format!("{}/{}/{}", announced.tenant_id, announced.id, kernel::id::new());
    let written = files.write(&key, size_bytes, body).await?;
    let finished = scope
        .write(|tx| {
            let (id, key, written) = (announced.id, key.clone(), written.clone());
            Box::pin(async move { finish(tx, id, &key, &written).await })
        })
        .await;
    if finished.is_err() {
        files.discard(&key).await;
    }
    finished.map(|()| announced.id)
}

/// The file whose bytes are awaited.
fn awaited(file: Option<Model>) -> Result<Model, Error> {
    let file = file.ok_or(Error::BadLink)?;
    if file.state == State::Pending.as_str() { Ok(file) } else { Err(Error::AlreadyStored) }
}

async fn finish(tx: &Tx, id: Uuid, key: &str, written: &Written) -> Result<(), Error> {
    let file = awaited(rows::lock(tx, id).await?)?;
    // Whoever made the link answers for what came by it.
    rows::set_stored(tx, id, key, &written.sha256, &file.created_by).await?;
    NewEvent::new("file.stored", Kind::File, id)
        .fact("sizeBytes", written.size_bytes)
        .fact("sha256", hex(&written.sha256))
        .append(tx)
        .await?;
    Ok(())
}

/// A link that gives a stored file's bytes for five minutes. Needs `files.read`.
pub async fn download_token(tx: &Tx, file_id: Uuid) -> Result<Download, Error> {
    tx.scope().require(Permission::FilesRead)?;
    let file = rows::get(tx, file_id).await?.ok_or(Error::NotFound("fileId"))?;
    storage_key(&file)?;
    let (token, expires_at) = token(tx.scope(), DOWNLOAD, file_id, DOWNLOAD_LIFETIME)?;
    Ok(Download { token, expires_at })
}

/// Opens a stored file. The verified grant is the right to it: no permission is needed. The snapshot that finds
/// the row ends before the bytes flow.
pub async fn open(scope: &Scope, files: &Files, grant: &Grant) -> Result<Opened, Error> {
    if grant.company != scope.company().id {
        return Err(Error::BadLink);
    }
    let snapshot = scope.read().await?;
    let file = rows::get(&snapshot, grant.thing).await;
    snapshot.end().await;
    let file = file?.ok_or(Error::BadLink)?;
    let body = files.stream(storage_key(&file)?).await?;
    Ok(Opened { file, body })
}

/// All bytes of a stored file, for another domain's use case in the caller's transaction. Fails as corrupt when
/// they are not the bytes that came.
pub async fn read_in(tx: &Tx, files: &Files, file_id: Uuid) -> Result<Content, Error> {
    let file = rows::get(tx, file_id).await?.ok_or(Error::NotFound("fileId"))?;
    let bytes = files.bytes(storage_key(&file)?).await?;
    if file.sha256.as_deref() != Some(Sha256::digest(&bytes).as_slice()) {
        return Err(
            Fault::Corrupt(format!("the bytes of file {file_id} are not those that were stored")).into()
        );
    }
    Ok(Content { file, bytes })
}

/// A file that has its bytes, for another domain to refer to, in the caller's transaction.
pub async fn stored_in(tx: &Tx, file_id: Uuid) -> Result<Model, Error> {
    let file = rows::get(tx, file_id).await?.ok_or(Error::NotFound("fileId"))?;
    storage_key(&file)?;
    Ok(file)
}

/// A file, pending or stored. Needs `files.read`.
pub async fn get(tx: &Tx, id: Uuid) -> Result<Option<Model>, Error> {
    tx.scope().require(Permission::FilesRead)?;
    Ok(rows::get(tx, id).await?)
}

/// The files with these ids, in no order; unknown ids are left out. Needs `files.read`.
pub async fn by_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Model>, Error> {
    tx.scope().require(Permission::FilesRead)?;
    Ok(rows::by_ids(tx, ids).await?)
}

fn storage_key(file: &Model) -> Result<&str, Error> {
    file.storage_key.as_deref().ok_or(Error::NotStored("fileId"))
}

fn token(
    scope: &Scope,
    purpose: &str,
    thing: Uuid,
    lifetime: chrono::TimeDelta,
) -> Result<(String, DateTime<Utc>), Fault> {
    // A token counts whole seconds; the row says the same.
    let expires_at = (scope.clock().now() + lifetime).trunc_subsecs(0);
    let grant = Grant { company: scope.company().id, thing, expires_at };
    Ok((signed::sign(scope.vault(), purpose, grant)?, expires_at))
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("file", &self.file).finish_non_exhaustive()
    }
}
