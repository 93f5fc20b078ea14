//! Changing one's password, authenticator application and recovery codes. Nothing here takes an idempotency key: what is
//! answered is a secret or stands on a proof, and neither is kept.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use identity::Assurance;
use identity::factor::change;
use identity::password::service::{self as password, Change};
use identity::session::service as sessions;

use super::errors::IdentityUserError;
use super::factor::{Factors, FreshProofInput, changed, own, told};
use super::sign_in::SessionInfo;
use crate::graphql::cost::about;
use crate::graphql::guard::{SignedIn, Told};
use crate::graphql::request::{InRequest, Session};

/// An authenticator application to add.
#[derive(InputObject)]
struct BeginTotpInput {
    /// That it is still the person who signed in.
    proof: FreshProofInput,
}

/// The first code of an authenticator application.
#[derive(InputObject)]
struct ConfirmTotpInput {
    /// Six digits, as the application shows them now.
    code: String,
}

/// An authenticator application to remove.
#[derive(InputObject)]
struct RemoveTotpInput {
    /// That it is still the person who signed in.
    proof: FreshProofInput,
}

/// Recovery codes to put in the place of the old ones.
#[derive(InputObject)]
struct RenewRecoveryCodesInput {
    /// That it is still the person who signed in.
    proof: FreshProofInput,
}

/// Another password.
#[derive(InputObject)]
struct ChangePasswordInput {
    /// The present password.
    current_password: String,
    /// The new one: at least 15 characters, or 8 beside a second factor; at most 256, of any kind.
    new_password: String,
    /// Whether the person's other sessions end.
    #[graphql(default = true)]
    end_other_sessions: bool,
}

/// A secret for an authenticator application, or why there is none.
#[derive(SimpleObject)]
struct BeginTotpPayload {
    /// The secret, to type into the application: base 32. It is shown this once.
    secret: Option<String>,
    /// The secret as `otpauth://totp/…`, to show as a QR code. It is shown this once.
    uri: Option<String>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// The factors with the new one, or why it was refused.
#[derive(SimpleObject)]
struct ConfirmTotpPayload {
    /// The factors as they are now; null when refused.
    factors: Option<Factors>,
    /// The session that takes the place of the one that asked, which ended: it has shown the second factor. Null when
    /// refused, and when the session had shown one before and goes on.
    session: Option<SessionInfo>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// The factors that are left, or why it was refused.
#[derive(SimpleObject)]
struct RemoveTotpPayload {
    /// The factors as they are now; null when refused.
    factors: Option<Factors>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// New recovery codes, or why there are none.
#[derive(SimpleObject)]
struct RenewRecoveryCodesPayload {
    /// Ten codes, each good once in the place of a code of the application. They are shown this once.
    codes: Vec<String>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// What changed with the password, or why it was refused.
#[derive(SimpleObject)]
struct ChangePasswordPayload {
    /// How many other sessions ended; null when refused.
    ended_sessions: Option<usize>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// A new session in the place of the one that asks, which has just shown its first second factor.
pub(super) async fn raised(request: &Session) -> Result<Option<SessionInfo>, Error> {
    let shown = request.principal().filter(|principal| principal.assurance < Assurance::SecondFactor);
    let Some(session) = shown.and_then(|principal| principal.session) else { return Ok(None) };
    let (auth, origin) = (&request.app().auth, request.origin().clone());
    let raised = sessions::replace(auth, session, Assurance::SecondFactor, origin).await.told()?;
    Ok(Some(raised.into()))
}

/// The part of the mutation root for the viewer's own password and codes.
#[derive(Default)]
pub(super) struct FactorMutation;

#[Object]
impl FactorMutation {
    /// Begins to add an authenticator application: it is a second factor once `confirmTotp` has seen its first code.
    #[graphql(guard = "SignedIn")]
    async fn begin_totp(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An authenticator application to add.")] input: BeginTotpInput,
    ) -> Result<BeginTotpPayload, Error> {
        let request = ctx.session()?;
        let (app, own) = (request.app(), own(request)?);
        let begun = change::begin_totp(&app.auth, &app.passwords, own, &input.proof.into()).await;
        let (begun, user_errors) = told(begun)?;
        let (secret, uri) = begun.map(|new| (new.secret, new.uri)).unzip();
        Ok(BeginTotpPayload { secret, uri, user_errors })
    }

    /// Confirms an authenticator application by its first code, within 15 minutes.
    #[graphql(guard = "SignedIn")]
    async fn confirm_totp(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first code of an authenticator application.")] input: ConfirmTotpInput,
    ) -> Result<ConfirmTotpPayload, Error> {
        let request = ctx.session()?;
        let own = own(request)?;
        let done = change::confirm_totp(&request.app().auth, own, &input.code).await;
        let (factors, user_errors) = changed(request, own.person, done).await?;
        let session = if factors.is_some() { raised(request).await? } else { None };
        Ok(ConfirmTotpPayload { factors, session, user_errors })
    }

    /// Removes the authenticator application. With the last factor go the recovery codes.
    #[graphql(guard = "SignedIn")]
    async fn remove_totp(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An authenticator application to remove.")] input: RemoveTotpInput,
    ) -> Result<RemoveTotpPayload, Error> {
        let request = ctx.session()?;
        let (app, own) = (request.app(), own(request)?);
        let done = change::remove_totp(&app.auth, &app.passwords, own, &input.proof.into()).await;
        let (factors, user_errors) = changed(request, own.person, done).await?;
        Ok(RemoveTotpPayload { factors, user_errors })
    }

    /// Makes ten recovery codes, for the day when the other factors are lost. The old ones end.
    #[graphql(guard = "SignedIn")]
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Recovery codes to put in the place of the old ones.")]
        input: RenewRecoveryCodesInput,
    ) -> Result<RenewRecoveryCodesPayload, Error> {
        let request = ctx.session()?;
        let (app, own) = (request.app(), own(request)?);
        let made = change::renew_recovery_codes(&app.auth, &app.passwords, own, &input.proof.into()).await;
        let (codes, user_errors) = told(made)?;
        Ok(RenewRecoveryCodesPayload { codes: codes.unwrap_or_default(), user_errors })
    }

    /// Changes the password. Refused are those that are short, known from leaks, or easily guessed.
    #[graphql(guard = "SignedIn")]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Another password.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload, Error> {
        let request = ctx.session()?;
        let (app, own) = (request.app(), own(request)?);
        let change = Change {
            current: input.current_password,
            new: input.new_password,
            end_others: input.end_other_sessions,
        };
        let done = password::change(&app.auth, &app.passwords, own, change).await;
        let (ended_sessions, user_errors) = told(done)?;
        Ok(ChangePasswordPayload { ended_sessions, user_errors })
    }
}
