//! The graph: every public field is a deliberate line here, over the domains' services.
//!
//! Resolvers parse, call a service and wrap; they decide nothing. `request.rs` holds what a request shares,
//! `mutation.rs` how every mutation runs, `connection.rs` how every list is paged.
#![expect(
    clippy::unused_async,
    reason = "the library wants the fields of an interface, and subscriptions, async"
)]
#![expect(clippy::unused_self, reason = "a field is a method, whatever it needs")]

mod activity;
mod actor;
mod columns;
mod connection;
mod cost;
mod date;
mod documents;
mod error;
mod guard;
mod identity;
mod ids;
mod inline;
mod invoicing;
mod kpi;
mod ledger;
mod money;
mod mutation;
mod node;
mod nullable;
pub(crate) mod request;

pub(crate) use error::faulty;

use async_graphql::{Context, Error, ID, MergedObject, MergedSubscription, Object, Schema};

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
    kpi::KpiAlertQuery,
    kpi::BusinessCalendarQuery,
    kpi::DashboardsQuery,
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
    kpi::KpiAlertMutation,
    kpi::BusinessCalendarMutation,
    kpi::DashboardsMutation,
);

/// What can be followed.
#[derive(Default, MergedSubscription)]
pub(crate) struct Subscription(kpi::KpiSubscription, kpi::KpiAlertSubscription);

/// The schema of the public API.
pub(crate) type ApiSchema = Schema<Query, Mutation, Subscription>;

/// The schema. What bounds a request is the edge's: it refuses a document before the library looks at it.
pub(crate) fn schema() -> ApiSchema {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .disable_suggestions()
        .extension(nullable::AtTheirFields)
        .finish()
}

/// The contract, as `schema.graphql` holds it.
pub(crate) fn sdl() -> String {
    let mut sdl = schema().sdl();
    sdl.truncate(sdl.trim_end().len());
    sdl.push('\n');
    sdl
}
