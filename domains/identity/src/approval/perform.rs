//! Makes the changes, in the caller's transaction, with all that they check.

use kernel::Tx;
use uuid::Uuid;

use super::Act;
use crate::authenticator::Authenticator;
use crate::company::service as companies;
use crate::error::Error;
use crate::federation::domain as domains;
use crate::invitation::service as invitations;
use crate::member::service as members;
use crate::role::service as roles;

/// What making a change needs beside the transaction.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// For the secret in the letter of an invitation.
    pub auth: &'a Authenticator,
    /// Where the link in that letter leads.
    pub public_url: &'a str,
}

/// Makes a change, as the actor; what it concerns.
pub(super) async fn perform(tx: &Tx, act: &Act, means: Means<'_>) -> Result<Uuid, Error> {
    match act {
        Act::ChangeRole { member, expected_version, role } => {
            members::change_role_approved(tx, *member, *expected_version, role).await.map(|()| *member)
        }
        Act::Invite { email, role } => {
            invitations::invite_approved(tx, means.auth, email, role, means.public_url).await
        }
        Act::UpdateRole { role, expected_version, .. } => {
            roles::update_approved(tx, *role, *expected_version, act.role_change()).await.map(|()| *role)
        }
        Act::JoinByDomain { domain, expected_version, joins, role } => {
            let update = domains::update_approved(tx, *domain, *expected_version, *joins, role.as_deref());
            update.await.map(|()| *domain)
        }
        Act::TurnOff => companies::let_one_change_rights(tx).await.map(|()| tx.scope().company().id),
    }
}

/// Makes a change that is to be undone: without what a rollback does not undo, as secrets and what was counted.
pub(super) async fn attempt(tx: &Tx, act: &Act, means: Means<'_>) -> Result<(), Error> {
    match act {
        Act::Invite { email, role } => invitations::open_in(tx, means.auth, email, role).await.map(|_| ()),
        act => perform(tx, act, means).await.map(|_| ()),
    }
}

/// Whether a change gives somebody a right, or takes the second pair of eyes away.
pub(super) async fn widens(tx: &Tx, act: &Act) -> Result<bool, Error> {
    if let Act::JoinByDomain { joins, role, .. } = act {
        return Ok(*joins != Some(false) || role.is_some());
    }
    let Act::UpdateRole { role, .. } = act else { return Ok(true) };
    let Some(wanted) = act.permissions() else { return Ok(false) };
    let Some(role) = roles::get_in(tx, *role).await? else { return Ok(true) };
    Ok(!role.permission_set()?.contains(wanted))
}
