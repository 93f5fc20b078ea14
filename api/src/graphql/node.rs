//! `node(id:)`: any thing by its public id.

use async_graphql::{Context, Error, ID, Interface};
use kernel::{Kind, id};

use super::error::bad_argument;
use super::identity::api_key::ApiKey;
use super::identity::company::Company;
use super::identity::member::Member;
use super::request::InRequest;

/// A thing with a public id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The public id: a TypeID, which tells what it names."))]
#[expect(clippy::large_enum_variant, reason = "one node a request; boxing each would cost more")]
pub(crate) enum Node {
    Company(Company),
    Member(Member),
    ApiKey(ApiKey),
}

/// The thing of a public id; `None` for an unknown one and for another company's.
pub(crate) async fn node(ctx: &Context<'_>, given: &ID) -> Result<Option<Node>, Error> {
    let (kind, id) = id::decode_any(given).map_err(|error| bad_argument("id", error.to_string()))?;
    Ok(match kind {
        Kind::Company => {
            let own = ctx.session()?.scope()?.company().id == id;
            if own { Some(Node::Company(Company::load(ctx).await?)) } else { None }
        }
        Kind::Membership => Member::load(ctx, id).await?.map(Node::Member),
        Kind::ApiKey => ApiKey::load(ctx, id).await?.map(Node::ApiKey),
        _ => return Err(bad_argument("id", format!("a {} is not a node", kind.prefix().replace('_', " ")))),
    })
}
