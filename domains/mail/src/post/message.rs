//! A letter as it goes over the wire (RFC 5322, MIME).

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use uuid::Uuid;

use crate::letter::Letter;

/// `Auto-Submitted: auto-generated` (RFC 3834): nobody's absence is to be told to us.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The message of a letter; its `Message-ID` follows from the letter's id, so that a mailbox knows a second copy as one. The
/// error says what is wrong with it, for good.
pub(super) fn message(
    id: Uuid,
    letter: &Letter,
    from: &Mailbox,
    at: DateTime<Utc>,
) -> Result<Message, String> {
    let to = letter.to.parse().map_err(|e| format!("the recipient's address cannot be written to: {e}"))?;
    let words = letter.rendered();
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(words.subject)
        .date(SystemTime::from(at))
        .message_id(Some(format!("<{}@{}>", id.simple(), from.email.domain())))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(words.text, words.html))
        .map_err(|e| e.to_string())
}
