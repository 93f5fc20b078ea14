//! What is done with sign-in providers and domains of a company.

use async_graphql::{Context, Error, ID, InputObject, Object};
use identity::approval::{Act, Outcome};
use identity::federation::domain;
use identity::federation::provider::{self, NewProvider, ProviderChange};
use kernel::{DomainError, Kind, Permission};
use uuid::Uuid;

use super::approval::{make_or_ask, rights_payload};
use super::errors::IdentityUserError;
use super::sso::{CompanyDomain, SsoProvider};
use crate::graphql::error::from_domain;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::mutation::{Done, Refusal, mutate, payload};
use crate::graphql::request::InRequest;

/// A provider to register.
#[derive(InputObject)]
struct CreateSsoProviderInput {
    /// What people call it.
    name: String,
    /// Its issuer, to the letter, e.g. `https://login.example.com`.
    issuer: String,
    /// The client's id there.
    client_id: String,
    /// The client's secret there. It is never shown again.
    client_secret: String,
    /// Whether its word that somebody showed several factors stands for a second factor here.
    #[graphql(default)]
    trusts_second_factor: bool,
}

/// Changes of a provider; what is left out stays. Another issuer is another provider.
#[derive(InputObject)]
struct UpdateSsoProviderInput {
    /// The provider.
    sso_provider_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// What people call it.
    name: Option<String>,
    /// The client's id there.
    client_id: Option<String>,
    /// The client's secret there.
    client_secret: Option<String>,
    /// Whether it signs in.
    enabled: Option<bool>,
    /// Whether its word stands for a second factor here.
    trusts_second_factor: Option<bool>,
}

/// A provider to take out of use.
#[derive(InputObject)]
struct ArchiveSsoProviderInput {
    /// The provider.
    sso_provider_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

/// A domain to claim.
#[derive(InputObject)]
struct ClaimDomainInput {
    /// The domain, e.g. `example.com`.
    domain: String,
}

/// A domain whose record is there.
#[derive(InputObject)]
struct VerifyDomainInput {
    /// The claim.
    company_domain_id: ID,
}

/// Who joins by a domain; what is left out stays.
#[derive(InputObject)]
struct UpdateDomainInput {
    /// The claim.
    company_domain_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// Whether who comes with a verified address of it joins.
    joins: Option<bool>,
    /// With which role, by its key; never `owner`.
    join_role: Option<String>,
}

/// A domain to give up.
#[derive(InputObject)]
struct ReleaseDomainInput {
    /// The claim.
    company_domain_id: ID,
    /// The version that was read; another one is a conflict.
    expected_version: i32,
}

payload!(CreateSsoProviderPayload, sso_provider: SsoProvider, IdentityUserError, "The registered provider.");
payload!(UpdateSsoProviderPayload, sso_provider: SsoProvider, IdentityUserError, "The provider.");
payload!(ArchiveSsoProviderPayload, sso_provider: SsoProvider, IdentityUserError, "The archived provider.");
payload!(ClaimDomainPayload, company_domain: CompanyDomain, IdentityUserError, "The claim, with the record that proves it.");
payload!(VerifyDomainPayload, company_domain: CompanyDomain, IdentityUserError, "The claim, proved.");
rights_payload!(UpdateDomainPayload, company_domain: CompanyDomain, "The claim.");
payload!(ReleaseDomainPayload, company_domain: CompanyDomain, IdentityUserError, "The claim, given up.");

/// What was refused before the transaction, over the network.
fn refused(error: identity::Error) -> Result<Done<Uuid>, Error> {
    if error.fault().is_some() || error.denied().is_some() {
        return Err(from_domain(error));
    }
    let refusal = Refusal { code: error.code().to_owned(), field: error.field(), message: error.to_string() };
    Ok(Done { result: None, refusals: vec![refusal], replayed: false })
}

/// The part of the mutation root for sign-in providers and domains.
#[derive(Default)]
pub(crate) struct SsoMutation;

#[Object]
impl SsoMutation {
    /// Registers an OpenID Connect provider for the company's people, after it was found there.
    #[graphql(guard = "Needs(Permission::SsoManage)")]
    async fn create_sso_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A provider to register.")] input: CreateSsoProviderInput,
    ) -> Result<CreateSsoProviderPayload, Error> {
        let CreateSsoProviderInput { name, issuer, client_id, client_secret, trusts_second_factor } = input;
        let new = NewProvider { name, issuer, client_id, client_secret, trusts_second_factor };
        let request = ctx.session()?;
        if let Err(error) = provider::find(&request.app().federation, request.scope()?, &new.issuer).await {
            return refused(error).map(CreateSsoProviderPayload);
        }
        let done = mutate(ctx, move |tx| {
            let new = new.clone();
            Box::pin(async move { provider::create(tx, &new).await })
        });
        done.await.map(CreateSsoProviderPayload)
    }

    /// Changes a provider.
    #[graphql(guard = "Needs(Permission::SsoManage)")]
    async fn update_sso_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of a provider.")] input: UpdateSsoProviderInput,
    ) -> Result<UpdateSsoProviderPayload, Error> {
        let id = parse(Kind::SsoProvider, "ssoProviderId", &input.sso_provider_id)?;
        let UpdateSsoProviderInput { name, client_id, client_secret, enabled, trusts_second_factor, .. } =
            input;
        let change = ProviderChange { name, client_id, client_secret, enabled, trusts_second_factor };
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| {
            let change = change.clone();
            Box::pin(async move { provider::update(tx, id, version, &change).await.map(|()| id) })
        });
        Ok(UpdateSsoProviderPayload(done.await?.or_current(id)))
    }

    /// Takes a provider out of use for good. Sessions that it opened go on until they end.
    #[graphql(guard = "Needs(Permission::SsoManage)")]
    async fn archive_sso_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A provider to take out of use.")] input: ArchiveSsoProviderInput,
    ) -> Result<ArchiveSsoProviderPayload, Error> {
        let id = parse(Kind::SsoProvider, "ssoProviderId", &input.sso_provider_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { provider::archive(tx, id, version).await.map(|()| id) })
        });
        Ok(ArchiveSsoProviderPayload(done.await?.or_current(id)))
    }

    /// Claims a domain: it counts once `verifyDomain` has seen the record that the claim shows.
    #[graphql(guard = "Needs(Permission::SsoManage)")]
    async fn claim_domain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A domain to claim.")] input: ClaimDomainInput,
    ) -> Result<ClaimDomainPayload, Error> {
        let done = mutate(ctx, move |tx| {
            let domain = input.domain.clone();
            Box::pin(async move { domain::claim(tx, &domain).await })
        });
        done.await.map(ClaimDomainPayload)
    }

    /// Looks for the record that proves a domain.
    #[graphql(guard = "Needs(Permission::SsoManage)")]
    async fn verify_domain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A domain whose record is there.")] input: VerifyDomainInput,
    ) -> Result<VerifyDomainPayload, Error> {
        let id = parse(Kind::CompanyDomain, "companyDomainId", &input.company_domain_id)?;
        let request = ctx.session()?;
        if let Err(error) = domain::prove(&request.app().federation, request.scope()?, id).await {
            return refused(error).map(VerifyDomainPayload);
        }
        let done = mutate(ctx, move |tx| Box::pin(async move { domain::verify(tx, id).await.map(|()| id) }));
        done.await.map(VerifyDomainPayload)
    }

    /// Says whether who comes with an address of a domain joins, and with which role. Where the company wants changes of
    /// rights approved, it waits for another owner, unless it is only that nobody joins any more.
    #[graphql(guard = "Needs(Permission::SsoManage)")]
    async fn update_domain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who joins by a domain.")] input: UpdateDomainInput,
    ) -> Result<UpdateDomainPayload, Error> {
        let id = parse(Kind::CompanyDomain, "companyDomainId", &input.company_domain_id)?;
        let UpdateDomainInput { expected_version: version, joins, join_role, .. } = input;
        let act = Act::JoinByDomain { domain: id, expected_version: version, joins, role: join_role };
        Ok(UpdateDomainPayload(make_or_ask(ctx, act).await?.or_current(Outcome::Done(id))))
    }

    /// Gives a domain up: nobody joins by it, and another company can prove it.
    #[graphql(guard = "Needs(Permission::SsoManage)")]
    async fn release_domain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A domain to give up.")] input: ReleaseDomainInput,
    ) -> Result<ReleaseDomainPayload, Error> {
        let id = parse(Kind::CompanyDomain, "companyDomainId", &input.company_domain_id)?;
        let version = input.expected_version;
        let done = mutate(ctx, move |tx| {
            Box::pin(async move { domain::release(tx, id, version).await.map(|()| id) })
        });
        Ok(ReleaseDomainPayload(done.await?.or_current(id)))
    }
}
