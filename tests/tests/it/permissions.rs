//! Who may reach which field: walked over the whole schema, generated, committed, compared.

use std::fmt::Write as _;
use std::path::Path;

use identity::Role;
use serde_json::Value;

use crate::house::settle;
use crate::server::Server;
use crate::walk::Schema;

/// What nobody needs to sign in for. This list only shrinks.
const OPEN: [&str; 4] = ["Mutation.rateInvoice", "Mutation.signIn", "Mutation.signUp", "Query.invoiceToRate"];

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

#[tokio::test]
async fn the_matrix_of_fields_and_roles_is_as_committed() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let schema = Schema::of(&server, &a.token).await;
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
