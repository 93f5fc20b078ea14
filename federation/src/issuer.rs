//! Who a provider says it is.

use url::Url;

use crate::error::Error;

/// Where Microsoft's directories sign people in.
const MICROSOFT: &str = "https://login.microsoftonline.com";
/// The directory of personal accounts, in which anybody may call himself anything.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Which issuers a registration takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Issuer {
    /// One, to the letter.
    One(String),
    /// Any directory of Microsoft Entra, each an issuer of its own: the discovery document names a pattern, and an ID token
    /// must fill it with its own `tid`. The directory of personal accounts is not among them.
    AnyDirectory,
}

impl Issuer {
    /// Microsoft, restricted to one directory by its id; `None` takes every directory of a company or a school.
    ///
    /// # Errors
    /// The directory is not the id of one.
    pub fn microsoft(directory: Option<&str>) -> Result<Self, Error> {
        match directory {
            None => Ok(Self::AnyDirectory),
            Some(id) if is_uuid(id) => Ok(Self::One(format!("{MICROSOFT}/{id}/v2.0"))),
            Some(_) => {
                Err(Error::Issuer("a directory of Microsoft is named by its id, a UUID in lower case"))
            }
        }
    }

    /// An issuer as somebody writes it: `https`, no query, no fragment, no name and password, at most 200 characters.
    /// (OpenID Connect Discovery 1.0, section 3.) `http` is taken for a loopback host where `loopback` allows it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, loopback: bool) -> Result<Self, Error> {
        let url = Url::parse(text)
            .map_err(|_| Error::Issuer("an issuer is a URL, e.g. https://login.example.com"))?;
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let secure = url.scheme() == "https" || (loopback && here && url.scheme() == "http");
        if !secure {
            return Err(Error::Issuer("an issuer begins with https://"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::Issuer("an issuer has neither ? nor #"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::Issuer("an issuer holds no name and no password"));
        }
        if text.len() > 200 || text.chars().any(char::is_whitespace) {
            return Err(Error::Issuer("an issuer has at most 200 characters and no space"));
        }
        // Else two spellings of one address would be two issuers.
        let plain = url.as_str();
        if plain != text && plain.strip_suffix('/') != Some(text) {
            return Err(Error::Issuer(
                "an issuer is written plainly: lower-case host, no needless port, no dots in the path",
            ));
        }
        Ok(Self::One(text.to_owned()))
    }

    /// Where its discovery document is (OpenID Connect Discovery 1.0, section 4).
    pub(crate) fn discovery(&self) -> String {
        let base = match self {
            Self::One(issuer) => issuer.trim_end_matches('/'),
            Self::AnyDirectory => "https://login.microsoftonline.com/organizations/v2.0",
        };
        format!("{base}/.well-known/openid-configuration")
    }

    /// What the discovery document must call itself.
    pub(crate) fn announced(&self) -> &str {
        match self {
            Self::One(issuer) => issuer,
            Self::AnyDirectory => "https://login.microsoftonline.com/{tenantid}/v2.0",
        }
    }

    /// Whether an ID token's `iss` is one of these, with its `tid` when it has one.
    pub(crate) fn takes(&self, iss: &str, directory: Option<&str>) -> bool {
        match self {
            Self::One(issuer) => issuer == iss,
            Self::AnyDirectory => directory
                .is_some_and(|id| is_uuid(id) && id != PERSONAL && iss == format!("{MICROSOFT}/{id}/v2.0")),
        }
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_digit() || ('a'..='f').contains(&c),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTORY: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    #[test]
    fn an_issuer_is_a_plain_https_address() {
        for good in [
            "https://a.example",
            "https://a.example/",
            "https://a.example/realms/x",
            "https://a.example:8443",
        ] {
            assert!(Issuer::parse(good, false).is_ok(), "{good}");
        }
        for wrong in [
            "",
            "a.example",
            "http://a.example",
            "http://127.0.0.1:80",
            "ftp://a.example",
            "file:///etc/passwd",
            "https://a.example?x",
            "https://a.example#x",
            "https://ada@a.example",
            "https://A.example",
            "https://a.example:443",
            "https://a.example/x/../y",
            "https://a.example/ x",
            " https://a.example",
        ] {
            assert!(Issuer::parse(wrong, false).is_err(), "{wrong}");
        }
        assert!(Issuer::parse("http://127.0.0.1:9", true).is_ok());
        assert!(Issuer::parse("http://a.example", true).is_err(), "loopback only");
    }

    #[test]
    fn a_directory_of_microsoft_speaks_for_itself_alone() {
        let any = Issuer::microsoft(None).expect("any");
        let iss = format!("{MICROSOFT}/{DIRECTORY}/v2.0");
        assert!(any.takes(&iss, Some(DIRECTORY)));
        assert!(!any.takes(&iss, None), "the token must name its directory");
        assert!(!any.takes(&iss, Some("72f988bf-86f1-41af-91ab-2d7cd011db48")), "another directory");
        assert!(!any.takes("https://login.microsoftonline.com/{tenantid}/v2.0", Some("{tenantid}")));
        assert!(!any.takes(&format!("https://evil.example/{DIRECTORY}/v2.0"), Some(DIRECTORY)));
        assert!(!any.takes(&format!("{MICROSOFT}/{PERSONAL}/v2.0"), Some(PERSONAL)), "personal accounts");
        let one = Issuer::microsoft(Some(DIRECTORY)).expect("one");
        assert!(one.takes(&iss, None));
        assert!(!one.takes(&format!("{MICROSOFT}/{PERSONAL}/v2.0"), Some(PERSONAL)));
        assert!(Issuer::microsoft(Some("common")).is_err());
        assert!(Issuer::microsoft(Some("../x")).is_err());
    }
}
