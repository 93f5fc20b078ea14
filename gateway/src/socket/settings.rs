//! The limits of sockets and event streams.

use std::time::Duration;

/// The limits, with the defaults of a server of some gigabytes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a socket may take to send `connection_init`, and then its look-up to be answered. 10 s.
    pub init_within: Duration,
    /// How often it is asked whether a peer may stay, when nothing is said about rights (`Hub::doubt`). 10 s.
    pub verify_every: Duration,
    /// How often a socket is pinged (RFC 6455 pings, which every client answers by itself). 20 s.
    pub ping_every: Duration,
    /// How long a socket may send nothing, not even a pong, before it is closed with 4008. 60 s.
    pub silence: Duration,
    /// How long a write may take before the client is dropped, with 4008 if that can still be sent. 10 s.
    pub write_within: Duration,
    /// How long a client may take to send a message that it has begun. 30 s.
    pub message_within: Duration,
    /// How long the closing of a socket may take. 2 s.
    pub close_within: Duration,
    /// How often an event stream that has nothing to say sends a comment. 15 s.
    pub comment_every: Duration,
    /// What event streams are told to wait before they connect again. 1 s, and up to four times that when the server ends,
    /// so that not all come at once.
    pub retry_after: Duration,
    /// Most bytes of a message from a client, as of a body over HTTP. A bigger one closes with 1009. 1 MiB.
    pub most_message_bytes: usize,
    /// Most operations of a socket at a time. One more is refused with an `error`; the socket stays. 100.
    pub most_operations: usize,
    /// Most bytes of the `subscribe` messages of a socket's operations together, for documents and variables are held as
    /// long as the operations. One more is refused with an `error`; the socket stays. 2 MiB.
    pub most_operation_bytes: usize,
    /// Most sockets and event streams together. One more socket is closed with 1013, one more event stream refused. 20,000.
    pub most_connections: usize,
    /// Most sockets and event streams of a client (`Host::client`). One more socket is closed with 4429. 100.
    pub most_connections_of_client: usize,
    /// Most sockets and event streams of an address (IPv6: of a /64) of which is not known yet whose they are. One more
    /// socket is closed with 1013. 500.
    pub most_unknown_of_address: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            init_within: Duration::from_secs(10),
            verify_every: Duration::from_secs(10),
            ping_every: Duration::from_secs(20),
            silence: Duration::from_mins(1),
            write_within: Duration::from_secs(10),
            message_within: Duration::from_secs(30),
            close_within: Duration::from_secs(2),
            comment_every: Duration::from_secs(15),
            retry_after: Duration::from_secs(1),
            most_message_bytes: 1 << 20,
            most_operations: 100,
            most_operation_bytes: 2 << 20,
            most_connections: 20_000,
            most_connections_of_client: 100,
            most_unknown_of_address: 500,
        }
    }
}
