//! `GET` and `POST /invitation`: joining a company, with the address's account or with a new one.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use identity::invitation::{Offer, service as invitations};
use kernel::Origin;
use serde::Deserialize;

use super::page::{Field, Language, Page};
use super::{Link, code_field, refused};
use crate::edge::Edge;
use crate::edge::origin::From;

/// What the forms send: a name and a password for a new account, or what shows an old one.
#[derive(Deserialize)]
pub(in crate::edge) struct Sent {
    #[serde(default)]
    token: String,
    name: Option<String>,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
}

/// What the invitation offers, and the form.
pub(in crate::edge) async fn page(
    State(edge): State<Edge>,
    From(origin): From,
    headers: HeaderMap,
    Query(link): Query<Link>,
) -> Response {
    let language = Language::of(&headers);
    match invitations::look(&edge.app.auth, &link.token, origin).await {
        Ok(offer) => form(language, &link.token, &offer, "", None).shown(StatusCode::OK),
        Err(error) => refused(language, &error, new(language), |wrong| new(language).alert(Some(wrong))),
    }
}

fn new(language: Language) -> Page {
    Page::new(language, "Invitation")
}

fn form(language: Language, token: &str, offer: &Offer, name: &str, wrong: Option<&str>) -> Page {
    let Offer { company, role, email, .. } = offer;
    let (company, role) = (mail::letter::plain(company, 60), mail::letter::plain(role, 60));
    let offered = match language {
        Language::Fr => format!("{email} est invité à rejoindre « {company} », avec le rôle « {role} »."),
        Language::En => format!("{email} is invited to join “{company}”, with the role “{role}”."),
    };
    let page = new(language).alert(wrong).line(&offered);
    let join = language.pick("Rejoindre", "Join");
    let password = |label, autocomplete| Field {
        name: "password",
        kind: "password",
        label,
        autocomplete,
        value: "",
        required: true,
    };
    if offer.has_account {
        let label = language.pick("Le mot de passe de votre compte", "Your account's password");
        let fields = [password(label, "current-password"), code_field(language)];
        return page.form("/invitation", Some(token), &fields, join);
    }
    let label = language.pick(
        "Choisissez un mot de passe (15 caractères au moins : une phrase se retient bien)",
        "Choose a password (at least 15 characters: a sentence is easy to keep)",
    );
    let name = Field {
        name: "name",
        kind: "text",
        label: language.pick("Votre nom", "Your name"),
        autocomplete: "name",
        value: name,
        required: true,
    };
    page.form("/invitation", Some(token), &[name, password(label, "new-password")], join)
}

/// Joins.
pub(in crate::edge) async fn submit(
    State(edge): State<Edge>,
    From(origin): From,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Response {
    let language = Language::of(&headers);
    let offer = match invitations::look(&edge.app.auth, &sent.token, origin.clone()).await {
        Ok(offer) => offer,
        Err(error) => {
            return refused(language, &error, new(language), |wrong| new(language).alert(Some(wrong)));
        }
    };
    match accept(&edge, &sent, &offer, &origin).await {
        Ok(()) => {
            let done = language.pick(
                "C'est fait : vous avez rejoint l'entreprise. Connectez-vous pour y travailler.",
                "It is done: you have joined the company. Sign in to work there.",
            );
            new(language).line(done).shown(StatusCode::OK)
        }
        Err(error) => {
            let name = sent.name.as_deref().unwrap_or_default();
            let again = |wrong: &str| form(language, &sent.token, &offer, name, Some(wrong));
            refused(language, &error, new(language), again)
        }
    }
}

async fn accept(edge: &Edge, sent: &Sent, offer: &Offer, origin: &Origin) -> Result<(), identity::Error> {
    let (auth, passwords) = (&edge.app.auth, &edge.app.passwords);
    if offer.has_account {
        let (password, code) = (sent.password.as_str(), Some(sent.code.as_str()));
        invitations::accept_by_password(auth, passwords, &sent.token, password, code, origin).await?;
    } else {
        let newcomer =
            invitations::Newcomer { name: sent.name.clone(), password: Some(sent.password.clone()) };
        invitations::accept_new(auth, passwords, &sent.token, newcomer, origin).await?;
    }
    Ok(())
}
