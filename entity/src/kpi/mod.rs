//! Tables of the domain kpi.

pub mod dashboard;
pub mod embed_link;
pub mod kpi_alert;
pub mod kpi_definition;
pub mod kpi_definition_version;
pub mod kpi_slice;
pub mod kpi_subscription;
