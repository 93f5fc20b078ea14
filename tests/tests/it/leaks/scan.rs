//! Looks for the inside in what was answered.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::server::{Server, UNLIMITED};

/// Words of PostgreSQL, of our code and of the machine that no answer may hold.
const INSIDE: [&str; 62] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM",
    "relation \"",
    "column \"",
    "constraint",
    "violates",
    "duplicate key",
    "foreign key",
    "_fkey",
    "_pkey",
    "_check\"",
    "null value",
    "invalid byte sequence",
    "out of range for type",
    "invalid input syntax",
    "22P0",
    "SQLSTATE",
    "sqlstate",
    "sqlx",
    "sea_orm",
    "sea-orm",
    "DbErr",
    "postgres",
    "PostgreSQL",
    "plpgsql",
    "app_tenant",
    "pool timed out",
    "redis",
    "panicked",
    "unwrap()",
    "called `",
    "RUST_BACKTRACE",
    "stack backtrace",
    ".rs:",
    ".rs\"",
    "/src/",
    "/root/",
    "/home/",
    "/usr/",
    "/tmp/",
    "target/debug",
    ".cargo",
    "async_graphql",
    "async-graphql",
    "serde",
    "tokio",
    "hyper",
    "axum",
    "alloc::",
    "core::",
    "std::",
    "Option<",
    "Some(",
    "Err(",
    "Ok(",
    "struct ",
    "i64",
    "u64",
    "i32",
    "localhost",
];

/// The names of the database's insides: tables, columns, constraints, functions, roles; and its address.
async fn insides(server: &Server) -> BTreeSet<String> {
    let mut all = server.db.superuser().await;
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT conname::text FROM pg_constraint UNION SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
         UNION SELECT attname::text FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
             WHERE c.relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
         UNION SELECT tgname::text FROM pg_trigger UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
         UNION SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'coulisse%' UNION SELECT current_database()::text",
    )
    .fetch_all(&mut all)
    .await
    .expect("names");
    // Single words are words of the language; the kinds of public ids are public.
    let kinds: Vec<_> = kernel::Kind::ALL.iter().map(|kind| kind.prefix()).collect();
    let telling = |name: &String| name.contains('_') && !kinds.contains(&name.as_str());
    let mut insides: BTreeSet<String> = names.into_iter().filter(telling).collect();
    insides.extend(INSIDE.map(str::to_owned));
    let url: url::Url = server.db.url("coulisse_server").parse().expect("URL");
    insides.insert(format!(":{}", url.port().expect("a port")));
    insides.insert(url.host_str().expect("a host").to_owned());
    insides
}

/// What was answered, and what was wrong with it.
pub(super) struct Scan {
    insides: BTreeSet<String>,
    foreign: &'static str,
    /// What should not have been answered.
    pub wrong: Vec<String>,
    codes: BTreeSet<String>,
    errors: usize,
}

impl Scan {
    pub(super) async fn new(server: &Server, foreign: &'static str) -> Self {
        let insides = insides(server).await;
        Self { insides, foreign, wrong: Vec::new(), codes: BTreeSet::new(), errors: 0 }
    }

    pub(super) fn text(&mut self, sent: &str, text: &str) {
        // What the client wrote itself may come back.
        let told = self
            .insides
            .iter()
            .find(|inside| text.contains(inside.as_str()) && !sent.contains(inside.as_str()));
        if let Some(inside) = told {
            self.wrong.push(format!("`{inside}` in the answer to {}: {}", short(sent), short(text)));
        }
        if text.contains(self.foreign) {
            self.wrong.push(format!("another company in the answer to {}: {}", short(sent), short(text)));
        }
    }

    /// An answer of the graph: its errors, at the top and in payloads.
    pub(super) fn answer(&mut self, sent: &str, status: StatusCode, answer: &Value) {
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            self.wrong.push(format!("{status} to {}: {answer}", short(sent)));
        }
        for error in answer["errors"].as_array().into_iter().flatten() {
            self.errors += 1;
            let extensions = &error["extensions"];
            let code = extensions["code"].as_str().unwrap_or_default();
            let good = !code.is_empty() && code.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            if !good
                || !extensions["requestId"].is_string()
                || error["message"].as_str().is_none_or(str::is_empty)
            {
                self.wrong.push(format!(
                    "an error without code, request id or message to {}: {error}",
                    short(sent)
                ));
            }
            if code == "INTERNAL" {
                self.wrong.push(format!("a fault of ours to {}: {error}", short(sent)));
            }
            self.codes.insert(code.to_owned());
            self.text(sent, &error.to_string());
        }
        self.payloads(sent, answer);
    }

    fn payloads(&mut self, sent: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if name == "userErrors" || name == "userError" {
                        self.errors += value.as_array().map_or(0, Vec::len);
                        self.text(sent, &value.to_string());
                    } else {
                        self.payloads(sent, value);
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.payloads(sent, value)),
            _ => {}
        }
    }

    pub(super) fn end(self, least: usize) {
        assert!(
            self.wrong.is_empty(),
            "{} of {} errors:\n{}",
            self.wrong.len(),
            self.errors,
            self.wrong.join("\n")
        );
        assert!(self.errors >= least, "only {} errors were told, of the codes {:?}", self.errors, self.codes);
    }
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(400).collect()
}

#[tokio::test]
async fn the_scan_sees_what_it_looks_for() {
    let server = Server::start_with(&UNLIMITED).await;
    let leaks = [
        json!({"message": "insert or update on table \"item\" violates foreign key constraint", "extensions": {"code": "X", "requestId": "1"}}),
        json!({"message": "see account_external_ref", "extensions": {"code": "X", "requestId": "1"}}),
        json!({"message": "called `Option::unwrap()` on a `None` value", "extensions": {"code": "X", "requestId": "1"}}),
        json!({"message": "connection to 127.0.0.1 refused", "extensions": {"code": "X", "requestId": "1"}}),
        json!({"message": "zyxoquat has it", "extensions": {"code": "X", "requestId": "1"}}),
        json!({"message": "x", "extensions": {"requestId": "1"}}),
        json!({"message": "x", "extensions": {"code": "X"}}),
        json!({"message": "x", "extensions": {"code": "INTERNAL", "requestId": "1"}}),
    ];
    for leak in leaks {
        let mut scan = Scan::new(&server, "zyxoquat").await;
        scan.answer("sent", StatusCode::OK, &json!({"errors": [leak]}));
        assert_eq!(scan.wrong.len(), 1, "{leak}: {:?}", scan.wrong);
    }
    let mut scan = Scan::new(&server, "zyxoquat").await;
    scan.answer(
        "sent",
        StatusCode::INTERNAL_SERVER_ERROR,
        &json!({"data": {"x": {"userErrors": [{"message": "idempotency_record"}]}}}),
    );
    assert_eq!(scan.wrong.len(), 2, "{:?}", scan.wrong);
}
