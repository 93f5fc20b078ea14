//! Companies, members, sessions, keys and trusted documents in the graph.

pub(crate) mod api_key;
mod api_key_mutations;
pub(crate) mod approval;
pub(crate) mod company;
pub(crate) mod errors;
pub(crate) mod factor;
mod factor_mutations;
mod holdings;
mod identities;
pub(crate) mod invitation;
mod leaving_mutations;
mod mailbox;
pub(crate) mod member;
mod mutations;
pub(crate) mod oauth;
mod oauth_mutations;
mod passkey_mutations;
mod queries;
mod review;
pub(crate) mod role;
mod role_mutations;
mod session;
mod sign_in;
pub(crate) mod sso;
mod sso_mutations;
pub(crate) mod trusted_document;
mod trusted_document_mutations;
mod twin;

use api_key_mutations::ApiKeyMutation;
use approval::{ApprovalMutation, ApprovalQuery};
use async_graphql::MergedObject;
use factor_mutations::FactorMutation;
use identities::LinkMutation;
use invitation::{AcceptanceMutation, InvitationMutation, InvitationQuery};
use leaving_mutations::LeavingMutation;
use mailbox::MailboxMutation;
use mutations::AccessMutation;
use oauth::ApplicationQuery;
use oauth_mutations::ApplicationMutation;
use passkey_mutations::{PasskeyMutation, PasskeySignInMutation};
use queries::AccessQuery;
use review::{ReviewMutation, ReviewQuery};
use role::RoleQuery;
use role_mutations::RoleMutation;
use session::SessionMutation;
pub(crate) use sign_in::SignInMutation;
use sso::{HandoffMutation, SsoQuery};
use sso_mutations::SsoMutation;
use trusted_document::TrustedDocumentQuery;
use trusted_document_mutations::TrustedDocumentMutation;
use twin::TwinMutation;

/// Identity's part of the query root.
#[derive(Default, MergedObject)]
pub(crate) struct IdentityQuery(
    AccessQuery,
    RoleQuery,
    ApprovalQuery,
    TrustedDocumentQuery,
    ReviewQuery,
    InvitationQuery,
    ApplicationQuery,
    SsoQuery,
);

/// Identity's part of the mutation root, for who is signed in.
#[derive(Default, MergedObject)]
pub(crate) struct IdentityMutation(
    AccessMutation,
    RoleMutation,
    ApprovalMutation,
    TrustedDocumentMutation,
    TwinMutation,
    ApiKeyMutation,
    FactorMutation,
    PasskeyMutation,
    PasskeySignInMutation,
    SessionMutation,
    LeavingMutation,
    ReviewMutation,
    InvitationMutation,
    AcceptanceMutation,
    MailboxMutation,
    ApplicationMutation,
    LinkMutation,
    HandoffMutation,
    SsoMutation,
);
