//! Key figures in the graph: what they come to, how they stood, the records behind them, and their stream.

pub(crate) mod alerts;
mod calendar;
mod cubes;
pub(crate) mod dashboards;
pub(crate) mod detail;
mod errors;
pub(crate) mod figure;
mod moment;
mod mutations;
mod queries;
mod record;
pub(crate) mod spec;
mod subscription;
mod version;

pub(crate) use alerts::{KpiAlertMutation, KpiAlertQuery, KpiAlertSubscription};
pub(crate) use calendar::{BusinessCalendarMutation, BusinessCalendarQuery};
pub(crate) use dashboards::{DashboardsMutation, DashboardsQuery};
pub(crate) use mutations::KpiMutation;
pub(crate) use queries::KpiQuery;
pub(crate) use subscription::KpiSubscription;
