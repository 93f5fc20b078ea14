//! The protocols of the edge: GraphQL over HTTP, over WebSocket and over server-sent events, and what bounds the cost
//! of a request before it is paid. It knows GraphQL and HTTP, and nothing of the product.

pub mod budget;
pub mod document;
pub mod document_cache;
pub mod http;
mod redis_link;
pub mod request;
pub mod socket;
