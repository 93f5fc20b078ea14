//! A small, bounded reader of XML into a tree.
//!
//! It never resolves an entity, never opens anything and never recurses: a document type declaration is
//! refused as such, and size, depth and the number of elements have limits. Namespaces are compared by
//! their address; the prefixes of the document play no part.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use quick_xml::errors::{IllFormedError, SyntaxError};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use super::{MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, ReadError};

const MAX_ATTRIBUTES: usize = 64;

/// A namespace that the two syntaxes use, or any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Rsm,
    Ram,
    Udt,
    Qdt,
    UblInvoice,
    UblCreditNote,
    Cac,
    Cbc,
    Other,
}

impl Space {
    fn of_address(address: &str) -> Self {
        match address {
            "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100" => Self::Rsm,
            "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100" => Self::Ram,
            "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100" => Self::Udt,
            "urn:un:unece:uncefact:data:standard:QualifiedDataType:100" => Self::Qdt,
            "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" => Self::UblInvoice,
            "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2" => Self::UblCreditNote,
            "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" => Self::Cac,
            "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2" => Self::Cbc,
            _ => Self::Other,
        }
    }

    /// The namespace of a step in one of our own paths: `cac:Party`, or `Name` for `ram:Name`.
    fn of_step(step: &str) -> (Self, &str) {
        match step.split_once(':') {
            None => (Self::Ram, step),
            Some(("rsm", name)) => (Self::Rsm, name),
            Some(("udt", name)) => (Self::Udt, name),
            Some(("qdt", name)) => (Self::Qdt, name),
            Some(("cac", name)) => (Self::Cac, name),
            Some(("cbc", name)) => (Self::Cbc, name),
            Some((_, name)) => (Self::Other, name),
        }
    }
}

/// An element with its attributes, its own text and its children.
#[derive(Debug)]
pub(super) struct Element {
    space: Space,
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

/// What [`Element::section`] answers when there is no such element.
static NOTHING: Element = Element {
    space: Space::Other,
    name: String::new(),
    attributes: Vec::new(),
    text: String::new(),
    children: Vec::new(),
};

impl Element {
    pub(super) fn is(&self, space: Space, name: &str) -> bool {
        self.space == space && self.name == name
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The children with this name, in the order of the document.
    pub(super) fn all<'a, 's>(&'a self, step: &'s str) -> impl Iterator<Item = &'a Element> + use<'a, 's> {
        let (space, name) = Space::of_step(step);
        self.children.iter().filter(move |child| child.is(space, name))
    }

    /// The first element at a path such as `cac:Party/cbc:Name`; a step without prefix means `ram:`.
    pub(super) fn find(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |at, step| at.all(step).next())
    }

    /// Like [`Self::find`], with an empty element for an absent one.
    pub(super) fn section(&self, path: &str) -> &Element {
        self.find(path).unwrap_or(&NOTHING)
    }

    /// The trimmed text of the element itself, when there is any.
    pub(super) fn value(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of the element, or else the first text below it.
    pub(super) fn first_text(&self) -> Option<&str> {
        self.value().or_else(|| self.children.iter().find_map(Element::first_text))
    }

    /// The text at a path.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.find(path).and_then(Element::value).map(str::to_owned)
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let (_, value) = self.attributes.iter().find(|(key, _)| key == name)?;
        Some(value.trim()).filter(|text| !text.is_empty())
    }
}

/// Reads a file into its root element, within the limits of this module.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, ReadError> {
    if bytes.len() > MAX_BYTES {
        return Err(ReadError::TooLarge { limit_bytes: MAX_BYTES });
    }
    let text = decode(bytes)?;
    if let Some(forbidden) = text.chars().find(|c| !is_xml_char(*c)) {
        return Err(not_xml(format!("the character U+{:04X} is not allowed", u32::from(forbidden))));
    }
    build(&text)
}

/// UTF-8, or UTF-16 by its byte order mark or by the shape of its first character.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    let (encoding, skip) = match (Encoding::for_bom(bytes), bytes) {
        (Some(found), _) => found,
        (None, [0, b'<', ..]) => (UTF_16BE, 0),
        (None, [b'<', 0, ..]) => (UTF_16LE, 0),
        (None, _) => (declared(bytes)?, 0),
    };
    encoding
        .decode_without_bom_handling_and_without_replacement(&bytes[skip..])
        .ok_or_else(|| ReadError::Encoding { reason: format!("the bytes are not {}", encoding.name()) })
}

/// The encoding that the declaration of an 8-bit text states.
fn declared(bytes: &[u8]) -> Result<&'static Encoding, ReadError> {
    let Some(label) = declared_label(bytes) else { return Ok(UTF_8) };
    if ["utf-8", "utf8", "us-ascii"].iter().any(|known| label.eq_ignore_ascii_case(known.as_bytes())) {
        return Ok(UTF_8);
    }
    let label = String::from_utf8_lossy(label);
    let reason = if label.to_ascii_lowercase().starts_with("utf-16") {
        "the declaration says UTF-16, the bytes are not".to_owned()
    } else {
        format!("{label} is not supported, only UTF-8 and UTF-16 are")
    };
    Err(ReadError::Encoding { reason })
}

fn declared_label(bytes: &[u8]) -> Option<&[u8]> {
    let head = bytes.get(..bytes.len().min(200))?;
    let head = head.strip_prefix(b"<?xml")?;
    let head = &head[..head.windows(2).position(|pair| pair == b"?>")?];
    let at = head.windows(8).position(|word| word == b"encoding")?;
    let mut quoted = head[at..].split(|byte| *byte == b'"' || *byte == b'\'');
    quoted.nth(1)
}

/// A character that XML 1.0 allows; the zero character, which a database refuses in text, is none.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

fn build(text: &str) -> Result<Element, ReadError> {
    let mut reader = NsReader::from_str(text);
    reader.resolver_mut().set_max_namespace_bindings(MAX_ATTRIBUTES);
    let mut tree = Tree::default();
    loop {
        let (resolved, event) = reader.read_resolved_event().map_err(|error| refusal(&error))?;
        match event {
            Event::Start(start) => tree.open(space(&resolved)?, &start)?,
            Event::Empty(start) => {
                tree.open(space(&resolved)?, &start)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.write(&text.xml10_content())?,
            Event::CData(text) => tree.write(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.write(&resolve(&reference)?)?,
            Event::DocType(_) => return Err(ReadError::DoctypeForbidden),
            Event::Decl(_) if tree.elements > 0 => return Err(not_xml("a declaration after the start")),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

fn space(resolved: &ResolveResult<'_>) -> Result<Space, ReadError> {
    match resolved {
        ResolveResult::Bound(Namespace(address)) => Ok(Space::of_address(address)),
        ResolveResult::Unbound => Ok(Space::Other),
        ResolveResult::Unknown(prefix) => Err(not_xml(format!("the prefix {prefix} is not declared"))),
    }
}

/// The five entities that need no declaration, and characters by number.
fn resolve(reference: &BytesRef<'_>) -> Result<String, ReadError> {
    let known = match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().map_err(|error| not_xml(error.to_string()))?,
    };
    match known {
        Some(c) if is_xml_char(c) => Ok(c.to_string()),
        _ => Err(not_xml(format!("the reference &{}; means nothing here", clip(reference)))),
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, space: Space, start: &BytesStart<'_>) -> Result<(), ReadError> {
        if self.root.is_some() {
            return Err(not_xml("a second root element"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(ReadError::TooDeep { limit: MAX_DEPTH });
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(ReadError::TooManyElements { limit: MAX_ELEMENTS });
        }
        let name = start.local_name().into_inner().to_owned();
        let attributes = attributes(start)?;
        self.open.push(Element { space, name, attributes, text: String::new(), children: Vec::new() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), ReadError> {
        let mut closed = self.open.pop().ok_or_else(|| not_xml("an end without a start"))?;
        if closed.value().is_none() {
            closed.text = String::new();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.root = Some(closed),
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<(), ReadError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(not_xml("text outside of the root element")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, ReadError> {
        match (self.open.last(), self.root) {
            (None, Some(root)) => Ok(root),
            (None, None) => Err(not_xml("there is no element")),
            (Some(open), _) => Err(not_xml(format!("the file ends inside of {}", clip(&open.name)))),
        }
    }
}

/// The attributes without prefix; CII and UBL use no others.
fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, ReadError> {
    let mut kept = Vec::new();
    for (count, attribute) in start.attributes().enumerate() {
        if count >= MAX_ATTRIBUTES {
            return Err(ReadError::TooManyElements { limit: MAX_ATTRIBUTES });
        }
        let attribute = attribute.map_err(|error| not_xml(error.to_string()))?;
        let name = attribute.key.as_ref();
        if name.contains(':') || name == "xmlns" {
            continue;
        }
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Explicit1_0)
            .map_err(|error| not_xml(error.to_string()))?;
        if !value.chars().all(is_xml_char) {
            return Err(not_xml(format!("the attribute {} holds a forbidden character", clip(name))));
        }
        kept.push((name.to_owned(), value.into_owned()));
    }
    Ok(kept)
}

/// A document type declaration keeps its own refusal, even a broken one.
fn refusal(error: &quick_xml::Error) -> ReadError {
    match error {
        quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype)
        | quick_xml::Error::IllFormed(IllFormedError::MissingDoctypeName) => ReadError::DoctypeForbidden,
        other => not_xml(other.to_string()),
    }
}

fn not_xml(reason: impl Into<String>) -> ReadError {
    ReadError::NotXml { reason: clip(&reason.into()) }
}

/// The start of a text from the file, short enough for a message.
pub(super) fn clip(text: &str) -> String {
    text.chars().take(120).collect()
}
