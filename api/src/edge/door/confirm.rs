//! `GET` and `POST /confirm`: who reads the mailbox and knows the account's password confirms its address.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use identity::mailbox::service as mailbox;
use serde::Deserialize;

use super::page::{Field, Language, Page};
use super::{Link, refused};
use crate::edge::Edge;
use crate::edge::origin::From;

/// What the form sends.
#[derive(Deserialize)]
pub(in crate::edge) struct Sent {
    #[serde(default)]
    token: String,
    #[serde(default)]
    password: String,
}

/// The form.
pub(in crate::edge) async fn page(headers: HeaderMap, Query(link): Query<Link>) -> Response {
    form(Language::of(&headers), &link.token, None).shown(StatusCode::OK)
}

fn new(language: Language) -> Page {
    Page::new(language, language.pick("Confirmer votre adresse", "Confirm your address"))
}

fn form(language: Language, token: &str, wrong: Option<&str>) -> Page {
    let password = Field {
        name: "password",
        kind: "password",
        label: language.pick("Le mot de passe de votre compte", "Your account's password"),
        autocomplete: "current-password",
        value: "",
        required: true,
    };
    new(language).alert(wrong).form(
        "/confirm",
        Some(token),
        &[password],
        language.pick("Confirmer", "Confirm"),
    )
}

/// Confirms.
pub(in crate::edge) async fn submit(
    State(edge): State<Edge>,
    From(origin): From,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Response {
    let language = Language::of(&headers);
    let app = &edge.app;
    let Sent { token, password } = sent;
    match mailbox::confirm(&app.auth, &app.passwords, &token, None, Some(&password), &origin).await {
        Ok(()) => {
            let done = language.pick(
                "C'est fait : votre adresse est confirmée, et vous pouvez vous connecter avec elle.",
                "It is done: your address is confirmed, and you can sign in with it.",
            );
            new(language).line(done).shown(StatusCode::OK)
        }
        Err(error) => refused(language, &error, new(language), |wrong| form(language, &token, Some(wrong))),
    }
}
