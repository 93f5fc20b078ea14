//! The catalog: tax codes and items.
//!
//! Nothing in it is deleted, for documents name it; it is archived. Lines of documents copy what they need, so
//! a change here never changes a document.

pub mod item;
pub mod tax_code;
