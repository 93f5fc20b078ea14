//! Messages of graphql-transport-ws (PROTOCOL.md of the npm package graphql-ws).

use async_graphql::{Response, ServerError};
use serde::Serialize;
use serde_json::{Map, Value};

use super::close::Close;
use crate::document::{Limits, scan_body};
use crate::request::Incoming;

/// Most bytes of an operation's id, for it is kept with the operation.
const MOST_ID: usize = 256;

/// What a client says.
#[derive(Debug)]
pub(super) enum Message {
    Init(Map<String, Value>),
    Ping(Option<Map<String, Value>>),
    Pong,
    Subscribe(String, Box<Incoming>),
    Complete(String),
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// 4400, and what is wrong.
    pub(super) fn read(text: &str) -> Result<Self, Close> {
        if scan_body(text.as_bytes(), &Limits::default()).is_err() {
            return Err(bad("a message has too many values: send smaller variables"));
        }
        let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else {
            return Err(bad("a message must be a JSON object"));
        };
        let Some(Value::String(kind)) = fields.remove("type") else {
            return Err(bad("a message must have a `type`, a string"));
        };
        match kind.as_str() {
            "connection_init" => Ok(Self::Init(payload(&mut fields)?.unwrap_or_default())),
            "ping" => Ok(Self::Ping(payload(&mut fields)?)),
            "pong" => payload(&mut fields).map(|_| Self::Pong),
            "subscribe" => {
                let id = id(&mut fields)?;
                let payload =
                    payload(&mut fields)?.ok_or_else(|| bad("`subscribe` must have a `payload`"))?;
                let incoming = Incoming::from_json(Value::Object(payload));
                let incoming = incoming.map_err(|wrong| Close::new(Close::BAD_REQUEST, wrong.to_string()))?;
                Ok(Self::Subscribe(id, Box::new(incoming)))
            }
            "complete" => Ok(Self::Complete(id(&mut fields)?)),
            _ => Err(bad("unknown `type` of message")),
        }
    }
}

fn bad(reason: &'static str) -> Close {
    Close::new(Close::BAD_REQUEST, reason)
}

fn payload(fields: &mut Map<String, Value>) -> Result<Option<Map<String, Value>>, Close> {
    match fields.remove("payload") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(payload)) => Ok(Some(payload)),
        Some(_) => Err(bad("`payload` must be an object")),
    }
}

fn id(fields: &mut Map<String, Value>) -> Result<String, Close> {
    match fields.remove("id") {
        Some(Value::String(id)) if (1..=MOST_ID).contains(&id.len()) => Ok(id),
        _ => Err(bad("`id` must be a string of 1 to 256 bytes")),
    }
}

#[derive(Serialize)]
struct Said<'a, P> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<P>,
}

fn say<P: Serialize>(id: Option<&str>, kind: &'static str, payload: Option<P>) -> Vec<u8> {
    // Maps here have strings as keys, and writing to memory does not fail: so does this.
    serde_json::to_vec(&Said { id, kind, payload }).unwrap_or_default()
}

/// `connection_ack`.
pub(super) fn ack() -> Vec<u8> {
    say::<()>(None, "connection_ack", None)
}

/// `pong`, with the payload of the ping.
pub(super) fn pong(payload: Option<&Map<String, Value>>) -> Vec<u8> {
    say(None, "pong", payload)
}

/// `next`.
pub(super) fn next(id: &str, response: &Response) -> Vec<u8> {
    say(Some(id), "next", Some(response))
}

/// `error`: the operation's end, nothing was executed.
pub(super) fn error(id: &str, errors: &[ServerError]) -> Vec<u8> {
    say(Some(id), "error", Some(errors))
}

/// `complete`: the operation's end.
pub(super) fn complete(id: &str) -> Vec<u8> {
    say::<()>(Some(id), "complete", None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_the_protocol_does_not_know_is_a_bad_request() {
        for text in [
            "",
            "null",
            "[]",
            "{",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"start","id":"1","payload":{}}"#,
            r#"{"type":"connection_ack"}"#,
            r#"{"type":"next","id":"1","payload":{}}"#,
            r#"{"type":"connection_init","payload":"token"}"#,
            r#"{"type":"ping","payload":[]}"#,
            r#"{"type":"pong","payload":1}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","extensions":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","operationName":1}}"#,
            r#"{"type":"complete"}"#,
        ] {
            let refused = Message::read(text).expect_err(text);
            assert_eq!(refused.code, 4400, "{text}");
        }
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "x".repeat(257));
        assert_eq!(Message::read(&long).expect_err("too long").code, 4400);
    }

    #[test]
    fn what_may_be_left_out_or_null_is() {
        for text in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"pong","payload":{"a":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":null,"operationName":null,"extensions":null}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"extensions":{"persistedQuery":{"version":1}}}}"#,
            r#"{"type":"complete","id":"1"}"#,
        ] {
            assert!(Message::read(text).is_ok(), "{text}");
        }
    }
}
