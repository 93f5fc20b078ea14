//! Invitations: how people join a company. Whoever manages members writes to an address; whoever reads that mailbox joins,
//! with the account they are signed in to, or with a new one whose address is thereby proved.
//!
//! Who invites is told nothing of whether the address has an account. An invitation is worth what its inviter may ask for
//! when it is accepted: it dies with the inviter's membership, and with the right to give that role.

pub mod service;
mod store;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// How long an invitation is good; its secret lives as long.
pub(crate) const LIFETIME: TimeDelta = TimeDelta::days(7);
/// Most open invitations of a company: nobody writes to the whole world through us.
pub(crate) const MOST_OPEN: i64 = 200;

/// An invitation that is open, or has run out.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Invitation {
    /// The invitation.
    pub id: Uuid,
    /// Whom it was sent to.
    pub email: String,
    /// The key of the role it gives.
    pub role: String,
    /// Who invited, as events name them.
    pub invited_by: String,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// When it was accepted.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// For the next change.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What an invitation offers, for who follows its link.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The company's name.
    pub company: String,
    /// The role's name, in the company's language.
    pub role: String,
    /// The address.
    pub email: String,
    /// Whether the address has an account: told to who reads its mailbox.
    pub has_account: bool,
}
