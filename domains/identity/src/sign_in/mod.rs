//! Signing in: a first factor, a second one where the account has it, then a session under a new token.

pub mod service;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::session::service::Opened;

/// Who wants to sign in by a password.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The company to act in; the person's first when none is named.
    pub company: Option<Uuid>,
    /// The secret of a device on which the person has signed in before.
    pub device_token: Option<String>,
}

/// How far a sign-in has come.
#[derive(Clone, Debug)]
pub enum Step {
    /// It is done.
    In(SignedIn),
    /// The second factor is awaited.
    Second(Challenge),
}

/// An open session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub opened: Opened,
    /// The secret by which this device is known from now on; none for one that is known already.
    pub device_token: Option<String>,
}

/// The second step of a sign-in, which one code completes.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// The secret that stands for the first step.
    pub token: String,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}
