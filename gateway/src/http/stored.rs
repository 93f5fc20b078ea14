//! Files that are stored in several encodings, and sent in the one that the client takes, unless it has them already
//! (RFC 9110, sections 12.5.3 and 13.1.2). Nothing is compressed here: that was done when the files were built.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

/// The bytes of a file in one encoding.
#[derive(Clone, Debug)]
pub struct Form {
    /// The bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Their hash; forms that differ in a byte have others.
    pub hash: [u8; 32],
}

impl Form {
    /// The strong validator of the form (RFC 9110, section 8.8.3).
    fn tag(&self) -> String {
        use std::fmt::Write;
        self.hash[..16].iter().fold(String::from("\""), |mut tag, byte| {
            // A text takes whatever is written to it.
            let _taken = write!(tag, "{byte:02x}");
            tag
        }) + "\""
    }
}

/// A file in the encodings that it is stored in.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its media type.
    pub media: &'static str,
    /// The file as it is.
    pub plain: Form,
    /// The file in Brotli (RFC 7932).
    pub brotli: Option<Form>,
    /// The file in gzip (RFC 1952).
    pub gzip: Option<Form>,
}

impl Stored {
    /// The form that a client takes: the smallest of those that it names or does not refuse.
    fn form(&self, headers: &HeaderMap) -> (&Form, Option<&'static str>) {
        let coded = [("br", &self.brotli), ("gzip", &self.gzip)];
        let taken = coded.into_iter().find_map(|(name, form)| {
            let form = form.as_ref().filter(|_| takes(headers, name))?;
            Some((form, Some(name)))
        });
        taken.unwrap_or((&self.plain, None))
    }
}

/// The file, or word that the client's copy is still the file. The same for GET and HEAD: the server drops the body of the
/// latter.
pub fn answer(headers: &HeaderMap, stored: &Stored) -> Response {
    let (form, encoding) = stored.form(headers);
    let tag = form.tag();
    let known = is_known(headers, &tag);
    let mut response = Response::new(if known {
        Body::empty()
    } else {
        Body::from(match &form.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::copy_from_slice(bytes),
        })
    });
    let mut set = |name: HeaderName, value: &str| {
        // Both are ASCII by construction.
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(ETAG, &tag);
    set(VARY, "accept-encoding");
    if !known {
        set(CONTENT_TYPE, stored.media);
        if let Some(encoding) = encoding {
            set(CONTENT_ENCODING, encoding);
        }
    }
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response
}

/// The elements of a header that lists them, in all its lines.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

/// Whether the client takes an encoding: it names it, or all of them, with a weight that is not 0. What names it counts before
/// what speaks of all. Without the header nothing is coded, for programs that do not know codings leave it out.
fn takes(headers: &HeaderMap, wanted: &str) -> bool {
    let mut of_all = false;
    for element in elements(headers, &ACCEPT_ENCODING) {
        let mut parts = element.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let wished = weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0));
        if name.eq_ignore_ascii_case(wanted) {
            return wished;
        }
        of_all |= name == "*" && wished;
    }
    of_all
}

/// Whether the client has what this tag names. Tags are compared weakly, as the header asks: proxies weaken them.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    elements(headers, &IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(bytes: &'static [u8], hash: u8) -> Form {
        Form { bytes: Cow::Borrowed(bytes), hash: [hash; 32] }
    }

    fn stored() -> Stored {
        Stored {
            media: "text/css",
            plain: form(b"plain", 0),
            brotli: Some(form(b"br", 0xb0)),
            gzip: Some(form(b"gzip", 0x10)),
        }
    }

    fn encoding(accept: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(ACCEPT_ENCODING, line.parse().expect("a value"));
        }
        let response = answer(&headers, &stored());
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[VARY], "accept-encoding");
        response.headers().get(CONTENT_ENCODING).map(|value| value.to_str().expect("ASCII").to_owned())
    }

    #[test]
    fn the_smallest_form_that_the_client_takes_is_sent() {
        for (accept, sent) in [
            (&[][..], None),
            (&["gzip, deflate, br, zstd"], Some("br")),
            (&["gzip", "br"], Some("br")),
            (&["GZIP;q=0.5, br;q=0"], Some("gzip")),
            (&["br; q=0.000, *"], Some("gzip")),
            (&["*"], Some("br")),
            (&["*;q=0"], None),
            (&["gzip;q=nonsense, identity"], None),
            (&["brotli, x-gzip, deflate"], None),
        ] {
            assert_eq!(encoding(accept).as_deref(), sent, "{accept:?}");
        }
    }

    #[test]
    fn a_form_that_is_not_stored_is_not_sent() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("br, gzip"));
        let response = answer(&headers, &Stored { brotli: None, ..stored() });
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        let response = answer(&headers, &Stored { brotli: None, gzip: None, ..stored() });
        assert_eq!(response.headers().get(CONTENT_ENCODING), None);
    }

    #[test]
    fn who_has_the_very_form_is_sent_nothing() {
        let tag = "\"00000000000000000000000000000000\"";
        for (known, status) in [
            (tag.to_owned(), StatusCode::NOT_MODIFIED),
            (format!("W/{tag}"), StatusCode::NOT_MODIFIED),
            (format!("\"x\", {tag}"), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            // Of another encoding.
            ("\"b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0\"".to_owned(), StatusCode::OK),
            ("00000000000000000000000000000000".to_owned(), StatusCode::OK),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, known.parse().expect("a value"));
            let response = answer(&headers, &stored());
            assert_eq!(response.status(), status, "{known}");
            assert_eq!(response.headers()[ETAG], tag);
            assert_eq!(response.headers().contains_key(CONTENT_TYPE), status == StatusCode::OK);
        }
    }
}
