//! Walks the schema by introspection: makes a document for any root field, with values for what it needs.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use crate::server::Server;

/// What stands for the id under test in a document's variables.
pub(crate) const TESTED: &str = "@tested@";

const INTROSPECTION: &str = "{ __schema { types { kind name
    fields(includeDeprecated: true) { name args { name type { ...T } defaultValue } type { ...T } }
    inputFields { name type { ...T } defaultValue } enumValues { name } possibleTypes { name } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

/// The kinds of things that an id field may name. A new field must be added here, or the walk fails.
fn kinds_of(field: &str) -> Option<&'static [&'static str]> {
    const KINDS: &[(&str, &[&str])] = &[
        ("accountId", &["account"]),
        ("afterFiscalYearId", &["fiscal_year"]),
        ("allocationId", &["allocation"]),
        ("apiKeyId", &["api_key"]),
        ("billId", &["bill"]),
        ("companyId", &["company"]),
        ("correctsId", &["bill", "invoice"]),
        ("creditNoteId", &["invoice", "bill"]),
        ("creditPostingId", &["posting"]),
        ("customerId", &["party"]),
        ("debitPostingId", &["posting"]),
        ("documentId", &["invoice", "bill"]),
        ("fileId", &["file"]),
        ("fiscalYearId", &["fiscal_year"]),
        ("id", &ALL_KINDS),
        ("invoiceId", &["invoice"]),
        ("itemId", &["item"]),
        ("journalEntryId", &["journal_entry"]),
        ("journalId", &["journal"]),
        ("kpiId", &["kpi"]),
        ("lineId", &["invoice_line"]),
        ("matchingId", &["matching"]),
        ("memberId", &["membership"]),
        ("partyId", &["party"]),
        ("paymentId", &["payment"]),
        ("periodId", &["period"]),
        ("removed", &["bill_line"]),
        ("sourceId", &["invoice", "bill", "payment"]),
        ("supplierId", &["party"]),
        ("taxCodeId", &["tax_code"]),
        ("uploadIds", &["file"]),
    ];
    KINDS.iter().find(|(name, _)| *name == field).map(|(_, kinds)| *kinds)
}

/// The schema, by type name.
pub(crate) struct Schema(BTreeMap<String, Value>);

/// A root field with one way to call it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub field: String,
    pub document: String,
    pub variables: Value,
    /// The kinds that the tested id may name; empty when no id is tested.
    pub kinds: &'static [&'static str],
    /// Where the tested id stands.
    pub place: String,
}

impl Call {
    /// The variables with an id in the tested place.
    pub(crate) fn with(&self, id: &str) -> Value {
        serde_json::from_str(&self.variables.to_string().replace(TESTED, id)).expect("JSON")
    }
}

/// The ids of things to fill required places with, by kind.
pub(crate) type Ids = HashMap<&'static str, String>;

impl Schema {
    /// Asks a server for its schema.
    pub(crate) async fn of(server: &Server, token: &str) -> Self {
        let (_, answer) = server.send(Some(token), None, INTROSPECTION, json!({})).await;
        let types =
            answer["data"]["__schema"]["types"].as_array().unwrap_or_else(|| panic!("{answer:#}")).clone();
        Self(types.into_iter().map(|t| (t["name"].as_str().expect("name").to_owned(), t)).collect())
    }

    /// The names of a root type's fields.
    pub(crate) fn fields(&self, root: &str) -> Vec<String> {
        let fields = self.0.get(root).and_then(|t| t["fields"].as_array()).cloned().unwrap_or_default();
        fields.iter().map(|f| f["name"].as_str().expect("name").to_owned()).collect()
    }

    fn field(&self, root: &str, name: &str) -> &Value {
        let fields = self.0[root]["fields"].as_array().expect("fields");
        fields.iter().find(|f| f["name"] == name).expect("field")
    }

    /// The plainest call of a field: what it needs, with own ids.
    pub(crate) fn plain(&self, root: &str, name: &str, own: &Ids) -> Call {
        self.call(root, name, own, None)
    }

    /// Calls of a field, one for each place that takes an id.
    pub(crate) fn with_ids(&self, root: &str, name: &str, own: &Ids) -> Vec<Call> {
        let mut places = Vec::new();
        for arg in self.field(root, name)["args"].as_array().expect("args") {
            self.id_places(arg, arg["name"].as_str().expect("name"), 0, &mut places);
        }
        places.iter().map(|place| self.call(root, name, own, Some(place))).collect()
    }

    fn id_places(&self, input: &Value, path: &str, depth: usize, places: &mut Vec<String>) {
        let name = named(&input["type"]);
        if name == "ID" {
            places.push(path.to_owned());
        } else if let Some(fields) = self.0[&name]["inputFields"].as_array()
            && depth < 5
        {
            for field in fields {
                self.id_places(
                    field,
                    &format!("{path}.{}", field["name"].as_str().expect("name")),
                    depth + 1,
                    places,
                );
            }
        }
    }

    fn call(&self, root: &str, name: &str, own: &Ids, place: Option<&str>) -> Call {
        let field = self.field(root, name);
        let mut variables = Map::new();
        let mut declared = Vec::new();
        let mut given = Vec::new();
        for arg in field["args"].as_array().expect("args") {
            let arg_name = arg["name"].as_str().expect("name");
            let inside = place.filter(|p| p.split('.').next() == Some(arg_name));
            if let Some(value) = self.value(arg, arg_name, own, inside) {
                variables.insert(arg_name.to_owned(), value);
                declared.push(format!("${arg_name}: {}", written(&arg["type"])));
                given.push(format!("{arg_name}: ${arg_name}"));
            }
        }
        let wrap = |parts: Vec<String>| {
            if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) }
        };
        let operation = root.to_lowercase();
        let selection = self.selection(&named(&field["type"]), 2);
        let document = format!("{operation}{} {{ {name}{} {selection} }}", wrap(declared), wrap(given));
        let leaf = place.and_then(|p| p.rsplit('.').next());
        let kinds = leaf.map_or(&[][..], |leaf| {
            kinds_of(leaf)
                .unwrap_or_else(|| panic!("which kinds of id is `{leaf}` in {name}? say so in walk.rs"))
        });
        Call {
            field: name.to_owned(),
            document,
            variables: variables.into(),
            kinds,
            place: place.unwrap_or_default().to_owned(),
        }
    }

    /// A value for an argument or input field; `None` when it may be left out. `place` leads to the tested id.
    fn value(&self, input: &Value, name: &str, own: &Ids, place: Option<&str>) -> Option<Value> {
        let required = input["type"]["kind"] == "NON_NULL" && input["defaultValue"].is_null();
        let paging = name == "first" && place.is_none();
        if !required && place.is_none() && !paging {
            return None;
        }
        let one = self.one(&named(&input["type"]), name, own, place);
        Some(if is_list(&input["type"]) { json!([one]) } else { one })
    }

    fn one(&self, type_name: &str, name: &str, own: &Ids, place: Option<&str>) -> Value {
        let place = place.and_then(|p| p.split_once('.').map(|(_, rest)| rest).or(Some("")));
        if type_name == "ID" {
            return match place {
                Some(_) => json!(TESTED),
                None => json!(
                    kinds_of(name)
                        .and_then(|kinds| own.get(kinds[0]))
                        .cloned()
                        .unwrap_or_else(|| "none".to_owned())
                ),
            };
        }
        let declared = &self.0[type_name];
        if let Some(fields) = declared["inputFields"].as_array() {
            let mut object = Map::new();
            for field in fields {
                let field_name = field["name"].as_str().expect("name");
                let inside = place.filter(|p| p.split('.').next() == Some(field_name));
                if let Some(value) = self.value(field, field_name, own, inside) {
                    object.insert(field_name.to_owned(), value);
                }
            }
            return object.into();
        }
        if let Some(values) = declared["enumValues"].as_array() {
            return values[0]["name"].clone();
        }
        scalar(type_name, name)
    }

    /// Every field that needs no argument (or only `first`), so many levels deep.
    fn selection(&self, type_name: &str, depth: usize) -> String {
        let declared = &self.0[type_name];
        if declared["kind"] == "INTERFACE" || declared["kind"] == "UNION" {
            return "{ __typename ... on Node { id } }".to_owned();
        }
        let Some(fields) = declared["fields"].as_array() else { return String::new() };
        let mut selected = vec!["__typename".to_owned()];
        for field in fields {
            let args = field["args"].as_array().expect("args");
            let needs =
                args.iter().filter(|a| a["type"]["kind"] == "NON_NULL" && a["defaultValue"].is_null());
            let others = needs.filter(|a| a["name"] != "first").count();
            let pages = args.iter().any(|a| a["name"] == "first");
            let inner = named(&field["type"]);
            let leaf = self.0[&inner]["fields"].is_null() && self.0[&inner]["possibleTypes"].is_null();
            if others > 0 || (!leaf && depth == 0) {
                continue;
            }
            let name = field["name"].as_str().expect("name");
            let args = if pages { "(first: 1)" } else { "" };
            let inside = if leaf { String::new() } else { self.selection(&inner, depth - 1) };
            selected.push(format!("{name}{args} {inside}"));
        }
        format!("{{ {} }}", selected.join(" "))
    }
}

/// Every kind with rows that a test company has.
pub(crate) const ALL_KINDS: [&str; 22] = [
    "company",
    "account",
    "allocation",
    "api_key",
    "bill",
    "bill_line",
    "exchange_rate",
    "file",
    "finding",
    "fiscal_year",
    "invoice",
    "invoice_line",
    "item",
    "journal",
    "journal_entry",
    "kpi",
    "matching",
    "membership",
    "party",
    "payment",
    "period",
    "tax_code",
];

fn scalar(type_name: &str, name: &str) -> Value {
    match (type_name, name) {
        ("Int", _) => json!(1),
        ("Float", _) => json!(1.0),
        ("Boolean", _) => json!(false),
        ("Decimal", _) => json!("1"),
        ("Date" | "NaiveDate", _) => json!("2026-06-15"),
        ("DateTime", _) => json!("2027-06-15T10:00:00Z"),
        (_, "currency") => json!("EUR"),
        (_, "country") => json!("FR"),
        _ => json!("x"),
    }
}

fn named(t: &Value) -> String {
    let mut t = t;
    while !t["ofType"].is_null() {
        t = &t["ofType"];
    }
    t["name"].as_str().expect("name").to_owned()
}

fn is_list(t: &Value) -> bool {
    t["kind"] == "LIST" || (t["kind"] == "NON_NULL" && t["ofType"]["kind"] == "LIST")
}

fn written(t: &Value) -> String {
    match t["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&t["ofType"])),
        Some("LIST") => format!("[{}]", written(&t["ofType"])),
        _ => t["name"].as_str().expect("name").to_owned(),
    }
}
