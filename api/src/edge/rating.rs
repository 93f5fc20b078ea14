//! `GET` and `POST /rate/{token}`: the page on which a customer rates an invoice, once, without an account.

use std::sync::LazyLock;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use gateway::http::pages::{self, Place, Policy, Use};
use invoicing::Error;
use invoicing::satisfaction::{RatingLink, service};
use kernel::{Actor, DomainError, Origin, Scope};
use serde::Deserialize;

use super::Edge;
use super::origin::From;

const STYLE: &str = "body{font:1.1rem system-ui;max-width:32rem;margin:3rem auto;padding:0 1rem}\
    label{display:block;padding:.3rem 0}textarea{width:100%}button{font:inherit;padding:.5rem 1.5rem}";

static POLICY: LazyLock<Policy> =
    LazyLock::new(|| Policy::allowing(&[(Use::Styles, &[Place::text(STYLE)]), (Use::Forms, &[Place::HERE])]));

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(super) struct Rating {
    score: i16,
    #[serde(default)]
    comment: String,
}

/// The words of the page.
struct Words {
    language: &'static str,
    title: &'static str,
    ask: &'static str,
    comment: &'static str,
    send: &'static str,
    thanks: &'static str,
    rated: &'static str,
    gone: &'static str,
    failed: &'static str,
}

const FRENCH: Words = Words {
    language: "fr",
    title: "Votre avis",
    ask: "Êtes-vous satisfait de cette facture et de ce qu'elle facture ?",
    comment: "Un mot, si vous voulez",
    send: "Envoyer",
    thanks: "Merci de votre avis.",
    rated: "Vous avez déjà donné votre avis. Merci !",
    gone: "Ce lien n'est plus valable.",
    failed: "Une erreur est survenue, réessayez dans un instant.",
};

const ENGLISH: Words = Words {
    language: "en",
    title: "Your opinion",
    ask: "Are you satisfied with this invoice and what it charges?",
    comment: "A word, if you like",
    send: "Send",
    thanks: "Thank you for your opinion.",
    rated: "You have given your opinion already. Thank you!",
    gone: "This link is not valid any more.",
    failed: "Something went wrong, try again in a moment.",
};

/// The form.
pub(super) async fn page(
    State(edge): State<Edge>,
    From(origin): From,
    Path(token): Path<String>,
) -> Response {
    match open(&edge, &token, origin).await {
        Ok(Some((_, scope))) => shown(StatusCode::OK, words(&scope), &form(words(&scope))),
        Ok(None) => {
            shown(StatusCode::FORBIDDEN, &FRENCH, &line(&format!("{} {}", FRENCH.gone, ENGLISH.gone)))
        }
        Err(error) => failed(&error, &ENGLISH),
    }
}

/// Takes the rating.
pub(super) async fn submit(
    State(edge): State<Edge>,
    From(origin): From,
    Path(token): Path<String>,
    Form(rating): Form<Rating>,
) -> Response {
    let (link, scope) = match open(&edge, &token, origin).await {
        Ok(Some(opened)) => opened,
        Ok(None) => {
            return shown(
                StatusCode::FORBIDDEN,
                &FRENCH,
                &line(&format!("{} {}", FRENCH.gone, ENGLISH.gone)),
            );
        }
        Err(error) => return failed(&error, &ENGLISH),
    };
    let words = words(&scope);
    let rated = scope
        .write(|tx| {
            let comment = rating.comment.trim().to_owned();
            Box::pin(async move {
                let comment = (!comment.is_empty()).then_some(comment.as_str());
                service::rate(tx, &link, rating.score, comment).await
            })
        })
        .await;
    match rated {
        Ok(()) => shown(StatusCode::OK, words, &line(words.thanks)),
        Err(error) if error.code() == "ALREADY_RATED" => {
            shown(StatusCode::CONFLICT, words, &line(words.rated))
        }
        Err(error) => failed(&error, words),
    }
}

/// The right that a token gives, and the scope of its company.
async fn open(edge: &Edge, token: &str, origin: Origin) -> Result<Option<(RatingLink, Scope)>, Error> {
    let auth = &edge.app.auth;
    let Some(link) = RatingLink::verify(auth.vault(), token, auth.clock().now()) else { return Ok(None) };
    let scope = auth.link_scope(link.company(), Actor::Customer(link.invoice()), origin).await?;
    Ok(scope.map(|scope| (link, scope)))
}

fn words(scope: &Scope) -> &'static Words {
    if scope.company().locale == "fr" { &FRENCH } else { &ENGLISH }
}

fn failed(error: &Error, words: &'static Words) -> Response {
    if error.fault().is_none() {
        return shown(StatusCode::BAD_REQUEST, words, &line(words.gone));
    }
    tracing::error!(%error, "rating");
    shown(StatusCode::INTERNAL_SERVER_ERROR, words, &line(words.failed))
}

fn line(text: &str) -> String {
    format!("<p>{text}</p>")
}

fn form(words: &Words) -> String {
    let score = |n: usize| {
        let stars = "★".repeat(n);
        format!("<label><input type=\"radio\" name=\"score\" value=\"{n}\" required> {n} {stars}</label>")
    };
    let scores = (1..=5).map(score).collect::<Vec<_>>().concat();
    format!(
        "<form method=\"post\"><p>{}</p>{scores}<p><label>{}<br><textarea name=\"comment\" maxlength=\"2000\" rows=\"4\"></textarea></label></p>\
         <button>{}</button></form>",
        words.ask, words.comment, words.send
    )
}

fn shown(status: StatusCode, words: &Words, content: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"{1}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{0}</title><style>{STYLE}</style></head>\
         <body><h1>{0}</h1>{content}</body></html>",
        words.title, words.language
    );
    pages::page(status, &POLICY, html)
}
