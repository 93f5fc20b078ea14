//! What the pages have in common.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use gateway::http::pages::{self, Place, Policy, Use};
use kernel::html::escaped;

const STYLE: &str = "body{font:1.1rem/1.5 system-ui;max-width:30rem;margin:3rem auto;padding:0 1rem}\
    label{display:block;padding:.5rem 0}input{display:block;box-sizing:border-box;width:100%;font:inherit;padding:.4rem}\
    button{font:inherit;padding:.5rem 1.5rem;margin-top:1rem}small{display:block;color:#555}\
    [role=alert]{border-left:.3rem solid #b00;padding-left:.8rem}";

static POLICY: LazyLock<Policy> =
    LazyLock::new(|| Policy::allowing(&[(Use::Styles, &[Place::text(STYLE)]), (Use::Forms, &[Place::HERE])]));

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge) enum Language {
    Fr,
    En,
}

impl Language {
    /// What the browser likes best of the two (`Accept-Language`, RFC 9110); English when it does not say.
    pub(in crate::edge) fn of(headers: &HeaderMap) -> Self {
        let wanted =
            headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let quality = |range: &str| {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let quality =
                parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse::<f32>().ok());
            (tag.trim().to_ascii_lowercase(), quality.unwrap_or(0.0))
        };
        let best = |language: &str| {
            let ranges = wanted.split(',').map(quality);
            let of = ranges.filter(|(tag, _)| tag == language || tag.starts_with(&format!("{language}-")));
            of.map(|(_, quality)| quality).fold(0.0, f32::max)
        };
        if best("fr") > best("en") { Self::Fr } else { Self::En }
    }

    /// Its tag, which is also the locale's name.
    pub(in crate::edge) const fn as_str(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }

    /// One of two texts.
    pub(in crate::edge) const fn pick(self, french: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Fr => french,
            Self::En => english,
        }
    }
}

/// A page in the making: a title, then paragraphs, warnings and at most one form.
pub(super) struct Page {
    language: Language,
    title: &'static str,
    html: String,
}

/// A field of a form.
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    /// `text`, `email`, `password`.
    pub(super) kind: &'static str,
    pub(super) label: &'a str,
    /// For password managers (WHATWG autofill).
    pub(super) autocomplete: &'static str,
    pub(super) value: &'a str,
    pub(super) required: bool,
}

impl Page {
    pub(super) fn new(language: Language, title: &'static str) -> Self {
        Self { language, title, html: String::new() }
    }

    pub(super) fn line(mut self, text: &str) -> Self {
        self.add(format_args!("<p>{}</p>", escaped(text)));
        self
    }

    /// What was wrong with the form before, read out by screen readers.
    pub(super) fn alert(mut self, text: Option<&str>) -> Self {
        if let Some(text) = text {
            self.add(format_args!("<p role=\"alert\">{}</p>", escaped(text)));
        }
        self
    }

    /// A form that is sent to `action`, with the token hidden in it.
    pub(super) fn form(
        mut self,
        action: &'static str,
        token: Option<&str>,
        fields: &[Field<'_>],
        send: &str,
    ) -> Self {
        self.add(format_args!("<form method=\"post\" action=\"{action}\">"));
        if let Some(token) = token {
            self.add(format_args!("<input type=\"hidden\" name=\"token\" value=\"{}\">", escaped(token)));
        }
        for field in fields {
            let required = if field.required { " required" } else { "" };
            self.add(format_args!(
                "<label>{} <input type=\"{}\" name=\"{}\" autocomplete=\"{}\" value=\"{}\"{required}></label>",
                escaped(field.label),
                field.kind,
                field.name,
                field.autocomplete,
                escaped(field.value),
            ));
        }
        self.add(format_args!("<button>{}</button></form>", escaped(send)));
        self
    }

    pub(super) fn shown(self, status: StatusCode) -> Response {
        let Self { language, title, html } = self;
        let html = format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1>{html}</main></body></html>",
            language.as_str()
        );
        pages::page(status, &POLICY, html)
    }

    fn add(&mut self, html: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _written = self.html.write_fmt(html);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_in_the_language_that_the_browser_likes_best() {
        let language = |wanted: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wanted.parse().expect("a value"));
            Language::of(&headers)
        };
        for french in ["fr", "fr-CH, en;q=0.7", "de, en;q=0.3, FR;q=0.9"] {
            assert_eq!(language(french), Language::Fr, "{french}");
        }
        for english in ["en-GB", "de", "", "en, fr;q=0.9", "fr;q=0, en;q=0.1", "fra", "fr;q=x"] {
            assert_eq!(language(english), Language::En, "{english}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::En);
    }
}
