//! The permission beside the field. Services require it again: neither wall trusts the other.

use async_graphql::{Context, Error, Guard};
use kernel::Permission;

use super::error::{denied, from_domain, second_factor_due};
use super::request::InRequest;

/// `#[graphql(guard = "Needs(Permission::…)")]`: only actors with this permission reach the field.
pub(crate) struct Needs(pub(crate) Permission);

impl Guard for Needs {
    async fn check(&self, ctx: &Context<'_>) -> Result<(), Error> {
        let session = ctx.session()?;
        if session.principal().is_some_and(|principal| principal.second_factor_due) {
            return Err(second_factor_due());
        }
        session.scope()?.require(self.0).map_err(denied)
    }
}

/// Only who is signed in, with whatever rights.
pub(crate) struct SignedIn;

impl Guard for SignedIn {
    async fn check(&self, ctx: &Context<'_>) -> Result<(), Error> {
        ctx.session()?.scope().map(|_| ())
    }
}

/// `?` for results of domains in resolvers.
pub(crate) trait Told<T> {
    /// The value, or the error as clients may see it.
    fn told(self) -> Result<T, Error>;
}

impl<T, E: kernel::DomainError> Told<T> for Result<T, E> {
    fn told(self) -> Result<T, Error> {
        self.map_err(from_domain)
    }
}
