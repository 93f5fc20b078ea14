//! What errors tell: hundreds of malformed, hostile and foreign requests, and nothing of the inside in any answer.

mod hostile;
mod scan;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use hostile::{bodies, hostile};
use scan::{Scan, short};

use crate::house::settle;
use crate::server::{Server, UNLIMITED};
use crate::socket::Client;
use crate::walk::{Given, Schema, Target};

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_in_every_place_are_refused_in_words_of_the_domain() {
    let server = Server::start_with(&UNLIMITED).await;
    let a = settle(&server, "A", "ada@example.com").await;
    let b = settle(&server, "zyxoquat", "bob@example.com").await;
    let before = b.rows(&server).await;
    let schema = Schema::of(&server, &a.token).await;
    let mut scan = Scan::new(&server, "zyxoquat").await;
    // Each place is given a few of its values, the next place of the type the next few: all are used many times.
    let mut turn = 0;
    let per_place = std::env::var("COULISSE_LEAKS_PER_PLACE").ok().and_then(|n| n.parse().ok()).unwrap_or(4);
    for root in ["Query", "Mutation"] {
        for field in schema.fields(root).into_iter().filter(|field| field != "signOut") {
            let target = Target::root(root, &field);
            for place in schema.places(&target) {
                let values = hostile(&place);
                for _ in 0..per_place.min(values.len()) {
                    turn += 1;
                    let given = Given::from([(place.path.clone(), values[turn % values.len()].clone())]);
                    let call = schema.call(&target, &given, &a.ids);
                    let sent = format!("{field} {}", call.variables);
                    let (status, answer) =
                        server.send(Some(&a.token), None, &call.document, call.variables).await;
                    scan.answer(&sent, status, &answer);
                }
            }
        }
    }
    assert_eq!(b.rows(&server).await, before);
    scan.end(1_000);
}

/// Sends bytes as they are, and reads until the server has no more to say.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    let address = server.url.strip_prefix("http://").expect("a plain server");
    let mut socket = TcpStream::connect(address).await.expect("connected");
    // The server may refuse before it has read all.
    let _cut = socket.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    let _late = tokio::time::timeout(std::time::Duration::from_secs(3), read).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_refused_in_words_of_the_protocol() {
    let server = Server::start_with(&UNLIMITED).await;
    let a = settle(&server, "A", "ada@example.com").await;
    let mut scan = Scan::new(&server, "zyxoquat").await;
    for body in bodies() {
        for token in [Some(a.token.as_str()), None, Some("cs_nonsense"), Some("' OR '1'='1")] {
            let mut request = server.http.post(format!("{}/graphql", server.url));
            request = request.header("content-type", "application/json").body(body.clone());
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let sent = short(&String::from_utf8_lossy(&body));
            // Whoever sends megabytes that nobody reads may find the connection closed.
            let Ok(response) = request.send().await else { continue };
            let (status, text) = (response.status(), response.text().await.unwrap_or_default());
            let answer: Value =
                serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {sent}: {text}"));
            scan.answer(&sent, status, &answer);
            assert!(
                token != Some(a.token.as_str()) || status.is_success() || status.is_client_error(),
                "{status} to {sent}: {text}"
            );
        }
    }
    for (method, path, status) in [
        (Method::GET, "/graphql?query=%7B%20compny%20%7D", None),
        (Method::GET, "/graphql?query=%ff&variables=%7B", None),
        (Method::PATCH, "/graphql", Some(405)),
        (Method::GET, "/graphql/nothing", Some(404)),
        (Method::GET, "/..%2f..%2fetc/passwd", Some(404)),
        (Method::GET, "/files/%00", None),
        (Method::GET, "/files/..%2f..%2fetc%2fpasswd", Some(403)),
        (Method::GET, "/files/AAAA", Some(403)),
        (Method::PUT, "/uploads/AAAA", Some(403)),
        (Method::PUT, "/uploads/' OR '1'='1", Some(403)),
        (Method::GET, "/graphiql/..%2f..%2fCargo.toml", Some(404)),
    ] {
        let request = server.http.request(method.clone(), format!("{}{path}", server.url)).body("{}");
        let response = request.send().await.expect("an answer");
        let told = response.status().as_u16();
        let text = response.text().await.unwrap_or_default();
        assert!(status.map_or(told < 500, |status| status == told), "{method} {path}: {told} {text}");
        scan.text(path, &text);
    }
    let head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let body = "{\"query\":\"{ __typename }\"}";
    for bytes in [
        format!("{head}Content-Length: {}\r\nIdempotency-Key: \u{1}\r\n\r\n{body}", body.len()).into_bytes(),
        [head.as_bytes(), b"Authorization: Bearer \xff\xfe\r\nContent-Length: 26\r\n\r\n", body.as_bytes()]
            .concat(),
        format!("{head}Authorization: Bearer {}\r\nContent-Length: 26\r\n\r\n{body}", "x".repeat(100_000))
            .into_bytes(),
        format!("{head}Content-Length: -1\r\n\r\n{body}").into_bytes(),
        format!("{head}Content-Length: 99999999999999999999\r\n\r\n{body}").into_bytes(),
        format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n").into_bytes(),
        b"\x16\x03\x01\x02\x00\x01\x00".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "a".repeat(100_000)).into_bytes(),
    ] {
        let answer = raw(&server, &bytes).await;
        let line = answer.lines().next().unwrap_or_default().to_owned();
        assert!(!line.contains(" 50"), "{line} to {}", short(&String::from_utf8_lossy(&bytes)));
        scan.text(&String::from_utf8_lossy(&bytes), &answer);
    }
    scan.end(150);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_refuses_in_words_of_the_protocol() {
    let server = Server::start_with(&UNLIMITED).await;
    let a = settle(&server, "A", "ada@example.com").await;
    let mut scan = Scan::new(&server, "zyxoquat").await;
    let subscribe = |document: &str, variables: Value| {
        let payload = json!({"query": document, "variables": variables});
        json!({"id": "1", "type": "subscribe", "payload": payload}).to_string()
    };
    let kpis = "subscription($keys: [String!], $after: Int) { kpis(keys: $keys, afterRevision: $after) { revision } }";
    let refused = [
        subscribe(kpis, json!({"keys": ["nothing"]})),
        subscribe(kpis, json!({"keys": ["\u{0}"]})),
        subscribe(kpis, json!({"keys": ["' OR '1'='1"]})),
        subscribe(kpis, json!({"keys": 7})),
        subscribe(kpis, json!({"after": 1e300})),
        subscribe("subscription { nothing }", json!({})),
        subscribe("subscription {", json!({})),
        subscribe("{ party(id: \"x\") { id } }", json!({})),
        subscribe("", json!({})),
    ];
    for sent in &refused {
        let mut client = Client::connect(&server, Some(&a.token)).await;
        assert_eq!(client.next().await["type"], "connection_ack");
        client.send_text(sent).await;
        let told = client.next().await;
        let payload = &told["payload"];
        let errors = if payload.is_array() { payload.clone() } else { payload["errors"].clone() };
        assert!(errors.as_array().is_some_and(|errors| !errors.is_empty()), "{sent}: {told:#}");
        scan.answer(sent, StatusCode::OK, &json!({ "errors": errors }));
    }
    let closed = [
        "nonsense",
        "{}",
        "[]",
        "{\"type\":\"nothing\"}",
        "{\"type\":7}",
        "{\"type\":\"subscribe\"}",
        "\u{0}",
        "{\"id\":\"1\",\"type\":\"subscribe\",\"payload\":7}",
        "{\"type\":\"connection_init\"}",
    ];
    for sent in closed {
        let mut client = Client::connect(&server, Some(&a.token)).await;
        assert_eq!(client.next().await["type"], "connection_ack");
        client.send_text(sent).await;
        let told = client.next().await;
        assert!(told["code"].as_u64().is_some_and(|code| (4400..4500).contains(&code)), "{sent}: {told:#}");
        scan.text(sent, &told.to_string());
    }
    scan.end(refused.len());
}

/// What breaks a rule of the database, when the same is done twice or in the wrong order.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_constraint_or_a_trigger_refuses_is_told_without_their_names() {
    let server = Server::start_with(&UNLIMITED).await;
    let a = settle(&server, "A", "ada@example.com").await;
    let mut scan = Scan::new(&server, "zyxoquat").await;
    let data = server
        .ask(
            &a.token,
            "{ journals { id kind code version } accounts(first: 2) { edges { node { id number } } } }",
            json!({}),
        )
        .await;
    let number = &data["accounts"]["edges"][0]["node"]["number"];
    let account = &data["accounts"]["edges"][0]["node"]["id"];
    let (journal, other) = (&data["journals"][0], &data["journals"][1]);
    let (party, item) = (&a.ids["party"], &a.ids["item"]);
    let line = json!({"accountId": account, "debit": {"amount": "1", "currency": "EUR"}});
    let entry = |lines: Value, date: &str| json!({"journalId": journal["id"], "date": date, "label": "x", "lines": lines, "externalRef": "one"});
    let attempts = [
        ("createParty", json!({"isCustomer": true, "name": "x", "country": "FR", "externalRef": "one"})),
        (
            "createItem",
            json!({"code": "A", "name": "x", "nature": "GOODS", "unitPrice": "1", "taxCodeId": a.ids["tax_code"], "externalRef": "one"}),
        ),
        ("createAccount", json!({"number": number, "name": "x", "kind": "ASSET"})),
        (
            "createAccount",
            json!({"number": "a b", "name": "x", "kind": "INCOME", "reconcilable": true, "partyRequired": true}),
        ),
        (
            "createTaxCode",
            json!({"code": "S20", "name": "x", "category": "S", "rate": "20", "chargeable": "DEBITS"}),
        ),
        (
            "createTaxCode",
            json!({"code": "X", "name": "x", "category": "S", "rate": "1000000", "chargeable": "DEBITS"}),
        ),
        (
            "renameJournal",
            json!({"journalId": journal["id"], "expectedVersion": journal["version"], "code": other["code"], "name": "x"}),
        ),
        (
            "createInvoice",
            json!({"customerId": party, "externalRef": "one", "lines": [{"itemId": item, "quantity": "1"}]}),
        ),
        (
            "createInvoice",
            json!({"customerId": party, "lines": [{"itemId": item, "quantity": "99999999999999999999"}]}),
        ),
        (
            "createInvoice",
            json!({"customerId": party, "currency": "JPY", "lines": [{"description": "x", "quantity": "1", "unitPrice": "0.001"}]}),
        ),
        ("createInvoice", json!({"customerId": party, "paymentDays": 32768, "lines": []})),
        ("issueInvoice", json!({"invoiceId": a.ids["invoice"], "expectedVersion": 1})),
        (
            "issueInvoice",
            json!({"invoiceId": a.ids["invoice"], "expectedVersion": 3, "issueDate": "1900-01-01"}),
        ),
        ("discardInvoice", json!({"invoiceId": a.ids["invoice"], "expectedVersion": 3})),
        (
            "recordPayment",
            json!({"direction": "RECEIVED", "partyId": party, "paidOn": "1900-01-01", "method": "CASH",
            "amount": {"amount": "92233720368547758.07", "currency": "EUR"}}),
        ),
        (
            "allocatePayment",
            json!({"paymentId": a.ids["payment"], "allocations": [{"documentId": a.ids["invoice"], "amount": {"amount": "999999", "currency": "EUR"}}]}),
        ),
        (
            "enterBill",
            json!({"kind": "BILL", "supplierId": party, "number": "1", "issueDate": "2026-06-15",
            "lines": [{"description": "x", "net": "99999999999999999", "category": "S", "rate": "20"}]}),
        ),
        ("deleteAccount", json!({"accountId": account, "expectedVersion": 1})),
        ("setExchangeRate", json!({"currency": "USD", "date": "2026-06-15", "rate": "0"})),
        (
            "setExchangeRate",
            json!({"currency": "USD", "date": "2026-06-15", "rate": "79228162514264337593543950335"}),
        ),
        ("inviteMember", json!({"email": "ada@example.com", "role": "owner"})),
        ("removeMember", json!({"memberId": a.ids["membership"], "expectedVersion": 1})),
        ("createJournalEntry", json!({"entry": entry(json!([line]), "1900-01-01")})),
        ("createJournalEntry", json!({"entry": entry(json!([line, line]), "2026-06-15")})),
        ("closeFiscalYear", json!({"fiscalYearId": a.ids["fiscal_year"], "expectedVersion": 1})),
        ("openNextFiscalYear", json!({"afterFiscalYearId": a.ids["fiscal_year"]})),
        ("createUpload", json!({"name": "x", "mediaType": "a/b", "size": 2_000_000_000})),
        ("importBills", json!({"uploadIds": [a.ids["file"], a.ids["file"]]})),
    ];
    let mut refused = 0;
    // Twice: what is right the first time breaks a rule the second time.
    for (mutation, input) in attempts.iter().chain(&attempts) {
        let input_type = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let input_type = if *mutation == "deleteAccount" { "AccountInput".to_owned() } else { input_type };
        let query = format!(
            "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ userErrors {{ code field message }} }} }}"
        );
        let (status, answer) = server.send(Some(&a.token), None, &query, json!({ "input": input })).await;
        refused += usize::from(answer["data"][mutation]["userErrors"] != json!([]));
        scan.answer(&format!("{mutation} {input}"), status, &answer);
    }
    assert!(refused > attempts.len(), "{refused} were refused");
    scan.end(attempts.len());
}
