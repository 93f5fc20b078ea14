//! Sessions: opened at sign-in, ended by whoever may, and the companies that a person can act in.

pub mod list;
pub mod service;
