//! The pages behind the links in letters: for people who have no program at hand. They are plain forms in French and
//! English, without scripts. `GET` shows and changes nothing, for mail scanners follow links; `POST` acts. A token stands in
//! the link and then in the form, never in a log, and no other site is told of it (`Referrer-Policy`). What a form sends is
//! believed for what it shows (a token, a password), never for a cookie, so no other site can send one for somebody.

pub(super) mod confirm;
pub(super) mod invitation;
mod page;
pub(super) mod reset;
pub(super) mod sso;

use axum::http::StatusCode;
use axum::response::Response;
use kernel::DomainError;
use serde::Deserialize;

use self::page::{Field, Page};
pub(super) use page::Language;

/// What stands in a link.
#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

/// A code of the second factor, for accounts that have one.
fn code_field(language: Language) -> Field<'static> {
    Field {
        name: "code",
        kind: "text",
        label: language.pick(
            "Un code de votre second facteur, ou un code de secours, si votre compte en a",
            "A code of your second factor, or a recovery code, if your account has one",
        ),
        autocomplete: "one-time-code",
        value: "",
        required: false,
    }
}

/// The page after a refusal: what the form can mend is told above the form, for another try; a link that is not good, and
/// what is a fault of ours, is told alone.
fn refused(
    language: Language,
    error: &identity::Error,
    alone: Page,
    again: impl FnOnce(&str) -> Page,
) -> Response {
    if error.fault().is_some() {
        tracing::error!(%error, "a page behind a letter's link");
        let later = language.pick(
            "Une erreur est survenue, réessayez dans un instant.",
            "Something went wrong, try again in a moment.",
        );
        return alone.alert(Some(later)).shown(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let told = words(language, error);
    match error.code() {
        "PROOF_SPENT" | "EMAIL_TAKEN" | "ALREADY_MEMBER" => {
            alone.alert(Some(&told)).shown(StatusCode::BAD_REQUEST)
        }
        "TOO_MANY_ATTEMPTS" => again(&told).shown(StatusCode::TOO_MANY_REQUESTS),
        _ => again(&told).shown(StatusCode::BAD_REQUEST),
    }
}

/// A refusal in the language of the page; English is the domain's own words.
fn words(language: Language, error: &identity::Error) -> String {
    let french = match error.code() {
        _ if language == Language::En => return sentence(&error.to_string()),
        "PROOF_SPENT" => "Ce lien n'est plus valable : demandez-en un nouveau.",
        "EMAIL_TAKEN" => "Cette adresse a déjà un compte : connectez-vous avec celui-là.",
        "ALREADY_MEMBER" => "Vous êtes déjà membre de cette entreprise.",
        "SIGN_IN_FIRST" => "Cette adresse a déjà un compte : rouvrez le lien et donnez son mot de passe.",
        "WRONG_CREDENTIALS" => "Ce n'est pas le mot de passe de ce compte.",
        "WRONG_CODE" => "Le code est faux ou a déjà servi : prenez le suivant.",
        "CODE_NEEDED" => "Ce compte a un second facteur : donnez-en aussi un code, ou un code de secours.",
        "TOO_MANY_ATTEMPTS" => "Trop d'essais : réessayez plus tard.",
        "PASSWORD_TOO_SHORT" => {
            "Ce mot de passe est trop court : 15 caractères au moins, une phrase se retient bien."
        }
        "PASSWORD_TOO_LONG" => "Ce mot de passe est trop long : 256 caractères au plus.",
        "PASSWORD_LEAKED" => "Ce mot de passe est connu des pirates : choisissez-en un autre.",
        "PASSWORD_GUESSABLE" => "Ce mot de passe se devine facilement : choisissez-en un autre.",
        "INVALID" => match error.field().as_deref() {
            Some("email") => "Ce n'est pas une adresse e-mail.",
            Some("name") => "Donnez votre nom : 1 à 200 caractères, sur une ligne.",
            _ => "Une valeur manque ou ne convient pas.",
        },
        _ => return sentence(&error.to_string()),
    };
    french.to_owned()
}

/// The domain's words begin in small letters and end without a dot.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
