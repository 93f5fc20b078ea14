//! Links to dashboards are made and revoked.

use async_graphql::{Context, Error, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use kernel::{Kind, Permission};
use kpi::Condition;
use kpi::dashboard::embed::{self, LinkDraft};
use uuid::Uuid;

use super::dashboard::EmbedLink;
use crate::graphql::cost::about;
use crate::graphql::guard::Needs;
use crate::graphql::ids::parse;
use crate::graphql::kpi::errors::KpiUserError;
use crate::graphql::mutation::{Done, mutate, payload};
use crate::graphql::request::InRequest;

/// A condition that a link's figures are narrowed to.
#[derive(InputObject)]
struct LockedFilterInput {
    /// A dimension by which every KPI of the dashboard is kept.
    dimension: String,
    /// The values of which one is needed.
    any_of: Vec<String>,
}

/// A link to make.
#[derive(InputObject)]
struct CreateEmbedLinkInput {
    /// A shared dashboard.
    dashboard_id: ID,
    /// What it shows is narrowed to, at most 5; all conditions hold. With any, targets are not shown, for they are of the
    /// whole.
    #[graphql(default)]
    locked_filters: Vec<LockedFilterInput>,
    /// Until when it is good, at most 365 days ahead.
    expires_at: DateTime<Utc>,
}

/// A link to revoke.
#[derive(InputObject)]
struct RevokeEmbedLinkInput {
    /// The link.
    embed_link_id: ID,
}

payload!(RevokeEmbedLinkPayload, link: EmbedLink, KpiUserError, "The link, revoked.");

/// The link and, this once, its address.
struct CreateEmbedLinkPayload {
    done: Done<Uuid>,
    url: String,
}

/// The link and, this once, its address.
#[Object]
impl CreateEmbedLinkPayload {
    /// The link. Null when refused.
    async fn link(&self, ctx: &Context<'_>) -> Result<Option<EmbedLink>, Error> {
        match self.done.result {
            Some(id) => EmbedLink::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The page that shows the dashboard; what stands after the last slash is the token for `embeddedDashboard`. It is shown
    /// this once; a replay does not show it.
    fn url(&self) -> Option<&str> {
        (self.done.result.is_some() && !self.done.replayed).then_some(self.url.as_str())
    }

    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    fn user_errors(&self) -> Vec<KpiUserError> {
        self.done.refusals.iter().map(KpiUserError::from).collect()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    fn replayed(&self) -> bool {
        self.done.replayed
    }
}

/// The links' part of the mutation root.
#[derive(Default)]
pub(crate) struct EmbedLinkMutation;

#[Object]
impl EmbedLinkMutation {
    /// Makes a link by which outsiders see a shared dashboard, without an account: values, targets and trends, never a record
    /// or a person.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn create_embed_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A link to make.")] input: CreateEmbedLinkInput,
    ) -> Result<CreateEmbedLinkPayload, Error> {
        let dashboard = parse(Kind::Dashboard, "dashboardId", &input.dashboard_id)?;
        let filters = input.locked_filters.into_iter().map(|filter| Condition {
            dimension: filter.dimension,
            any_of: filter.any_of,
            none_of: Vec::new(),
        });
        let draft = LinkDraft { dashboard, filters: filters.collect(), expires_at: input.expires_at };
        let token = embed::new_token();
        let url = format!("{}/embed/{token}", ctx.session()?.app().public_url);
        let done = mutate(ctx, move |tx| {
            let (draft, token) = (draft.clone(), token.clone());
            Box::pin(async move { embed::create(tx, draft, &token).await })
        });
        Ok(CreateEmbedLinkPayload { done: done.await?, url })
    }

    /// Revokes a link: from now on it shows nothing.
    #[graphql(guard = "Needs(Permission::KpiManage)")]
    async fn revoke_embed_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A link to revoke.")] input: RevokeEmbedLinkInput,
    ) -> Result<RevokeEmbedLinkPayload, Error> {
        let id = parse(Kind::EmbedLink, "embedLinkId", &input.embed_link_id)?;
        let done = mutate(ctx, move |tx| Box::pin(embed::revoke(tx, id)));
        Ok(RevokeEmbedLinkPayload(done.await?))
    }
}
