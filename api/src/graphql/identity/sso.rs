//! Sign-in with providers in the graph: what companies register, and what nobody needs to sign in for.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use identity::federation::domain::{self, Domain};
use identity::federation::provider::{self, Provider};
use identity::federation::service as federation;
use kernel::{Kind, Permission};
use uuid::Uuid;

use super::sign_in::{SignInPayload, step};
use crate::graphql::cost::{about, costs};
use crate::graphql::error::faulty;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::request::InRequest;

/// An OpenID Connect provider that the company has registered for its people.
#[derive(Clone)]
pub(crate) struct SsoProvider(Provider);

impl SsoProvider {
    /// A provider by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(provider::get(&tx, id).await.told()?.map(Self))
    }
}

/// An OpenID Connect provider that the company has registered for its people. Its secret is never shown.
#[Object]
impl SsoProvider {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::SsoProvider, self.0.id)
    }

    /// What people call it.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its issuer.
    fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The client's id there.
    fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// Whether it signs in.
    fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// Whether its word that somebody showed several factors stands for a second factor here.
    fn trusts_second_factor(&self) -> bool {
        self.0.trusts_second_factor
    }

    /// Where to register as the place to come back to, to the letter.
    fn redirect_uri(&self, ctx: &Context<'_>) -> Result<String, Error> {
        Ok(format!("{}/sso/callback", ctx.session()?.app().public_url))
    }

    /// Where a browser is sent to sign in: a path of this server, to which the program adds `?challenge=`, the base64url of the
    /// SHA-256 of a verifier that it makes up and gives to `redeemHandoff` (RFC 7636), and `&return_to=`, a path to come back
    /// to.
    fn sign_in_path(&self) -> String {
        identity::federation::Which::Company(self.0.id).path()
    }

    /// For the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// When it was registered.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Since when it is out of use.
    fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }
}

/// A domain that the company has claimed.
#[derive(Clone)]
pub(crate) struct CompanyDomain(Domain);

impl CompanyDomain {
    /// A claim by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(domain::get(&tx, id).await.told()?.map(Self))
    }
}

/// A domain that the company has claimed.
#[Object]
impl CompanyDomain {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::CompanyDomain, self.0.id)
    }

    /// The domain, in lower case.
    fn domain(&self) -> &str {
        &self.0.domain
    }

    /// The name of the TXT record that proves it.
    fn record_name(&self) -> String {
        self.0.record_name()
    }

    /// The text of that record.
    fn record_text(&self) -> String {
        self.0.record_text()
    }

    /// When the company proved that it is its own.
    fn verified_at(&self) -> Option<DateTime<Utc>> {
        self.0.verified_at
    }

    /// Whether who comes with a verified address of it joins.
    fn joins(&self) -> bool {
        self.0.joins
    }

    /// With which role, by its key.
    fn join_role(&self) -> Option<&str> {
        self.0.join_role.as_deref()
    }

    /// For the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// When it was claimed.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Since when it is claimed no more.
    fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }
}

/// A provider to sign in with.
#[derive(SimpleObject)]
struct SignInProvider {
    /// What `linkIdentity` names it by.
    provider: String,
    /// What people call it.
    name: String,
    /// Where a browser is sent: a path of this server, which takes `challenge` (see `SsoProvider.signInPath`) and `return_to`.
    path: String,
}

/// What a browser that came back from a provider has brought.
#[derive(InputObject)]
struct RedeemHandoffInput {
    /// The code behind `#handoff=`; it is good once, for a minute.
    code: String,
    /// The verifier of the `challenge` with which the sign-in was begun (RFC 7636).
    verifier: String,
    /// The device's token, as an earlier sign-in on it answered it.
    device_token: Option<String>,
}

/// The part of the query root for sign-in providers.
#[derive(Default)]
pub(crate) struct SsoQuery;

#[Object]
impl SsoQuery {
    /// The providers that the company has registered. They are few, and not paged.
    #[graphql(guard = "Needs(Permission::SsoRead)", directive = about::apply(5))]
    async fn sso_providers(&self, ctx: &Context<'_>) -> Result<Vec<SsoProvider>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(provider::list(&tx).await.told()?.into_iter().map(SsoProvider).collect())
    }

    /// The domains that the company has claimed. They are few, and not paged.
    #[graphql(guard = "Needs(Permission::SsoRead)", directive = about::apply(5))]
    async fn company_domains(&self, ctx: &Context<'_>) -> Result<Vec<CompanyDomain>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(domain::list(&tx).await.told()?.into_iter().map(CompanyDomain).collect())
    }

    /// The providers that one can sign in with, by the domain of an address. Whether the address has an account is not told.
    #[graphql(directive = about::apply(5), directive = costs::apply(3))]
    async fn sign_in_providers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address to sign in with; without it, the providers that are offered to all.")]
        email: Option<String>,
    ) -> Result<Vec<SignInProvider>, Error> {
        let app = ctx.session()?.app();
        let offered = federation::offered(&app.auth, &app.federation, email.as_deref()).await;
        let offered = offered.map_err(|fault| faulty(&fault))?;
        let shown = |(which, name): (identity::federation::Which, String)| SignInProvider {
            provider: which.name(),
            name,
            path: which.path(),
        };
        Ok(offered.into_iter().map(shown).collect())
    }
}

/// The part of the mutation root for who comes back from a provider.
#[derive(Default)]
pub(crate) struct HandoffMutation;

#[Object]
impl HandoffMutation {
    /// Opens the session of who came back from a provider; where the account has a second factor that was not shown, answers what
    /// `completeSignIn` needs.
    async fn redeem_handoff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What a browser that came back from a provider has brought.")]
        input: RedeemHandoffInput,
    ) -> Result<SignInPayload, Error> {
        let request = ctx.session()?;
        let origin = request.origin().clone();
        step(
            federation::enter(&request.app().auth, &input.code, &input.verifier, input.device_token, origin)
                .await,
        )
    }
}
