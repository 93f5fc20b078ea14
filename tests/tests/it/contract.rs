//! The rules that the whole contract keeps, read from the schema that the server tells.

use std::collections::BTreeSet;

use kernel::{Kind, id};
use serde_json::{Value, json};

use crate::house::settle;
use crate::server::Server;
use crate::walk::{Call, Schema};

const INTROSPECTION: &str = "{ __schema { types { kind name description
    fields(includeDeprecated: true) { name description args { name description type { ...T } } type { ...T } }
    inputFields { name description type { ...T } } enumValues(includeDeprecated: true) { name description } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// What signs in and out: no idempotency key can belong to anybody there.
const SIGN_IN: [&str; 26] = [
    "acceptInvitation",
    "beginPasskey",
    "beginPasskeySignIn",
    "beginTotp",
    "changePassword",
    "completeSignIn",
    "confirmEmail",
    "confirmTotp",
    "createCompany",
    "endOtherSessions",
    "finishPasskey",
    "linkIdentity",
    "redeemHandoff",
    "removePasskey",
    "removeTotp",
    "renamePasskey",
    "renewRecoveryCodes",
    "requestPasswordReset",
    "resetPassword",
    "sendConfirmation",
    "signIn",
    "signInWithPasskey",
    "signOut",
    "signUp",
    "switchCompany",
    "unlinkIdentity",
];

/// Scalars of GraphQL itself.
const SCALARS: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];

/// What the library declares, and gives no words.
const WORDLESS: [&str; 1] = ["Decimal"];

struct Contract(Vec<Value>);

impl Contract {
    async fn of(server: &Server, token: &str) -> Self {
        let data = server.ask(token, INTROSPECTION, json!({})).await;
        let ours = |t: &Value| {
            let name = t["name"].as_str().expect("name");
            !name.starts_with("__") && !SCALARS.contains(&name)
        };
        Self(
            data["__schema"]["types"]
                .as_array()
                .expect("types")
                .iter()
                .filter(|t| ours(t))
                .cloned()
                .collect(),
        )
    }

    fn named(&self, name: &str) -> &Value {
        self.0.iter().find(|t| t["name"] == name).unwrap_or_else(|| panic!("no type {name}"))
    }

    /// Every field of every type, with the type's name.
    fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().flat_map(|t| parts(t, "fields").iter().map(move |field| (text(t, "name"), field)))
    }
}

fn parts<'a>(of: &'a Value, what: &str) -> &'a [Value] {
    of[what].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(of: &'a Value, what: &str) -> &'a str {
    of[what].as_str().unwrap_or_default()
}

/// A type as the SDL writes it.
fn written(t: &Value) -> String {
    match t["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&t["ofType"])),
        Some("LIST") => format!("[{}]", written(&t["ofType"])),
        _ => text(t, "name").to_owned(),
    }
}

/// The name of a type without list and non-null.
fn bare(t: &Value) -> String {
    written(t).replace(['[', ']', '!'], "")
}

/// The arguments of a field that page, as the SDL writes them.
fn paging(field: &Value) -> Vec<String> {
    let pages = |arg: &&Value| ["first", "last", "after", "before"].contains(&text(arg, "name"));
    let args = parts(field, "args").iter().filter(pages);
    let mut args: Vec<_> =
        args.map(|arg| format!("{}: {}", text(arg, "name"), written(&arg["type"]))).collect();
    args.sort();
    args
}

const BOTH_WAYS: [&str; 4] = ["after: String", "before: String", "first: Int", "last: Int"];

/// The object types of a contract, with a line for each field.
fn object_types(sdl: &str) -> Vec<(&str, Vec<&str>)> {
    let mut types: Vec<(&str, Vec<&str>)> = Vec::new();
    let (mut inside, mut described) = (false, false);
    for line in sdl.lines() {
        if line.trim_start().starts_with("\"\"\"") {
            described = !described;
        } else if described {
        } else if let Some(name) = line.strip_prefix("type ") {
            types.push((name.split(' ').next().unwrap_or_default(), Vec::new()));
            inside = true;
        } else if line == "}" {
            inside = false;
        } else if inside && let Some((_, fields)) = types.last_mut() {
            fields.push(line.trim());
        }
    }
    types
}

/// Introspection tells no directives, the committed contract does.
#[test]
fn every_list_of_things_says_how_long_it_is() {
    let sdl = include_str!("../../../schema.graphql");
    let document = object_types(sdl);
    let (mut lists, mut silent) = (0, Vec::new());
    let objects: Vec<&str> = document.iter().map(|(name, _)| *name).collect();
    for (owner, fields) in &document {
        // The connection says it of its edges.
        for field in fields.iter().filter(|_| !owner.ends_with("Connection")) {
            let Some((_, of)) = field.split_once(": [") else { continue };
            let item = of.split(['!', ']']).next().unwrap_or_default();
            if objects.contains(&item) {
                lists += 1;
                if !field.contains("@listSize(") {
                    silent.push(format!("{owner}.{}", field.split([':', '(']).next().unwrap_or_default()));
                }
            }
        }
    }
    assert!(lists > 60, "{lists} lists were found");
    assert_eq!(silent, Vec::<String>::new());
}

#[tokio::test]
async fn everything_says_what_it_is() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let contract = Contract::of(&server, &token).await;
    let mut silent = Vec::new();
    let mut told = |place: String, of: &Value| {
        if text(of, "description").trim().is_empty() {
            silent.push(place);
        }
    };
    for t in &contract.0 {
        let name = text(t, "name");
        // The library makes the connection types as well.
        if !name.ends_with("Connection") && !WORDLESS.contains(&name) {
            told(name.to_owned(), t);
        }
        for what in ["fields", "inputFields", "enumValues"] {
            for part in parts(t, what) {
                told(format!("{name}.{}", text(part, "name")), part);
                for arg in parts(part, "args") {
                    told(format!("{name}.{}({})", text(part, "name"), text(arg, "name")), arg);
                }
            }
        }
    }
    assert!(contract.0.len() > 150, "the schema was read");
    assert!(silent.is_empty(), "{} without a description:\n{}", silent.len(), silent.join("\n"));
}

#[tokio::test]
async fn every_mutation_takes_one_input_and_tells_of_refusals_and_replays() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let contract = Contract::of(&server, &token).await;
    let (mut odd, mut exempt) = (Vec::new(), BTreeSet::new());
    for mutation in parts(contract.named("Mutation"), "fields") {
        let name = text(mutation, "name");
        if SIGN_IN.contains(&name) {
            exempt.insert(name);
            continue;
        }
        let args: Vec<_> =
            parts(mutation, "args").iter().map(|arg| (text(arg, "name"), written(&arg["type"]))).collect();
        let one_input = matches!(&args[..], [("input", of)] if of.ends_with("Input!"));
        if !one_input {
            odd.push(format!("{name} takes {args:?}"));
        }
        let answers = written(&mutation["type"]);
        let payload = contract.named(&bare(&mutation["type"]));
        let field = |wanted: &str| {
            parts(payload, "fields").iter().find(|f| f["name"] == wanted).map(|f| written(&f["type"]))
        };
        let errors = field("userErrors").unwrap_or_default();
        let capital: String = name[..1].to_uppercase() + &name[1..];
        if answers != format!("{capital}Payload!") {
            odd.push(format!("{name} answers {answers}"));
        }
        if !(errors.starts_with('[') && errors.ends_with("UserError!]!")) {
            odd.push(format!("{name} has userErrors: {errors:?}"));
        }
        if field("replayed").as_deref() != Some("Boolean!") {
            odd.push(format!("{name} has no replayed: Boolean!"));
        }
    }
    assert_eq!(odd, Vec::<String>::new());
    assert_eq!(exempt, SIGN_IN.into_iter().collect(), "the exemptions are all in use");
}

#[tokio::test]
async fn every_list_of_things_pages_both_ways_and_every_feed_forward() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let contract = Contract::of(&server, &token).await;
    let mut odd = Vec::new();
    let mut connections = 0;
    for (parent, field) in contract.fields() {
        let of = bare(&field["type"]);
        if !of.ends_with("Connection") {
            continue;
        }
        connections += 1;
        // A feed has a beginning, so it goes forward only; a report takes its page where it is asked for.
        let args = paging(field);
        let fits = match of.as_str() {
            "ActivityConnection" => {
                args == ["after: String", "first: Int!"] || args == ["after: String", "first: Int"]
            }
            _ if args.is_empty() => {
                let mut reports = contract.fields().filter(|(_, f)| bare(&f["type"]) == parent).peekable();
                reports.peek().is_some() && reports.all(|(_, report)| paging(report) == BOTH_WAYS)
            }
            _ => args == BOTH_WAYS,
        };
        if !fits || !written(&field["type"]).ends_with('!') {
            odd.push(format!("{parent}.{}{args:?}: {}", text(field, "name"), written(&field["type"])));
        }
    }
    assert!(connections > 12, "{connections} connections were found");
    assert_eq!(odd, Vec::<String>::new());
}

#[tokio::test]
async fn a_page_says_how_many_and_at_most_a_hundred() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let contract = Contract::of(&server, &a.token).await;
    let mut roots = Vec::new();
    for field in parts(contract.named("Query"), "fields").iter().filter(|field| paging(field) == BOTH_WAYS) {
        let needs = parts(field, "args").iter().filter(|arg| arg["type"]["kind"] == "NON_NULL");
        let needs: Vec<_> = needs.map(|arg| text(arg, "name")).filter(|name| *name == "accountId").collect();
        let account =
            if needs.is_empty() { String::new() } else { format!("accountId: \"{}\", ", a.ids["account"]) };
        roots.push(format!("{}({account}PAGE) {{ __typename }}", text(field, "name")));
    }
    assert!(roots.len() > 10, "{roots:?}");
    roots.push("kpis(keys: [\"bills_waiting\"]) { kpis { records(PAGE) { __typename } } }".to_owned());
    roots.push(format!("party(id: \"{}\") {{ invoices(PAGE) {{ __typename }} }}", a.ids["party"]));
    for root in roots {
        let ask = |page: &str| {
            let query = format!("{{ {} }}", root.replace("PAGE", page).replace(", )", ")").replace("()", ""));
            let (server, token) = (&server, &a.token);
            async move { server.send(Some(token), None, &query, json!({})).await.1 }
        };
        let refused = [
            ("first: 0", "first"),
            ("first: -1", "first"),
            ("first: 1, after: \"nonsense\"", "after"),
            ("last: 1, before: \"nonsense\"", "before"),
        ];
        for (page, field) in refused {
            let answer = ask(page).await;
            let extensions = &answer["errors"][0]["extensions"];
            assert_eq!(extensions["code"], "BAD_USER_INPUT", "{root} with `{page}`: {answer:#}");
            assert_eq!(extensions["field"], field, "{root} with `{page}`: {answer:#}");
        }
        // What the contract's cost directives tell already is refused before anything runs.
        for (page, code) in [
            ("first: 101", "LIST_SIZE_EXCEEDED"),
            ("last: 101", "LIST_SIZE_EXCEEDED"),
            ("", "SLICING_ARGUMENT_REQUIRED"),
            ("first: 1, last: 1", "SLICING_ARGUMENT_REQUIRED"),
        ] {
            let answer = ask(page).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{root} with `{page}`: {answer:#}");
        }
        for page in ["first: 100", "last: 100"] {
            let answer = ask(page).await;
            assert!(answer["errors"].is_null(), "{root} with `{page}`: {answer:#}");
        }
    }
    for (feed, code) in [
        ("company { auditTrail(first: 101) { __typename } }", "LIST_SIZE_EXCEEDED"),
        ("company { auditTrail(first: 0) { __typename } }", "BAD_USER_INPUT"),
    ] {
        let (_, answer) = server.send(Some(&a.token), None, &format!("{{ {feed} }}"), json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{feed}: {answer:#}");
    }
}

/// The path of a field without the places in lists: `lines.2.itemId` is `lines.itemId`.
fn unplaced(field: &str) -> String {
    field.split('.').filter(|step| step.parse::<usize>().is_err()).collect::<Vec<_>>().join(".")
}

/// The variables of a call with values for what would be refused before its id under test.
fn cleared(call: &Call, given: &str, bill_line: &str) -> Value {
    fn lines<'a>(variables: &'a mut Value, at: &str) -> impl Iterator<Item = &'a mut Value> {
        variables.pointer_mut(at).and_then(Value::as_array_mut).into_iter().flatten()
    }
    let mut variables = call.with(given);
    for line in lines(&mut variables, "/input/lines") {
        if call.field == "correctBill" && line["lineId"] != given {
            line["lineId"] = json!(bill_line);
        }
    }
    for line in lines(&mut variables, "/input/entry/lines") {
        line["debit"] = json!({"amount": "1", "currency": "EUR"});
    }
    variables
}

#[tokio::test]
async fn a_malformed_id_and_one_of_another_kind_are_refused_by_the_field() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let schema = Schema::of(&server, &a.token).await;
    let before = a.rows(&server).await;
    // Nothing that the graph shows has an id of this kind: everywhere it is one of another kind.
    let event = id::encode(Kind::Event, id::new());
    let (mut odd, mut tried) = (Vec::new(), 0);
    for root in ["Query", "Mutation"] {
        for field in schema.fields(root) {
            for call in schema.with_ids(root, &field, &a.ids) {
                let place = call.place.strip_prefix("input.").unwrap_or(&call.place).to_owned();
                let cut = &a.ids["party"][..a.ids["party"].len() - 1];
                for given in ["nonsense", "", cut, &event] {
                    tried += 1;
                    let (_, answer) = server
                        .send(
                            Some(&a.token),
                            None,
                            &call.document,
                            cleared(&call, given, &a.ids["bill_line"]),
                        )
                        .await;
                    let told = &answer["errors"][0]["extensions"];
                    let named = told["field"].as_str().map(unplaced);
                    if told["code"] != "BAD_USER_INPUT" || named.as_deref() != Some(&place) {
                        odd.push(format!("{field} {place} `{given}`: {}", answer["errors"][0]));
                    }
                }
            }
        }
    }
    assert!(tried > 200, "{tried} places were tried");
    assert!(odd.is_empty(), "{} of {tried}:\n{}", odd.len(), odd.join("\n"));
    assert_eq!(a.rows(&server).await, before, "a refused request changed something");
}

/// A page of a list: its rows' ids, and its page info.
async fn page(server: &Server, token: &str, list: &str, args: &str) -> (Vec<Value>, Value) {
    let query = format!(
        "{{ {} {{ totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ id }} }} }} }}",
        list.replace("PAGE", args)
    );
    let data = server.ask(token, &query, json!({})).await;
    let connection = data.as_object().and_then(|roots| roots.values().next()).expect("a root").clone();
    let mut info = connection["pageInfo"].clone();
    info["totalCount"] = connection["totalCount"].clone();
    let edges = connection["edges"].as_array().expect("edges");
    assert_eq!(edges.first().map_or(&Value::Null, |edge| &edge["cursor"]), &info["startCursor"]);
    assert_eq!(edges.last().map_or(&Value::Null, |edge| &edge["cursor"]), &info["endCursor"]);
    (edges.iter().map(|edge| edge["node"]["id"].clone()).collect(), info)
}

/// All rows of a list, by pages of one size, from the start or from the end.
async fn paged(server: &Server, token: &str, list: &str, size: usize, forward: bool) -> Vec<Value> {
    let (mut all, mut from) = (Vec::new(), String::new());
    loop {
        let way = if forward { "first" } else { "last" };
        let (rows, info) = page(server, token, list, &format!("{way}: {size}{from}")).await;
        let (more, behind) = (info["hasNextPage"] == true, info["hasPreviousPage"] == true);
        assert!(rows.len() <= size, "{list}: a page of {size} has {}", rows.len());
        let (goes_on, came) = if forward { (more, behind) } else { (behind, more) };
        assert_eq!(came, !from.is_empty(), "{list}: {info:#}");
        if forward {
            all.extend(rows);
        } else {
            all.splice(0..0, rows);
        }
        if !goes_on {
            return all;
        }
        from = if forward {
            format!(", after: {}", info["endCursor"])
        } else {
            format!(", before: {}", info["startCursor"])
        };
    }
}

#[tokio::test]
async fn small_pages_either_way_are_the_one_big_page() {
    let server = Server::start().await;
    let token = server.found("A", "ada@example.com").await;
    let create = "mutation($input: CreatePartyInput!) { createParty(input: $input) { party { id } } }";
    let mut created = Vec::new();
    // Two pairs share a name: ties are told apart by the id.
    for name in ["Éclair", "Zola", "Zola", "Balzac", "éclair", "Balzac", "Colette"] {
        let input = json!({"isCustomer": true, "name": name, "country": "FR"});
        let data = server.ask(&token, create, json!({"input": input})).await;
        created.push(data["createParty"]["party"]["id"].clone());
    }
    let newest = "parties(PAGE, orderBy: NEWEST)";
    let (big, info) = page(&server, &token, newest, "first: 100").await;
    created.reverse();
    assert_eq!((&big, &info["totalCount"]), (&created, &json!(7)));
    let seeded = ["accounts(PAGE)", "taxCodes(PAGE)"];
    for list in [newest, "parties(PAGE, orderBy: NAME)"].into_iter().chain(seeded) {
        let (big, info) = page(&server, &token, list, "first: 100").await;
        assert_eq!((big.len() >= 7, &info["hasNextPage"]), (true, &json!(false)), "{list}");
        for size in [1, 3, 7, 100].into_iter().filter(|size| size * 30 >= big.len()) {
            for forward in [true, false] {
                let small = paged(&server, &token, list, size, forward).await;
                assert_eq!(small, big, "{list} by {size}, forward: {forward}");
            }
        }
    }
}
