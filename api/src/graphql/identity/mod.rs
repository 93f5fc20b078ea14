//! Companies, members, sessions and keys in the graph.

pub(crate) mod api_key;
pub(crate) mod company;
pub(crate) mod errors;
pub(crate) mod member;
mod mutations;
mod queries;
mod sign_in;

pub(crate) use mutations::IdentityMutation;
pub(crate) use queries::IdentityQuery;
pub(crate) use sign_in::SignInMutation;
