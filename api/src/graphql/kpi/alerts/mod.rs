//! Alerts in the graph: what is wrong, who looks after it, and who is told.

pub(crate) mod alert;
mod mutations;
mod queries;
mod subscription;
mod wish;

pub(crate) use mutations::KpiAlertMutation;
pub(crate) use queries::KpiAlertQuery;
pub(crate) use subscription::KpiAlertSubscription;
