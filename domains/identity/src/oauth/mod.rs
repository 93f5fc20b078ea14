//! OAuth 2.0 for partners' programs: applications that companies register, what people and companies let them do, and
//! the tokens that follow from it. The protocol itself is in the crate `authority`.
//!
//! Invariants:
//! - A token may do what its scopes, its grant, its application **and** the role of the person behind it allow, as all of
//!   them are now. Revoking any of them ends it within a second.
//! - Codes and refresh tokens are good once. One that comes again ends every token of its family (RFC 9700, section 4.14).
//! - Rights are handed out by people: what lets a program give itself more, or last longer, is no scope.
//! - An application of a test twin is let into test twins only.

pub mod client;
pub mod consent;
pub mod grant;
pub mod keys;
pub(crate) mod principal;
pub mod token;

use std::sync::Arc;

use authority::{Code, Refusal, Scopes};
use kernel::{Fault, Permission, PermissionSet};

use crate::lookup::Lookups;

/// Why something was not done for an application.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is told so, in the terms of the protocol.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A fault of ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What an [`crate::Authenticator`] keeps for tokens. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The server's public address, as tokens name their issuer.
    pub issuer: Arc<str>,
    pub keys: keys::Keys,
    pub grants: Lookups<principal::GrantRow>,
}

impl State {
    pub(crate) fn new(issuer: &str) -> Self {
        Self { issuer: issuer.into(), keys: keys::Keys::default(), grants: Lookups::default() }
    }

    /// For whom tokens are made: the API.
    pub(crate) fn audience(&self) -> String {
        format!("{}/graphql", self.issuer)
    }
}

/// What no program may be let do for somebody: to hand out rights, which would outlive its grant.
const OF_PEOPLE: [Permission; 4] = [
    Permission::MembersManage,
    Permission::ApiKeysManage,
    Permission::ApplicationsManage,
    Permission::SsoManage,
];

/// Whether a permission may be a scope.
pub fn is_scope(permission: Permission) -> bool {
    !OF_PEOPLE.contains(&permission)
}

/// Every permission that may be a scope.
pub fn scopes() -> impl Iterator<Item = Permission> {
    Permission::ALL.iter().copied().filter(|permission| is_scope(*permission))
}

/// The permissions that scopes name.
///
/// # Errors
/// `invalid_scope` for a name that is no scope here.
pub fn permissions_of(scopes: &Scopes) -> Result<PermissionSet, Refusal> {
    let known = |name: &str| Permission::parse(name).filter(|permission| is_scope(*permission));
    let permissions = scopes.iter().map(|name| known(name).ok_or(()));
    let unknown = |()| Refusal::new(Code::InvalidScope, "a scope is not known here: see scopes_supported");
    permissions.collect::<Result<PermissionSet, ()>>().map_err(unknown)
}

/// The scopes of permissions.
pub fn scopes_of(permissions: PermissionSet) -> Scopes {
    permissions.iter().map(Permission::as_str).collect()
}

/// Permissions as they are stored.
pub(crate) fn names(permissions: PermissionSet) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}

/// Permissions that were stored; a name that is none any more is nothing.
pub(crate) fn stored(names: &[String]) -> PermissionSet {
    names.iter().filter_map(|name| Permission::parse(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hands_out_rights_is_no_scope() {
        for name in
            ["members.manage", "api_keys.manage", "applications.manage", "sso.manage", "nothing.read", ""]
        {
            let scopes: Scopes = [name].into_iter().collect();
            assert_eq!(
                permissions_of(&scopes).map_err(|refusal| refusal.code),
                Err(Code::InvalidScope),
                "{name}"
            );
        }
        let scopes = Scopes::parse("invoicing.read kpi.read").expect("scopes");
        assert_eq!(scopes_of(permissions_of(&scopes).expect("permissions")), scopes);
    }
}
