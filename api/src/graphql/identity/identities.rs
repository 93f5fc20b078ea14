//! A person's own accounts at providers. Nothing here takes an idempotency key: what is answered stands on a proof, which is
//! not kept.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use identity::federation::Which;
use identity::federation::link::{self, Linked};
use kernel::{Actor, Kind};

use super::errors::IdentityUserError;
use super::factor::{FreshProofInput, own, told};
use crate::graphql::cost::about;
use crate::graphql::error::{bad_argument, faulty};
use crate::graphql::guard::SignedIn;
use crate::graphql::ids::{parse, public};
use crate::graphql::request::InRequest;

/// An account of a provider that a person signs in with.
#[derive(SimpleObject)]
pub(crate) struct LinkedIdentity {
    /// The public id, for `unlinkIdentity`.
    identity_id: ID,
    /// The provider's issuer.
    issuer: String,
    /// Since when.
    created_at: DateTime<Utc>,
    /// When it last signed in.
    last_used_at: Option<DateTime<Utc>>,
}

impl From<Linked> for LinkedIdentity {
    fn from(linked: Linked) -> Self {
        let Linked { id, issuer, created_at, last_used_at } = linked;
        Self { identity_id: public(Kind::Identity, id), issuer, created_at, last_used_at }
    }
}

/// The accounts at providers of who asks; programs have none.
pub(super) async fn of_viewer(ctx: &Context<'_>) -> Result<Vec<LinkedIdentity>, Error> {
    let request = ctx.session()?;
    let Actor::Person(person) = request.scope()?.actor() else { return Ok(Vec::new()) };
    let linked = link::list(&request.app().auth, person).await.map_err(|fault| faulty(&fault))?;
    Ok(linked.into_iter().map(LinkedIdentity::from).collect())
}

/// A provider to sign in with from now on.
#[derive(InputObject)]
struct LinkIdentityInput {
    /// One of `signInProviders`, or of `ssoProviders` by its id.
    provider: String,
    /// That it is still the person who signed in.
    proof: FreshProofInput,
}

/// An account of a provider to take away.
#[derive(InputObject)]
struct UnlinkIdentityInput {
    /// One of `viewer.identities`.
    identity_id: ID,
    /// That it is still the person who signed in.
    proof: FreshProofInput,
}

/// Where to go on, or why not.
#[derive(SimpleObject)]
struct LinkIdentityPayload {
    /// Where a browser is sent: a path of this server, which takes `return_to` as well. Good once, for five minutes.
    path: Option<String>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// What is left, or why it was refused.
#[derive(SimpleObject)]
struct UnlinkIdentityPayload {
    /// The accounts that are left; null when refused.
    #[graphql(directive = about::apply(3))]
    identities: Option<Vec<LinkedIdentity>>,
    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    user_errors: Vec<IdentityUserError>,
}

/// The part of the mutation root for the viewer's accounts at providers.
#[derive(Default)]
pub(crate) struct LinkMutation;

#[Object]
impl LinkMutation {
    /// Begins to give the viewer an account of a provider: it is done once the person has signed in there, in a browser, and has
    /// confirmed it.
    #[graphql(guard = "SignedIn")]
    async fn link_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A provider to sign in with from now on.")] input: LinkIdentityInput,
    ) -> Result<LinkIdentityPayload, Error> {
        let request = ctx.session()?;
        let Some(which) = Which::parse(&input.provider) else {
            return Err(bad_argument("provider", "there is no such provider: take one of `signInProviders`"));
        };
        let (app, own) = (request.app(), own(request)?);
        let begun = link::begin(&app.auth, &app.passwords, own, &input.proof.into(), which).await;
        let (token, user_errors) = told(begun)?;
        let path = token.map(|token| format!("{}?link={token}", which.path()));
        Ok(LinkIdentityPayload { path, user_errors })
    }

    /// Takes an account of a provider away, unless nothing else would let the viewer in.
    #[graphql(guard = "SignedIn")]
    async fn unlink_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An account of a provider to take away.")] input: UnlinkIdentityInput,
    ) -> Result<UnlinkIdentityPayload, Error> {
        let request = ctx.session()?;
        let id = parse(Kind::Identity, "identityId", &input.identity_id)?;
        let (app, own) = (request.app(), own(request)?);
        let removed = link::remove(&app.auth, &app.passwords, own, &input.proof.into(), id).await;
        let (done, user_errors) = told(removed)?;
        let identities = match done {
            Some(()) => Some(of_viewer(ctx).await?),
            None => None,
        };
        Ok(UnlinkIdentityPayload { identities, user_errors })
    }
}
