//! Streams of responses: over a WebSocket by the protocol graphql-transport-ws, and over server-sent events by GraphQL over
//! SSE, distinct connections mode.
//!
//! A [`Hub`] makes them of requests, and asks a [`Host`] who connects, whether they may stay, and for the responses.
//! It never queues a response: an operation is polled when its message can be sent, and only then.
//!
//! A socket that waits holds 1.7 KiB, with a subscription by [`execute_lean`] 6.7 KiB (`examples/idle_sockets.rs`).
//!
//! | a socket | is closed with |
//! |---|---|
//! | says nothing the protocol knows; has no `id`; says no JSON | 4400 and what is wrong |
//! | asks before the acknowledgement | 4401 |
//! | may not connect, or not stay | 4403 and the host's reason |
//! | says too late who it is | 4408 |
//! | gives an operation an id in use | 4409 |
//! | says twice who it is, or is one too many of its client | 4429 |
//! | does not read, does not answer pings, does not end its message | 4008 |
//! | is one too many for the server or its address; cannot be looked up | 1013: try again later |
//! | is open when the server ends | 1001: reconnect |
//! | breaks RFC 6455; sends binary; no UTF-8; too much | 1002, 1003, 1007, 1009 |
//!
//! One operation too many is refused by an `error`, and the socket stays.

mod close;
mod connection;
mod frame;
mod host;
mod hub;
mod lean;
mod message;
mod operation;
mod settings;
pub mod sse;
mod upgrade;
mod wire;

pub use host::{Ended, Host};
pub use hub::Hub;
pub use lean::{execute_lean, lean};
pub use settings::Settings;
pub use upgrade::Refused;
