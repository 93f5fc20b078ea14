//! `GET /sso/{provider}`, `GET /sso/callback` and `POST /sso/confirm`: signing in with a provider, in a browser.
//!
//! What was begun is kept in a sealed cookie of this browser, and is good once. A browser comes back to a path of ours only,
//! with a one-time code behind the `#`, where no server and no log sees it; the program there exchanges it for a session
//! (`redeemHandoff`).

use axum::Form;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use federation::Told;
use identity::federation::link::{self, Ask};
use identity::federation::service::{self, Admitted, Back, Came};
use identity::federation::{Stop, Which};
use kernel::DomainError;
use serde::Deserialize;

use super::code_field;
use super::page::{Field, Language, Page};
use crate::edge::Edge;
use crate::edge::oauth::count;
use crate::edge::origin::From;

/// How long a browser may stay at the provider, in seconds: as long as the flow is good.
const KEPT_SECONDS: u32 = 600;
/// Longest path to come back to.
const LONGEST_PATH: usize = 500;

/// How a sign-in begins.
#[derive(Deserialize)]
pub(in crate::edge) struct Begin {
    return_to: Option<String>,
    link: Option<String>,
    #[serde(default)]
    challenge: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(in crate::edge) struct Confirmation {
    token: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
}

/// Sends the browser to the provider.
pub(in crate::edge) async fn begin(
    State(edge): State<Edge>,
    From(origin): From,
    Path(provider): Path<String>,
    Query(wish): Query<Begin>,
    headers: HeaderMap,
) -> Response {
    // Each beginning is kept for a while: strangers are counted by their address, as for every other door.
    if let Err(refused) = count(&edge, &origin).await {
        return refused;
    }
    let language = Language::of(&headers);
    let Some(return_to) = own_path(wish.return_to.as_deref().unwrap_or("/")) else {
        return told(language, &Stop::Stale);
    };
    let app = &edge.app;
    let begun = match Which::parse(&provider) {
        Some(which) => {
            let back = Back { return_to: return_to.to_owned(), challenge: wish.challenge };
            service::begin(&app.auth, &app.federation, which, wish.link, back).await
        }
        None => Err(Stop::Unknown),
    };
    match begun {
        Ok(begun) => {
            let mut response = leading(StatusCode::FOUND, &begun.url, language);
            keep(&mut response, &edge, &begun.cookie, KEPT_SECONDS);
            response
        }
        Err(stop) => told(language, &stop),
    }
}

/// Takes the browser back.
pub(in crate::edge) async fn callback(
    State(edge): State<Edge>,
    From(origin): From,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let language = Language::of(&headers);
    let app = &edge.app;
    let Some(kept) = kept(&headers, &edge) else { return told(language, &Stop::Stale) };
    let query = query.unwrap_or_default();
    let mut response = match service::finish(&app.auth, &app.federation, kept, &query, &origin).await {
        Ok(Came::In(admitted)) => entering(&admitted, language),
        Ok(Came::Ask(ask)) => asking(language, &ask, None).shown(StatusCode::OK),
        // Somebody else's answer ends nothing that was begun here.
        Err(stop @ Stop::Stale) => return told(language, &stop),
        Err(stop) => told(language, &stop),
    };
    keep(&mut response, &edge, "", 0);
    response
}

/// Takes the confirmation whose account the provider's is.
pub(in crate::edge) async fn confirm(
    State(edge): State<Edge>,
    From(origin): From,
    headers: HeaderMap,
    Form(form): Form<Confirmation>,
) -> Response {
    let language = Language::of(&headers);
    let app = &edge.app;
    let Confirmation { token, password, code } = form;
    let done = link::confirm(&app.auth, &app.passwords, &token, &password, &code, &origin).await;
    let stop = match done {
        Ok(admitted) => return entering(&admitted, language),
        Err(stop) => stop,
    };
    let alert = match &stop {
        Stop::Refused(error) => match error.code() {
            "WRONG_CREDENTIALS" => {
                Some(language.pick("Ce mot de passe est faux.", "This password is wrong."))
            }
            "CODE_NEEDED" => Some(language.pick("Donnez aussi un code.", "Give a code as well.")),
            "WRONG_CODE" => Some(language.pick("Ce code est faux.", "This code is wrong.")),
            "TOO_MANY_ATTEMPTS" => {
                Some(language.pick("Trop d'essais : attendez un peu.", "Too many attempts: wait a little."))
            }
            _ => None,
        },
        _ => None,
    };
    match (alert, link::look(&app.auth, &token).await) {
        (Some(alert), Ok(ask)) => asking(language, &ask, Some(alert)).shown(StatusCode::FORBIDDEN),
        _ => told(language, &stop),
    }
}

/// A path of our own that a browser may be sent to; `None` for anything that a browser could take for another place.
fn own_path(path: &str) -> Option<&str> {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    let base = url::Url::parse("https://here.invalid/").ok()?;
    let stays = base.join(path).is_ok_and(|url| url.origin() == base.origin());
    (path.len() <= LONGEST_PATH && path.starts_with('/') && !path.starts_with("//") && plain && stays)
        .then_some(path)
}

fn entering(admitted: &Admitted, language: Language) -> Response {
    leading(StatusCode::SEE_OTHER, &format!("{}#handoff={}", admitted.return_to, admitted.code), language)
}

fn leading(status: StatusCode, to: &str, language: Language) -> Response {
    let Ok(to) = HeaderValue::try_from(to) else { return told(language, &Stop::Stale) };
    let mut response = Response::default();
    *response.status_mut() = status;
    response.headers_mut().insert(LOCATION, to);
    response
}

/// The cookie's name: with TLS it is bound to this host and to TLS by its prefix (RFC 6265bis, section 4.1.3).
fn cookie_name(edge: &Edge) -> &'static str {
    if edge.app.public_url.starts_with("https://") { "__Host-sso" } else { "sso" }
}

fn keep(response: &mut Response, edge: &Edge, value: &str, seconds: u32) {
    let name = cookie_name(edge);
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    // Lax: the browser comes back from another site, by a link.
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

fn kept<'a>(headers: &'a HeaderMap, edge: &Edge) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == cookie_name(edge) && !value.is_empty()).map(|(_, value)| value)
}

fn asking(language: Language, ask: &Ask, alert: Option<&str>) -> Page {
    let title = language.pick("Lier votre compte", "Link your account");
    let line = if ask.asks_password {
        language.pick(
            "L'adresse que votre fournisseur nous donne a déjà un compte ici. Montrez qu'il est à vous, et vous vous connecterez ainsi désormais. Le compte :",
            "The address that your provider gives us has an account here already. Show that it is yours, and you will sign in this way from now on. The account:",
        )
    } else {
        language.pick(
            "Vous pourrez désormais vous connecter avec ce fournisseur au compte ci-dessous. Si ce n'est pas le vôtre, fermez cette page.",
            "From now on you will be able to sign in to the account below with this provider. If it is not yours, close this page.",
        )
    };
    let password = Field {
        name: "password",
        kind: "password",
        label: language.pick("Le mot de passe de ce compte", "The password of this account"),
        autocomplete: "current-password",
        value: "",
        required: true,
    };
    let fields = if ask.asks_password { vec![password, code_field(language)] } else { Vec::new() };
    let page = Page::new(language, title).alert(alert).line(line).line(&ask.email);
    page.form("/sso/confirm", Some(&ask.token), &fields, language.pick("Lier ce compte", "Link this account"))
}

/// Why nobody was signed in. What an administrator can mend stands in the log; nothing here tells whether an address has an
/// account.
fn told(language: Language, stop: &Stop) -> Response {
    let (status, line) = match stop {
        Stop::Unknown => (
            StatusCode::NOT_FOUND,
            language.pick("Ce fournisseur n'est pas proposé.", "This provider is not offered."),
        ),
        Stop::Stale => (
            StatusCode::BAD_REQUEST,
            language.pick(
                "Cette connexion a commencé ailleurs ou est terminée. Recommencez.",
                "This sign-in was begun elsewhere or has ended. Begin again.",
            ),
        ),
        Stop::Provider(wrong) => match wrong.told() {
            Told::Cancelled => (
                StatusCode::OK,
                language.pick(
                    "Vous avez interrompu la connexion. Rien n'a changé.",
                    "You have stopped signing in. Nothing has changed.",
                ),
            ),
            Told::Unavailable => (
                StatusCode::BAD_GATEWAY,
                language.pick(
                    "Votre fournisseur ne répond pas. Rien n'est perdu : réessayez dans un instant, ou connectez-vous autrement.",
                    "Your provider does not answer. Nothing is lost: try again in a moment, or sign in another way.",
                ),
            ),
            Told::Refused => (
                StatusCode::BAD_REQUEST,
                language.pick(
                    "La connexion n'a pas abouti. Recommencez, ou parlez-en à votre administrateur.",
                    "Signing in did not work. Begin again, or tell your administrator.",
                ),
            ),
        },
        Stop::NotLinked => (
            StatusCode::FORBIDDEN,
            language.pick(
                "Cette identité n'ouvre aucun compte ici. Connectez-vous d'abord autrement, puis liez-la dans votre profil.",
                "This identity opens no account here. Sign in another way first, then link it in your profile.",
            ),
        ),
        Stop::NoChallenge => (
            StatusCode::BAD_REQUEST,
            language.pick(
                "Le programme qui vous envoie ici a oublié `challenge` : parlez-en à son auteur.",
                "The program that sent you here left out `challenge`: tell its author.",
            ),
        ),
        Stop::NotAMember => (
            StatusCode::FORBIDDEN,
            language.pick(
                "Ce fournisseur est celui d'une entreprise dont vous n'êtes pas membre.",
                "This provider is that of a company of which you are not a member.",
            ),
        ),
        Stop::Refused(error) => match (error.fault(), error.code()) {
            (Some(fault), _) if fault.is_unavailable() => (
                StatusCode::SERVICE_UNAVAILABLE,
                language.pick("Réessayez dans un instant.", "Try again in a moment."),
            ),
            (Some(_), _) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                language.pick("Une erreur est survenue, réessayez.", "Something went wrong, try again."),
            ),
            (None, "IDENTITY_TAKEN") => (
                StatusCode::CONFLICT,
                language.pick(
                    "Cette identité est déjà liée à un compte.",
                    "This identity is linked with an account already.",
                ),
            ),
            (None, _) => (
                StatusCode::BAD_REQUEST,
                language.pick("Ce lien n'est plus valable. Recommencez.", "This is not good any more. Begin again."),
            ),
        },
    };
    match stop {
        Stop::Provider(wrong) => {
            tracing::warn!(error = %wrong, "a sign-in with a provider failed");
        }
        Stop::Refused(error) if error.fault().is_some() => {
            tracing::error!(%error, "a sign-in with a provider failed");
        }
        _ => {}
    }
    Page::new(language, language.pick("Connexion", "Sign-in")).line(line).shown(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_comes_back_to_a_path_of_our_own() {
        for own in ["/", "/invoices?status=open", "/a/b%20c", "/@x"] {
            assert_eq!(own_path(own), Some(own));
        }
        for other in [
            "",
            "invoices",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/%0d%0a\r\nx: y",
            "/a#handoff=x",
            "javascript:alert(1)",
            &format!("/{}", "a".repeat(500)),
        ] {
            assert_eq!(own_path(other), None, "{other:?}");
        }
    }
}
