//! The graph: every public field is a deliberate line here, over the domains' services.
//!
//! Resolvers parse, call a service and wrap; they decide nothing. `request.rs` holds what a request shares,
//! `mutation.rs` how every mutation runs, `connection.rs` how every list is paged.
#![expect(clippy::unused_async, reason = "the library wants every resolver async")]

mod activity;
mod actor;
mod connection;
mod date;
mod documents;
mod error;
mod guard;
mod identity;
mod ids;
mod invoicing;
mod kpi;
mod ledger;
mod money;
mod mutation;
mod node;
pub(crate) mod request;

use async_graphql::{Context, Error, ID, MergedObject, MergedSubscription, Object, Schema, SchemaBuilder};

/// `node(id:)`.
#[derive(Default)]
struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any thing by its public id. Null for an unknown id, and for one of another company.
    #[graphql(guard = "guard::SignedIn")]
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A TypeID, e.g. `invoice_01h455vb4pex5vsknk084sn02q`.")] id: ID,
    ) -> Result<Option<node::Node>, Error> {
        node::node(ctx, &id).await
    }
}

/// What can be asked.
#[derive(Default, MergedObject)]
pub(crate) struct Query(
    NodeQuery,
    identity::IdentityQuery,
    invoicing::SalesQuery,
    invoicing::PurchasesQuery,
    invoicing::PaymentsQuery,
    ledger::LedgerQuery,
    documents::DocumentsQuery,
    kpi::KpiQuery,
);

/// What can be done. Every mutation takes an `Idempotency-Key` header, answers a payload with `userErrors`, and
/// is one transaction.
#[derive(Default, MergedObject)]
pub(crate) struct Mutation(
    identity::SignInMutation,
    identity::IdentityMutation,
    invoicing::SalesMutation,
    invoicing::PurchasesMutation,
    invoicing::PaymentsMutation,
    ledger::LedgerMutation,
    documents::DocumentsMutation,
    kpi::KpiMutation,
);

/// What can be followed.
#[derive(Default, MergedSubscription)]
pub(crate) struct Subscription(kpi::KpiSubscription);

/// The schema of the public API.
pub(crate) type ApiSchema = Schema<Query, Mutation, Subscription>;

/// Most steps from the root to a leaf.
const MOST_DEPTH: usize = 15;
/// Most fields that an answer may have, by the declared sizes of its lists.
const MOST_COMPLEXITY: usize = 20_000;
/// Most aliases of one document.
const MOST_ALIASES: usize = 50;
/// Most directives on one field.
const MOST_DIRECTIVES: usize = 10;

/// The schema with its limits.
pub(crate) fn schema() -> ApiSchema {
    builder().finish()
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .limit_depth(MOST_DEPTH)
        .limit_complexity(MOST_COMPLEXITY)
        .limit_aliases(MOST_ALIASES)
        .limit_directives(MOST_DIRECTIVES)
        .limit_recursive_depth(32)
}

/// The contract, as `schema.graphql` holds it.
pub(crate) fn sdl() -> String {
    let mut sdl = schema().sdl();
    sdl.truncate(sdl.trim_end().len());
    sdl.push('\n');
    sdl
}
