//! Grants: what an application may do in a company, for a person who said so or for itself.

pub mod service;
