//! Members who lose their access: suspended for a while, and those who leave for good.

use kernel::{Actor, Kind, NewEvent, Permission, Tx};
use uuid::Uuid;

use super::service::keep_an_owner;
use crate::authenticator::Authenticator;
use crate::error::Error;
use crate::role::service as roles;
use crate::session::list::end_in;

/// A membership as it is before a change.
struct Standing {
    person: Uuid,
    role: String,
    is_suspended: bool,
}

async fn locked(tx: &Tx, id: Uuid, expected_version: i32) -> Result<Standing, Error> {
    let found: Option<(Uuid, String, bool, i32)> = tx
        .tuple(
            "SELECT person_id, role, suspended_at IS NOT NULL, version FROM membership
             WHERE id = $1 AND archived_at IS NULL FOR NO KEY UPDATE",
            [id.into()],
        )
        .await?;
    let (person, role, is_suspended, version) = found.ok_or(Error::NotFound(Kind::Membership))?;
    if version != expected_version {
        return Err(Error::Conflict { expected: expected_version, actual: version });
    }
    Ok(Standing { person, role, is_suspended })
}

/// Keeps a member out for a while: the place and the role stay, sessions and whatever the member answers for stop at once.
/// Suspending a suspended one changes nothing.
pub async fn suspend(tx: &Tx, auth: &Authenticator, id: Uuid, expected_version: i32) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersManage)?;
    let standing = locked(tx, id, expected_version).await?;
    if standing.is_suspended {
        return Ok(());
    }
    if scope.actor() == Actor::Person(standing.person) {
        return Err(Error::invalid(
            "memberId",
            "you cannot suspend yourself: somebody else who manages members can",
        ));
    }
    roles::may_touch(tx, &standing.role).await?;
    if standing.role == "owner" {
        keep_an_owner(tx, id).await?;
    }
    tx.run(
        "UPDATE membership SET suspended_at = $2, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    let sessions = end_in(tx, auth, standing.person).await?;
    let event = NewEvent::new("member.suspended", Kind::Membership, id).fact("sessions_ended", sessions);
    Ok(event.append(tx).await?)
}

/// Lets a suspended member in again, with the role of before. Whoever is not suspended is left as is.
pub async fn reactivate(tx: &Tx, id: Uuid, expected_version: i32) -> Result<(), Error> {
    let scope = tx.scope();
    scope.require(Permission::MembersManage)?;
    let standing = locked(tx, id, expected_version).await?;
    if !standing.is_suspended {
        return Ok(());
    }
    // It gives the role's rights, as giving the role does.
    roles::grantable(tx, &standing.role).await?;
    tx.run(
        "UPDATE membership SET suspended_at = NULL, version = version + 1, updated_at = $2, updated_by = $3 WHERE id = $1",
        [id.into(), scope.clock().now().into(), scope.actor().stored().into()],
    )
    .await?;
    Ok(NewEvent::new("member.reactivated", Kind::Membership, id).append(tx).await?)
}

/// Ends a membership, and the person's sessions in this company and its twin, and what they let programs do for them here:
/// coming back later does not revive them.
pub async fn remove(tx: &Tx, auth: &Authenticator, id: Uuid, expected_version: i32) -> Result<(), Error> {
    let person = super::service::remove(tx, id, expected_version).await?;
    crate::oauth::grant::service::end_of_person_in(tx, person).await?;
    end_in(tx, auth, person).await.map(|_| ())
}
