//! What identity answers.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use identity::session::service as session;
use kernel::{Actor as Who, Kind, Permission};

use super::api_key::ApiKey;
use super::company::Company;
use super::factor::{self, Factors};
use super::identities::{self, LinkedIdentity};
use super::member::Member;
use super::oauth::Grant;
use super::role::{Role, RoleName};
use super::session::{self as session_list, OpenSession};
use crate::graphql::actor::Actor;
use crate::graphql::cost::{about, costs};
use crate::graphql::error::faulty;
use crate::graphql::guard::{Needs, SignedIn, Told};
use crate::graphql::ids::public;
use crate::graphql::request::InRequest;

/// Who asks.
pub(crate) struct Viewer;

/// A company that the viewer can act in.
#[derive(SimpleObject)]
pub(crate) struct CompanyChoice {
    /// The public id, for `switchCompany`.
    id: ID,
    /// The company's name.
    name: String,
    /// The viewer's role there.
    role: RoleName,
    /// Whether it is a test twin.
    test: bool,
}

/// A permission, for people who hand it out.
#[derive(SimpleObject)]
pub(crate) struct PermissionInfo {
    /// Its name, e.g. `invoicing.issue`.
    name: &'static str,
    /// What it allows.
    meaning: &'static str,
}

impl From<Permission> for PermissionInfo {
    fn from(permission: Permission) -> Self {
        Self { name: permission.as_str(), meaning: permission.meaning().trim() }
    }
}

/// Who asks.
#[Object]
impl Viewer {
    /// The person or program.
    fn actor(&self, ctx: &Context<'_>) -> Result<Actor, Error> {
        Ok(Actor(ctx.session()?.scope()?.actor().stored()))
    }

    /// The role in this company; null for programs.
    async fn role(&self, ctx: &Context<'_>) -> Result<Option<Role>, Error> {
        match ctx.session()?.principal().and_then(|principal| principal.role.as_deref()) {
            Some(key) => Role::of_key(ctx, key).await.map(Some),
            None => Ok(None),
        }
    }

    /// What the viewer may do here.
    #[graphql(directive = about::apply(40))]
    fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<PermissionInfo>, Error> {
        Ok(ctx.session()?.scope()?.permissions().iter().map(PermissionInfo::from).collect())
    }

    /// What the viewer proves who they are with, beside the password; null for programs.
    #[graphql(directive = costs::apply(3))]
    async fn factors(&self, ctx: &Context<'_>) -> Result<Option<Factors>, Error> {
        factor::of_viewer(ctx).await
    }

    /// The viewer's accounts at providers, oldest first, at most 100; programs have none.
    #[graphql(directive = about::apply(3), directive = costs::apply(3))]
    async fn identities(&self, ctx: &Context<'_>) -> Result<Vec<LinkedIdentity>, Error> {
        identities::of_viewer(ctx).await
    }

    /// The viewer's open sessions in all companies, newest first, at most 200; programs have none.
    #[graphql(directive = about::apply(10), directive = costs::apply(3))]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<OpenSession>, Error> {
        session_list::own(ctx).await
    }

    /// What the viewer has let applications do here, newest first, what was revoked included; at most 100.
    #[graphql(directive = about::apply(10))]
    async fn grants(&self, ctx: &Context<'_>) -> Result<Vec<Grant>, Error> {
        Grant::mine(ctx).await
    }

    /// The companies that the viewer can act in; for programs, none but this.
    #[graphql(directive = about::apply(5))]
    async fn companies(&self, ctx: &Context<'_>) -> Result<Vec<CompanyChoice>, Error> {
        let request = ctx.session()?;
        let Who::Person(person) = request.scope()?.actor() else { return Ok(Vec::new()) };
        let locale = request.scope()?.company().locale.clone();
        let choices =
            session::companies(&request.app().auth, person).await.map_err(|fault| faulty(&fault))?;
        // A session by the word of a company's own provider is not shown where else its person belongs.
        let confined = request.principal().is_some_and(|principal| principal.confined);
        let here = request.scope()?.company().id;
        choices
            .into_iter()
            .filter(|choice| !confined || choice.tenant_id == here)
            .map(|choice| {
                Ok(CompanyChoice {
                    id: public(Kind::Company, choice.tenant_id),
                    name: choice.name,
                    role: RoleName::of(choice.role, choice.role_name, &locale),
                    test: choice.mode == "test",
                })
            })
            .collect()
    }
}

/// The part of the query root for the company, its members and keys.
#[derive(Default)]
pub(crate) struct AccessQuery;

#[Object]
impl AccessQuery {
    /// Who asks, in which company, with which rights.
    #[graphql(guard = "SignedIn")]
    fn viewer(&self) -> Viewer {
        Viewer
    }

    /// The company that this session or key acts in.
    #[graphql(guard = "Needs(Permission::CompanyRead)")]
    async fn company(&self, ctx: &Context<'_>) -> Result<Company, Error> {
        Company::load(ctx).await
    }

    /// The people of this company. A company has few: they are not paged.
    #[graphql(guard = "Needs(Permission::MembersRead)", directive = about::apply(20))]
    async fn members(&self, ctx: &Context<'_>) -> Result<Vec<Member>, Error> {
        let tx = ctx.session()?.read().await?;
        let members = identity::member::service::list(&tx).await.told()?;
        Ok(members.into_iter().map(Member).collect())
    }

    /// The keys of partners' programs, newest first. A company has few: they are not paged.
    #[graphql(guard = "Needs(Permission::ApiKeysRead)", directive = about::apply(20))]
    async fn api_keys(&self, ctx: &Context<'_>) -> Result<Vec<ApiKey>, Error> {
        let tx = ctx.session()?.read().await?;
        let keys = identity::api_key::service::list(&tx).await.told()?;
        Ok(keys.into_iter().map(ApiKey).collect())
    }

    /// Every permission there is.
    #[graphql(guard = "SignedIn", directive = about::apply(40))]
    fn permissions(&self) -> Vec<PermissionInfo> {
        Permission::ALL.iter().copied().map(PermissionInfo::from).collect()
    }
}
