//! Applications: programs of partners, registered by a company.

pub mod directory;
pub mod service;

use authority::{Jwks, check_redirect};
use kernel::PermissionSet;
use uuid::Uuid;

use super::is_scope;
use crate::error::Error;

/// Most redirect URIs of an application.
const MOST_URIS: usize = 10;

/// Whether an application can keep a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// It runs on a server of its own, and authenticates by a secret or a key.
    Confidential,
    /// It runs on its users' machines: nothing in it is a secret.
    Public,
}

impl ClientKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confidential => "confidential",
            Self::Public => "public",
        }
    }

    /// Reads the stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Confidential, Self::Public].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How an application gets tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrantType {
    /// By codes, for people who consent.
    AuthorizationCode,
    /// By refresh tokens, without the person being there.
    RefreshToken,
    /// By itself, for itself.
    ClientCredentials,
}

impl GrantType {
    /// Every grant type.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The name in the protocol, as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// Reads the stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }
}

/// An application to register.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// What people read when they are asked to consent.
    pub name: String,
    /// Where they can read about it; `https`.
    pub homepage: String,
    /// Whether it can keep a secret.
    pub kind: ClientKind,
    /// How it gets tokens.
    pub grant_types: Vec<GrantType>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<String>,
    /// The most that it may ever ask for.
    pub permissions: PermissionSet,
    /// Its public keys (RFC 7517), in place of a secret.
    pub jwks: Option<serde_json::Value>,
}

impl NewClient {
    /// Whether it authenticates by a secret.
    pub fn has_secret(&self) -> bool {
        self.kind == ClientKind::Confidential && self.jwks.is_none()
    }

    /// Checks every field; the first wrong one is the error.
    pub fn check(&self) -> Result<(), Error> {
        let name = self.name.trim();
        if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(Error::invalid("name", "an application's name has 1 to 100 characters"));
        }
        if self.homepage.len() > 500 || check_redirect(&self.homepage, false).is_err() {
            let why = "a home page is an address that begins with https:// and has at most 500 characters";
            return Err(Error::invalid("homepage", why));
        }
        let gets = |grant| self.grant_types.contains(&grant);
        if self.grant_types.is_empty() {
            return Err(Error::invalid("grantTypes", "say how the application gets its tokens"));
        }
        if gets(GrantType::RefreshToken) && !gets(GrantType::AuthorizationCode) {
            return Err(Error::invalid(
                "grantTypes",
                "REFRESH_TOKEN follows from AUTHORIZATION_CODE: add that",
            ));
        }
        let public = self.kind == ClientKind::Public;
        if public && gets(GrantType::ClientCredentials) {
            let why = "a public application cannot keep a secret, and so gets no CLIENT_CREDENTIALS";
            return Err(Error::invalid("grantTypes", why));
        }
        self.check_uris(public, gets(GrantType::AuthorizationCode))?;
        check_permissions(self.permissions)?;
        match &self.jwks {
            Some(_) if public => Err(Error::invalid("jwks", "a public application has no keys to register")),
            Some(jwks) => {
                Jwks::parse(jwks).map(|_| ()).map_err(|why| Error::invalid("jwks", why.to_string()))
            }
            None => Ok(()),
        }
    }

    fn check_uris(&self, public: bool, codes: bool) -> Result<(), Error> {
        let uris = &self.redirect_uris;
        if codes == uris.is_empty() {
            let why = if codes {
                "AUTHORIZATION_CODE needs a redirect URI"
            } else {
                "redirect URIs are for AUTHORIZATION_CODE only"
            };
            return Err(Error::invalid("redirectUris", why));
        }
        if uris.len() > MOST_URIS {
            return Err(Error::invalid("redirectUris", format!("at most {MOST_URIS} redirect URIs")));
        }
        for (place, uri) in uris.iter().enumerate() {
            let field = format!("redirectUris.{place}");
            if uris.iter().take(place).any(|other| other == uri) {
                return Err(Error::invalid(field, "this redirect URI is there already"));
            }
            check_redirect(uri, public).map_err(|why| Error::invalid(field, why.to_string()))?;
        }
        Ok(())
    }
}

fn check_permissions(permissions: PermissionSet) -> Result<(), Error> {
    if permissions == PermissionSet::NONE {
        return Err(Error::invalid("permissions", "an application needs at least one permission"));
    }
    match permissions.iter().find(|permission| !is_scope(*permission)) {
        Some(of_people) => {
            let why =
                format!("{} is for people only: rights are not handed out by programs", of_people.as_str());
            Err(Error::invalid("permissions", why))
        }
        None => Ok(()),
    }
}

/// A living application, as the authorization server knows it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The application.
    pub id: Uuid,
    /// The company that has registered it.
    pub company: Uuid,
    /// That company's name.
    pub company_name: String,
    /// Whether that company is a test twin.
    pub is_test: bool,
    /// Its name.
    pub name: String,
    /// Its home page.
    pub homepage: String,
    /// Whether it can keep a secret.
    pub kind: ClientKind,
    /// How it gets tokens.
    pub grant_types: Vec<GrantType>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<String>,
    /// The most that it may ever ask for.
    pub permissions: PermissionSet,
}

impl Client {
    /// Its public id, which is its `client_id`.
    pub fn public_id(&self) -> String {
        kernel::id::encode(kernel::Kind::Application, self.id)
    }

    /// Whether it gets tokens in this way.
    pub fn gets(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Permission;
    use serde_json::json;

    use super::*;

    fn good() -> NewClient {
        NewClient {
            name: "Till".into(),
            homepage: "https://till.example".into(),
            kind: ClientKind::Confidential,
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            redirect_uris: vec!["https://till.example/cb".into()],
            permissions: [Permission::KpiRead].into_iter().collect(),
            jwks: None,
        }
    }

    #[test]
    fn what_cannot_be_registered() {
        assert!(good().check().is_ok());
        let wrong = |change: fn(&mut NewClient)| {
            let mut new = good();
            change(&mut new);
            match new.check() {
                Err(Error::Invalid { field, .. }) => field.into_owned(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wrong(|new| new.name = " ".into()), "name");
        assert_eq!(wrong(|new| new.homepage = "http://till.example".into()), "homepage");
        assert_eq!(wrong(|new| new.grant_types.clear()), "grantTypes");
        assert_eq!(wrong(|new| new.grant_types = vec![GrantType::RefreshToken]), "grantTypes");
        assert_eq!(wrong(|new| new.redirect_uris.clear()), "redirectUris");
        assert_eq!(wrong(|new| new.redirect_uris.push("https://till.example/cb".into())), "redirectUris.1");
        assert_eq!(wrong(|new| new.redirect_uris[0].push('#')), "redirectUris.0");
        assert_eq!(wrong(|new| new.redirect_uris[0] = "http://127.0.0.1/cb".into()), "redirectUris.0");
        assert_eq!(wrong(|new| new.permissions = PermissionSet::NONE), "permissions");
        assert_eq!(
            wrong(|new| new.permissions = [Permission::MembersManage].into_iter().collect()),
            "permissions"
        );
        assert_eq!(wrong(|new| new.jwks = Some(json!({"keys": []}))), "jwks");
        assert_eq!(wrong(|new| (new.kind, new.jwks) = (ClientKind::Public, Some(json!({})))), "jwks");
        let machine = |new: &mut NewClient| new.grant_types.push(GrantType::ClientCredentials);
        let mut public = NewClient { kind: ClientKind::Public, ..good() };
        machine(&mut public);
        assert!(public.check().is_err());
    }
}
