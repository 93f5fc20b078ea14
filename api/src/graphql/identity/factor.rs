//! A person's own factors in the graph: what it signs in with, and never a secret.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use identity::factor::fresh::Own;
use identity::factor::{self, Fresh, service};
use kernel::{Actor, Kind};
use uuid::Uuid;

use super::errors::IdentityUserError;
use super::sign_in::refusal;
use crate::graphql::cost::about;
use crate::graphql::error::{bad_argument, faulty};
use crate::graphql::ids::public;
use crate::graphql::request::{InRequest, Session};

/// A passkey of the viewer: it signs in without e-mail and password.
#[derive(SimpleObject)]
pub(crate) struct Passkey {
    /// The public id.
    id: ID,
    /// What its person calls it.
    name: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last signed in; null for never.
    last_used_at: Option<DateTime<Utc>>,
}

impl From<factor::Passkey> for Passkey {
    fn from(passkey: factor::Passkey) -> Self {
        Self {
            id: public(Kind::Passkey, passkey.id),
            name: passkey.name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
        }
    }
}

/// What a person proves who they are with, beside the password.
pub(crate) struct Factors(factor::Factors);

impl Factors {
    /// The factors of a person.
    pub(crate) async fn load(request: &Session, person: Uuid) -> Result<Self, Error> {
        service::list(&request.app().auth, person).await.map(Self).map_err(|fault| faulty(&fault))
    }

    /// One of the passkeys.
    pub(super) fn passkey(self, id: Uuid) -> Option<Passkey> {
        self.0.passkeys.into_iter().find(|passkey| passkey.id == id).map(Passkey::from)
    }
}

/// What a person proves who they are with, beside the password.
#[Object]
impl Factors {
    /// Whether there is a second factor: an authenticator application or a passkey.
    fn second_factor(&self) -> bool {
        self.0.has_second()
    }

    /// Since when an authenticator application is confirmed; null for none.
    fn totp_since(&self) -> Option<DateTime<Utc>> {
        self.0.totp_since
    }

    /// The passkeys, the oldest first; at most 20.
    #[graphql(directive = about::apply(3))]
    fn passkeys(&self) -> Vec<Passkey> {
        self.0.passkeys.iter().cloned().map(Passkey::from).collect()
    }

    /// How many recovery codes are left, of ten.
    fn recovery_codes_left(&self) -> i64 {
        self.0.recovery_codes
    }
}

/// What proves anew, beside the session, that it is still the person who signed in. One of the two is needed.
#[derive(InputObject)]
pub(super) struct FreshProofInput {
    /// The present password.
    current_password: Option<String>,
    /// A code of the authenticator application, or a recovery code.
    code: Option<String>,
}

impl From<FreshProofInput> for Fresh {
    fn from(input: FreshProofInput) -> Self {
        Self { password: input.current_password, code: input.code }
    }
}

/// Who changes their own factors.
pub(super) fn own(request: &Session) -> Result<Own<'_>, Error> {
    let session = request.principal().and_then(|principal| principal.session);
    Own::of(request.scope()?, session)
        .ok_or_else(|| bad_argument("input", "only a person has a password and factors: sign in as one"))
}

/// What came out, or its refusal for the payload; faults go to the top.
pub(super) fn told<T>(
    done: Result<T, identity::Error>,
) -> Result<(Option<T>, Vec<IdentityUserError>), Error> {
    match done {
        Ok(done) => Ok((Some(done), Vec::new())),
        Err(error) => Ok((None, vec![refusal(error)?])),
    }
}

/// The factors as they are after a change, or why it was refused.
pub(super) async fn changed(
    request: &Session,
    person: Uuid,
    done: Result<(), identity::Error>,
) -> Result<(Option<Factors>, Vec<IdentityUserError>), Error> {
    let (done, user_errors) = told(done)?;
    let factors = match done {
        Some(()) => Some(Factors::load(request, person).await?),
        None => None,
    };
    Ok((factors, user_errors))
}

/// The factors of who asks; null for programs.
pub(super) async fn of_viewer(ctx: &Context<'_>) -> Result<Option<Factors>, Error> {
    let request = ctx.session()?;
    match request.scope()?.actor() {
        Actor::Person(person) => Ok(Some(Factors::load(request, person).await?)),
        _ => Ok(None),
    }
}
