//! Signing up, in and out: what works without a session, or ends one.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use identity::Assurance;
use identity::mailbox::service as mailbox;
use identity::person::NewPerson;
use identity::person::service::{self as people, Prepared};
use identity::session::service::{self as session, How, Opened};
use identity::sign_in::{Attempt, SignedIn as Entered, Step, service as sign_in};
use identity::throttle::{self, Guess};
use kernel::{Actor, DomainError, Kind};
use uuid::Uuid;

use super::company::ChartOfAccounts;
use super::errors::IdentityUserError;
use crate::founding::{self, Founding};
use crate::graphql::cost::about;
use crate::graphql::error::{bad_argument, from_domain};
use crate::graphql::guard::SignedIn;
use crate::graphql::ids::{parse, parse_optional, public};
use crate::graphql::mutation::{Refusal, mutate};
use crate::graphql::request::{InRequest, Session};

/// A company to found.
#[derive(Clone, InputObject)]
struct CompanyInput {
    /// The legal name.
    name: String,
    /// The legal form, e.g. SAS.
    legal_form: String,
    /// The SIREN, nine digits (France).
    siren: Option<String>,
    /// ISO 3166-1 alpha-2.
    country: String,
    /// The currency of the books, ISO 4217. It never changes.
    currency: String,
    /// IANA time zone of the calendar days, e.g. `Europe/Paris`.
    time_zone: String,
    /// `fr` or `en`.
    locale: String,
    /// The month in which fiscal years begin, 1 to 12.
    #[graphql(default = 1)]
    fiscal_year_start_month: u8,
    /// The chart of accounts to start with.
    chart: ChartOfAccounts,
}

impl From<CompanyInput> for identity::company::NewCompany {
    fn from(input: CompanyInput) -> Self {
        Self {
            name: input.name,
            legal_form: input.legal_form,
            siren: input.siren,
            country: input.country,
            currency: input.currency,
            zone: input.time_zone,
            locale: input.locale,
            fiscal_year_month: input.fiscal_year_start_month,
            chart: input.chart.stored().to_owned(),
        }
    }
}

/// Who signs up, and the company that is founded.
#[derive(InputObject)]
struct SignUpInput {
    /// The e-mail to sign in with.
    email: String,
    /// The person's name.
    name: String,
    /// At least 15 characters.
    password: String,
    /// The company.
    company: CompanyInput,
}

/// A company to found for who is signed in.
#[derive(InputObject)]
struct CreateCompanyInput {
    /// The company.
    company: CompanyInput,
}

/// Who signs in.
#[derive(InputObject)]
struct SignInInput {
    /// The e-mail.
    email: String,
    /// The password.
    password: String,
    /// The company to act in; the oldest one when left out.
    company_id: Option<ID>,
    /// The device's token, as an earlier sign-in on it answered it.
    device_token: Option<String>,
}

/// The second step of a sign-in.
#[derive(InputObject)]
struct CompleteSignInInput {
    /// The challenge that the first step answered.
    challenge: String,
    /// A code of the authenticator app, or a recovery code.
    code: String,
}

/// The company to act in next.
#[derive(InputObject)]
struct SwitchCompanyInput {
    /// One of `viewer.companies`.
    company_id: ID,
}

/// An open session.
#[derive(SimpleObject)]
pub(super) struct SessionInfo {
    /// The secret, to send as `Authorization: Bearer …`. It is shown this once.
    token: String,
    /// When it ends at the latest; it ends earlier after twelve hours without use.
    expires_at: DateTime<Utc>,
    /// The company it acts in.
    company_id: ID,
    /// The person.
    person_id: ID,
}

impl From<Opened> for SessionInfo {
    fn from(opened: Opened) -> Self {
        Self {
            token: opened.token,
            expires_at: opened.expires_at,
            company_id: public(Kind::Company, opened.company_id),
            person_id: public(Kind::Person, opened.person_id),
        }
    }
}

/// What a sign-in still needs: a code of the second factor.
#[derive(SimpleObject)]
struct SignInChallenge {
    /// For `completeSignIn`, once.
    challenge: String,
    /// Until when it is good.
    expires_at: DateTime<Utc>,
}

/// An open session, what it still needs, or why there is none.
#[derive(Default, SimpleObject)]
pub(super) struct SignInPayload {
    /// The session; null when refused, or when a second factor is needed first.
    session: Option<SessionInfo>,
    /// The second step, when the account has a second factor.
    challenge: Option<SignInChallenge>,
    /// The secret by which this device is known from now on: keep it beside the program, and give it at each sign-in.
    /// Guesses of strangers then never keep this device out. Null for a device that is known already.
    device_token: Option<String>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

impl From<Entered> for SignInPayload {
    fn from(entered: Entered) -> Self {
        let Entered { opened, device_token } = entered;
        Self { session: Some(opened.into()), device_token, ..Self::default() }
    }
}

impl From<Step> for SignInPayload {
    fn from(step: Step) -> Self {
        match step {
            Step::In(entered) => entered.into(),
            Step::Second(second) => {
                let challenge = SignInChallenge { challenge: second.token, expires_at: second.expires_at };
                Self { challenge: Some(challenge), ..Self::default() }
            }
        }
    }
}

/// How far a sign-in came, or its refusal in the payload; faults go to the top.
pub(super) fn step<T: Into<SignInPayload>>(came: Result<T, identity::Error>) -> Result<SignInPayload, Error> {
    match came {
        Ok(came) => Ok(came.into()),
        Err(error) => Ok(SignInPayload { user_errors: vec![refusal(error)?], ..SignInPayload::default() }),
    }
}

/// A refusal to tell in the payload; faults and denials go to the top.
pub(super) fn refusal(error: identity::Error) -> Result<IdentityUserError, Error> {
    if error.fault().is_some() || error.denied().is_some() {
        return Err(from_domain(error));
    }
    let refusal = Refusal { code: error.code().to_owned(), field: error.field(), message: error.to_string() };
    Ok(IdentityUserError::from(&refusal))
}

/// An open session, or why there is none.
#[derive(SimpleObject)]
pub(super) struct SessionPayload {
    /// The session; null when refused.
    session: Option<SessionInfo>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// What the mutation did.
#[derive(SimpleObject)]
struct SignOutPayload {
    /// Whether a session has ended; keys have none.
    signed_out: bool,
}

/// A session, or its refusal in the payload; faults go to the top.
pub(super) fn answer(opened: Result<Opened, identity::Error>) -> Result<SessionPayload, Error> {
    match opened {
        Ok(opened) => Ok(SessionPayload { session: Some(opened.into()), user_errors: Vec::new() }),
        Err(error) => Ok(SessionPayload { session: None, user_errors: vec![refusal(error)?] }),
    }
}

/// The session that asks; none for programs.
fn session_of(request: &Session) -> Option<Uuid> {
    request.principal().and_then(|principal| principal.session)
}

/// The sign-in part of the mutation root. Nothing here takes an idempotency key: what these answer is a secret,
/// and a secret is not kept. A repeated sign-up makes another person with another company, and tells nothing of the first.
#[derive(Default)]
pub(crate) struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Founds a company: its owner, chart of accounts, journals, fiscal year, tax codes and figures, at once.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs up, and the company that is founded.")] input: SignUpInput,
    ) -> Result<SessionPayload, Error> {
        let request = ctx.session()?;
        let company = identity::company::NewCompany::from(input.company);
        let person = NewPerson {
            email: input.email,
            name: input.name,
            password: input.password,
            locale: company.locale.clone(),
        };
        let (app, origin) = (request.app(), request.origin().clone());
        let opened = async {
            let guess = Guess::SignUp { network: throttle::network(&origin) };
            throttle::service::let_through(&app.auth, &guess).await?;
            company.check()?;
            let person = people::prepare(&app.passwords, person, &company.name).await?;
            let id = founding::found(&app.auth, Founding { company, person: person.clone() }, origin.clone())
                .await?;
            // A mailbox that is written to too often gets no letter now; `sendConfirmation` asks again.
            match mailbox::want_confirmation(&app.auth, person.id, &origin).await {
                Ok(()) | Err(identity::Error::TooManyAttempts { .. }) => {}
                Err(error) => return Err(error),
            }
            session::open(&app.auth, person.id, Some(id), How::shown(Assurance::Password), origin).await
        };
        answer(opened.await)
    }

    /// Founds a further company for the person who is signed in, and opens a session in it.
    #[graphql(guard = "SignedIn")]
    async fn create_company(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A company to found for who is signed in.")] input: CreateCompanyInput,
    ) -> Result<SessionPayload, Error> {
        let request = ctx.session()?;
        let (Actor::Person(person), Some(from)) = (request.scope()?.actor(), session_of(request)) else {
            return Err(bad_argument(
                "company",
                "only a person founds a company: sign in with e-mail and password",
            ));
        };
        let company = identity::company::NewCompany::from(input.company);
        let (app, origin) = (request.app(), request.origin().clone());
        let confined = request.principal().is_some_and(|principal| principal.confined);
        let opened = async {
            if confined {
                return Err(identity::Error::Confined);
            }
            company.check()?;
            let person = Prepared::known(person);
            let id = founding::found(&app.auth, Founding { company, person: person.clone() }, origin.clone())
                .await?;
            session::open_from(&app.auth, from, id, origin).await
        };
        answer(opened.await)
    }

    /// Opens a session by e-mail and password; where the account has a second factor, answers what `completeSignIn` needs.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: SignInInput,
    ) -> Result<SignInPayload, Error> {
        let request = ctx.session()?;
        let company = parse_optional(Kind::Company, "companyId", input.company_id.as_ref())?;
        let (app, origin) = (request.app(), request.origin().clone());
        let SignInInput { email, password, device_token, .. } = input;
        let attempt = Attempt { email, password, company, device_token };
        step(sign_in::by_password(&app.auth, &app.passwords, attempt, origin).await)
    }

    /// Completes a sign-in by a code of the second factor.
    async fn complete_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The second step of a sign-in.")] input: CompleteSignInInput,
    ) -> Result<SignInPayload, Error> {
        let request = ctx.session()?;
        let origin = request.origin().clone();
        step(sign_in::complete(&request.app().auth, &input.challenge, &input.code, origin).await)
    }

    /// Opens a session in another of the person's companies. The present one stays open.
    #[graphql(guard = "SignedIn")]
    async fn switch_company(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The company to act in next.")] input: SwitchCompanyInput,
    ) -> Result<SessionPayload, Error> {
        let request = ctx.session()?;
        let company = parse(Kind::Company, "companyId", &input.company_id)?;
        let Some(from) = session_of(request) else {
            return Err(bad_argument("companyId", "a key acts in its own company only"));
        };
        answer(session::open_from(&request.app().auth, from, company, request.origin().clone()).await)
    }

    /// Ends the session that asks.
    #[graphql(guard = "SignedIn")]
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<SignOutPayload, Error> {
        let request = ctx.session()?;
        let Some(id) = request.principal().and_then(|principal| principal.session) else {
            return Ok(SignOutPayload { signed_out: false });
        };
        let auth = request.app().auth.clone();
        let done = mutate(ctx, move |tx| {
            let auth = auth.clone();
            Box::pin(async move { session::sign_out(tx, &auth, id).await.map(|()| true) })
        });
        Ok(SignOutPayload { signed_out: done.await?.result.unwrap_or(false) })
    }
}
