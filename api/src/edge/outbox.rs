//! `GET /outbox` and `GET /outbox.json`, where they are switched on: every letter, as a mailbox of everybody. For a demo and
//! for developing; whoever reaches it can take over any account.

use std::sync::LazyLock;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gateway::http::pages::{self, Place, Policy, Use};
use kernel::Fault;
use kernel::html::escaped;
use mail::outbox::service::{Kept, newest};
use serde::{Deserialize, Serialize};

use super::{Edge, plain};

/// Most letters that are shown.
const MOST: i64 = 200;

const STYLE: &str = "body{font:1rem system-ui;max-width:48rem;margin:2rem auto;padding:0 1rem}\
    summary{padding:.4rem 0;cursor:pointer}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:1rem}\
    small{color:#555}";

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::allowing(&[(Use::Styles, &[Place::text(STYLE)])]));

/// Which letters are asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// Only those to this address.
    to: Option<String>,
}

/// A letter, as programs read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    kind: String,
    to: Option<String>,
    language: Option<&'static str>,
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
    /// The link in it.
    link: Option<String>,
    created_at: chrono::DateTime<chrono::Utc>,
    sent_at: Option<chrono::DateTime<chrono::Utc>>,
    given_up_at: Option<chrono::DateTime<chrono::Utc>>,
    attempts: i32,
    last_error: Option<String>,
    /// Whether it is a test twin's, which is never sent.
    withheld: bool,
}

impl From<Kept> for Shown {
    fn from(kept: Kept) -> Self {
        let words = kept.letter.as_ref().map(mail::Letter::rendered);
        let (subject, text, html) = match words {
            Some(words) => (Some(words.subject), Some(words.text), Some(words.html)),
            None => (None, None, None),
        };
        Self {
            id: kept.id.to_string(),
            kind: kept.kind,
            language: kept.letter.as_ref().map(|letter| letter.language.as_str()),
            link: kept.letter.as_ref().and_then(|letter| letter.content.link().map(str::to_owned)),
            to: kept.letter.map(|letter| letter.to),
            subject,
            text,
            html,
            created_at: kept.created_at,
            sent_at: kept.sent_at,
            given_up_at: kept.given_up_at,
            attempts: kept.attempts,
            last_error: kept.last_error,
            withheld: kept.withheld,
        }
    }
}

async fn letters(edge: &Edge, wanted: &Wanted) -> Result<Vec<Shown>, Fault> {
    let auth = &edge.app.auth;
    let kept = newest(auth.db(), auth.vault(), MOST).await?;
    let asked = |letter: &Shown| wanted.to.as_ref().is_none_or(|to| letter.to.as_ref() == Some(to));
    Ok(kept.into_iter().map(Shown::from).filter(asked).collect())
}

/// The letters for programs, newest first.
pub(super) async fn list(State(edge): State<Edge>, Query(wanted): Query<Wanted>) -> Response {
    if !edge.outbox {
        return off();
    }
    match letters(&edge, &wanted).await {
        Ok(letters) => axum::Json(letters).into_response(),
        Err(fault) => failed(&fault),
    }
}

/// The letters for people, newest first.
pub(super) async fn page(State(edge): State<Edge>, Query(wanted): Query<Wanted>) -> Response {
    if !edge.outbox {
        return off();
    }
    match letters(&edge, &wanted).await {
        Ok(letters) => pages::page(StatusCode::OK, &POLICY, html(&letters)),
        Err(fault) => failed(&fault),
    }
}

fn html(letters: &[Shown]) -> String {
    let listed: String = letters.iter().map(one).collect();
    let listed = if listed.is_empty() { "<p>No letters yet.</p>".to_owned() } else { listed };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>Outbox</title><style>{STYLE}</style></head>\
         <body><h1>Outbox</h1><p>Letters that this server would send, newest first.</p>{listed}</body></html>"
    )
}

fn one(letter: &Shown) -> String {
    let text = |text: &Option<String>| escaped(text.as_deref().unwrap_or("(erased)"));
    let state = match (letter.withheld, letter.sent_at, letter.given_up_at) {
        (true, ..) => "withheld: a test twin's",
        (_, Some(_), _) => "delivered",
        (_, _, Some(_)) => "given up",
        _ => "waiting",
    };
    let link = letter.link.as_deref().map(|link| {
        let link = escaped(link);
        format!("<p><a href=\"{link}\">{link}</a></p>")
    });
    format!(
        "<details><summary>{} <small>to {}, {} UTC, {state}</small></summary>{}<pre>{}</pre></details>",
        text(&letter.subject),
        text(&letter.to),
        letter.created_at.format("%Y-%m-%d %H:%M:%S"),
        link.unwrap_or_default(),
        text(&letter.text),
    )
}

fn off() -> Response {
    plain(StatusCode::NOT_FOUND, "there is no outbox here: start the server with --outbox true")
}

fn failed(fault: &Fault) -> Response {
    tracing::error!(%fault, "outbox");
    plain(StatusCode::SERVICE_UNAVAILABLE, "the letters cannot be read now")
}
