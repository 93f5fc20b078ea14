//! What a company can read of itself: every id, text and number, by the name of the field that shows it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kernel::id;
use serde_json::{Value, json};

use super::dice::Dice;
use super::seed::Company;
use crate::server::Server;
use crate::walk::{Given, Place, Schema, Target, kinds_of};

/// Things of a kind that are looked at one by one.
const LOOKED_AT: usize = 5;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Loot {
    /// Ids by kind.
    pub ids: BTreeMap<String, BTreeSet<String>>,
    /// Texts by the name of their field, and by that with its type: `externalRef` and `Party.externalRef`.
    pub texts: BTreeMap<String, BTreeSet<String>>,
    /// Numbers by the name of their field.
    pub numbers: BTreeMap<String, BTreeSet<i64>>,
}

/// Names of places, and of the fields whose texts fit there.
const FITS: [(&str, &str); 12] = [
    ("after", "cursor"),
    ("before", "cursor"),
    ("afterRevision", "revision"),
    ("iban", "ibanHint"),
    ("keys", "key"),
    ("labelEn", "label"),
    ("labelFr", "label"),
    ("namePrefix", "name"),
    ("numberPrefix", "number"),
    ("numberStartsWith", "number"),
    ("taxCode", "code"),
    ("value", "name"),
];

/// Texts that may be the id of a party, an account or a journal.
const TEXT_IDS: [&str; 3] = ["anyOf", "noneOf", "value"];

/// Where a signed token of another company is no secret of it but the right itself: who has the link may.
const BEARER: [&str; 1] = ["token"];

impl Loot {
    /// Reads all that a company shows to its owner: what it was told when it made things, every list, then things of
    /// every kind one by one.
    pub(super) async fn of(server: &Server, schema: &Schema, company: &Company) -> Self {
        let (own, token) = (&company.house.ids, company.house.token.as_str());
        let mut loot = Self::default();
        own.values().chain(company.things.values()).for_each(|id| loot.keep("id", &json!(id)));
        for field in schema.fields("Query") {
            for page in [20, 1] {
                let target = Target::root("Query", &field);
                let pages = schema.places(&target).iter().any(|place| place.path == "first");
                let given =
                    if pages { Given::from([("first".to_owned(), json!(page))]) } else { Given::new() };
                let call = schema.call(&target, &given, own);
                let (_, answer) = server.send(Some(token), None, &call.document, call.variables).await;
                loot.keep("", &answer["data"]);
                if answer["errors"].is_null() || !pages {
                    break;
                }
            }
        }
        let mut queue: VecDeque<_> = loot.ids.keys().cloned().collect();
        while let Some(kind) = queue.pop_front() {
            let known: Vec<_> = loot.ids.keys().cloned().collect();
            for id in loot.ids[&kind].clone().into_iter().rev().take(LOOKED_AT) {
                let Some(document) = schema.look_at(&kind) else { continue };
                let (_, answer) = server.send(Some(token), None, &document, json!({ "id": id })).await;
                loot.keep("", &answer["data"]);
            }
            queue.extend(loot.ids.keys().filter(|kind| !known.contains(kind)).cloned());
        }
        loot
    }

    fn keep(&mut self, name: &str, shown: &Value) {
        match shown {
            Value::Object(fields) => {
                let of = fields.get("__typename").and_then(Value::as_str).unwrap_or_default();
                for (name, value) in fields {
                    self.keep(name, value);
                    if let Value::String(text) = value
                        && id::decode_any(text).is_err()
                        && name != "__typename"
                    {
                        self.texts.entry(format!("{of}.{name}")).or_default().insert(text.clone());
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.keep(name, value)),
            Value::Number(number) => {
                self.numbers.entry(name.to_owned()).or_default().extend(number.as_i64());
            }
            Value::String(text) => {
                if let Ok((kind, _)) = id::decode_any(text) {
                    self.ids.entry(kind.prefix().to_owned()).or_default().insert(text.clone());
                } else if name != "__typename" && !text.is_empty() {
                    self.texts.entry(name.to_owned()).or_default().insert(text.clone());
                    // A link is worth its token.
                    if let Some((_, token)) = text.rsplit_once('/').filter(|_| text.starts_with("http")) {
                        self.texts.entry("token".to_owned()).or_default().insert(token.to_owned());
                    }
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Leaves out another company's ids: where a wall is missing, it is missing on both sides.
    pub(super) fn without_ids_of(&mut self, other: &Self) {
        for (kind, ids) in &mut self.ids {
            ids.retain(|id| other.ids.get(kind).is_none_or(|known| !known.contains(id)));
        }
    }

    /// Everything in it that is told from another's by itself: ids, and what the other one has not.
    pub(super) fn distinctive(&self, other: &Self) -> BTreeSet<String> {
        let all = |loot: &Self| -> BTreeSet<String> {
            loot.ids.values().chain(loot.texts.values()).flatten().cloned().collect()
        };
        let known = all(other);
        let telling = |text: &String| text.len() >= 6 && !known.contains(text) && !is_instant(text);
        all(self).into_iter().filter(telling).collect()
    }

    /// Values that fit a place of a call about things of a type: a few that such things have, at most so many of
    /// others under the same name, and one that fits by its type only.
    pub(super) fn fitting(&self, thing: &str, place: &Place, most: usize, dice: &mut Dice) -> Vec<Value> {
        let leaf = place.leaf();
        match place.type_name.as_str() {
            "ID" => {
                let kinds = kinds_of(leaf)
                    .unwrap_or_else(|| panic!("which kinds of id is `{leaf}` of {thing}? say so in walk.rs"));
                let ids = kinds.iter().filter_map(|kind| self.ids.get(*kind));
                ids.flat_map(|ids| pick(ids, most, dice)).collect()
            }
            "String" => {
                let name = FITS.iter().find(|(place, _)| *place == leaf).map_or(leaf, |(_, name)| *name);
                let own = self.texts.get(&format!("{thing}.{name}")).into_iter().flatten();
                let mut values: Vec<_> = own.take(2 * most).map(|text| json!(text)).collect();
                if most > 1 || values.is_empty() {
                    values.extend(
                        self.texts.get(name).map(|texts| pick(texts, most, dice)).unwrap_or_default(),
                    );
                }
                if (most > 1 || values.is_empty()) && !BEARER.contains(&leaf) {
                    values.push(self.any_text(dice));
                }
                if TEXT_IDS.contains(&leaf) {
                    let ids = ["party", "account", "journal"].map(|kind| self.ids.get(kind));
                    values.extend(ids.into_iter().flatten().flat_map(|ids| pick(ids, 1, dice)));
                }
                values
            }
            "Int" => {
                let name = FITS.iter().find(|(place, _)| *place == leaf).map(|(_, name)| *name);
                name.and_then(|name| self.numbers.get(name)).map(|n| pick(n, most, dice)).unwrap_or_default()
            }
            "Decimal" => self.texts.get("amount").map(|amounts| pick(amounts, 1, dice)).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Any text or id.
    pub(super) fn any_text(&self, dice: &mut Dice) -> Value {
        let names: Vec<_> = self.texts.iter().filter(|(name, _)| !BEARER.contains(&name.as_str())).collect();
        if dice.one_in(3) {
            let kinds: Vec<_> = self.ids.values().collect();
            let ids = *dice.of(&kinds);
            return pick(ids, 1, dice).remove(0);
        }
        let (_, texts) = dice.of(&names);
        pick(texts, 1, dice).remove(0)
    }
}

fn pick<T: Clone + Ord>(from: &BTreeSet<T>, most: usize, dice: &mut Dice) -> Vec<Value>
where
    Value: From<T>,
{
    let from: Vec<_> = from.iter().collect();
    (0..most.min(from.len())).map(|_| Value::from((**dice.of(&from)).clone())).collect()
}

/// Whether a text is a moment: those are no secret, and a run's own are like them.
fn is_instant(text: &str) -> bool {
    text.parse::<chrono::DateTime<chrono::Utc>>().is_ok()
}
