//! Members: people in a company, each with a role.

pub mod held;
pub mod leaving;
pub mod reach;
pub mod service;
