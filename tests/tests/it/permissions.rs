//! Who may reach which field: walked over the whole schema, generated, committed, compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use identity::Role;
use serde_json::Value;

use crate::house::{House, settle};
use crate::server::{Server, UNLIMITED};
use crate::walk::{Given, Schema, Target};

/// What nobody needs to sign in for. This list only shrinks.
const OPEN: [&str; 14] = [
    "Mutation.acceptInvitation",
    "Mutation.beginPasskeySignIn",
    "Mutation.completeSignIn",
    "Mutation.confirmEmail",
    "Mutation.rateInvoice",
    "Mutation.redeemHandoff",
    "Mutation.requestPasswordReset",
    "Mutation.resetPassword",
    "Mutation.signIn",
    "Mutation.signInWithPasskey",
    "Mutation.signUp",
    "Query.embeddedDashboard",
    "Query.invoiceToRate",
    "Query.signInProviders",
];

fn has_code(answer: &Value, field: &str, code: &str) -> bool {
    answer["errors"].as_array().is_some_and(|errors| {
        errors
            .iter()
            .any(|error| error["extensions"]["code"] == code && error["path"] == serde_json::json!([field]))
    })
}

#[tokio::test]
async fn without_a_session_nothing_is_reached_but_the_open_fields() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let schema = Schema::of(&server, &a.token).await;
    let mut open = Vec::new();
    for root in ["Query", "Mutation"] {
        for field in schema.fields(root) {
            let call = schema.plain(root, &field, &a.ids);
            let (_, answer) = server.send(None, None, &call.document, call.variables).await;
            if !has_code(&answer, &field, "UNAUTHENTICATED") {
                open.push(format!("{root}.{field}"));
            }
        }
    }
    open.sort();
    assert!(open.iter().all(|field| OPEN.contains(&field.as_str())), "{open:?}");
}

/// The fields of things that are refused to somebody who may see the thing, with the roles that do not reach them.
async fn inner_matrix(
    server: &Server,
    schema: &Schema,
    a: &House,
) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut fields = BTreeMap::new();
    let things = a.ids.iter().filter_map(|(kind, id)| Some((schema.node_type(kind)?, id)));
    for (owner, id) in things {
        let way = (format!("node(id: \"{id}\") {{ ... on {owner} {{"), "} }".to_owned());
        for field in schema.fields(owner) {
            let target = Target {
                operation: "query".to_owned(),
                owner: owner.to_owned(),
                field: field.clone(),
                way: way.clone(),
            };
            let call = schema.call(&target, &Given::new(), &a.ids);
            let (mut refused, mut at_field) = (BTreeSet::new(), false);
            for role in Role::ALL {
                let token = Some(a.tokens[role.as_str()].as_str());
                let (_, answer) = server.send(token, None, &call.document, call.variables.clone()).await;
                let forbidden = forbidden_at(&answer, &["node", &field]);
                at_field |= forbidden;
                if forbidden || forbidden_at(&answer, &["node"]) {
                    refused.insert(role.as_str());
                }
            }
            if at_field {
                fields.insert(format!("{owner}.{field}"), refused);
            }
        }
    }
    fields
}

fn forbidden_at(answer: &Value, path: &[&str]) -> bool {
    let mut errors = answer["errors"].as_array().into_iter().flatten();
    errors.any(|error| error["extensions"]["code"] == "FORBIDDEN" && error["path"] == serde_json::json!(path))
}

#[tokio::test]
async fn bank_details_are_refused_at_their_field_and_nowhere_around_it() {
    let server = Server::start_with(&UNLIMITED).await;
    let a = settle(&server, "A", "ada@example.com").await;
    let query = format!(
        "{{ node(id: \"{}\") {{ ... on Party {{ name bankAccount {{ iban }} endOfMonth }} }} }}",
        a.ids["party"]
    );
    for (role, may) in [("accountant", true), ("sales", false), ("purchaser", false)] {
        let (_, answer) = server.send(Some(&a.tokens[role]), None, &query, serde_json::json!({})).await;
        assert_eq!(answer["data"]["node"]["name"], "P", "{role}: {answer:#}");
        assert_eq!(forbidden_at(&answer, &["node", "bankAccount"]), !may, "{role}: {answer:#}");
    }
}

#[tokio::test]
async fn the_matrix_of_fields_and_roles_is_as_committed() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let schema = Schema::of(&server, &a.token).await;
    // Before the mutations change who may what.
    let inner = inner_matrix(&server, &schema, &a).await;
    let mut matrix = String::from("| field |");
    for role in Role::ALL {
        write!(matrix, " {} |", role.as_str()).expect("written");
    }
    matrix.push_str("\n|---|");
    matrix.push_str(&":-:|".repeat(Role::ALL.len()));
    matrix.push('\n');
    for root in ["Query", "Mutation"] {
        let mut fields = schema.fields(root);
        fields.sort();
        for field in fields {
            // Signing out would end the walk.
            if field == "signOut" {
                continue;
            }
            write!(matrix, "| {root}.{field} |").expect("written");
            for role in Role::ALL {
                let call = schema.plain(root, &field, &a.ids);
                let (_, answer) =
                    server.send(Some(&a.tokens[role.as_str()]), None, &call.document, call.variables).await;
                write!(matrix, " {} |", if has_code(&answer, &field, "FORBIDDEN") { " " } else { "✓" })
                    .expect("written");
            }
            matrix.push('\n');
        }
    }
    for (name, refused) in inner {
        write!(matrix, "| {name} |").expect("written");
        for role in Role::ALL {
            write!(matrix, " {} |", if refused.contains(role.as_str()) { " " } else { "✓" })
                .expect("written");
        }
        matrix.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("permissions.md");
    if std::env::var_os("COULISSE_WRITE_MATRIX").is_some() {
        std::fs::write(&file, &matrix).expect("written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == matrix,
        "tests/permissions.md differs; if the change is meant, run the test with COULISSE_WRITE_MATRIX=1\n{matrix}"
    );
}
