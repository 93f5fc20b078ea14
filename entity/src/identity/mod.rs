//! Companies, members, keys, and the global tables of people.

pub mod api_key;
pub mod company;
pub mod oauth_client;
pub mod oauth_grant;
pub mod person;
pub mod trusted_document;
