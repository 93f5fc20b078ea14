//! Signing up, in and out: what works without a session, or ends one.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use identity::session::NewPerson;
use identity::session::service::{self as session, Opened};
use kernel::{Actor, DomainError, Kind};

use super::company::ChartOfAccounts;
use super::errors::IdentityUserError;
use crate::founding::{self, Founding};
use crate::graphql::cost::about;
use crate::graphql::error::{bad_argument, from_domain};
use crate::graphql::guard::SignedIn;
use crate::graphql::ids::{parse, parse_optional, public};
use crate::graphql::mutation::{Refusal, mutate};
use crate::graphql::request::InRequest;

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
    /// At least 15 characters. Who has an account already gives its password.
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
}

/// The company to act in next.
#[derive(InputObject)]
struct SwitchCompanyInput {
    /// One of `viewer.companies`.
    company_id: ID,
}

/// An open session.
#[derive(SimpleObject)]
struct SessionInfo {
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

/// An open session, or why there is none.
#[derive(SimpleObject)]
struct SessionPayload {
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
fn answer(opened: Result<Opened, identity::Error>) -> Result<SessionPayload, Error> {
    match opened {
        Ok(opened) => Ok(SessionPayload { session: Some(opened.into()), user_errors: Vec::new() }),
        Err(error) if error.fault().is_some() || error.denied().is_some() => Err(from_domain(error)),
        Err(error) => {
            let refusal =
                Refusal { code: error.code().to_owned(), field: error.field(), message: error.to_string() };
            Ok(SessionPayload { session: None, user_errors: vec![IdentityUserError::from(&refusal)] })
        }
    }
}

/// The sign-in part of the mutation root. Nothing here takes an idempotency key: what these answer is a secret,
/// and a secret is not kept. A repeated sign-up is told that the account exists.
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
            company.check()?;
            let person = session::prepare(&app.auth, &app.passwords, person).await?;
            let id = founding::found(&app.auth, Founding { company, person: person.clone() }, origin.clone())
                .await?;
            session::open(&app.auth, person.id, Some(id), origin).await
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
        let Actor::Person(person) = request.scope()?.actor() else {
            return Err(bad_argument(
                "company",
                "only a person founds a company: sign in with e-mail and password",
            ));
        };
        let company = identity::company::NewCompany::from(input.company);
        let (app, origin) = (request.app(), request.origin().clone());
        let opened = async {
            company.check()?;
            let person = session::Prepared::known(person);
            let id = founding::found(&app.auth, Founding { company, person: person.clone() }, origin.clone())
                .await?;
            session::open(&app.auth, person.id, Some(id), origin).await
        };
        answer(opened.await)
    }

    /// Opens a session by e-mail and password.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: SignInInput,
    ) -> Result<SessionPayload, Error> {
        let request = ctx.session()?;
        let company = parse_optional(Kind::Company, "companyId", input.company_id.as_ref())?;
        let (app, origin) = (request.app(), request.origin().clone());
        answer(
            session::sign_in(&app.auth, &app.passwords, &input.email, &input.password, company, origin).await,
        )
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
        let Actor::Person(person) = request.scope()?.actor() else {
            return Err(bad_argument("companyId", "a key acts in its own company only"));
        };
        answer(session::open(&request.app().auth, person, Some(company), request.origin().clone()).await)
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
