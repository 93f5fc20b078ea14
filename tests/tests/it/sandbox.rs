//! The test twin: a company's second world, whose ids and keys tell what they are, and which shares nothing with the first.

use kernel::id;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::Server;
use crate::socket::Client;

/// A company and its test twin, as its owner works in both.
struct Sandbox {
    server: Server,
    live: String,
    twin: String,
    twin_id: String,
    /// Every answer that was read in the twin.
    answers: std::cell::RefCell<Vec<Value>>,
}

impl Sandbox {
    async fn open() -> Self {
        let server = Server::start().await;
        let live = server.found("Atelier", "ada@example.com").await;
        let twin_id = create(&server, &live).await["twin"]["id"].as_str().expect("a twin").to_owned();
        let twin = switch(&server, &live, &twin_id).await;
        Self { server, live, twin, twin_id, answers: std::cell::RefCell::default() }
    }

    async fn read(&self, query: &str, variables: Value) -> Value {
        let data = self.server.ask(&self.twin, query, variables).await;
        self.answers.borrow_mut().push(data.clone());
        data
    }

    /// Runs a mutation in the twin that must be done; what its payload shows.
    async fn act(&self, mutation: &str, shown: &str, input: Value) -> Value {
        let input_type = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {shown} userErrors {{ code field }} }} }}"
        );
        let payload = self.read(&query, json!({"input": input})).await[mutation].clone();
        assert_eq!(payload["userErrors"], json!([]), "{mutation}");
        payload
    }

    /// A public link on this test's server.
    fn local(&self, link: &Value) -> String {
        let link: url::Url = link.as_str().and_then(|text| text.parse().ok()).expect("a link");
        format!("{}{}", self.server.url, link.path())
    }

    /// A customer is invoiced and pays; the invoice.
    async fn sell(&self) -> Value {
        let party = json!({"isCustomer": true, "name": "Client", "country": "FR"});
        let party = self.act("createParty", "party { id }", party).await["party"]["id"].clone();
        let codes = "{ taxCodes(first: 100, filter: {code: \"S20\"}) { edges { node { id } } } }";
        let code = self.read(codes, json!({})).await["taxCodes"]["edges"][0]["node"]["id"].clone();
        let item = json!({"code": "CHAIR", "name": "Chaise", "nature": "GOODS", "unitPrice": "100", "taxCodeId": code});
        let item = self.act("createItem", "item { id }", item).await["item"]["id"].clone();
        let invoice = json!({"customerId": party, "lines": [{"itemId": item, "quantity": "3"}]});
        let shown = "invoice { id version lines { id } }";
        let draft = self.act("createInvoice", shown, invoice).await["invoice"].clone();
        let shown =
            "invoice { id number issueDate ratingUrl journalEntry { id lines { id account { id } } } }";
        let issue = json!({"invoiceId": draft["id"], "expectedVersion": draft["version"]});
        let invoice = self.act("issueInvoice", shown, issue).await["invoice"].clone();
        let amount = json!({"amount": "100", "currency": "EUR"});
        let payment = json!({"direction": "RECEIVED", "partyId": party, "paidOn": invoice["issueDate"],
            "method": "TRANSFER", "amount": amount,
            "allocations": [{"documentId": invoice["id"], "amount": amount}]});
        self.act("recordPayment", "payment { id allocations { id } }", payment).await;
        invoice
    }
}

async fn create(server: &Server, token: &str) -> Value {
    let create = "mutation { createTestTwin(input: {}) { twin { id test } userErrors { code } } }";
    server.ask(token, create, json!({})).await["createTestTwin"].clone()
}

async fn switch(server: &Server, token: &str, company: &str) -> String {
    let switch = "mutation($id: ID!) { switchCompany(input: {companyId: $id}) { session { token companyId } userErrors { code } } }";
    let data = server.ask(token, switch, json!({"id": company})).await;
    assert_eq!(data["switchCompany"]["session"]["companyId"], company, "{data:#}");
    data["switchCompany"]["session"]["token"].as_str().expect("a token").to_owned()
}

/// Every public id in an answer.
fn ids(answer: &Value, found: &mut Vec<String>) {
    match answer {
        Value::Object(fields) => fields.values().for_each(|value| ids(value, found)),
        Value::Array(values) => values.iter().for_each(|value| ids(value, found)),
        Value::String(text) if id::decode_any(text).is_ok() => found.push(text.clone()),
        _ => {}
    }
}

#[tokio::test]
async fn the_main_job_is_done_in_a_twin_and_every_id_of_it_tells() {
    let sandbox = Sandbox::open().await;
    let mut figures = Client::follow(&sandbox.server, &sandbox.twin).await;
    let invoice = sandbox.sell().await;
    let open = |value: &Value| value["amounts"][0]["amount"] == "260.00";
    figures.until("receivables_open", open).await;

    // A file goes in and comes out by its links.
    let upload = json!({"name": "x.xml", "mediaType": "application/xml", "size": 4});
    let made = sandbox.act("createUpload", "file { id } uploadUrl", upload).await;
    let sent =
        sandbox.server.http.put(sandbox.local(&made["uploadUrl"])).body("<a/>").send().await.expect("sent");
    assert_eq!(sent.status(), StatusCode::CREATED);
    let file: Value = sent.json().await.expect("JSON");
    assert_eq!(file["fileId"], made["file"]["id"]);
    let query = "query($id: ID!) { node(id: $id) { __typename ... on File { id download { url } } } }";
    let shown = sandbox.read(query, json!({"id": made["file"]["id"]})).await;
    let link = sandbox.local(&shown["node"]["download"]["url"]);
    let bytes = sandbox.server.http.get(link).send().await.expect("an answer").text().await.expect("bytes");
    assert_eq!(bytes, "<a/>");

    // A customer rates by the link.
    let rate = sandbox.server.http.post(sandbox.local(&invoice["ratingUrl"]));
    let rate = rate.header("content-type", "application/x-www-form-urlencoded").body("score=5");
    assert!(rate.send().await.expect("an answer").status().is_success());
    let query = "query($id: ID!) { invoice(id: $id) { satisfaction { score } } }";
    assert_eq!(
        sandbox.read(query, json!({"id": invoice["id"]})).await["invoice"]["satisfaction"]["score"],
        5
    );

    sandbox.read("{ company { id mode twin { id test } auditTrail(first: 100) { edges { node { subjectId actor { id } } } } } members { id personId } apiKeys { id } }", json!({})).await;
    let invite = json!({"email": "new@example.com", "role": "sales"});
    sandbox.act("inviteMember", "invitation { id }", invite).await;
    let mut found = Vec::new();
    sandbox.answers.borrow().iter().for_each(|answer| ids(answer, &mut found));
    let live = company_of(&sandbox.server, &sandbox.live).await;
    let untold: Vec<_> = found
        .iter()
        .filter(|id| !id.starts_with("test_") && !id.starts_with("person_") && !id.starts_with("session_"))
        .filter(|id| **id != live["id"])
        .collect();
    assert_eq!(untold, Vec::<&String>::new());
    assert!(found.len() > 60, "{}", found.len());

    // And so does every row.
    let twin = id::decode(kernel::Kind::Company, &sandbox.twin_id).expect("id");
    let mut all = sandbox.server.db.superuser().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id'
             AND a.atttypid = 'uuid'::regtype WHERE c.relforcerowsecurity AND c.relkind = 'r'",
    )
    .fetch_all(&mut all)
    .await
    .expect("tables");
    let mut rows = 0;
    for table in tables {
        let sql = format!("SELECT id FROM {table} WHERE tenant_id = $1");
        let ids: Vec<Uuid> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(twin).fetch_all(&mut all).await.expect("rows");
        assert!(ids.iter().all(|id| id::is_test(*id)), "{table}");
        rows += ids.len();
    }
    assert!(rows > 100, "{rows}");

    // The letter stands where it would leave from, and is never sent.
    let letters: Vec<(bool, bool)> =
        sqlx::query_as("SELECT withheld, sent_at IS NULL FROM mail WHERE tenant_id = $1")
            .bind(twin)
            .fetch_all(&mut all)
            .await
            .expect("letters");
    assert_eq!(letters, [(true, true)]);
}

async fn company_of(server: &Server, token: &str) -> Value {
    server.ask(token, "{ company { id mode twin { id test } } }", json!({})).await["company"].clone()
}

#[tokio::test]
async fn a_company_and_its_twin_know_each_other_and_there_is_one() {
    let sandbox = Sandbox::open().await;
    let server = &sandbox.server;
    let live = company_of(server, &sandbox.live).await;
    assert_eq!(
        (&live["mode"], &live["twin"]),
        (&json!("LIVE"), &json!({"id": sandbox.twin_id, "test": true}))
    );
    let twin = company_of(server, &sandbox.twin).await;
    assert_eq!((&twin["mode"], &twin["twin"]), (&json!("TEST"), &json!({"id": live["id"], "test": false})));
    let again = create(server, &sandbox.live).await;
    assert_eq!(again, json!({"twin": {"id": sandbox.twin_id, "test": true}, "userErrors": []}));
    let refused = create(server, &sandbox.twin).await;
    assert_eq!(refused, json!({"twin": null, "userErrors": [{"code": "TEST_TWIN"}]}));
    let choices = server.ask(&sandbox.twin, "{ viewer { companies { name test } } }", json!({})).await;
    let wanted = json!([{"name": "Atelier", "test": false}, {"name": "Atelier (test)", "test": true}]);
    assert_eq!(choices["viewer"]["companies"], wanted);
}

#[tokio::test]
async fn two_who_ask_for_the_twin_at_once_get_the_same_whole_one() {
    let server = Server::start().await;
    let live = server.found("Atelier", "ada@example.com").await;
    let (one, two) = tokio::join!(create(&server, &live), create(&server, &live));
    assert_eq!((&one["userErrors"], &one), (&json!([]), &two));
    let twin = switch(&server, &live, one["twin"]["id"].as_str().expect("a twin")).await;
    let laid =
        server.ask(&twin, "{ members { id } kpis { kpis { key } } fiscalYears { id } }", json!({})).await;
    let count = |part: &Value| part.as_array().map(Vec::len).unwrap_or_default();
    assert_eq!((count(&laid["members"]), count(&laid["fiscalYears"])), (1, 1));
    assert!(count(&laid["kpis"]["kpis"]) > 5);
}

#[tokio::test]
async fn nothing_of_one_is_seen_in_the_other() {
    let sandbox = Sandbox::open().await;
    let server = &sandbox.server;
    let of_twin = sandbox.sell().await["id"].as_str().expect("id").to_owned();
    let party = "mutation { createParty(input: {isCustomer: true, name: \"Real\", country: \"FR\"}) { party { id } } }";
    let of_live = server.ask(&sandbox.live, party, json!({})).await["createParty"]["party"]["id"].clone();
    let counts = "{ parties(first: 10) { totalCount edges { node { name } } } invoices(first: 10) { totalCount } payments(first: 10) { totalCount } items(first: 10) { totalCount } }";
    let live = server.ask(&sandbox.live, counts, json!({})).await;
    let of = |data: &Value, list: &str| data[list]["totalCount"].clone();
    assert_eq!(
        ["parties", "invoices", "payments", "items"].map(|list| of(&live, list)),
        [1, 0, 0, 0].map(|n| json!(n))
    );
    assert_eq!(live["parties"]["edges"][0]["node"]["name"], "Real");
    let twin = server.ask(&sandbox.twin, counts, json!({})).await;
    assert_eq!(
        ["parties", "invoices", "payments", "items"].map(|list| of(&twin, list)),
        [1; 4].map(|n| json!(n))
    );
    assert_eq!(twin["parties"]["edges"][0]["node"]["name"], "Client");

    // An id of the other world answers as an unknown one, to the letter.
    let node = "query($id: ID!) { node(id: $id) { __typename id } }";
    let discard = "mutation($id: ID!) { archiveParty(input: {partyId: $id, expectedVersion: 1}) { party { id } userErrors { code field message } } }";
    let unknown = |kind, id| id::encode(kind, id);
    let pairs = [
        (&sandbox.live, node, json!(of_twin), unknown(kernel::Kind::Invoice, id::new_test())),
        (&sandbox.twin, node, of_live.clone(), unknown(kernel::Kind::Party, id::new())),
        (&sandbox.twin, discard, of_live.clone(), unknown(kernel::Kind::Party, id::new())),
    ];
    for (token, query, foreign, unknown) in pairs {
        let letter = async |id: Value| {
            let (status, mut answer) = server.send(Some(token), None, query, json!({"id": id})).await;
            if let Some(beside) = answer.as_object_mut() {
                beside.remove("extensions");
            }
            (status, answer)
        };
        let (foreign, unknown) = (letter(foreign).await, letter(json!(unknown)).await);
        assert_eq!(foreign, unknown, "{query}");
        assert!(!foreign.1.to_string().contains("Client") && !foreign.1.to_string().contains("Real"));
    }
    // An id that does not tell the truth about itself is no id at all.
    let bare = of_twin.trim_start_matches("test_");
    let (_, answer) = server.send(Some(&sandbox.twin), None, node, json!({"id": bare})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
}

#[tokio::test]
async fn keys_act_in_their_own_world_only() {
    let sandbox = Sandbox::open().await;
    let server = &sandbox.server;
    let create =
        "mutation { createApiKey(input: {name: \"P\", permissions: [\"company.read\"]}) { secret } }";
    for (token, prefix, mode) in [(&sandbox.live, "ck_live_", "LIVE"), (&sandbox.twin, "ck_test_", "TEST")] {
        let made = server.ask(token, create, json!({})).await;
        let secret = made["createApiKey"]["secret"].as_str().expect("a secret");
        assert!(secret.starts_with(prefix), "{prefix}");
        assert_eq!(company_of(server, secret).await["mode"], mode);
        let other = if prefix == "ck_live_" { "ck_test_" } else { "ck_live_" };
        let exchanged = secret.replacen(prefix, other, 1);
        let (status, _) = server.send(Some(&exchanged), None, "{ company { id } }", json!({})).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        // A program stays where it is.
        let switch = "mutation($id: ID!) { switchCompany(input: {companyId: $id}) { session { token } } }";
        let (_, answer) = server.send(Some(secret), None, switch, json!({"id": sandbox.twin_id})).await;
        assert!(answer["errors"].is_array(), "{answer:#}");
    }
}
