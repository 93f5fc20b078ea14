//! Tables of the domain documents.

pub mod file;
