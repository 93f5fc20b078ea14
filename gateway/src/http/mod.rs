//! GraphQL over HTTP: what a request and an answer look like on the wire, who may ask from a browser, and the loop that
//! accepts connections and bounds what each may hold.
//!
//! The rules are those of the GraphQL over HTTP specification as of September 2025, which the audits of the npm package
//! `graphql-http` hold. The edition of September 2026 recommends other numbers, 294 for an answer with both data and
//! errors and 422 for a document that is not valid, which those audits do not take. Nothing here parses or executes a
//! document.

pub mod answer;
pub mod cors;
pub mod listen;
pub mod negotiate;
pub mod pages;
pub mod read;
pub mod refusal;
pub mod stored;
pub mod variables;

pub use answer::{Outcome, answer};
pub use negotiate::Media;
pub use read::{Exchange, Rules, read};
pub use refusal::Refusal;
