//! Trusted documents in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Error, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use identity::trusted_document::service::{self, Document, DocumentFilter};
use identity::trusted_document::{read_hash, written};
use kernel::page::Cursor;
use kernel::{Kind, Permission, Tx};
use uuid::Uuid;

use crate::graphql::actor::Actor;
use crate::graphql::connection::{Connection, PageArgs, TotalCount, connection};
use crate::graphql::cost::{costs, paged};
use crate::graphql::error::bad_argument;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::request::{Batch, InRequest};

/// A query text that the company has registered: its clients may send the hash in its place.
#[derive(Clone)]
pub(crate) struct TrustedDocument(Document);

/// The documents of these ids, in one statement.
struct Documents;

impl Batch for Documents {
    type Key = Uuid;
    type Value = TrustedDocument;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, TrustedDocument>, Error> {
        let documents = service::by_ids(tx, keys).await.told()?;
        Ok(documents.into_iter().map(|document| (document.id, TrustedDocument(document))).collect())
    }
}

/// The texts of these documents, in one statement: they are large, and read only when they are asked for.
struct Texts;

impl Batch for Texts {
    type Key = Uuid;
    type Value = String;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, String>, Error> {
        Ok(service::texts(tx, keys).await.told()?.into_iter().collect())
    }
}

impl TrustedDocument {
    /// A document by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        ctx.session()?.load::<Documents>(id).await
    }
}

/// A query text that the company has registered: its clients may send the hash in its place.
#[Object]
impl TrustedDocument {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::TrustedDocument, self.0.id)
    }

    /// What it is for: usually the name of its operation.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The SHA-256 of its text, 64 hexadecimal digits. Clients send `"documentId": "sha256:…"` in place of `query`.
    fn sha256(&self) -> String {
        written(&self.0.sha256)
    }

    /// The text as it was registered.
    #[graphql(directive = costs::apply(5))]
    async fn text(&self, ctx: &Context<'_>) -> Result<Option<String>, Error> {
        ctx.session()?.load::<Texts>(self.0.id).await
    }

    /// When it was first registered.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Who registered it.
    fn created_by(&self) -> Actor {
        Actor(self.0.created_by.clone())
    }

    /// When it was archived; null while clients may send it.
    fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }
}

/// Which trusted documents; all conditions hold.
#[derive(Clone, Debug, Default, InputObject)]
struct TrustedDocumentFilterInput {
    /// Archived ones, or the others.
    archived: Option<bool>,
    /// With the text of this hash: 64 hexadecimal digits.
    sha256: Option<String>,
}

impl TrustedDocumentFilterInput {
    fn read(self) -> Result<DocumentFilter, Error> {
        let wrong = || bad_argument("filter.sha256", "a SHA-256 has 64 hexadecimal digits");
        let hash = self.sha256.map(|text| read_hash(&text).ok_or_else(wrong)).transpose()?;
        Ok(DocumentFilter { archived: self.archived, sha256: hash.map(Vec::from) })
    }
}

/// The part of the query root for trusted documents.
#[derive(Default)]
pub(super) struct TrustedDocumentQuery;

#[Object]
impl TrustedDocumentQuery {
    /// The texts that clients may send by their hash, the newest first.
    #[graphql(
        guard = "Needs(Permission::TrustedDocumentsRead)",
        directive = paged::apply(), directive = costs::apply(5)
    )]
    async fn trusted_documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all when left out.")] filter: Option<TrustedDocumentFilterInput>,
    ) -> Result<Connection<TrustedDocument>, Error> {
        let slice = PageArgs { first, last, after, before }.slice()?;
        let filter = filter.unwrap_or_default().read()?;
        let tx = ctx.session()?.read().await?;
        let page = service::list(&tx, &filter, &slice).await.told()?;
        let total = TotalCount::by(move |tx| {
            let filter = filter.clone();
            async move { service::count(&tx, &filter).await.told() }
        });
        let cursor = |document: &Document| Cursor { key: String::new(), id: document.id };
        Ok(connection(page, total, cursor, TrustedDocument))
    }
}
