//! The rows of each table as sea-orm entities, a folder per domain. No behaviour: rules live in the domains.
#![expect(
    missing_docs,
    reason = "a model mirrors its table; the meaning of a column stands in its migration"
)]

pub mod documents;
pub mod identity;
pub mod invoicing;
pub mod kpi;
pub mod ledger;
