//! `GET` and `POST /reset`: asking for a letter, without a token, and choosing a new password with one.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use identity::mailbox::service as mailbox;
use serde::Deserialize;

use super::page::{Field, Language, Page};
use super::{Link, code_field, refused};
use crate::edge::Edge;
use crate::edge::origin::From;

/// What the forms send: an address, or a token with a new password.
#[derive(Deserialize)]
pub(in crate::edge) struct Sent {
    #[serde(default)]
    email: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
}

/// The form.
pub(in crate::edge) async fn page(headers: HeaderMap, Query(link): Query<Link>) -> Response {
    let language = Language::of(&headers);
    let form =
        if link.token.is_empty() { ask(language, "", None) } else { choose(language, &link.token, None) };
    form.shown(StatusCode::OK)
}

fn new(language: Language) -> Page {
    Page::new(language, language.pick("Nouveau mot de passe", "New password"))
}

fn ask(language: Language, email: &str, wrong: Option<&str>) -> Page {
    let email = Field {
        name: "email",
        kind: "email",
        label: language.pick("Votre adresse e-mail", "Your e-mail address"),
        autocomplete: "username",
        value: email,
        required: true,
    };
    let send = language.pick("Recevoir un lien", "Send me a link");
    new(language).alert(wrong).form("/reset", None, &[email], send)
}

fn choose(language: Language, token: &str, wrong: Option<&str>) -> Page {
    let password = Field {
        name: "password",
        kind: "password",
        label: language.pick(
            "Le nouveau mot de passe (15 caractères au moins : une phrase se retient bien)",
            "The new password (at least 15 characters: a sentence is easy to keep)",
        ),
        autocomplete: "new-password",
        value: "",
        required: true,
    };
    new(language).alert(wrong).form(
        "/reset",
        Some(token),
        &[password, code_field(language)],
        language.pick("Choisir ce mot de passe", "Choose this password"),
    )
}

/// Asks for the letter, or sets the password.
pub(in crate::edge) async fn submit(
    State(edge): State<Edge>,
    From(origin): From,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Response {
    let language = Language::of(&headers);
    let app = &edge.app;
    let Sent { email, token, password, code } = sent;
    if token.is_empty() {
        return match mailbox::want_reset(&app.auth, &email, language.as_str(), &origin).await {
            Ok(()) => {
                let sent = language.pick(
                    "Un message est en route vers cette adresse. S'il n'arrive pas, regardez dans les indésirables.",
                    "A message is on its way to this address. If it does not arrive, look among the junk.",
                );
                new(language).line(sent).shown(StatusCode::OK)
            }
            Err(error) => {
                refused(language, &error, new(language), |wrong| ask(language, &email, Some(wrong)))
            }
        };
    }
    match mailbox::reset(&app.auth, &app.passwords, &token, &password, Some(&code), &origin).await {
        Ok(()) => {
            let done = language.pick(
                "C'est fait : votre mot de passe est le nouveau, et toutes vos sessions sont fermées.",
                "It is done: your password is the new one, and all your sessions have ended.",
            );
            new(language).line(done).shown(StatusCode::OK)
        }
        Err(error) => refused(language, &error, new(language), |wrong| choose(language, &token, Some(wrong))),
    }
}
