//! Companies, members, sessions, keys and trusted documents in the graph.

pub(crate) mod api_key;
pub(crate) mod company;
pub(crate) mod errors;
pub(crate) mod member;
mod mutations;
mod queries;
mod sign_in;
pub(crate) mod trusted_document;
mod trusted_document_mutations;

use async_graphql::MergedObject;
use mutations::AccessMutation;
use queries::AccessQuery;
pub(crate) use sign_in::SignInMutation;
use trusted_document::TrustedDocumentQuery;
use trusted_document_mutations::TrustedDocumentMutation;

/// Identity's part of the query root.
#[derive(Default, MergedObject)]
pub(crate) struct IdentityQuery(AccessQuery, TrustedDocumentQuery);

/// Identity's part of the mutation root, for who is signed in.
#[derive(Default, MergedObject)]
pub(crate) struct IdentityMutation(AccessMutation, TrustedDocumentMutation);
