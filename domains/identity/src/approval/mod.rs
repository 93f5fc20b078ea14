//! Changes of rights that another owner must approve, where the company says so.
//!
//! A change is then not made but asked for: it is tried, as it would be made, and undone, so that nobody is asked to
//! approve what cannot be. An owner who has not asked for it, neither in person nor through a program, approves or rejects
//! it. Approving makes the change as if the approver made it, with everything checked again: the thing must be as it was
//! when the change was asked for, and who asked must still be somebody who may.
//!
//! The functions that change rights ([`crate::member::service::change_role`] and its like) refuse when an approval is
//! needed: there is no way around but through here.

mod perform;
pub mod service;
mod store;

use chrono::TimeDelta;
use kernel::{Kind, Permission, PermissionSet};
pub use perform::Means;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::role::service::RoleChange;

/// How long a request waits.
pub(crate) const LIFETIME: TimeDelta = TimeDelta::days(14);
/// Most requests of a company that wait at once.
pub(crate) const MOST_OPEN: i64 = 200;

/// A change of rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Gives a member another role.
    ChangeRole {
        /// The membership.
        member: Uuid,
        /// As it was read.
        expected_version: i32,
        /// The key of the role.
        role: String,
    },
    /// Invites an address.
    Invite {
        /// The address.
        email: String,
        /// The key of the role.
        role: String,
    },
    /// Changes a role; without new rights for its members nobody need approve it.
    UpdateRole {
        /// The role.
        role: Uuid,
        /// As it was read.
        expected_version: i32,
        /// Its name from then on.
        name: Option<String>,
        /// Its description from then on.
        description: Option<String>,
        /// Its permissions from then on.
        permissions: Option<Vec<String>>,
    },
    /// Lets who has an address of a domain join; that nobody does any more need not be approved.
    JoinByDomain {
        /// The claim of the domain.
        domain: Uuid,
        /// As it was read.
        expected_version: i32,
        /// Whether they join from then on.
        joins: Option<bool>,
        /// The key of the role that they join with from then on.
        role: Option<String>,
    },
    /// Lets one owner alone change rights.
    TurnOff,
}

impl Act {
    /// The stored name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ChangeRole { .. } => "change_role",
            Self::Invite { .. } => "invite",
            Self::UpdateRole { .. } => "update_role",
            Self::JoinByDomain { .. } => "join_by_domain",
            Self::TurnOff => "turn_off",
        }
    }

    /// What it is about, when that is there already.
    pub const fn subject(&self) -> Option<(Kind, Uuid)> {
        match self {
            Self::ChangeRole { member, .. } => Some((Kind::Membership, *member)),
            Self::UpdateRole { role, .. } => Some((Kind::Role, *role)),
            Self::JoinByDomain { domain, .. } => Some((Kind::CompanyDomain, *domain)),
            Self::Invite { .. } | Self::TurnOff => None,
        }
    }

    /// The address of whom it is about, when that is nobody here yet.
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::Invite { email, .. } => Some(email),
            _ => None,
        }
    }

    /// The key of the role that it gives.
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Invite { role, .. } | Self::ChangeRole { role, .. } => Some(role),
            Self::JoinByDomain { role, .. } => role.as_deref(),
            _ => None,
        }
    }

    /// The permissions that a role is to have.
    pub fn permissions(&self) -> Option<PermissionSet> {
        match self {
            Self::UpdateRole { permissions: Some(names), .. } => {
                Some(names.iter().filter_map(|name| Permission::parse(name)).collect())
            }
            _ => None,
        }
    }

    /// What who asks for it must be permitted.
    pub(crate) const fn needs(&self) -> Permission {
        match self {
            Self::TurnOff => Permission::CompanyManage,
            Self::JoinByDomain { .. } => Permission::SsoManage,
            _ => Permission::MembersManage,
        }
    }

    /// The change of a role, as the service takes it.
    pub(crate) fn role_change(&self) -> RoleChange {
        match self {
            Self::UpdateRole { name, description, .. } => RoleChange {
                name: name.clone(),
                description: description.clone(),
                permissions: self.permissions(),
            },
            _ => RoleChange::default(),
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was made: the membership, invitation, role or company that it concerns.
    Done(Uuid),
    /// It waits for another owner: the request.
    Asked(Uuid),
}

/// What was decided of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The change was made.
    Approved,
    /// An owner would not have it.
    Rejected,
    /// Who asked took it back.
    Withdrawn,
}

impl Decision {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Approved, Self::Rejected, Self::Withdrawn]
            .into_iter()
            .find(|decision| decision.as_str() == name)
    }
}
