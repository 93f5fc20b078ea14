//! Redirect URIs: which may be registered, and when one that is asked for is a registered one.

use url::Url;

/// Longest redirect URI, in bytes.
const LONGEST: usize = 1000;

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARedirect {
    /// Not an absolute URI of printable ASCII of at most 1000 characters.
    #[error("a redirect URI is an absolute URI of at most 1000 printable ASCII characters, without * and \\")]
    Malformed,
    /// It has a fragment (RFC 6749, section 3.1.2).
    #[error("a redirect URI has no fragment (#)")]
    Fragment,
    /// It has a name or password.
    #[error("a redirect URI has no name or password before its host")]
    Credentials,
    /// Its scheme sends codes in the clear, or somewhere that is no client's.
    #[error(
        "a redirect URI begins with https://; that of a public client may also be http://127.0.0.1 or http://[::1], or a scheme such as com.example.app:"
    )]
    Scheme,
}

/// Whether a redirect URI may be registered, for a confidential client or for a public one, which may be a native
/// app (RFC 8252): loopback addresses with any port, and schemes of its own that a domain name has given (section 7.1).
///
/// # Errors
/// It may not.
pub fn check_redirect(uri: &str, public: bool) -> Result<(), NotARedirect> {
    let printable = |byte: u8| byte.is_ascii_graphic() && !b"*\\\"<>^`{|}".contains(&byte);
    if uri.len() > LONGEST || !uri.bytes().all(printable) {
        return Err(NotARedirect::Malformed);
    }
    let url = Url::parse(uri).map_err(|_| NotARedirect::Malformed)?;
    if uri.contains('#') {
        return Err(NotARedirect::Fragment);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotARedirect::Credentials);
    }
    // What parsing would mend is not what is compared: `https:/a`, `HTTPS://a`, `https://a/../b`.
    let plain = url.as_str() == uri || url.as_str().strip_suffix('/') == Some(uri);
    match url.scheme() {
        "https" if plain && url.host_str().is_some() => Ok(()),
        "http" if plain && public && without_port(uri).is_some() => Ok(()),
        "http" | "https" if !plain => Err(NotARedirect::Malformed),
        "http" | "https" => Err(NotARedirect::Scheme),
        scheme if public && scheme.contains('.') => Ok(()),
        _ => Err(NotARedirect::Scheme),
    }
}

/// Whether an asked redirect URI is a registered one: the same characters (RFC 9700, section 2.1). For a public client
/// on a loopback address the port may differ, for it is the system's choice (RFC 8252, section 7.3).
pub(crate) fn is_registered(registered: &[String], asked: &str, public: bool) -> bool {
    let loopback = if public { without_port(asked) } else { None };
    let same = |own: &String| own == asked || (loopback.is_some() && without_port(own) == loopback);
    registered.iter().any(same)
}

/// The address and the rest of a loopback URI, without its port; `None` when it is none. `localhost` is a name, which
/// may resolve to somewhere else (RFC 8252, section 8.3).
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let (host, rest) = ["http://127.0.0.1", "http://[::1]"]
        .into_iter()
        .find_map(|host| uri.strip_prefix(host).map(|rest| (host, rest)))?;
    let rest = match rest.strip_prefix(':') {
        Some(after) => {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = after.split_at(digits);
            port.parse::<u16>().ok().filter(|port| *port > 0)?;
            rest
        }
        None => rest,
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
}

/// A redirect URI with further parameters in its query, which come after those that it has.
pub(crate) fn with(uri: &str, parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let joint = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{query}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_may_be_registered() {
        for good in [
            "https://a.example",
            "https://a.example/cb",
            "https://a.example:8443/cb?x=1",
            "https://127.0.0.1/cb",
        ] {
            assert_eq!(check_redirect(good, false), Ok(()), "{good}");
            assert_eq!(check_redirect(good, true), Ok(()), "{good}");
        }
        for native in ["http://127.0.0.1/cb", "http://[::1]:9/cb", "http://127.0.0.1", "com.example.app:/cb"]
        {
            assert_eq!(check_redirect(native, true), Ok(()), "{native}");
            assert_eq!(check_redirect(native, false), Err(NotARedirect::Scheme), "{native}");
        }
    }

    #[test]
    fn what_may_not_be_registered() {
        for wrong in [
            "",
            "/cb",
            "a.example/cb",
            "https://",
            "https://*.a.example/cb",
            "https:/a.example",
            "HTTPS://a.example",
            "https://a.example/../cb",
            "https://a.example\\@b.example",
            "https://é.example",
            "https://a.example/a b",
            "https://a.example/\n",
            "https:a.example",
            "https://A.example/cb",
            "http://127.0.0.1:0/cb\u{0}",
        ] {
            assert!(check_redirect(wrong, true).is_err(), "{wrong:?}");
        }
        for (wrong, why) in [
            ("https://a.example/cb#", NotARedirect::Fragment),
            ("https://a.example/cb#x", NotARedirect::Fragment),
            ("https://ada@a.example/cb", NotARedirect::Credentials),
            ("https://ada:x@a.example/cb", NotARedirect::Credentials),
            ("http://a.example/cb", NotARedirect::Scheme),
            ("http://localhost/cb", NotARedirect::Scheme),
            ("http://127.0.0.1.a.example/cb", NotARedirect::Scheme),
            ("javascript:alert(1)", NotARedirect::Scheme),
            ("data:text/html,x", NotARedirect::Scheme),
            ("app:/cb", NotARedirect::Scheme),
            ("file:///etc/passwd", NotARedirect::Scheme),
        ] {
            assert_eq!(check_redirect(wrong, true), Err(why), "{wrong}");
        }
    }

    #[test]
    fn rfc_9700_redirect_uris_are_compared_character_by_character() {
        let registered = ["https://a.example/cb".to_owned(), "http://127.0.0.1/cb".to_owned()];
        assert!(is_registered(&registered, "https://a.example/cb", false));
        for other in [
            "https://a.example/cb/",
            "https://a.example/cb?x=1",
            "https://a.example/c",
            "https://a.example/cb/../x",
            "https://a.example.evil.example/cb",
            "https://A.example/cb",
            "https://a.example:443/cb",
            "https://a.example/cb#x",
            "http://a.example/cb",
            "https://evil.example/https://a.example/cb",
            "https://a.example@evil.example/cb",
            "https://a.example:8443/cb",
        ] {
            assert!(!is_registered(&registered, other, false), "{other}");
            assert!(!is_registered(&registered, other, true), "{other}");
        }
    }

    #[test]
    fn rfc_8252_only_the_port_of_a_loopback_address_is_free_and_only_for_public_clients() {
        let registered = ["http://127.0.0.1/cb".to_owned(), "http://[::1]:8000/cb".to_owned()];
        for own in ["http://127.0.0.1:49152/cb", "http://127.0.0.1/cb", "http://[::1]:9/cb"] {
            assert!(is_registered(&registered, own, true), "{own}");
        }
        assert!(!is_registered(&registered, "http://127.0.0.1:49152/cb", false));
        for other in [
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:70000/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:1/cb2",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://localhost/cb",
            "https://127.0.0.1/cb",
            "http://127.0.0.2/cb",
            "http://127.0.0.1:1evil.example/cb",
        ] {
            assert!(!is_registered(&registered, other, true), "{other}");
        }
    }

    #[test]
    fn an_answer_keeps_the_query_that_a_uri_has() {
        let added = [("code", "a b"), ("iss", "https://i.example")];
        let query = "code=a+b&iss=https%3A%2F%2Fi.example";
        for (uri, joint) in
            [("https://a.example/cb", "?"), ("https://a.example/cb?", ""), ("https://a.example/cb?x=1", "&")]
        {
            assert_eq!(with(uri, &added), format!("{uri}{joint}{query}"));
        }
    }

    proptest! {
        #[test]
        fn what_may_be_registered_is_itself_and_has_no_fragment(uri in "(https|http|com\\.a)://?[ -~]{0,40}", public in any::<bool>()) {
            if check_redirect(&uri, public).is_ok() {
                prop_assert!(!uri.contains(['#', ' ', '\\']));
                prop_assert!(is_registered(std::slice::from_ref(&uri), &uri, public));
                prop_assert!(uri.starts_with("https://") || public);
            }
        }
    }
}
