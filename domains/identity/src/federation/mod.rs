//! Sign-in with OpenID Connect providers: those of the operator, which anybody may use, and those that a company registers
//! for its own people.
//!
//! A person is known by issuer and subject, never by an e-mail address: an address that has an account already is given the
//! provider's account only by who proves the account too ([`link`]). Whoever runs a provider can say anything by it. So a
//! company's own provider
//! - opens sessions in that company only, and of its members only: such a session is *confined*, and leads to no other;
//! - speaks for addresses of the domains that this company has proved, and of no others;
//! - makes nobody an owner.
//!
//! Of the operator's providers, Google speaks for the addresses of the organisation that it names in `hd`. Microsoft speaks
//! for no address: its directories let their administrators write any address into an account. It signs in who was linked.
//!
//! What goes over the network happens before the transaction, never in it.

pub mod domain;
pub mod link;
pub mod provider;
pub mod service;
mod store;

use std::sync::Arc;

use ::federation::{Error as Wrong, Identity, Issuer, Records, RelyingParty};
use kernel::{Kind, id};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Google's issuer.
const GOOGLE: &str = "https://accounts.google.com";

/// What a provider knows this server by.
#[derive(Clone)]
pub struct Client {
    /// The client's id.
    pub id: String,
    /// The client's secret.
    pub secret: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The operator's own providers; none for those that are not offered.
#[derive(Clone, Debug, Default)]
pub struct Offered {
    /// Google.
    pub google: Option<Client>,
    /// Microsoft: every directory, or one.
    pub microsoft: Option<(Issuer, Client)>,
}

/// What signing in with providers needs of the server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Federation(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    party: RelyingParty,
    records: Records,
    offered: Offered,
    redirect_uri: String,
}

impl Federation {
    /// `redirect_uri` is where providers send browsers back to, as it is registered with them.
    pub fn new(party: RelyingParty, records: Records, offered: Offered, redirect_uri: String) -> Self {
        Self(Arc::new(Parts { party, records, offered, redirect_uri }))
    }

    /// The operator's providers that are offered, each with the name that people know.
    pub fn offered(&self) -> Vec<(Which, &'static str)> {
        let google = self.0.offered.google.as_ref().map(|_| (Which::Google, "Google"));
        let microsoft = self.0.offered.microsoft.as_ref().map(|_| (Which::Microsoft, "Microsoft"));
        google.into_iter().chain(microsoft).collect()
    }
}

/// A provider, as addresses and forms name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// The operator's Google.
    Google,
    /// The operator's Microsoft.
    Microsoft,
    /// One that a company has registered.
    Company(Uuid),
}

impl Which {
    /// Reads `google`, `microsoft`, or the public id of a company's provider.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "google" => Some(Self::Google),
            "microsoft" => Some(Self::Microsoft),
            text => id::decode(Kind::SsoProvider, text).ok().map(Self::Company),
        }
    }

    /// As it is read.
    pub fn name(self) -> String {
        match self {
            Self::Google => "google".to_owned(),
            Self::Microsoft => "microsoft".to_owned(),
            Self::Company(provider) => id::encode(Kind::SsoProvider, provider),
        }
    }

    /// Where a browser is sent to sign in there.
    pub fn path(self) -> String {
        format!("/sso/{}", self.name())
    }
}

/// Whose word an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Speaker {
    Google,
    Microsoft,
    /// Whoever runs the provider that this company has registered.
    Company(Uuid),
}

impl Speaker {
    /// The domain of the address that the identity is believed to have; `holder` is the company that has proved that domain.
    fn speaks_for(self, identity: &Identity, holder: Option<Uuid>) -> Option<&str> {
        let domain = identity.verified_domain()?;
        let believed = match self {
            // Google says of other addresses only that they were reachable once, when the account was made.
            Self::Google => identity.hosted_domain.as_deref() == Some(domain) || domain == "gmail.com",
            Self::Microsoft => false,
            Self::Company(company) => holder == Some(company),
        };
        believed.then_some(domain)
    }

    /// The only company that its sessions may act in.
    const fn confined_to(self) -> Option<Uuid> {
        match self {
            Self::Company(company) => Some(company),
            Self::Google | Self::Microsoft => None,
        }
    }
}

/// Why a browser's sign-in did not end in a session.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// There is no such provider, or it is not offered any more.
    #[error("there is no such provider")]
    Unknown,
    /// It was begun in another browser, too long ago, or has ended already.
    #[error("this sign-in was begun elsewhere, or has ended")]
    Stale,
    /// Something is wrong with the provider or with what it said.
    #[error(transparent)]
    Provider(#[from] Wrong),
    /// Nobody here is linked with this account of the provider, and it makes none.
    #[error("no account is linked with this identity")]
    NotLinked,
    /// The provider is a company's, and the person is none of its members.
    #[error("the person is no member of the provider's company")]
    NotAMember,
    /// The program that sent the browser here gave no challenge of its own.
    #[error(
        "give `challenge`, the base64url of the SHA-256 of a verifier (RFC 7636): `redeemHandoff` asks for the verifier"
    )]
    NoChallenge,
    /// What identity refuses.
    #[error(transparent)]
    Refused(#[from] crate::Error),
}

impl From<kernel::Fault> for Stop {
    fn from(fault: kernel::Fault) -> Self {
        Self::Refused(fault.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(email: &str, verified: bool, hosted: Option<&str>) -> Identity {
        Identity {
            issuer: "https://a.example".to_owned(),
            subject: "1".to_owned(),
            email: Some(email.to_owned()),
            email_verified: verified,
            name: None,
            amr: Vec::new(),
            acr: None,
            hosted_domain: hosted.map(str::to_owned),
            directory: None,
        }
    }

    #[test]
    fn a_companys_provider_speaks_for_that_companys_domains_only() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let ada = identity("ada@a.example", true, None);
        assert_eq!(Speaker::Company(a).speaks_for(&ada, Some(a)), Some("a.example"));
        assert_eq!(Speaker::Company(a).speaks_for(&ada, Some(b)), None, "the domain is another company's");
        assert_eq!(Speaker::Company(a).speaks_for(&ada, None), None, "the domain is nobody's");
        let hosted = identity("ada@a.example", true, Some("a.example"));
        assert_eq!(Speaker::Company(a).speaks_for(&hosted, Some(b)), None, "whatever it claims");
        let unverified = identity("ada@a.example", false, None);
        assert_eq!(Speaker::Company(a).speaks_for(&unverified, Some(a)), None);
    }

    #[test]
    fn google_speaks_for_the_organisation_that_it_names() {
        let google = Speaker::Google;
        assert_eq!(
            google.speaks_for(&identity("ada@a.example", true, Some("a.example")), None),
            Some("a.example")
        );
        assert_eq!(google.speaks_for(&identity("ada@a.example", true, None), None), None);
        assert_eq!(google.speaks_for(&identity("ada@a.example", true, Some("b.example")), None), None);
        assert_eq!(google.speaks_for(&identity("ada@a.example", false, Some("a.example")), None), None);
        let microsoft = Speaker::Microsoft;
        assert_eq!(microsoft.speaks_for(&identity("ada@a.example", true, Some("a.example")), None), None);
    }

    #[test]
    fn a_provider_reads_back_as_it_is_named() {
        for which in [Which::Google, Which::Microsoft, Which::Company(id::new())] {
            assert_eq!(Which::parse(&which.name()), Some(which));
        }
        for wrong in ["", "Google", "person_01h455vb4pex5vsknk084sn02q", "callback"] {
            assert_eq!(Which::parse(wrong), None, "{wrong}");
        }
    }
}
