//! The words of the pages, in French and English, and how they are set.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use gateway::http::pages::{self, Place, Policy, Use};
use kernel::html::escaped;
use kernel::{DomainError, Permission};

use crate::edge::door::Language;

const STYLE: &str = "body{font:1.1rem/1.5 system-ui;max-width:34rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}\
    label{display:block;padding:.3rem 0}input:not([type=radio]){display:block;box-sizing:border-box;width:100%;font:inherit;padding:.4rem}\
    button{font:inherit;padding:.5rem 1.5rem;margin:.5rem .5rem 0 0}button.link{padding:.1rem .5rem;margin:0}\
    fieldset{margin:1rem 0}small{color:#555}[role=alert]{border-left:.3rem solid #b00;padding-left:.8rem}";

static POLICY: LazyLock<Policy> =
    LazyLock::new(|| Policy::allowing(&[(Use::Styles, &[Place::text(STYLE)]), (Use::Forms, &[Place::HERE])]));

/// The words of the pages in one language.
pub(super) struct Words {
    language: Language,
    pub title: &'static str,
    pub sign_in: &'static str,
    pub email: &'static str,
    pub password: &'static str,
    pub second_step: &'static str,
    pub code: &'static str,
    pub what: &'static str,
    pub where_to: &'static str,
    pub no_more: &'static str,
    pub nothing: &'static str,
    pub approve: &'static str,
    pub deny: &'static str,
    pub signed_in_as: &'static str,
    pub not_you: &'static str,
    pub unknown: &'static str,
    pub elsewhere: &'static str,
    pub failed: &'static str,
    wrong: &'static str,
    wrong_code: &'static str,
    spent: &'static str,
    too_many: &'static str,
    refused: &'static str,
}

const FRENCH: Words = Words {
    language: Language::Fr,
    title: "Autoriser une application",
    sign_in: "Se connecter",
    email: "Adresse e-mail",
    password: "Mot de passe",
    second_step: "Second facteur",
    code: "Code de votre application d'authentification, ou code de secours",
    what: "Elle pourra :",
    where_to: "Dans quelle entreprise ?",
    no_more: "Elle ne pourra jamais rien de plus que vous-même dans cette entreprise. L’autorisation vaut 90 jours au plus, et vous pouvez la retirer à tout moment.",
    nothing: "Vous ne pouvez rien autoriser de ce qui est demandé, dans aucune de vos entreprises. Un second facteur est peut-être exigé.",
    approve: "Autoriser",
    deny: "Refuser",
    signed_in_as: "Connecté en tant que",
    not_you: "Ce n'est pas vous ? Se déconnecter",
    unknown: "Cette application est inconnue ou n'existe plus. Retournez d'où vous venez.",
    elsewhere: "Ce formulaire ne vient pas de cette page, ou votre session a changé. Retournez à l'application et recommencez.",
    failed: "Une erreur est survenue, réessayez dans un instant.",
    wrong: "L'adresse ou le mot de passe est faux, ou l'adresse n'est pas encore confirmée.",
    wrong_code: "Ce code est faux ou a déjà servi : prenez le suivant.",
    spent: "La connexion a pris trop de temps : recommencez.",
    too_many: "Trop d'essais : attendez un peu avant de recommencer.",
    refused: "Cette demande ne peut pas être traitée :",
};

const ENGLISH: Words = Words {
    language: Language::En,
    title: "Allow an application",
    sign_in: "Sign in",
    email: "E-mail address",
    password: "Password",
    second_step: "Second factor",
    code: "Code of your authenticator, or a recovery code",
    what: "It will be able to:",
    where_to: "In which company?",
    no_more: "It can never do more than you yourself may do in that company. It is good for 90 days at most, and you can take it back at any time.",
    nothing: "You can allow nothing of what is asked, in none of your companies. Perhaps a second factor is demanded.",
    approve: "Allow",
    deny: "Refuse",
    signed_in_as: "Signed in as",
    not_you: "Not you? Sign out",
    unknown: "This application is unknown, or is no more. Go back to where you came from.",
    elsewhere: "This form does not come from this page, or your session has changed. Go back to the application and begin again.",
    failed: "Something went wrong, try again in a moment.",
    wrong: "E-mail or password is wrong, or the address is not confirmed yet.",
    wrong_code: "This code is wrong or was used already: take the next one.",
    spent: "Signing in took too long: begin again.",
    too_many: "Too many attempts: wait a little before you try again.",
    refused: "This request cannot be answered:",
};

/// The words for a browser.
pub(super) fn of(headers: &HeaderMap) -> &'static Words {
    match Language::of(headers) {
        Language::Fr => &FRENCH,
        Language::En => &ENGLISH,
    }
}

impl Words {
    fn is_french(&self) -> bool {
        self.language == Language::Fr
    }

    /// Why to sign in.
    pub(super) fn to_go_on(&self, application: &str) -> String {
        let name = escaped(application);
        if self.is_french() {
            format!("Connectez-vous à Coulisse pour continuer vers <strong>{name}</strong>.")
        } else {
            format!("Sign in to Coulisse to go on to <strong>{name}</strong>.")
        }
    }

    /// Who asks.
    pub(super) fn wants(&self, application: &str) -> String {
        let name = escaped(application);
        if self.is_french() {
            format!("<strong>{name}</strong> demande à agir en votre nom.")
        } else {
            format!("<strong>{name}</strong> asks to act for you.")
        }
    }

    /// Who answers for the application.
    pub(super) fn registered_by(&self, company: &str, is_test: bool) -> String {
        let (company, test) = (escaped(company), if is_test { " (test)" } else { "" });
        if self.is_french() {
            format!("Enregistrée par {company}{test}. Coulisse ne l'a pas vérifiée.")
        } else {
            format!("Registered by {company}{test}. Coulisse has not checked it.")
        }
    }

    /// Why a sign-in failed.
    pub(super) fn refusal(&self, error: &identity::Error) -> &'static str {
        match error.code() {
            "WRONG_CODE" => self.wrong_code,
            "PROOF_SPENT" => self.spent,
            "TOO_MANY_ATTEMPTS" => self.too_many,
            _ => self.wrong,
        }
    }

    /// What a scope allows.
    pub(super) fn meaning(&self, permission: Permission) -> &'static str {
        let french = if self.is_french() { french(permission) } else { None };
        french.unwrap_or_else(|| permission.meaning().trim())
    }
}

fn french(permission: Permission) -> Option<&'static str> {
    Some(match permission.as_str() {
        "company.read" => "Lire le profil et les réglages de l'entreprise.",
        "company.manage" => "Modifier le profil et les réglages de l'entreprise.",
        "members.read" => "Voir qui est membre, et avec quel rôle.",
        "api_keys.read" => "Voir les clés d'API, jamais leur secret.",
        "applications.read" => "Voir les applications enregistrées, jamais leurs secrets.",
        "sso.read" => "Voir les fournisseurs de connexion et les domaines de l'entreprise.",
        "trusted_documents.read" => "Voir les requêtes enregistrées.",
        "trusted_documents.manage" => "Enregistrer et archiver des requêtes.",
        "audit.read" => "Lire le journal : qui a modifié quoi, et d'où.",
        "ledger.read" => "Lire les comptes, les écritures, les soldes et les états.",
        "ledger.draft" => "Saisir des écritures en brouillon.",
        "ledger.post" => "Valider, extourner et lettrer des écritures.",
        "ledger.configure" => {
            "Créer, renommer et clore des comptes et des journaux ; fixer des taux de change."
        }
        "ledger.close" => "Verrouiller et clôturer des périodes et des exercices.",
        "parties.read" => "Lire les clients et les fournisseurs.",
        "parties.write" => "Créer et modifier des clients et des fournisseurs.",
        "parties.bank" => "Voir et modifier les coordonnées bancaires des clients et des fournisseurs.",
        "catalog.read" => "Lire les articles, les codes de TVA et les prix.",
        "catalog.write" => "Créer et modifier des articles et des codes de TVA.",
        "invoicing.read" => "Lire les factures et les avoirs des clients.",
        "invoicing.draft" => "Préparer des factures et des avoirs.",
        "invoicing.issue" => "Émettre des factures et des avoirs.",
        "bills.read" => "Lire les factures des fournisseurs.",
        "bills.enter" => "Saisir, importer et corriger des factures de fournisseurs.",
        "bills.approve" => "Approuver et refuser des factures de fournisseurs.",
        "bills.post" => "Comptabiliser les factures approuvées.",
        "payments.read" => "Lire les paiements et leurs affectations.",
        "payments.write" => "Enregistrer, affecter et rejeter des paiements.",
        "files.read" => "Lire et télécharger des fichiers.",
        "files.write" => "Déposer des fichiers.",
        "kpi.read" => "Lire les indicateurs et leur historique.",
        "kpi.manage" => "Modifier les objectifs et les libellés des indicateurs.",
        _ => return None,
    })
}

/// A hidden field.
pub(super) fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value))
}

/// A field that must be filled.
pub(super) fn field(name: &str, kind: &str, label: &str, autocomplete: &str) -> String {
    let label = escaped(label);
    format!(
        "<label>{label} <input type=\"{kind}\" name=\"{name}\" autocomplete=\"{autocomplete}\" required></label>"
    )
}

/// What went wrong, read out by screen readers.
pub(super) fn alert(text: Option<&str>) -> String {
    text.map(|text| format!("<p role=\"alert\">{}</p>", escaped(text))).unwrap_or_default()
}

/// A page that tells why there is nothing to decide. It sends nobody anywhere.
pub(super) fn refused(words: &'static Words, why: &str, status: StatusCode) -> Response {
    let html = format!("<p>{}</p>{}", escaped(words.refused), alert(Some(why)));
    page(words, words.title, status, &html, None)
}

/// A page. Its forms are sent here, and what they answer may lead to `onward`.
pub(super) fn page(
    words: &'static Words,
    title: &str,
    status: StatusCode,
    html: &str,
    onward: Option<&str>,
) -> Response {
    let (language, title) = (words.language.as_str(), escaped(title));
    let html = format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{html}</main></body></html>"
    );
    // Browsers hold redirects of a form to its policy too.
    let onward = onward.and_then(Place::target).map(|target| {
        Policy::allowing(&[(Use::Styles, &[Place::text(STYLE)]), (Use::Forms, &[Place::HERE, target])])
    });
    let mut response = pages::page(status, onward.as_ref().unwrap_or(&POLICY), html);
    // Under `no-referrer` browsers do not say where a form comes from: their Origin is `null`.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_told_in_both_languages() {
        let untold: Vec<_> = identity::oauth::scopes().filter(|scope| french(*scope).is_none()).collect();
        assert_eq!(untold, []);
    }
}
