//! Tables of the domain kpi.

pub mod kpi_definition;
