//! Files in the graph: announced, stored, handed out by signed links. The bytes themselves go beside the graph.

mod errors;
pub(crate) mod file;
mod mutations;

pub(crate) use file::DocumentsQuery;
pub(crate) use mutations::DocumentsMutation;
