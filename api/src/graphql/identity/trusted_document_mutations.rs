//! Registering and archiving trusted documents.

use async_graphql::{Context, Error, ID, InputObject, Object};
use identity::trusted_document::NewDocument;
use identity::trusted_document::service as documents;
use kernel::{Kind, Permission};
use uuid::Uuid;

use super::errors::IdentityUserError;
use super::trusted_document::TrustedDocument;
use crate::graphql::cost::about;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::mutation::{Done, mutate, payload};
use crate::graphql::request::InRequest;

/// A text to register.
#[derive(InputObject)]
struct NewTrustedDocumentInput {
    /// What it is for: usually the name of its operation.
    name: String,
    /// The text, exactly as clients hash it: at most 65,536 bytes in UTF-8.
    text: String,
}

/// Texts to register.
#[derive(InputObject)]
struct RegisterDocumentsInput {
    /// The documents, 1 to 100. A text that is registered already keeps its id and name.
    documents: Vec<NewTrustedDocumentInput>,
}

/// A document to archive.
#[derive(InputObject)]
struct ArchiveDocumentInput {
    /// The document.
    trusted_document_id: ID,
}

payload!(
    ArchiveDocumentPayload,
    trusted_document: TrustedDocument,
    IdentityUserError,
    "The document, archived."
);

/// What the mutation did.
struct RegisterDocumentsPayload(Done<Vec<Uuid>>);

/// What the mutation did, or why it was refused.
#[Object]
impl RegisterDocumentsPayload {
    /// The documents, in the order of the input. Empty when refused.
    #[graphql(directive = about::apply(100))]
    async fn trusted_documents(&self, ctx: &Context<'_>) -> Result<Vec<TrustedDocument>, Error> {
        let ids = self.0.result.iter().flatten();
        let loads = ids.map(|id| TrustedDocument::load(ctx, *id));
        Ok(futures_util::future::try_join_all(loads).await?.into_iter().flatten().collect())
    }

    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    fn user_errors(&self) -> Vec<IdentityUserError> {
        self.0.refusals.iter().map(IdentityUserError::from).collect()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    fn replayed(&self) -> bool {
        self.0.replayed
    }
}

/// The part of the mutation root for trusted documents.
#[derive(Default)]
pub(super) struct TrustedDocumentMutation;

#[Object]
impl TrustedDocumentMutation {
    /// Registers query texts that clients may then send by their hash; all of them, or none. A text that was archived is in
    /// use again.
    #[graphql(guard = "Needs(Permission::TrustedDocumentsManage)")]
    async fn register_documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Texts to register.")] input: RegisterDocumentsInput,
    ) -> Result<RegisterDocumentsPayload, Error> {
        let new = input.documents.into_iter();
        let new: Vec<_> = new.map(|new| NewDocument { name: new.name, text: new.text }).collect();
        let done = mutate(ctx, move |tx| {
            let new = new.clone();
            Box::pin(async move { documents::register(tx, &new).await })
        });
        Ok(RegisterDocumentsPayload(done.await?))
    }

    /// Takes a document out of use: clients that send its hash are refused within two seconds.
    #[graphql(guard = "Needs(Permission::TrustedDocumentsManage)")]
    async fn archive_document(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A document to archive.")] input: ArchiveDocumentInput,
    ) -> Result<ArchiveDocumentPayload, Error> {
        let id = parse(Kind::TrustedDocument, "trustedDocumentId", &input.trusted_document_id)?;
        let done =
            mutate(ctx, move |tx| Box::pin(async move { documents::archive(tx, id).await.map(|()| id) }));
        let done = done.await?;
        ctx.session()?.app().auth.forget();
        Ok(ArchiveDocumentPayload(done))
    }
}
