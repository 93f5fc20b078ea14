//! Relay connections: keyset pages, `first` or `last` needed, `totalCount` only when asked for.

use std::sync::Arc;

use async_graphql::connection::{
    Connection as Relay, DefaultConnectionName, DefaultEdgeName, DisableNodesField, Edge, EmptyFields,
};
use async_graphql::{ContainerType, Context, Error, Object};
use futures_util::future::BoxFuture;
use kernel::Tx;
use kernel::page::{Cursor, MOST, Page, Slice};

use super::error::bad_argument;
use super::inline::Inline;
use super::request::InRequest;
use crate::graphql::cost::costs;

/// A connection of nodes, with a lazy `totalCount`. What a page shows is read ahead, so its nodes resolve in place.
pub(crate) type Connection<Node> = Relay<
    String,
    Inline<Node>,
    TotalCount,
    EmptyFields,
    DefaultConnectionName,
    DefaultEdgeName,
    DisableNodesField,
>;

type Counter = dyn Fn(Arc<Tx>) -> BoxFuture<'static, Result<u64, Error>> + Send + Sync;

/// What a connection knows beside its page.
pub(crate) struct TotalCount(Box<Counter>);

impl TotalCount {
    /// Counts with `count` if the client asks.
    pub(crate) fn by<F, Fut>(count: F) -> Self
    where
        F: Fn(Arc<Tx>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<u64, Error>> + Send + 'static,
    {
        Self(Box::new(move |tx| Box::pin(count(tx))))
    }
}

#[Object]
impl TotalCount {
    /// How many there are in all, whatever page is shown. Counted only when asked for; it costs more than a page.
    #[graphql(directive = costs::apply(50))]
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64, Error> {
        (self.0)(ctx.session()?.read().await?).await
    }
}

/// The paging arguments of a connection.
#[derive(Debug, Default)]
pub(crate) struct PageArgs {
    pub first: Option<i32>,
    pub last: Option<i32>,
    pub after: Option<String>,
    pub before: Option<String>,
}

impl PageArgs {
    /// Which rows are wanted, or what is wrong with the arguments.
    pub(crate) fn slice(self) -> Result<Slice, Error> {
        let cursor = |text: Option<String>, field| {
            text.map(|text| {
                Cursor::decode(&text).ok_or_else(|| {
                    bad_argument(field, "not a cursor of this list: use one that a page gave you")
                })
            })
            .transpose()
        };
        let (field, asked, backward) = match (self.first, self.last) {
            (Some(first), None) => ("first", first, false),
            (None, Some(last)) => ("last", last, true),
            _ => {
                return Err(bad_argument(
                    "first",
                    format!("say how many: `first` or `last`, at most {MOST}"),
                ));
            }
        };
        let limit = u32::try_from(asked)
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| bad_argument(field, format!("`{field}` is 1 to {MOST}")))?;
        Ok(Slice {
            after: cursor(self.after, "after")?,
            before: cursor(self.before, "before")?,
            limit,
            backward,
        })
    }
}

/// Makes the connection of a page: `cursor` tells where a row stands, `node` what it becomes.
pub(crate) fn connection<Row, Node: ContainerType>(
    page: Page<Row>,
    total: TotalCount,
    cursor: impl Fn(&Row) -> Cursor,
    node: impl Fn(Row) -> Node,
) -> Connection<Node> {
    let mut connection = Relay::with_additional_fields(page.has_previous, page.has_next, total);
    connection.edges = page
        .items
        .into_iter()
        .map(|row| {
            let at = cursor(&row).encode();
            Edge::new(at, Inline(node(row)))
        })
        .collect();
    connection
}
