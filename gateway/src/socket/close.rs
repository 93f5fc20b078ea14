//! Why a socket is closed.

use std::borrow::Cow;

/// A code and a reason, as the close frame carries them (RFC 6455, section 7.4; the codes from 4000 on are those of
/// graphql-transport-ws, and 4008).
///
/// The client library graphql-ws connects anew after 1001, 1013, 4008, 4403 and 4408, and gives up after the others: the
/// codes are chosen so that it does what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub code: u16,
    /// What is wrong, and what to do. A frame carries at most 123 bytes of it.
    pub reason: Cow<'static, str>,
}

impl Close {
    /// The server is about to end: come again, and another one will answer.
    pub(super) const GOING_AWAY: u16 = 1001;
    /// No room at the moment, or who connects cannot be told at the moment.
    pub(super) const TRY_AGAIN: u16 = 1013;
    /// The client does not keep up: it does not read, or does not answer pings, or does not end its message.
    pub(super) const TOO_SLOW: u16 = 4008;
    /// A message that the protocol does not know.
    pub(super) const BAD_REQUEST: u16 = 4400;
    /// An operation before the acknowledgement.
    pub(super) const UNAUTHORIZED: u16 = 4401;
    /// Who connects may not, or may not any more.
    pub(super) const FORBIDDEN: u16 = 4403;
    /// No `connection_init` in time.
    pub(super) const INIT_TIMEOUT: u16 = 4408;
    /// An id that is in use.
    pub(super) const SUBSCRIBER_EXISTS: u16 = 4409;
    /// A second `connection_init`, or more sockets than a client may have.
    pub(super) const TOO_MANY: u16 = 4429;

    pub(super) fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }
}
