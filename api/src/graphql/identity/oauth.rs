//! Applications and grants in the graph.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Error, ID, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::identity::{oauth_client, oauth_grant};
use identity::oauth::client::{self, service as clients};
use identity::oauth::grant::service as grants;
use kernel::{Kind, Permission, Tx};
use uuid::Uuid;

use crate::graphql::actor::Actor;
use crate::graphql::cost::about;
use crate::graphql::guard::{Needs, Told};
use crate::graphql::ids::public;
use crate::graphql::request::{Batch, InRequest};

/// Whether an application can keep a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "client::ClientKind")]
pub(crate) enum ApplicationKind {
    /// It runs on a server of its own, and authenticates by a secret or a key.
    Confidential,
    /// It runs on its users' machines or in their browsers: nothing in it is a secret.
    Public,
}

/// How an application gets its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "client::GrantType")]
pub(crate) enum ApplicationGrantType {
    /// By codes with PKCE, for people who consent.
    AuthorizationCode,
    /// By refresh tokens, each good once, for as long as 90 days.
    RefreshToken,
    /// By itself, for itself, in the company that has registered it.
    ClientCredentials,
}

/// A secret of an application. The secret itself was shown once.
#[derive(SimpleObject)]
pub(crate) struct ApplicationSecret {
    /// Its last four characters.
    hint: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Until when it is good, once it was replaced; null while it is the newest.
    good_until: Option<DateTime<Utc>>,
}

/// A partner's program that gets its tokens by OAuth 2.0. Its id is its `client_id`.
pub(crate) struct Application(pub(crate) oauth_client::Model);

impl Application {
    /// An application by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(clients::get(&tx, id).await.told()?.map(Self))
    }
}

/// A partner's program that gets its tokens by OAuth 2.0. Its id is its `client_id`.
#[Object]
impl Application {
    /// The public id, which is the `client_id`.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Application, self.0.id)
    }

    /// What people read when they are asked to consent.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Where they can read about it.
    fn homepage(&self) -> &str {
        &self.0.homepage
    }

    /// Whether it can keep a secret.
    fn kind(&self) -> ApplicationKind {
        client::ClientKind::parse(&self.0.kind).unwrap_or(client::ClientKind::Public).into()
    }

    /// How it gets its tokens.
    #[graphql(directive = about::apply(3))]
    fn grant_types(&self) -> Vec<ApplicationGrantType> {
        self.0.grant_types.iter().filter_map(|name| client::GrantType::parse(name)).map(Into::into).collect()
    }

    /// Where codes may be sent, character by character.
    fn redirect_uris(&self) -> &[String] {
        &self.0.redirect_uris
    }

    /// The most scopes that it may ever ask for: permission names.
    fn permissions(&self) -> &[String] {
        &self.0.permissions
    }

    /// Its public keys (RFC 7517), when it authenticates by them.
    fn jwks(&self) -> Option<Json<serde_json::Value>> {
        self.0.jwks.clone().map(Json)
    }

    /// Its secrets that are good now, newest first; none when it authenticates by keys, or is public.
    #[graphql(directive = about::apply(2))]
    async fn secrets(&self, ctx: &Context<'_>) -> Result<Vec<ApplicationSecret>, Error> {
        let tx = ctx.session()?.read().await?;
        let secrets = clients::secrets(&tx, self.0.id).await.told()?;
        let shown = |clients::Secret { hint, created_at, good_until }| ApplicationSecret {
            hint,
            created_at,
            good_until,
        };
        Ok(secrets.into_iter().map(shown).collect())
    }

    /// For `expectedVersion` of the next change.
    fn version(&self) -> i32 {
        self.0.version
    }

    /// When it was registered.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Who registered it.
    fn created_by(&self) -> Actor {
        Actor(self.0.created_by.clone())
    }

    /// When it was archived; null while it lives.
    fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }
}

/// What an application may do in this company: for a person who said so, or for itself.
pub(crate) struct Grant(pub(crate) oauth_grant::Model);

impl Grant {
    /// A grant by id.
    pub(crate) async fn load(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(grants::get(&tx, id).await.told()?.map(Self))
    }

    /// What the viewer has granted here.
    pub(crate) async fn mine(ctx: &Context<'_>) -> Result<Vec<Self>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(grants::mine(&tx).await.told()?.into_iter().map(Self).collect())
    }
}

/// What an application may do in this company: for a person who said so, or for itself.
#[Object]
impl Grant {
    /// The public id.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Grant, self.0.id)
    }

    /// The `client_id` of the application, which may be another company's.
    async fn client_id(&self) -> String {
        public(Kind::Application, self.0.client_id).to_string()
    }

    /// The application's name, as it was granted.
    fn application_name(&self) -> &str {
        &self.0.client_name
    }

    /// The application's home page, as it was granted.
    fn application_homepage(&self) -> &str {
        &self.0.client_homepage
    }

    /// The person for whom it acts; null when it acts for itself.
    fn person(&self) -> Option<Actor> {
        self.0.person_id.map(|id| Actor(kernel::Actor::Person(id).stored()))
    }

    /// The scopes that were granted: permission names. A token never does more than the person's role allows now.
    fn permissions(&self) -> &[String] {
        &self.0.permissions
    }

    /// When it was last used, to the minute; null for never.
    fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// When it was given.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was revoked; null while it is good.
    fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
}

/// Whose name and which application a grant stands for, for showing who did something.
pub(crate) struct GrantNames;

impl Batch for GrantNames {
    type Key = Uuid;
    type Value = grants::Names;

    async fn load(tx: &Tx, keys: &[Uuid]) -> Result<HashMap<Uuid, grants::Names>, Error> {
        Ok(grants::names_of(tx, keys).await.told()?.into_iter().collect())
    }
}

/// The part of the query root for applications and grants.
#[derive(Default)]
pub(crate) struct ApplicationQuery;

#[Object]
impl ApplicationQuery {
    /// The applications that this company has registered, newest first. A company has few: they are not paged.
    #[graphql(guard = "Needs(Permission::ApplicationsRead)", directive = about::apply(20))]
    async fn applications(&self, ctx: &Context<'_>) -> Result<Vec<Application>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(clients::list(&tx).await.told()?.into_iter().map(Application).collect())
    }

    /// What applications may do in this company, for whomever, newest first, while it is good.
    #[graphql(guard = "Needs(Permission::MembersManage)", directive = about::apply(50))]
    async fn application_grants(&self, ctx: &Context<'_>) -> Result<Vec<Grant>, Error> {
        let tx = ctx.session()?.read().await?;
        Ok(grants::list(&tx).await.told()?.into_iter().map(Grant).collect())
    }
}
