//! Key figures in the graph: what they come to, how they stood, the records behind them, and their stream.

pub(crate) mod detail;
mod errors;
pub(crate) mod figure;
mod mutations;
mod queries;
mod record;
mod subscription;

pub(crate) use mutations::KpiMutation;
pub(crate) use queries::KpiQuery;
pub(crate) use subscription::KpiSubscription;
