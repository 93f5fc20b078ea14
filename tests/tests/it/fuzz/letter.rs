//! An answer in a form that two worlds can be compared by, to the letter.
//!
//! Left out or named alike is only what no two runs share: ids and secrets made since the worlds parted, moments
//! since then, request ids, and how far workers have come (`sequence`, `revision`).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::id;
use kernel::page::Cursor;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What a world has made since the worlds parted, by the order in which it was first shown.
#[derive(Debug)]
pub(super) struct Letters {
    parted: DateTime<Utc>,
    names: HashMap<Uuid, String>,
}

/// An answer without its request's id, and without what is left of a budget, which depends on what was asked before.
pub(super) fn bare(status: u16, mut answer: Value) -> Value {
    for error in answer["errors"].as_array_mut().into_iter().flatten() {
        if let Some(extensions) = error["extensions"].as_object_mut() {
            extensions.remove("requestId");
        }
    }
    if let Some(fields) = answer.as_object_mut() {
        let cost = fields.remove("extensions").map(|beside| beside["cost"].clone());
        fields.insert("status".to_owned(), json!(status));
        fields.insert("thenCost".to_owned(), cost.unwrap_or_default());
    }
    answer
}

/// Fields whose values differ between any two runs. What a review has as a table (`csv`) stands in its rows as well.
const MOVING: [&str; 9] =
    ["challenge", "csv", "deviceToken", "hint", "lastUsedAt", "requestId", "revision", "secret", "sequence"];

/// A figure that has just been told to measure something else.
const FILLED: &str = "a figure that is being filled";

/// What depends on whether it is filled.
const FILLING: [&str; 18] = [
    "value",
    "standing",
    "level",
    "pending",
    "versions",
    "specVersion",
    "version",
    "comparison",
    "sparkline",
    "from",
    "to",
    "spec",
    "cube",
    "measure",
    "window",
    "dimensions",
    "filter",
    "unit",
];

impl Letters {
    /// Of a world that parted at a moment.
    pub(super) fn new(parted: DateTime<Utc>) -> Self {
        Self { parted, names: HashMap::new() }
    }

    /// The answer with every new thing under its name.
    pub(super) fn of(&mut self, answer: &Value) -> Value {
        self.value("", answer)
    }

    fn value(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::Null => Value::Null,
            _ if MOVING.contains(&name) => json!("@moving"),
            Value::Object(fields) => {
                let is = |name: &str, text: &str| fields.get(name).is_some_and(|value| value == text);
                let filled =
                    ["CreateKpiPayload", "RedefineKpiPayload"].iter().any(|name| is("__typename", name));
                let moving: &[&str] = match () {
                    // How long something took is measured by each world's own clock.
                    () if is("unit", "DURATION") => {
                        &["standing", "level", "value", "comparison", "sparkline"]
                    }
                    // How far the filling from history has come, right after it began.
                    () if name == FILLED => &FILLING,
                    // The cursor of an event veils its place among those of all companies.
                    () if is("__typename", "ActivityEdge") => &["cursor"],
                    () if is("__typename", "ActivityConnection") => &["pageInfo"],
                    () => &[],
                };
                fields
                    .iter()
                    .map(|(name, value)| {
                        let moves = moving.contains(&name.as_str());
                        let inside = if filled && name == "kpi" { FILLED } else { name };
                        (name.clone(), if moves { json!("@moving") } else { self.value(inside, value) })
                    })
                    .collect::<Map<_, _>>()
                    .into()
            }
            Value::Array(values) => values.iter().map(|value| self.value(name, value)).collect(),
            Value::String(text) => json!(self.text(name, text)),
            other => other.clone(),
        }
    }

    fn text(&mut self, name: &str, text: &str) -> String {
        if name == "token" {
            return "@secret".to_owned();
        }
        // The last characters of a secret.
        if name == "identifier" && text.starts_with('…') {
            return "@hint".to_owned();
        }
        if let Ok(at) = text.parse::<DateTime<Utc>>() {
            return if at >= self.parted { "@later".to_owned() } else { text.to_owned() };
        }
        if let Some((link, _)) = text.rsplit_once('/').filter(|_| text.starts_with("http")) {
            // A signed link holds until when it is good, and each world has a port of its own.
            let path = link
                .strip_prefix("http://127.0.0.1:")
                .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
            return format!("{}/@signed", path.unwrap_or(link));
        }
        if let Some(Cursor { key, id }) = Cursor::decode(text) {
            return format!("@cursor {} {key}", self.name(id).unwrap_or_else(|| id.to_string()));
        }
        self.words(text)
    }

    /// The text with each id that is new under its name.
    fn words(&mut self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        for word in text.split_inclusive(|c: char| !is_part(c)) {
            let bare = word.trim_end_matches(|c: char| !is_part(c));
            let new = match id::decode_any(bare) {
                Ok((kind, uuid)) => self.name(uuid).map(|name| format!("@{}{name}", kind.prefix())),
                Err(_) => bare.parse::<Uuid>().ok().and_then(|uuid| self.name(uuid)),
            };
            match new {
                Some(name) => {
                    shown.push_str(&name);
                    shown.push_str(&word[bare.len()..]);
                }
                None => shown.push_str(word),
            }
        }
        shown
    }

    /// The name of an id that was made since the worlds parted.
    fn name(&mut self, uuid: Uuid) -> Option<String> {
        // The first 48 bits are milliseconds: of an id of version 7, and of a test twin's of version 8.
        if !matches!(uuid.get_version_num(), 7 | 8) {
            return None;
        }
        let made = DateTime::from_timestamp_millis(i64::try_from(uuid.as_u128() >> 80).ok()?)?;
        if made < self.parted {
            return None;
        }
        let next = format!("#{}", self.names.len());
        Some(self.names.entry(uuid).or_insert(next).clone())
    }
}

#[test]
fn only_what_is_new_is_named_anew() {
    let parted: DateTime<Utc> = "2026-06-15T10:00:00Z".parse().expect("an instant");
    let mut letters = Letters::new(parted);
    let old = "party_01h455vb4pex5vsknk084sn02q";
    let new = id::encode(kernel::Kind::Party, id::new());
    let answer = json!({"data": {"a": old, "b": format!("no {new}!"), "at": "2026-06-15T10:00:01Z", "was": "2026-06-15T09:00:00Z",
        "url": "http://127.0.0.1:1/files/abc", "c": new, "requestId": "x", "n": 1, "extensions": {"x": 1}}, "extensions": {}});
    let text = letters.of(&bare(200, answer)).to_string();
    for kept in [
        old,
        "no @party#0!",
        "\"c\":\"@party#0\"",
        "@later",
        "09:00:00Z",
        "/files/@signed",
        "\"n\":1",
        "\"x\":1",
    ] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    assert!(!text.contains(&new), "{text}");
}
