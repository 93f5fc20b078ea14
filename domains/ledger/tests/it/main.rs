//! The ledger on a real database: its invariants, and what tries to break them.

mod balances;
mod books;
mod closing;
mod concurrency;
mod drafts;
mod holes;
mod matchings;
mod permissions;
mod reports;
mod support;
