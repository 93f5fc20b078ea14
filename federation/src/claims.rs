//! What a provider says about somebody.

use openidconnect::core::{CoreGenderClaim, CoreJsonWebKey};
use openidconnect::{AdditionalClaims, IdTokenClaims, UserInfoClaims};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// `acr` values that mean several factors: of the EAP profile of OpenID, of PAPE, and of REFEDS.
const SEVERAL_FACTORS: [&str; 4] = [
    "phr",
    "phrh",
    "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
    "https://refeds.org/profile/mfa",
];

/// Claims beside the standard's.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Extra {
    /// Google: the domain of the organisation that manages the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hd: Option<String>,
    /// Microsoft: the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tid: Option<String>,
}

impl AdditionalClaims for Extra {}

pub(crate) type IdClaims = IdTokenClaims<Extra, CoreGenderClaim>;
pub(crate) type UserClaims = UserInfoClaims<Extra, CoreGenderClaim>;
pub(crate) type Key = CoreJsonWebKey;

/// Somebody whom a provider has signed in. Issuer and subject together are who it is (OpenID Connect Core 1.0, section 5.7); all
/// else is what the provider says about them, which is worth what the provider is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The issuer of the ID token.
    pub issuer: String,
    /// Who it is, to that issuer.
    pub subject: String,
    /// The e-mail address in lower case.
    pub email: Option<String>,
    /// Whether the provider says that it has verified the address.
    pub email_verified: bool,
    /// The name.
    pub name: Option<String>,
    /// How the person signed in there (RFC 8176).
    pub amr: Vec<String>,
    /// At which level.
    pub acr: Option<String>,
    /// The domain of the organisation that manages the account (Google's `hd`), in lower case.
    pub hosted_domain: Option<String>,
    /// The directory (Microsoft's `tid`).
    pub directory: Option<String>,
}

impl Identity {
    /// Of an ID token that was verified.
    pub(crate) fn of(claims: &IdClaims) -> Result<Self, Error> {
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.len() > 255 || !subject.is_ascii() {
            return Err(Error::Token("`sub` has 1 to 255 characters of ASCII".to_owned()));
        }
        let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().trim().to_owned());
        let amr = claims.auth_method_refs().map(|refs| refs.iter().map(|one| one.to_string()).collect());
        let extra = claims.additional_claims();
        let email = claims.email().map(|email| email.as_str().trim().to_lowercase());
        Ok(Self {
            issuer: claims.issuer().as_str().to_owned(),
            subject: subject.to_owned(),
            email_verified: email.is_some() && claims.email_verified() == Some(true),
            email,
            name: name.filter(|name| !name.is_empty()),
            amr: amr.unwrap_or_default(),
            acr: claims.auth_context_ref().map(|acr| acr.to_string()),
            hosted_domain: extra.hd.as_deref().map(str::to_lowercase),
            directory: extra.tid.clone(),
        })
    }

    /// Adds what the ID token left out. How somebody signed in, and who manages the account, is never taken from here: only the
    /// ID token is signed.
    pub(crate) fn add(&mut self, claims: &UserClaims) {
        if self.email.is_none() {
            self.email = claims.email().map(|email| email.as_str().trim().to_lowercase());
            self.email_verified = self.email.is_some() && claims.email_verified() == Some(true);
        }
        if self.name.is_none() {
            let name =
                claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().trim().to_owned());
            self.name = name.filter(|name| !name.is_empty());
        }
    }

    /// Whether the provider says that the person proved more than one factor: `mfa` of RFC 8176, or a level that means it.
    pub fn several_factors(&self) -> bool {
        self.amr.iter().any(|method| method == "mfa")
            || self.acr.as_deref().is_some_and(|level| SEVERAL_FACTORS.contains(&level))
    }

    /// The address that the provider says it has verified.
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }

    /// The domain of the verified address.
    pub fn verified_domain(&self) -> Option<&str> {
        self.verified_email()?.rsplit_once('@').map(|(_, domain)| domain)
    }
}
