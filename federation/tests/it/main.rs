//! Against an independent provider, over HTTP.

mod dns;
mod flow;
mod provider;
mod wrong;
