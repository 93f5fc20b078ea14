//! Making and removing passkeys, and signing in by one. Nothing here takes an idempotency key: what is answered is a
//! secret or stands on a proof, and neither is kept.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use credentials::passkey::RelyingParty;
use identity::Assurance;
use identity::factor::passkey::{self, Ceremony};
use identity::sign_in::service as sign_in;
use kernel::Kind;

use super::errors::IdentityUserError;
use super::factor::{Factors, FreshProofInput, Passkey, changed, own, told};
use super::factor_mutations::raised;
use super::sign_in::{SessionInfo, SignInPayload, step};
use crate::graphql::cost::about;
use crate::graphql::guard::SignedIn;
use crate::graphql::ids::{parse, parse_optional};
use crate::graphql::request::{App, InRequest};

/// The name of the service, as authenticators show it.
const NAME: &str = "Coulisse";

/// A passkey to make.
#[derive(InputObject)]
struct BeginPasskeyInput {
    /// What to call it, e.g. the device's name: 1 to 100 characters.
    name: String,
    /// That it is still the person who signed in.
    proof: FreshProofInput,
}

/// A passkey that the browser has made.
#[derive(InputObject)]
struct FinishPasskeyInput {
    /// The ceremony that `beginPasskey` answered.
    ceremony: String,
    /// What the browser answered: the JSON serialisation `RegistrationResponseJSON` of Web Authentication Level 3, as
    /// `credential.toJSON()` gives it.
    answer: String,
}

/// Another name for a passkey.
#[derive(InputObject)]
struct RenamePasskeyInput {
    /// The passkey.
    passkey_id: ID,
    /// What to call it: 1 to 100 characters.
    name: String,
}

/// A passkey to remove.
#[derive(InputObject)]
struct RemovePasskeyInput {
    /// The passkey.
    passkey_id: ID,
    /// That it is still the person who signed in.
    proof: FreshProofInput,
}

/// Who signs in by a passkey: the browser's answer says it.
#[derive(InputObject)]
struct SignInWithPasskeyInput {
    /// The ceremony that `beginPasskeySignIn` answered.
    ceremony: String,
    /// What the browser answered: the JSON serialisation `AuthenticationResponseJSON` of Web Authentication Level 3, as
    /// `credential.toJSON()` gives it.
    answer: String,
    /// The company to act in; the oldest one when left out.
    company_id: Option<ID>,
    /// The device's token, as an earlier sign-in on it answered it.
    device_token: Option<String>,
}

/// What the browser needs to make a passkey, or why it is refused.
#[derive(SimpleObject)]
struct BeginPasskeyPayload {
    /// For `finishPasskey`, once, within five minutes.
    ceremony: Option<String>,
    /// The options: the JSON serialisation `PublicKeyCredentialCreationOptionsJSON` of Web Authentication Level 3, for
    /// `PublicKeyCredential.parseCreationOptionsFromJSON`.
    options: Option<String>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// The new passkey, or why it was refused.
#[derive(SimpleObject)]
struct FinishPasskeyPayload {
    /// The passkey; null when refused.
    passkey: Option<Passkey>,
    /// The session that takes the place of the one that asked, which ended: it has shown the second factor. Null when
    /// refused, and when the session had shown one before and goes on.
    session: Option<SessionInfo>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// The passkey with its new name, or why it was refused.
#[derive(SimpleObject)]
struct RenamePasskeyPayload {
    /// The passkey; null when refused.
    passkey: Option<Passkey>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// The factors that are left, or why it was refused.
#[derive(SimpleObject)]
struct RemovePasskeyPayload {
    /// The factors as they are now; null when refused.
    factors: Option<Factors>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// What the browser needs to sign in by a passkey, or why it is refused.
#[derive(SimpleObject)]
struct BeginPasskeySignInPayload {
    /// For `signInWithPasskey`, once, within five minutes.
    ceremony: Option<String>,
    /// The options: the JSON serialisation `PublicKeyCredentialRequestOptionsJSON` of Web Authentication Level 3, for
    /// `PublicKeyCredential.parseRequestOptionsFromJSON`.
    options: Option<String>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

fn party(app: &App) -> Result<RelyingParty, identity::Error> {
    Ok(RelyingParty::new(&app.public_url, NAME)?)
}

fn both(begun: Option<Ceremony>) -> (Option<String>, Option<String>) {
    begun.map(|begun| (begun.token, begun.options)).unzip()
}

/// The part of the mutation root for the viewer's own passkeys.
#[derive(Default)]
pub(super) struct PasskeyMutation;

#[Object]
impl PasskeyMutation {
    /// Begins to make a passkey, which signs in without e-mail and password and is a second factor beside them.
    #[graphql(guard = "SignedIn")]
    async fn begin_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A passkey to make.")] input: BeginPasskeyInput,
    ) -> Result<BeginPasskeyPayload, Error> {
        let request = ctx.session()?;
        let (app, own) = (request.app(), own(request)?);
        let begun = async {
            let (party, fresh) = (party(app)?, input.proof.into());
            passkey::begin(&app.auth, &app.passwords, &party, own, &fresh, &input.name).await
        };
        let (begun, user_errors) = told(begun.await)?;
        let (ceremony, options) = both(begun);
        Ok(BeginPasskeyPayload { ceremony, options, user_errors })
    }

    /// Finishes making a passkey.
    #[graphql(guard = "SignedIn")]
    async fn finish_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A passkey that the browser has made.")] input: FinishPasskeyInput,
    ) -> Result<FinishPasskeyPayload, Error> {
        let request = ctx.session()?;
        let (app, own) = (request.app(), own(request)?);
        let made =
            async { passkey::finish(&app.auth, &party(app)?, own, &input.ceremony, &input.answer).await };
        let (made, user_errors) = told(made.await)?;
        let passkey = match made {
            Some(id) => Factors::load(request, own.person).await?.passkey(id),
            None => None,
        };
        let session = if passkey.is_some() { raised(request).await? } else { None };
        Ok(FinishPasskeyPayload { passkey, session, user_errors })
    }

    /// Gives a passkey another name.
    #[graphql(guard = "SignedIn")]
    async fn rename_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Another name for a passkey.")] input: RenamePasskeyInput,
    ) -> Result<RenamePasskeyPayload, Error> {
        let request = ctx.session()?;
        let (own, id) = (own(request)?, parse(Kind::Passkey, "passkeyId", &input.passkey_id)?);
        let (done, user_errors) = told(passkey::rename(&request.app().auth, own, id, &input.name).await)?;
        let passkey = match done {
            Some(()) => Factors::load(request, own.person).await?.passkey(id),
            None => None,
        };
        Ok(RenamePasskeyPayload { passkey, user_errors })
    }

    /// Removes a passkey. With the last factor go the recovery codes.
    #[graphql(guard = "SignedIn")]
    async fn remove_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A passkey to remove.")] input: RemovePasskeyInput,
    ) -> Result<RemovePasskeyPayload, Error> {
        let request = ctx.session()?;
        let (own, id) = (own(request)?, parse(Kind::Passkey, "passkeyId", &input.passkey_id)?);
        let app = request.app();
        let done = passkey::remove(&app.auth, &app.passwords, own, &input.proof.into(), id).await;
        let (factors, user_errors) = changed(request, own.person, done).await?;
        Ok(RemovePasskeyPayload { factors, user_errors })
    }
}

/// The part of the mutation root for who signs in by a passkey.
#[derive(Default)]
pub(super) struct PasskeySignInMutation;

#[Object]
impl PasskeySignInMutation {
    /// Begins a sign-in by a passkey: whose, the browser tells.
    async fn begin_passkey_sign_in(&self, ctx: &Context<'_>) -> Result<BeginPasskeySignInPayload, Error> {
        let app = ctx.session()?.app();
        let begun = async { passkey::begin_sign_in(&app.auth, &party(app)?).await };
        let (begun, user_errors) = told(begun.await)?;
        let (ceremony, options) = both(begun);
        Ok(BeginPasskeySignInPayload { ceremony, options, user_errors })
    }

    /// Opens a session by a passkey. Its device has verified who uses it, so no second step follows.
    async fn sign_in_with_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in by a passkey.")] input: SignInWithPasskeyInput,
    ) -> Result<SignInPayload, Error> {
        let request = ctx.session()?;
        let company = parse_optional(Kind::Company, "companyId", input.company_id.as_ref())?;
        let (app, origin) = (request.app(), request.origin().clone());
        let came = async {
            let person =
                passkey::finish_sign_in(&app.auth, &party(app)?, &input.ceremony, &input.answer).await?;
            let shown = Assurance::SecondFactor;
            sign_in::by_known(&app.auth, person, shown, company, input.device_token, origin).await
        };
        step(came.await)
    }
}
