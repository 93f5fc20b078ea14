//! A page reads only the columns behind the fields that are asked. So a field must show the same whether it is asked
//! alone or beside one that makes the page read whole rows.

use serde_json::{Value, json};

use crate::house::settle;
use crate::server::Server;

/// A type, where its things are on a page, and a field for which the whole row is read.
const PLACES: [(&str, &str, &str); 3] = [
    ("Invoice", "invoices(first: 50) { edges { node { HERE } } }", "customerAsIssued { name }"),
    ("InvoiceLine", "invoices(first: 50) { edges { node { lines { HERE } } } }", "correctsLineId"),
    ("Party", "invoices(first: 50) { edges { node { customer { HERE } } } }", "ibanHint"),
];

/// The fields of a type that need no argument, each with the plain fields of what it leads to.
async fn fields(server: &Server, token: &str, name: &str) -> Vec<String> {
    let of_type = "name kind ofType { name kind ofType { name kind ofType { name kind } } }";
    let query = format!(
        "query($name: String!) {{ __type(name: $name) {{ fields {{ name args {{ name }} type {{ {of_type} }} }} }} }}"
    );
    let answer = server.ask(token, &query, json!({"name": name})).await;
    let mut selections = Vec::new();
    for field in answer["__type"]["fields"].as_array().expect("fields") {
        if field["args"].as_array().is_some_and(|args| !args.is_empty()) {
            continue;
        }
        let mut leaf = &field["type"];
        while leaf["ofType"].is_object() {
            leaf = &leaf["ofType"];
        }
        let own = field["name"].as_str().expect("name");
        match leaf["kind"].as_str() {
            Some("OBJECT") => {
                let first = server
                    .ask(token, "query($name: String!) { __type(name: $name) { fields { name args { name } type { kind ofType { kind } } } } }", json!({"name": leaf["name"]}))
                    .await;
                let plain = first["__type"]["fields"].as_array().expect("fields").iter().find(|inner| {
                    let kind = |of: &Value| matches!(of["kind"].as_str(), Some("SCALAR" | "ENUM"));
                    inner["args"] == json!([]) && (kind(&inner["type"]) || kind(&inner["type"]["ofType"]))
                });
                let plain = plain.map_or("__typename", |inner| inner["name"].as_str().expect("name"));
                selections.push(format!("{own} {{ {plain} }}"));
            }
            Some("SCALAR" | "ENUM") => selections.push(own.to_owned()),
            other => panic!("{name}.{own} leads to {other:?}"),
        }
    }
    selections
}

/// The answer without what the second field adds.
fn without(mut answer: Value, field: &str) -> Value {
    match &mut answer {
        Value::Object(members) => {
            members.remove(field);
            members.values_mut().for_each(|member| *member = without(member.take(), field));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without(item.take(), field)),
        _ => {}
    }
    answer
}

#[tokio::test]
async fn a_field_shows_the_same_alone_and_beside_all_others() {
    let server = Server::start().await;
    let house = settle(&server, "Columns", "columns@example.com").await;
    for (name, place, whole) in PLACES {
        let added = whole.split(' ').next().expect("a field");
        let all = fields(&server, &house.token, name).await;
        assert!(all.len() > 10, "{name} has {} fields", all.len());
        let mut told = 0;
        // The address of the rating page is made anew each time.
        for field in all.iter().filter(|field| !field.starts_with(added) && *field != "ratingUrl") {
            let ask = |selection: String| {
                let query = format!("{{ {} }}", place.replace("HERE", &selection));
                let (server, token) = (&server, &house.token);
                async move { server.ask(token, &query, json!({})).await }
            };
            let alone = ask(field.clone()).await;
            let beside = ask(format!("{field} {whole}")).await;
            assert_eq!(alone, without(beside, added), "{name}.{field}");
            told += usize::from(
                !without(alone, "__typename").to_string().contains(&format!("{{\"{field}\":null}}")),
            );
        }
        assert!(told > 8, "{name}: only {told} fields show something in this company");
    }
}
