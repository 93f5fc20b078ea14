//! A file in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use documents::file::{State, hex, service};
use entity::documents::file::Model;
use kernel::{Kind, Permission, Tx};
use uuid::Uuid;

use crate::graphql::actor::Actor;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::{parse, public};
use crate::graphql::request::{Batch, InRequest};

/// Whether the bytes of a file are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum FileState {
    /// Announced; the bytes are awaited at the upload's URL.
    Pending,
    /// The bytes are kept, and never change.
    Stored,
}

/// A file that the company keeps.
#[derive(Clone)]
pub(crate) struct File(Model);

/// The files of these ids, in one statement.
struct Files;

impl Batch for Files {
    type Key = Uuid;
    type Value = Model;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, Model>, Error> {
        let files = service::by_ids(tx, keys).await.told()?;
        Ok(files.into_iter().map(|file| (file.id, file)).collect())
    }
}

impl File {
    /// A file by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        Ok(ctx.session()?.load::<Files>(id).await?.map(Self))
    }
}

/// Where a file's bytes are fetched, for a while.
#[derive(SimpleObject)]
pub(crate) struct Download {
    /// The address to GET, without any header. Whoever has it can fetch the file: do not hand it on.
    url: String,
    /// Until when it opens: five minutes from now.
    expires_at: DateTime<Utc>,
}

/// A file that the company keeps.
#[Object]
impl File {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::File, self.0.id)
    }

    /// Its name, as who announced it calls it.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its media type, e.g. `application/xml`.
    fn media_type(&self) -> &str {
        &self.0.media_type
    }

    /// Its size in bytes.
    fn size(&self) -> i64 {
        self.0.size_bytes
    }

    /// Whether its bytes are there.
    fn state(&self) -> FileState {
        if self.0.state == State::Stored.as_str() { FileState::Stored } else { FileState::Pending }
    }

    /// The SHA-256 of its bytes in hexadecimal; null until they are there.
    fn sha256(&self) -> Option<String> {
        self.0.sha256.as_deref().map(hex)
    }

    /// When its bytes came; null until they are there.
    fn stored_at(&self) -> Option<DateTime<Utc>> {
        self.0.stored_at
    }

    /// When it was announced.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Who announced it.
    fn created_by(&self) -> Actor {
        Actor(self.0.created_by.clone())
    }

    /// A fresh link to its bytes; null until they are there.
    #[graphql(guard = "Needs(Permission::FilesRead)")]
    async fn download(&self, ctx: &Context<'_>) -> Result<Option<Download>, Error> {
        if self.0.state != State::Stored.as_str() {
            return Ok(None);
        }
        let request = ctx.session()?;
        let tx = request.read().await?;
        let link = service::download_token(&tx, self.0.id).await.told()?;
        let url = format!("{}/files/{}", request.app().public_url, link.token);
        Ok(Some(Download { url, expires_at: link.expires_at }))
    }
}

/// The documents' part of the query root.
#[derive(Default)]
pub(crate) struct DocumentsQuery;

#[Object]
impl DocumentsQuery {
    /// A file by id. Null for an unknown id, and for one of another company.
    #[graphql(guard = "Needs(Permission::FilesRead)")]
    async fn file(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file.")] id: ID,
    ) -> Result<Option<File>, Error> {
        File::load(ctx, parse(Kind::File, "id", &id)?).await
    }
}
