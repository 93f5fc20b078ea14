//! Members: people in a company, each with a role.

pub mod service;
