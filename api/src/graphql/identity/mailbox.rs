//! What people do by their mailbox, in the graph: confirming an address, choosing a new password.

use async_graphql::{Context, Error, InputObject, Object, SimpleObject};
use identity::mailbox::service as mailbox;
use kernel::Actor;

use super::errors::IdentityUserError;
use super::sign_in::refusal;
use crate::graphql::cost::about;
use crate::graphql::guard::SignedIn;
use crate::graphql::request::{InRequest, Session};

/// What was asked for.
#[derive(SimpleObject)]
struct LetterPayload {
    /// Whether the wish was taken; whether a letter goes out, and which, is told to the mailbox alone.
    accepted: bool,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// What the mutation did.
#[derive(SimpleObject)]
struct ConfirmEmailPayload {
    /// Whether the address is confirmed now.
    confirmed: bool,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// What the mutation did.
#[derive(SimpleObject)]
struct ResetPasswordPayload {
    /// Whether the password is the new one now.
    reset: bool,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// A confirmation of an address.
#[derive(InputObject)]
struct ConfirmEmailInput {
    /// The token of the letter's link.
    token: String,
    /// The password of the account; not needed by who is signed in to it.
    password: Option<String>,
}

/// Who has lost a password.
#[derive(InputObject)]
struct RequestPasswordResetInput {
    /// The address of the account.
    email: String,
    /// `fr` or `en`: the language of the letter, where no account has one.
    #[graphql(default = "fr")]
    locale: String,
}

/// A new password.
#[derive(InputObject)]
struct ResetPasswordInput {
    /// The token of the letter's link.
    token: String,
    /// The new password.
    new_password: String,
    /// A code of the second factor, or a recovery code, where the account has one. It stays in force.
    code: Option<String>,
}

/// Whether it was done, and else why not; faults go to the top.
fn told(done: Result<(), identity::Error>) -> Result<(bool, Vec<IdentityUserError>), Error> {
    match done {
        Ok(()) => Ok((true, Vec::new())),
        Err(error) => Ok((false, vec![refusal(error)?])),
    }
}

/// The person who asks, if it is one.
fn person(request: &Session) -> Option<uuid::Uuid> {
    match request.principal()?.actor {
        Actor::Person(person) => Some(person),
        _ => None,
    }
}

/// The part of the mutation root for mailboxes. Nothing here takes an idempotency key: a wish may be repeated, and a token
/// is good once.
#[derive(Default)]
pub(crate) struct MailboxMutation;

#[Object]
impl MailboxMutation {
    /// Asks for the letter by which you confirm your own address. Nothing goes to an address that is confirmed.
    #[graphql(guard = "SignedIn")]
    async fn send_confirmation(&self, ctx: &Context<'_>) -> Result<LetterPayload, Error> {
        let request = ctx.session()?;
        let auth = &request.app().auth;
        let done = match person(request) {
            Some(person) => mailbox::want_confirmation(auth, person, request.origin()).await,
            None => Ok(()),
        };
        let (accepted, user_errors) = told(done)?;
        Ok(LetterPayload { accepted, user_errors })
    }

    /// Confirms an address: by the token of the letter, which shows the mailbox, and by the session or the password of the
    /// account, which shows who opened it.
    async fn confirm_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A confirmation of an address.")] input: ConfirmEmailInput,
    ) -> Result<ConfirmEmailPayload, Error> {
        let request = ctx.session()?;
        let app = request.app();
        let done = mailbox::confirm(
            &app.auth,
            &app.passwords,
            &input.token,
            person(request),
            input.password.as_deref(),
            request.origin(),
        );
        let (confirmed, user_errors) = told(done.await)?;
        Ok(ConfirmEmailPayload { confirmed, user_errors })
    }

    /// Asks for a letter by which whoever reads the mailbox of an address chooses a new password. It answers the same for
    /// every address.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who has lost a password.")] input: RequestPasswordResetInput,
    ) -> Result<LetterPayload, Error> {
        let request = ctx.session()?;
        let auth = &request.app().auth;
        let done = mailbox::want_reset(auth, &input.email, &input.locale, request.origin()).await;
        let (accepted, user_errors) = told(done)?;
        Ok(LetterPayload { accepted, user_errors })
    }

    /// Chooses a new password by the token of the letter. Every session of the account ends; a second factor stays in force.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new password.")] input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload, Error> {
        let request = ctx.session()?;
        let app = request.app();
        let done = mailbox::reset(
            &app.auth,
            &app.passwords,
            &input.token,
            &input.new_password,
            input.code.as_deref(),
            request.origin(),
        );
        let (reset, user_errors) = told(done.await)?;
        Ok(ResetPasswordPayload { reset, user_errors })
    }
}
