//! Walks the schema by introspection: makes a document for any root field, with values for what it needs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use crate::house::ALL_KINDS;
use crate::server::Server;

/// What stands for the id under test in a document's variables.
pub(crate) const TESTED: &str = "@tested@";

const INTROSPECTION: &str = "{ __schema { types { kind name
    fields(includeDeprecated: true) { name args { name type { ...T } defaultValue } type { ...T } }
    inputFields { name type { ...T } defaultValue } enumValues { name } possibleTypes { name } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

/// The kinds of things that an id field may name. A new field must be added here, or the walk fails.
pub(crate) fn kinds_of(field: &str) -> Option<&'static [&'static str]> {
    const KINDS: &[(&str, &[&str])] = &[
        ("accessRequestId", &["access_request"]),
        ("accountId", &["account"]),
        ("afterFiscalYearId", &["fiscal_year"]),
        ("allocationId", &["allocation"]),
        ("apiKeyId", &["api_key"]),
        ("applicationId", &["application"]),
        ("billId", &["bill"]),
        ("companyDomainId", &["company_domain"]),
        ("companyId", &["company"]),
        ("correctsId", &["bill", "invoice"]),
        ("creditNoteId", &["invoice", "bill"]),
        ("creditPostingId", &["posting"]),
        ("customerId", &["party"]),
        ("dashboardId", &["dashboard"]),
        ("debitPostingId", &["posting"]),
        ("documentId", &["invoice", "bill"]),
        ("embedLinkId", &["embed_link"]),
        ("fileId", &["file"]),
        ("fiscalYearId", &["fiscal_year"]),
        ("grantId", &["grant"]),
        ("id", &ALL_KINDS),
        ("identityId", &["identity"]),
        ("invitationId", &["invitation"]),
        ("invoiceId", &["invoice"]),
        ("itemId", &["item"]),
        ("journalEntryId", &["journal_entry"]),
        ("journalId", &["journal"]),
        ("kpiAlertId", &["kpi_alert"]),
        ("kpiId", &["kpi"]),
        ("lineId", &["invoice_line"]),
        ("matchingId", &["matching"]),
        ("memberId", &["membership"]),
        ("ownerId", &["membership"]),
        ("partyId", &["party"]),
        ("passkeyId", &["passkey"]),
        ("paymentId", &["payment"]),
        ("periodId", &["period"]),
        ("removed", &["bill_line"]),
        ("roleId", &["role"]),
        ("sessionId", &["session"]),
        ("sourceId", &["invoice", "bill", "payment"]),
        ("ssoProviderId", &["sso_provider"]),
        ("supplierId", &["party"]),
        ("taxCodeId", &["tax_code"]),
        ("trustedDocumentId", &["trusted_document"]),
        ("uploadIds", &["file"]),
    ];
    KINDS.iter().find(|(name, _)| *name == field).map(|(_, kinds)| *kinds)
}

/// The schema by type name, and the selections that were made of its types.
pub(crate) struct Schema(BTreeMap<String, Value>, Mutex<BTreeMap<(String, usize), String>>);

/// A field to call: of a root type, or of a thing that a query leads to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// `query`, `mutation` or `subscription`.
    pub operation: String,
    /// The type that has the field.
    pub owner: String,
    pub field: String,
    /// What leads to the owner, and what closes it: `node(id: "…") { ... on Party {` and `} }`.
    pub way: (String, String),
}

impl Target {
    /// A field of a root type.
    pub(crate) fn root(root: &str, field: &str) -> Self {
        let way = (String::new(), String::new());
        Self { operation: root.to_lowercase(), owner: root.to_owned(), field: field.to_owned(), way }
    }

    /// How reports name it: `createItem`, or `Account.generalLedger`.
    pub(crate) fn name(&self) -> String {
        if self.way.0.is_empty() { self.field.clone() } else { format!("{}.{}", self.owner, self.field) }
    }
}

/// A place of a call that takes a value.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// From the argument on: `input.lines.itemId`. In a list of two, the second is meant by `input.lines.1.itemId`.
    pub path: String,
    /// The named type: `ID`, `String`, an enum, an input object.
    pub type_name: String,
    /// Whether the call cannot be without it.
    pub required: bool,
}

impl Place {
    /// The last step of the path.
    pub(crate) fn leaf(&self) -> &str {
        leaf_of(&self.path)
    }
}

fn leaf_of(path: &str) -> &str {
    path.rsplit('.').find(|step| step.parse::<usize>().is_err()).unwrap_or(path)
}

/// Values by the paths of places.
pub(crate) type Given = BTreeMap<String, Value>;

/// Gives values to the places of a call that are not under test.
pub(crate) trait Fill {
    /// The value; `None` leaves the place out, or to a plain value when the call needs one.
    fn value(&self, target: &Target, place: &Place) -> Option<Value>;
}

/// The ids of things to fill required places with, by kind.
pub(crate) type Ids = HashMap<&'static str, String>;

impl Fill for Ids {
    fn value(&self, _: &Target, place: &Place) -> Option<Value> {
        match (place.leaf(), place.type_name.as_str()) {
            ("first", _) => Some(json!(1)),
            (leaf, "ID") if place.required => {
                kinds_of(leaf).and_then(|kinds| self.get(kinds[0])).map(|id| json!(id))
            }
            _ => None,
        }
    }
}

/// A root field with one way to call it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub field: String,
    pub document: String,
    pub variables: Value,
    /// Where the tested id stands.
    pub place: String,
}

impl Call {
    /// The variables with an id in the tested place.
    pub(crate) fn with(&self, id: &str) -> Value {
        serde_json::from_str(&self.variables.to_string().replace(TESTED, id)).expect("JSON")
    }
}

/// A call that is being made.
struct Making<'a> {
    target: &'a Target,
    given: &'a Given,
    fill: &'a dyn Fill,
}

impl Schema {
    /// Asks a server for its schema.
    pub(crate) async fn of(server: &Server, token: &str) -> Self {
        let (_, answer) = server.send(Some(token), None, INTROSPECTION, json!({})).await;
        let types =
            answer["data"]["__schema"]["types"].as_array().unwrap_or_else(|| panic!("{answer:#}")).clone();
        let named = types.into_iter().map(|t| (t["name"].as_str().expect("name").to_owned(), t));
        Self(named.collect(), Mutex::default())
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
        self.call(&Target::root(root, name), &Given::new(), own)
    }

    /// Calls of a field, one for each place that takes an id.
    pub(crate) fn with_ids(&self, root: &str, name: &str, own: &Ids) -> Vec<Call> {
        let target = Target::root(root, name);
        let ids = self.places(&target).into_iter().filter(|place| place.type_name == "ID");
        let call = |place: Place| {
            let known = kinds_of(place.leaf()).is_some();
            assert!(known, "which kinds of id is `{}` in {name}? say so in walk.rs", place.leaf());
            self.call(&target, &Given::from([(place.path, json!(TESTED))]), own)
        };
        ids.map(call).collect()
    }

    /// The named type that a field gives.
    pub(crate) fn gives(&self, target: &Target) -> String {
        named(&self.field(&target.owner, &target.field)["type"])
    }

    /// The type of the things that a field shows: what it gives, or what is in its payload or its list.
    pub(crate) fn thing(&self, target: &Target) -> String {
        let given = self.gives(target);
        let inner = |name: &str, field: Option<&str>| {
            let fields = self.0[name]["fields"].as_array().into_iter().flatten();
            let mut fields =
                fields.filter(|f| field.is_none_or(|field| f["name"] == field)).map(|f| named(&f["type"]));
            fields.find(|of| self.0[of]["kind"] == "OBJECT" && !of.ends_with("UserError"))
        };
        let thing = if given.ends_with("Connection") {
            inner(&given, Some("edges")).and_then(|edge| inner(&edge, Some("node")))
        } else if given.ends_with("Payload") {
            inner(&given, None)
        } else {
            None
        };
        thing.unwrap_or(given)
    }

    /// Every place of a field that takes a value of its own, and no further object.
    pub(crate) fn places(&self, target: &Target) -> Vec<Place> {
        let mut places = Vec::new();
        for arg in self.field(&target.owner, &target.field)["args"].as_array().expect("args") {
            self.places_in(arg, arg["name"].as_str().expect("name"), 0, &mut places);
        }
        places
    }

    fn places_in(&self, input: &Value, path: &str, depth: usize, places: &mut Vec<Place>) {
        let place = place_of(input, path);
        match self.0[&place.type_name]["inputFields"].as_array() {
            None => places.push(place),
            Some(fields) if depth < 5 => {
                for field in fields {
                    let name = field["name"].as_str().expect("name");
                    self.places_in(field, &format!("{path}.{name}"), depth + 1, places);
                }
            }
            Some(_) => {}
        }
    }

    /// Whether a list lies on the path of a place, or is the place.
    pub(crate) fn list_before(&self, target: &Target, path: &str) -> Option<String> {
        let mut inputs = self.field(&target.owner, &target.field)["args"].as_array().expect("args");
        let mut walked = String::new();
        for step in path.split('.') {
            walked = if walked.is_empty() { step.to_owned() } else { format!("{walked}.{step}") };
            let input = inputs.iter().find(|input| input["name"] == step)?;
            if is_list(&input["type"]) {
                return Some(walked);
            }
            inputs = self.0[&named(&input["type"])]["inputFields"].as_array()?;
        }
        None
    }

    /// The type whose things have ids of a kind, if they are reached by their id.
    pub(crate) fn node_type(&self, kind: &str) -> Option<&str> {
        let mut types = self.0["Node"]["possibleTypes"].as_array()?.iter().filter_map(|t| t["name"].as_str());
        types.find(|name| kind_of_type(name) == kind)
    }

    /// What leads to the one thing of a type that has no id, and what closes it: a query without arguments.
    pub(crate) fn way_to(&self, type_name: &str) -> Option<(String, String)> {
        let mut queries = self.0["Query"]["fields"].as_array()?.iter();
        let query = queries.find(|field| field["args"] == json!([]) && named(&field["type"]) == type_name)?;
        Some((format!("{} {{", query["name"].as_str()?), "}".to_owned()))
    }

    /// A document that shows a thing of a kind by its `$id`.
    pub(crate) fn look_at(&self, kind: &str) -> Option<String> {
        let name = self.node_type(kind)?;
        Some(format!("query($id: ID!) {{ node(id: $id) {{ ... on {name} {} }} }}", self.selection(name, 2)))
    }

    /// The fields of all objects but the roots, with the type that has them.
    pub(crate) fn inner_fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        let objects = self.0.iter().filter(|(name, declared)| {
            declared["kind"] == "OBJECT" && !name.starts_with("__") && !ROOTS.contains(&name.as_str())
        });
        objects.flat_map(|(name, declared)| {
            declared["fields"].as_array().into_iter().flatten().map(move |field| (name.as_str(), field))
        })
    }

    /// The values of an enum; `None` for what is none.
    pub(crate) fn enum_values(&self, type_name: &str) -> Option<&Vec<Value>> {
        self.0[type_name]["enumValues"].as_array()
    }

    /// A call with values in some places; the others are filled.
    pub(crate) fn call(&self, target: &Target, given: &Given, fill: &dyn Fill) -> Call {
        let field = self.field(&target.owner, &target.field);
        let making = Making { target, given, fill };
        let mut variables = Map::new();
        let mut declared = Vec::new();
        let mut used = Vec::new();
        for arg in field["args"].as_array().expect("args") {
            let name = arg["name"].as_str().expect("name");
            if let Some(value) = self.value(&making, arg, name) {
                variables.insert(name.to_owned(), value);
                declared.push(format!("${name}: {}", written(&arg["type"])));
                used.push(format!("{name}: ${name}"));
            }
        }
        let wrap = |parts: Vec<String>| {
            if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) }
        };
        let selected = (named(&field["type"]), if target.way.0.is_empty() { 2 } else { 1 });
        let mut made = self.1.lock().expect("selections");
        let selection = made.entry(selected).or_insert_with_key(|(name, depth)| self.selection(name, *depth));
        let (operation, name, (before, after)) = (&target.operation, &target.field, &target.way);
        let (declared, used) = (wrap(declared), wrap(used));
        let document = format!("{operation}{declared} {{ {before} {name}{used} {selection} {after} }}");
        let place = given.keys().next().cloned().unwrap_or_default();
        Call { field: name.clone(), document, variables: variables.into(), place }
    }

    /// A value for an argument or input field; `None` when it is left out.
    fn value(&self, making: &Making, input: &Value, path: &str) -> Option<Value> {
        if let Some(given) = making.given.get(path) {
            return Some(in_list(&input["type"], given.clone()));
        }
        let place = place_of(input, path);
        let inside = |path: &str| {
            making.given.keys().any(|key| key.strip_prefix(path).is_some_and(|k| k.starts_with('.')))
        };
        if !inside(path) {
            let filled = making.fill.value(making.target, &Place { path: unplaced(path), ..place.clone() });
            if filled.is_some() || !place.required {
                return filled.map(|value| in_list(&input["type"], value));
            }
        }
        if !is_list(&input["type"]) {
            return Some(self.one(making, &place, path));
        }
        let second = format!("{path}.1");
        if inside(&second) || making.given.contains_key(&second) {
            return Some(json!([
                self.one(making, &place, &format!("{path}.0")),
                self.one(making, &place, &second)
            ]));
        }
        Some(json!([self.one(making, &place, path)]))
    }

    fn one(&self, making: &Making, place: &Place, path: &str) -> Value {
        if let Some(given) = making.given.get(path) {
            return given.clone();
        }
        let declared = &self.0[&place.type_name];
        if let Some(fields) = declared["inputFields"].as_array() {
            let value = |field: &Value| {
                let name = field["name"].as_str().expect("name").to_owned();
                self.value(making, field, &format!("{path}.{name}")).map(|value| (name, value))
            };
            return fields.iter().filter_map(value).collect::<Map<_, _>>().into();
        }
        let needed = Place { path: unplaced(path), required: true, ..place.clone() };
        if let Some(filled) = making.fill.value(making.target, &needed) {
            return filled;
        }
        match declared["enumValues"].as_array() {
            Some(values) => values[0]["name"].clone(),
            None if place.type_name == "ID" => json!("none"),
            None => scalar(&place.type_name, needed.leaf()),
        }
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

const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

fn place_of(input: &Value, path: &str) -> Place {
    let required = input["type"]["kind"] == "NON_NULL" && input["defaultValue"].is_null();
    Place { path: path.to_owned(), type_name: named(&input["type"]), required }
}

/// A path without the numbers of places in lists.
fn unplaced(path: &str) -> String {
    path.split('.').filter(|step| step.parse::<usize>().is_err()).collect::<Vec<_>>().join(".")
}

/// The kind of the ids of a type: `JournalEntry` has `journal_entry_…`.
pub(crate) fn kind_of_type(name: &str) -> String {
    if name == "Member" {
        return "membership".to_owned();
    }
    let mut kind = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !kind.is_empty() {
            kind.push('_');
        }
        kind.extend(letter.to_lowercase());
    }
    kind
}

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

pub(crate) fn named(t: &Value) -> String {
    let mut t = t;
    while !t["ofType"].is_null() {
        t = &t["ofType"];
    }
    t["name"].as_str().expect("name").to_owned()
}

/// A value for a type: in a list of its own where the type is a list and the value is none.
fn in_list(t: &Value, value: Value) -> Value {
    if is_list(t) && !value.is_array() && !value.is_null() { json!([value]) } else { value }
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
