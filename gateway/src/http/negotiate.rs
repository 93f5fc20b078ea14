//! Which media type an answer has: `Accept` against what is offered (RFC 9110, section 12.5.1).

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

/// A media type that answers can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: its status tells how the request ended.
    GraphqlResponse,
    /// `application/json`, for clients from before the specification: a well-formed request is answered with 200.
    Json,
    /// `text/event-stream`, for GraphQL over server-sent events.
    EventStream,
}

/// What a query or a mutation can be answered with, the preferred first.
pub const ANSWERS: &[Media] = &[Media::GraphqlResponse, Media::Json];
/// What an operation whose results are streamed can be answered with.
pub const STREAMS: &[Media] = &[Media::EventStream];

impl Media {
    /// Its `Content-Type`. A body that is not a stream itself is JSON, whatever the stream would be.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json | Self::EventStream => "application/json; charset=utf-8",
        })
    }

    const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::GraphqlResponse => ("application", "graphql-response+json"),
            Self::Json => ("application", "json"),
            Self::EventStream => ("text", "event-stream"),
        }
    }
}

/// The offered media type that the client wants most; `None` when it wants none of them.
///
/// Without `Accept`, and where only a wildcard speaks for several, it is JSON: such clients are older than the
/// specification. Where several are named with the same weight, it is the first that is offered.
pub fn negotiate(headers: &HeaderMap, offered: &[Media]) -> Option<Media> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return offered.iter().copied().find(|media| *media == Media::Json).or(offered.first().copied());
    }
    let mut best: Option<(Wish, Media)> = None;
    for &media in offered {
        let Some(mut wish) = wish(&ranges, media.name()) else { continue };
        wish.legacy = wish.precision < Precision::Exact && media == Media::Json;
        if best.is_none_or(|(best, _)| wish > best) {
            best = Some((wish, media));
        }
    }
    best.map(|(_, media)| media)
}

/// Whether the client would rather have a page for people, `text/html`, than an answer for programs: a browser's
/// address bar.
pub fn prefers_page(headers: &HeaderMap) -> bool {
    let ranges = ranges(headers);
    let Some(page) = wish(&ranges, ("text", "html")).filter(|page| page.precision == Precision::Exact) else {
        return false;
    };
    ANSWERS.iter().filter_map(|media| wish(&ranges, media.name())).all(|answer| page > answer)
}

impl std::fmt::Display for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, name) = self.name();
        write!(f, "{kind}/{name}")
    }
}

/// How exactly a media range speaks of a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Anything,
    Kind,
    Exact,
}

/// How much a media type is wanted; the greater, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    /// In thousandths, never 0.
    weight: u16,
    precision: Precision,
    legacy: bool,
}

/// One element of `Accept`.
struct Range<'a> {
    kind: &'a str,
    name: &'a str,
    weight: u16,
}

/// What the most precise range that speaks of a media type says of it (RFC 9110, section 12.5.1).
fn wish(ranges: &[Range<'_>], (kind, name): (&str, &str)) -> Option<Wish> {
    let spoken = ranges.iter().filter_map(|range| {
        let precision = match (range.kind, range.name) {
            ("*", "*") => Precision::Anything,
            (k, "*") if k.eq_ignore_ascii_case(kind) => Precision::Kind,
            (k, n) if k.eq_ignore_ascii_case(kind) && n.eq_ignore_ascii_case(name) => Precision::Exact,
            _ => return None,
        };
        Some((precision, range.weight))
    });
    let (precision, weight) = spoken.max()?;
    (weight > 0).then_some(Wish { weight, precision, legacy: false })
}

/// The elements of all `Accept` headers. One that cannot be read, or wants what no answer has (another charset, a
/// profile), stays with a name that matches nothing: a client that wants only that is told so.
fn ranges(headers: &HeaderMap) -> Vec<Range<'_>> {
    headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|value| split(value.to_str().unwrap_or("?"), ','))
        .map(str::trim)
        .filter(|element| !element.is_empty())
        .map(|element| range(element).unwrap_or(Range { kind: "", name: "", weight: 0 }))
        .collect()
}

fn range(element: &str) -> Option<Range<'_>> {
    let mut parts = split(element, ';');
    let (kind, name) = parts.next()?.trim().split_once('/')?;
    let mut weight = 1000;
    for part in parts {
        let (key, value) = parameter(part)?;
        if key.eq_ignore_ascii_case("q") {
            // What follows the weight are extensions of `Accept` that nothing defines.
            weight = thousandths(value)?;
            break;
        }
        if !(key.eq_ignore_ascii_case("charset") && is_utf8(value)) {
            return None;
        }
    }
    Some(Range { kind, name, weight })
}

/// The name and the value of a parameter, without the quotes that the value may have.
pub(super) fn parameter(part: &str) -> Option<(&str, &str)> {
    let (key, value) = part.split_once('=')?;
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    Some((key.trim(), value))
}

/// Whether a charset is UTF-8, by the names that are in use for it.
pub(super) fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// The parts of a header between separators that stand outside of quotes.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let literal = std::mem::replace(&mut escaped, false);
        match c {
            _ if literal => false,
            '\\' if quoted => {
                escaped = true;
                false
            }
            '"' => {
                quoted = !quoted;
                false
            }
            _ => !quoted && c == separator,
        }
    })
}

/// A weight of 0 to 1 with at most three decimals (RFC 9110, section 12.4.2), in thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let decimals = format!("{decimals:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (ACCEPT, value.parse().expect("a header"))).collect()
    }

    fn wants(value: &str) -> Option<Media> {
        negotiate(&accept(&[value]), ANSWERS)
    }

    #[test]
    fn a_client_gets_the_type_it_weighs_most() {
        for (value, media) in [
            ("application/json", Media::Json),
            ("application/graphql-response+json", Media::GraphqlResponse),
            ("APPLICATION/GraphQL-Response+JSON", Media::GraphqlResponse),
            ("application/graphql-response+json, application/json;q=0.9", Media::GraphqlResponse),
            ("application/graphql-response+json;q=0.5, application/json;q=0.501", Media::Json),
            ("application/json; q=0.2 , application/graphql-response+json ; q=0.1", Media::Json),
            ("text/html, application/json;q=0.001", Media::Json),
        ] {
            assert_eq!(wants(value), Some(media), "{value}");
        }
    }

    #[test]
    fn a_client_that_names_both_alike_gets_the_one_of_the_specification() {
        assert_eq!(
            wants(
                "application/json; charset=utf-8, application/graphql-response+json; charset=\"UTF-8\", */*"
            ),
            Some(Media::GraphqlResponse)
        );
        assert_eq!(
            negotiate(&accept(&["application/json", "application/graphql-response+json"]), ANSWERS),
            Some(Media::GraphqlResponse)
        );
    }

    #[test]
    fn a_client_that_names_neither_gets_json() {
        for value in ["*/*", "application/*", "text/html, */*;q=0.1", "application/*;q=0.3, */*;q=0.8", ""] {
            assert_eq!(wants(value), Some(Media::Json), "{value}");
        }
        assert_eq!(negotiate(&HeaderMap::new(), ANSWERS), Some(Media::Json));
    }

    #[test]
    fn what_is_named_beats_a_wildcard_of_the_same_weight() {
        assert_eq!(wants("application/graphql-response+json, */*"), Some(Media::GraphqlResponse));
        assert_eq!(wants("application/json, text/plain, */*"), Some(Media::Json));
    }

    #[test]
    fn a_weight_of_zero_refuses_even_beside_a_wildcard() {
        assert_eq!(wants("application/json;q=0, */*"), Some(Media::GraphqlResponse));
        assert_eq!(wants("*/*, application/json;q=0.0, application/graphql-response+json;q=0.000"), None);
        assert_eq!(wants("*/*;q=0"), None);
    }

    #[test]
    fn nothing_is_found_for_who_wants_something_else() {
        for value in [
            "text/html",
            "text/*",
            "application/xml, text/plain;q=0.5",
            "application/json; charset=iso-8859-1",
            "application/json; profile=\"a,b;q=1\"",
            "application/json;q=1.5",
            "application/json;q=0.0001",
            "nonsense",
            "text/event-stream",
        ] {
            assert_eq!(wants(value), None, "{value}");
        }
    }

    #[test]
    fn a_quoted_comma_does_not_start_another_type() {
        assert_eq!(wants("text/plain; note=\", application/json\""), None);
        assert_eq!(
            wants("text/plain; note=\"\\\", application/graphql-response+json;\", application/json"),
            Some(Media::Json)
        );
    }

    #[test]
    fn streams_are_offered_where_they_are_spoken() {
        assert_eq!(negotiate(&accept(&["text/event-stream"]), STREAMS), Some(Media::EventStream));
        assert_eq!(negotiate(&HeaderMap::new(), STREAMS), Some(Media::EventStream));
        assert_eq!(negotiate(&accept(&["application/json"]), STREAMS), None);
    }

    #[test]
    fn a_browsers_address_bar_wants_a_page_and_programs_do_not() {
        let bar = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert!(prefers_page(&accept(&[bar])));
        for value in ["*/*", "application/json", "application/json, text/html", "text/*", "text/html;q=0"] {
            assert!(!prefers_page(&accept(&[value])), "{value}");
        }
        assert!(!prefers_page(&HeaderMap::new()));
    }
}
