//! What is changed of files.

use async_graphql::{Context, Error, InputObject, Object};
use chrono::{DateTime, Utc};
use documents::file::NewUpload;
use documents::file::service::{Upload, create_upload};
use kernel::Permission;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::errors::DocumentsUserError;
use super::file::File;
use crate::graphql::cost::about;
use crate::graphql::guard::Needs;
use crate::graphql::mutation::{Done, mutate};
use crate::graphql::request::InRequest;

/// A file to announce.
#[derive(InputObject)]
struct CreateUploadInput {
    /// Its name, 1 to 255 characters without slashes.
    name: String,
    /// Its media type: `application/xml`, `text/xml`, `application/pdf`, `image/png`, `image/jpeg` or `text/csv`.
    media_type: String,
    /// Its exact size in bytes, at most 20 MiB.
    size: u64,
}

/// What is kept of an announcement for replays: the file. The link is not kept.
#[derive(Clone, Serialize, Deserialize)]
struct Announced {
    file: Uuid,
    #[serde(skip)]
    link: Option<(String, DateTime<Utc>)>,
}

impl From<Upload> for Announced {
    fn from(upload: Upload) -> Self {
        Self { file: upload.file_id, link: Some((upload.token, upload.expires_at)) }
    }
}

/// The announced file and where its bytes go.
struct CreateUploadPayload(Done<Announced>);

impl CreateUploadPayload {
    fn link(&self) -> Option<&(String, DateTime<Utc>)> {
        self.0.result.as_ref()?.link.as_ref()
    }
}

/// The announced file and where its bytes go.
#[Object]
impl CreateUploadPayload {
    /// The file, whose bytes are awaited. Its id goes to `importBills` once they are there. Null when refused.
    #[graphql(guard = "Needs(Permission::FilesRead)")]
    async fn file(&self, ctx: &Context<'_>) -> Result<Option<File>, Error> {
        match &self.0.result {
            Some(announced) => File::load(ctx, announced.file).await,
            None => Ok(None),
        }
    }

    /// The address to PUT exactly the announced bytes to, once, without any further header. It is shown this
    /// once: a replay does not show it. Whoever has it can send the file: do not hand it on.
    fn upload_url(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        let app = ctx.session()?.app();
        Ok(self.link().map(|(token, _)| format!("{}/uploads/{token}", app.public_url)))
    }

    /// Until when the bytes may come: 15 minutes from now. Null in a replay.
    fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.link().map(|(_, expires_at)| *expires_at)
    }

    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    fn user_errors(&self) -> Vec<DocumentsUserError> {
        self.0.refusals.iter().map(DocumentsUserError::from).collect()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    fn replayed(&self) -> bool {
        self.0.replayed
    }
}

/// The documents' part of the mutation root.
#[derive(Default)]
pub(crate) struct DocumentsMutation;

#[Object]
impl DocumentsMutation {
    /// Announces a file, and answers where to PUT its bytes.
    #[graphql(guard = "Needs(Permission::FilesWrite)")]
    async fn create_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A file to announce.")] input: CreateUploadInput,
    ) -> Result<CreateUploadPayload, Error> {
        let upload = NewUpload { name: input.name, media_type: input.media_type, size_bytes: input.size };
        let done = mutate(ctx, move |tx| {
            let upload = upload.clone();
            Box::pin(async move { create_upload(tx, &upload).await.map(Announced::from) })
        });
        Ok(CreateUploadPayload(done.await?))
    }
}
