//! API keys: secrets with which a partner's program acts in one company.

pub mod network;
pub mod service;
