//! Dashboards in the graph, the links to them, and what outsiders see by a link.

pub(crate) mod dashboard;
mod embedded;
mod link_mutations;
mod mutations;
mod queries;

use async_graphql::MergedObject;

/// The dashboards' part of the query root.
#[derive(Default, MergedObject)]
pub(crate) struct DashboardsQuery(queries::DashboardQuery, embedded::EmbeddedQuery);

/// The dashboards' part of the mutation root.
#[derive(Default, MergedObject)]
pub(crate) struct DashboardsMutation(mutations::DashboardMutation, link_mutations::EmbedLinkMutation);
