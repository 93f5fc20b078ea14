//! The pages on which a person signs in before being asked: e-mail and password, then a code where the account has a second
//! factor.

use authority::Params;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use identity::session::service as sessions;
use identity::sign_in::{Attempt, SignedIn, Step, service};
use kernel::DomainError;
use kernel::html::escaped;

use super::authorize::{Asked, failed, see_other};
use super::browser::{self, Visitor};
use super::words::{self, field, hidden};
use crate::edge::Edge;

/// The form for e-mail and password, with why the last try failed.
pub(super) fn page(asked: &Asked, alert: Option<&str>) -> Response {
    let words = asked.words;
    let html = format!(
        "<p>{}</p>{}<form method=\"post\" action=\"/oauth/authorize\">{}{}{}{}<button>{}</button></form>",
        words.to_go_on(&asked.client.name),
        words::alert(alert),
        hidden("request", &asked.query),
        hidden("action", "sign_in"),
        field("email", "email", words.email, "username"),
        field("password", "password", words.password, "current-password"),
        escaped(words.sign_in),
    );
    let status = if alert.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    words::page(words, words.sign_in, status, &html, None)
}

/// The form for the code of a second factor.
fn code_page(asked: &Asked, challenge: &str, alert: Option<&str>) -> Response {
    let words = asked.words;
    let html = format!(
        "{}<form method=\"post\" action=\"/oauth/authorize\">{}{}{}{}<button>{}</button></form>",
        words::alert(alert),
        hidden("request", &asked.query),
        hidden("action", "code"),
        hidden("challenge", challenge),
        field("code", "text", words.code, "one-time-code"),
        escaped(words.sign_in),
    );
    let status = if alert.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    words::page(words, words.second_step, status, &html, None)
}

/// Signs in by e-mail and password.
pub(super) async fn by_password(edge: &Edge, asked: &Asked, headers: &HeaderMap, form: &Params) -> Response {
    let field = |name: &str| form.get(name).ok().flatten().unwrap_or_default().to_owned();
    let attempt = Attempt {
        email: field("email"),
        password: field("password"),
        company: None,
        device_token: browser::device(edge, headers),
    };
    let app = &edge.app;
    match service::by_password(&app.auth, &app.passwords, attempt, asked.origin.clone()).await {
        Ok(Step::In(done)) => entered(edge, asked, &done),
        Ok(Step::Second(challenge)) => code_page(asked, &challenge.token, None),
        Err(error) => match error.fault() {
            Some(fault) => failed(asked.words, fault),
            None => page(asked, Some(asked.words.refusal(&error))),
        },
    }
}

/// Completes a sign-in by a code.
pub(super) async fn by_code(edge: &Edge, asked: &Asked, form: &Params) -> Response {
    let field = |name: &str| form.get(name).ok().flatten().unwrap_or_default();
    let challenge = field("challenge");
    match service::complete(&edge.app.auth, challenge, field("code"), asked.origin.clone()).await {
        Ok(done) => entered(edge, asked, &done),
        Err(error) => match (error.fault(), error.code()) {
            (Some(fault), _) => failed(asked.words, fault),
            // The first step is not good any more: begin again.
            (None, "PROOF_SPENT") => page(asked, Some(asked.words.refusal(&error))),
            (None, _) => code_page(asked, challenge, Some(asked.words.refusal(&error))),
        },
    }
}

/// Keeps the session in the browser, and goes on to the question.
fn entered(edge: &Edge, asked: &Asked, done: &SignedIn) -> Response {
    let mut response = see_other(&asked.here());
    browser::keep(edge, &mut response, &done.opened.token, done.device_token.as_deref());
    response
}

/// Ends the session of the browser, and asks who it is.
pub(super) async fn out(edge: &Edge, asked: &Asked, visitor: &Visitor) -> Response {
    let session: Vec<_> = visitor.principal.session.into_iter().collect();
    if let Err(error) = sessions::end(&edge.app.auth, visitor.person, &session, None).await {
        return match error.fault() {
            Some(fault) => failed(asked.words, fault),
            None => words::refused(asked.words, asked.words.failed, StatusCode::INTERNAL_SERVER_ERROR),
        };
    }
    let mut response = see_other(&asked.here());
    browser::forget(edge, &mut response);
    response
}
