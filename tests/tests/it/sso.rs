//! Sign-in with providers, over HTTP, against independent ones.

mod joining;
mod linking;
#[path = "../../../federation/tests/it/provider.rs"]
mod provider;
mod stage;
mod tampering;
