//! L1 at the edge, where it is said in words: who may act in which company. What no answer shows or tells of another
//! company is the matter of `fuzz.rs`, which walks the whole schema.

use kernel::page::Cursor;
use kernel::{Kind, id};
use serde_json::json;

use crate::house::{House, settle};
use crate::server::Server;

#[tokio::test]
async fn a_persons_session_is_in_one_company_and_a_switch_needs_membership() {
    let server = Server::start().await;
    let a = settle(&server, "A", "ada@example.com").await;
    let b: House = settle(&server, "B", "bob@example.com").await;
    let switch = "mutation($id: ID!) { switchCompany(input: {companyId: $id}) { session { token } userErrors { code message } } }";
    for id in [&a.ids["company"], &id::encode(Kind::Company, id::new())] {
        let data = server.ask(&b.token, switch, json!({"id": id})).await;
        let refused =
            json!({"session": null, "userErrors": [{"code": "NOT_FOUND", "message": "no such company"}]});
        assert_eq!(data["switchCompany"], refused);
    }
}

/// The place of a company's newest event, as the cursor of its audit trail tells it.
async fn newest_place(server: &Server, token: &str) -> i64 {
    let query = "{ company { auditTrail(first: 1) { edges { cursor } } } }";
    let data = server.ask(token, query, json!({})).await;
    let cursor = data["company"]["auditTrail"]["edges"][0]["cursor"].as_str().expect("a cursor").to_owned();
    // A cursor that is not a number for whoever looks into it tells nothing.
    Cursor::decode(&cursor).and_then(|cursor| cursor.key.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn a_cursor_does_not_tell_how_much_others_do() {
    let server = Server::start().await;
    let (a, b) = (server.found("A", "ada@example.com").await, server.found("B", "bob@example.com").await);
    let create =
        "mutation { createParty(input: {name: \"P\", country: \"FR\", isCustomer: true}) { party { id } } }";
    server.ask(&a, create, json!({})).await;
    let mut steps = Vec::new();
    for others in [0, 7] {
        let before = newest_place(&server, &a).await;
        for _ in 0..others {
            server.ask(&b, create, json!({})).await;
        }
        server.ask(&a, create, json!({})).await;
        steps.push(newest_place(&server, &a).await - before);
    }
    assert_eq!(steps[0], steps[1], "the cursors count what another company has done meanwhile");
}
