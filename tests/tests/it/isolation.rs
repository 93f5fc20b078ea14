//! L1 at the edge: another company's id answers as an unknown id, to the letter, and nothing of it changes.

use kernel::{Kind, id};
use serde_json::{Value, json};

use crate::house::{House, settle};
use crate::server::Server;
use crate::walk::Schema;

/// Places that the walk reaches too early to tell an own id from an unknown one.
const BLIND: [&str; 28] = [
    "invoices filter.correctsId",
    "bills filter.correctsId",
    "openPostings partyId",
    "signIn input.companyId",
    "createItem input.accountId",
    "updateItem input.accountId",
    "createInvoice input.lines.accountId",
    "updateInvoice input.customerId",
    "updateInvoice input.lines.itemId",
    "updateInvoice input.lines.taxCodeId",
    "updateInvoice input.lines.accountId",
    "updateCreditNote input.lines.lineId",
    "enterBill input.correctsId",
    "enterBill input.lines.accountId",
    "enterBill input.fileId",
    "correctBill input.lines.lineId",
    "correctBill input.lines.accountId",
    "correctBill input.added.accountId",
    "renameJournal input.journalId",
    "createJournalEntry input.entry.journalId",
    "createJournalEntry input.entry.lines.accountId",
    "createJournalEntry input.entry.lines.partyId",
    "updateJournalEntry input.journalEntryId",
    "updateJournalEntry input.entry.journalId",
    "updateJournalEntry input.entry.lines.accountId",
    "updateJournalEntry input.entry.lines.partyId",
    "matchPostings input.debitPostingId",
    "matchPostings input.creditPostingId",
];

/// An answer without what differs from request to request.
fn bare(answer: &Value, tested: &str) -> String {
    let mut answer = answer.clone();
    if let Some(errors) = answer["errors"].as_array_mut() {
        for error in errors {
            if let Some(extensions) = error["extensions"].as_object_mut() {
                extensions.remove("requestId");
            }
        }
    }
    answer.to_string().replace(tested, "@id@")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_id_answers_as_an_unknown_one_everywhere_and_changes_nothing() {
    let server = Server::start().await;
    let (a, b) =
        (settle(&server, "A", "ada@example.com").await, settle(&server, "B", "bob@example.com").await);
    let schema = Schema::of(&server, &b.token).await;
    let before = a.rows(&server).await;
    let mut blind = Vec::new();
    for root in ["Query", "Mutation"] {
        for field in schema.fields(root) {
            for call in schema.with_ids(root, &field, &b.ids) {
                let mut known = false;
                for kind in call.kinds {
                    let foreign = a.ids.get(kind).unwrap_or_else(|| panic!("company A has no {kind}"));
                    let prefix = Kind::ALL.iter().find(|k| k.prefix() == *kind).expect("kind");
                    let unknown = id::encode(*prefix, id::new());
                    let mut answers = Vec::new();
                    for given in [foreign, &unknown, &b.ids[kind]] {
                        let (_, answer) =
                            server.send(Some(&b.token), None, &call.document, call.with(given)).await;
                        answers.push(bare(&answer, given));
                    }
                    assert_eq!(answers[0], answers[1], "{} with a {kind} in {}", call.field, call.place);
                    assert!(
                        !answers[0].contains("GRAPHQL_VALIDATION_FAILED"),
                        "{}: {}",
                        call.document,
                        answers[0]
                    );
                    known |= answers[2] != answers[1];
                }
                if !known {
                    blind.push(format!("{} {}", call.field, call.place));
                }
            }
        }
    }
    assert_eq!(a.rows(&server).await, before, "something of A changed");
    // Where an own id answers as an unknown one too, the walk proves nothing. This list only shrinks.
    assert_eq!(blind, BLIND);
}

#[tokio::test]
async fn a_list_shows_own_rows_only() {
    let server = Server::start().await;
    let (a, b) =
        (settle(&server, "A", "ada@example.com").await, settle(&server, "B", "bob@example.com").await);
    let schema = Schema::of(&server, &b.token).await;
    for field in schema.fields("Query") {
        let call = schema.plain("Query", &field, &b.ids);
        let (_, answer) = server.send(Some(&b.token), None, &call.document, call.variables).await;
        let text = answer.to_string();
        for foreign in a.ids.values() {
            assert!(!text.contains(foreign.as_str()), "{field} shows {foreign} of another company");
        }
    }
}

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
