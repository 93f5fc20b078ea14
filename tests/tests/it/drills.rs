//! Drills with the real program: killed, its database stopped, its Redis stopped, its connections all taken.
//!
//! In each, what was acknowledged is there, once; what was refused says why, and when to come back.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cluster::{Postgres, PostgresOptions};
use futures_util::future::join_all;
use kernel::{Actor, Kind, PermissionSet, id};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use testing::TestDb;
use uuid::Uuid;

use crate::house::settle;
use crate::server::{Server, UNLIMITED};
use crate::socket::Client;

/// A mutation under a key of its own.
#[derive(Clone, Debug)]
struct Keyed {
    key: String,
    document: &'static str,
    input: Value,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    /// The payload.
    Done(Value),
    /// Refused for now: why.
    Later(String),
    /// No answer came.
    Silence,
}

/// Why a request was refused, which must be said in the way that a client can act on: what it is, that it is over in a
/// while, and when to come back.
fn for_now(status: StatusCode, headers: &HeaderMap, answer: &Value) -> String {
    let error = &answer["errors"][0]["extensions"];
    let code = error["code"].as_str().unwrap_or_default();
    match code {
        "UNAVAILABLE" | "OVERLOADED" => {
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer:#}");
            let wait = headers.get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()).unwrap_or_default();
            assert!(wait.parse::<u32>().is_ok_and(|seconds| (1..=60).contains(&seconds)), "{headers:?}");
        }
        "TIMEOUT" => assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{answer:#}"),
        "IDEMPOTENCY_KEY_BUSY" => {}
        other => panic!("{other} is no refusal for a while: {status} {answer:#}"),
    }
    assert!(error["requestId"].is_string(), "{answer:#}");
    code.to_owned()
}

/// Where a client sends to.
#[derive(Clone)]
struct Desk {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Desk {
    fn at(server: &Server, token: &str) -> Self {
        Self { http: server.http.clone(), url: server.url.clone(), token: token.to_owned() }
    }

    /// Sends once. Whatever is refused must be refused in the way that a client can act on.
    async fn once(&self, keyed: &Keyed) -> Outcome {
        let request = self.http.post(format!("{}/graphql", self.url)).bearer_auth(&self.token);
        let request = request.header("Idempotency-Key", &keyed.key);
        let body = json!({"query": keyed.document, "variables": {"input": keyed.input}});
        let Ok(response) = request.json(&body).send().await else { return Outcome::Silence };
        let (status, headers) = (response.status(), response.headers().clone());
        // A body that breaks off is no answer.
        let Ok(answer) = response.json::<Value>().await else { return Outcome::Silence };
        let error = &answer["errors"][0];
        if error.is_null() {
            let payload = answer["data"].as_object().and_then(|data| data.values().next()).cloned();
            let payload = payload.unwrap_or_else(|| panic!("{answer:#}"));
            assert_eq!(payload["userErrors"], json!([]), "{keyed:?}");
            return Outcome::Done(payload);
        }
        Outcome::Later(for_now(status, &headers, &answer))
    }

    /// Sends until it is done; how often it was refused before.
    async fn until_done(&self, keyed: &Keyed) -> (Value, usize) {
        let began = Instant::now();
        let mut refused = 0;
        loop {
            match self.once(keyed).await {
                Outcome::Done(payload) => return (payload, refused),
                Outcome::Later(_) => refused += 1,
                Outcome::Silence => {}
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{keyed:?} is never done");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

const ISSUE: &str = "mutation($input: IssueInvoiceInput!) { issueInvoice(input: $input)
    { invoice { id number } replayed userErrors { code message } } }";
const RECORD: &str = "mutation($input: RecordPaymentInput!) { recordPayment(input: $input)
    { payment { id } replayed userErrors { code message } } }";
const CREATE: &str = "mutation($input: CreatePartyInput!) { createParty(input: $input)
    { party { id } replayed userErrors { code message } } }";
const DRAFT: &str = "mutation($input: CreateInvoiceInput!) { createInvoice(input: $input)
    { invoice { id } userErrors { code message } } }";

fn party(name: &str) -> Keyed {
    let input = json!({"isCustomer": true, "name": name, "country": "FR", "externalRef": name});
    Keyed { key: format!("party {name}"), document: CREATE, input }
}

async fn count(server: &Server, company: Uuid, sql: &'static str) -> i64 {
    let mut all = server.db.superuser().await;
    sqlx::query_scalar(sql).bind(company).fetch_one(&mut all).await.expect(sql)
}

/// Invoices to issue and payments to record, all of which take a number of a series.
async fn two_hundred(server: &Server, token: &str, ids: &crate::walk::Ids) -> Vec<Keyed> {
    let mut all = Vec::new();
    let today = server.ask(
        token,
        "{ fiscalYears { lastDay } invoices(first: 10) { edges { node { issueDate } } } }",
        json!({}),
    );
    let today = today.await["invoices"]["edges"]
        .as_array()
        .expect("edges")
        .iter()
        .find_map(|edge| edge["node"]["issueDate"].as_str().map(str::to_owned))
        .expect("an issued invoice");
    for n in 0..120 {
        let input = json!({"customerId": ids["party"], "lines": [{"itemId": ids["item"], "quantity": "1"}]});
        let data = server.ask(token, DRAFT, json!({ "input": input })).await;
        let id = &data["createInvoice"]["invoice"]["id"];
        let input = json!({"invoiceId": id, "expectedVersion": 1});
        all.push(Keyed { key: format!("issue {n}"), document: ISSUE, input });
    }
    for n in 0..80 {
        let input = json!({"direction": "RECEIVED", "partyId": ids["party"], "paidOn": today, "method": "TRANSFER",
            "amount": {"amount": format!("{n}.50"), "currency": "EUR"}, "externalRef": format!("payment {n}")});
        // In between, so that both kinds are at work at any moment.
        all.insert(n * 2 + 1, Keyed { key: format!("pay {n}"), document: RECORD, input });
    }
    // Nothing of nothing is paid.
    all[1].input["amount"]["amount"] = json!("80.50");
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_two_hundred_mutations_each_has_one_effect() {
    let mut server = Server::start_with(&UNLIMITED).await;
    let a = settle(&server, "A", "ada@example.com").await;
    let all = two_hundred(&server, &a.token, &a.ids).await;
    assert_eq!(all.len(), 200);

    // The program is killed once a quarter is answered: the others are queued, at work, or on their way.
    let answered = Arc::new(AtomicUsize::new(0));
    let desk = Desk::at(&server, &a.token);
    let first = all.iter().cloned().map(|keyed| {
        let (desk, answered) = (desk.clone(), answered.clone());
        tokio::spawn(async move {
            let outcome = desk.once(&keyed).await;
            if matches!(outcome, Outcome::Done(_)) {
                answered.fetch_add(1, Ordering::SeqCst);
            }
            outcome
        })
    });
    let first: Vec<_> = first.collect();
    while answered.load(Ordering::SeqCst) < 50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.crash();
    let first: Vec<_> = join_all(first).await.into_iter().map(|outcome| outcome.expect("joined")).collect();
    let done = first.iter().filter(|outcome| matches!(outcome, Outcome::Done(_))).count();
    let silent = first.iter().filter(|outcome| **outcome == Outcome::Silence).count();
    assert!((50..200).contains(&done) && silent > 0, "{done} answered, {silent} not");

    server.restart(&UNLIMITED);
    let desk = Desk::at(&server, &a.token);
    let again = join_all(all.iter().map(|keyed| desk.until_done(keyed))).await;
    for ((keyed, before), (payload, _)) in all.iter().zip(&first).zip(&again) {
        if let Outcome::Done(told) = before {
            let thing = if keyed.document == ISSUE { "invoice" } else { "payment" };
            assert_eq!((&told[thing], &payload["replayed"]), (&payload[thing], &json!(true)), "{keyed:?}");
        }
    }
    // What was done before the kill without a word of it is replayed as well: some may be.
    let replayed = again.iter().filter(|(payload, _)| payload["replayed"] == true).count();
    assert!((done..=200).contains(&replayed), "{replayed} of {done}");
    one_effect_each(&server, a.company(), &again).await;
}

/// The house has issued one invoice and recorded one payment of its own.
async fn one_effect_each(server: &Server, company: Uuid, again: &[(Value, usize)]) {
    let numbers: BTreeSet<_> =
        again.iter().filter_map(|(payload, _)| payload["invoice"]["number"].as_str()).collect();
    assert_eq!(numbers.len(), 120, "each invoice has a number of its own");
    for (sql, expected) in [
        ("SELECT count(*) FROM invoice WHERE tenant_id = $1 AND state = 'issued'", 121),
        ("SELECT max(series_number)::bigint FROM invoice WHERE tenant_id = $1 AND kind = 'invoice'", 121),
        ("SELECT count(*) FROM payment WHERE tenant_id = $1", 81),
        ("SELECT count(*) FROM event WHERE tenant_id = $1 AND kind = 'invoice.issued'", 121),
        ("SELECT count(*) FROM idempotency_record WHERE tenant_id = $1 AND outcome IS NOT NULL", 200),
        ("SELECT count(*) FROM idempotency_record WHERE tenant_id = $1 AND outcome IS NULL", 0),
        // Gapless in each journal: the last number is how many there are.
        (
            "SELECT count(*) FROM journal_series s WHERE s.tenant_id = $1 AND s.last_number <> (SELECT count(*) FROM journal_entry e
             WHERE e.tenant_id = $1 AND e.journal_id = s.journal_id AND e.fiscal_year_id = s.fiscal_year_id AND e.state = 'posted')",
            0,
        ),
        ("SELECT (sum(debit_minor) - sum(credit_minor))::bigint FROM posting WHERE tenant_id = $1", 0),
        (
            "SELECT count(*) FROM journal_entry e WHERE e.tenant_id = $1 AND (SELECT sum(debit_minor) - sum(credit_minor)
             FROM posting p WHERE p.tenant_id = $1 AND p.entry_id = e.id) <> 0",
            0,
        ),
    ] {
        assert_eq!(count(server, company, sql).await, expected, "{sql}");
    }
    server.db.settle().await;
    let snapshot =
        server.db.scope(company, Actor::System, PermissionSet::all()).read().await.expect("a snapshot");
    let verdict = kernel::sequencer::verify_chain(&snapshot).await.expect("read");
    assert!(verdict.broken.is_none() && verdict.verified > 200, "{verdict:?}");
}

/// A PostgreSQL of one's own, to be stopped and started on the same port.
async fn own_postgres(folder: &std::path::Path, port: Option<u16>) -> Postgres {
    let mut options = PostgresOptions::new(folder);
    options.port = port;
    // The machine does not lose its power here: only the processes end.
    options.settings = vec![("fsync".to_owned(), "off".to_owned())];
    Postgres::start(options).await.expect("PostgreSQL starts")
}

fn signal(pid: i32, signal: &str) {
    let killed = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
    assert!(killed.expect("kill runs").success());
}

/// Clients that create parties, each under a key of its own, until they are told to end.
struct Load {
    going: Arc<AtomicBool>,
    clients: Vec<tokio::task::JoinHandle<(usize, usize)>>,
}

impl Load {
    fn of(desk: &Desk, clients: usize) -> Self {
        let going = Arc::new(AtomicBool::new(true));
        let client = |client: usize| {
            let (desk, going) = (desk.clone(), going.clone());
            tokio::spawn(async move {
                let (mut done, mut refused) = (0, 0);
                while going.load(Ordering::SeqCst) {
                    let (payload, before) = desk.until_done(&party(&format!("load-{client}-{done}"))).await;
                    assert!(payload["party"]["id"].is_string(), "{payload:#}");
                    (done, refused) = (done + 1, refused + before);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                (done, refused)
            })
        };
        let clients = (0..clients).map(client).collect();
        Self { going, clients }
    }

    /// Ends it: how many were done, and how many attempts were refused.
    async fn end(self) -> (usize, usize) {
        self.going.store(false, Ordering::SeqCst);
        let ended =
            join_all(self.clients).await.into_iter().map(|client| client.expect("a client ends well"));
        ended.fold((0, 0), |(done, refused), (more, also)| (done + more, refused + also))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_stopped_under_load_loses_nothing_and_the_server_recovers() {
    let folder = cluster::scratch().expect("a folder");
    let postgres = own_postgres(&folder.path().join("postgres"), None).await;
    let port = postgres.port();
    let server = Server::on(TestDb::in_cluster(&postgres.url("postgres"), 4).await, &UNLIMITED);
    let token = server.found("A", "ada@example.com").await;
    let company = server.ask(&token, "{ company { id } }", json!({})).await["company"]["id"].clone();
    let company = id::decode(Kind::Company, company.as_str().expect("id")).expect("id");

    let supplier = json!({"isSupplier": true, "name": "S", "country": "FR"});
    let supplier = Keyed { key: "supplier".to_owned(), document: CREATE, input: supplier };
    let (supplier, _) = Desk::at(&server, &token).until_done(&supplier).await;
    let mut figures = Client::follow(&server, &token).await;
    let load = Load::of(&Desk::at(&server, &token), 8);
    tokio::time::sleep(Duration::from_secs(1)).await;
    // An immediate stop: nothing is finished, nothing is said to the clients.
    signal(postgres.pid(), "QUIT");
    postgres.ended().await;
    drop(postgres);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let ready = server.http.get(format!("{}/readyz", server.url)).send().await.expect("an answer");
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    let postgres = own_postgres(&folder.path().join("postgres"), Some(port)).await;
    let began = Instant::now();
    Desk::at(&server, &token).until_done(&party("first after")).await;
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?} to recover", began.elapsed());
    // Who followed the figures all the while follows them still.
    let enter = "mutation($input: EnterBillInput!) { enterBill(input: $input) { bill { id } userErrors { message } } }";
    let input = json!({"kind": "BILL", "supplierId": supplier["party"]["id"], "number": "1", "issueDate": "2026-06-15",
        "lines": [{"description": "x", "net": "10", "category": "S", "rate": "20"}]});
    server.ask(&token, enter, json!({ "input": input })).await;
    figures.until("bills_waiting", |value| value["records"] == 1).await;
    let (done, refused) = load.end().await;
    assert!(done > 20 && refused > 0, "{done} done, {refused} refused");

    let there = count(&server, company, "SELECT count(*) FROM party WHERE tenant_id = $1").await;
    assert_eq!(usize::try_from(there), Ok(done + 2), "each acknowledged party is there, once");
    drop(server);
    postgres.stop().await.expect("stopped");
}

/// A Redis of one's own, which keeps nothing; ended with the test.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    fn start(port: u16) -> Self {
        let mut command = Command::new(cluster::find_redis().expect("Redis is installed"));
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("Redis starts");
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "Redis does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_stopped_under_load_is_not_noticed_by_any_client() {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let redis = Redis::start(port);
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let server = Server::start_with(&["--redis-url", &url]).await;
    let a = settle(&server, "A", "ada@example.com").await;
    let reader = server.replica(&["--redis-url", &url, "--workers", "false"]);
    let mut figures = Client::connect_to(&reader.url, Some(&a.token)).await;
    assert_eq!(figures.next().await["type"], "connection_ack");
    figures.subscribe("1", json!({"keys": ["bills_waiting"]})).await;
    figures.until("bills_waiting", |value| value["records"] == 1).await;

    let load = Load::of(&Desk::at(&server, &a.token), 4);
    let (server, token, party) = (&server, a.token.as_str(), a.ids["party"].as_str());
    let enter = async |number: i64| {
        let input = json!({"kind": "BILL", "supplierId": party, "number": format!("S-{number}"), "issueDate": "2026-06-15",
            "lines": [{"description": "x", "net": "10", "category": "S", "rate": "20"}]});
        let enter = "mutation($input: EnterBillInput!) { enterBill(input: $input) { bill { id } userErrors { message } } }";
        let data = server.ask(token, enter, json!({ "input": input })).await;
        assert!(data["enterBill"]["bill"]["id"].is_string(), "{data:#}");
    };
    let redis_is = async |wanted: &str| {
        let began = Instant::now();
        loop {
            let ready = server.http.get(format!("{}/readyz", server.url)).send().await.expect("an answer");
            assert_eq!(ready.status(), StatusCode::OK, "Redis may be away");
            let told: Value = ready.json().await.expect("JSON");
            if told["redis"].as_str().is_some_and(|text| text.starts_with(wanted)) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(8), "{told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    redis_is("ok").await;
    enter(1).await;
    figures.until("bills_waiting", |value| value["records"] == 2).await;
    drop(redis);
    redis_is("away").await;
    for number in 2..5 {
        enter(number).await;
        figures.until("bills_waiting", |value| value["records"] == number + 1).await;
    }
    let redis = Redis::start(port);
    redis_is("ok").await;
    enter(5).await;
    figures.until("bills_waiting", |value| value["records"] == 6).await;
    let (done, refused) = load.end().await;
    assert!(done > 20, "{done}");
    assert_eq!(refused, 0, "a client was refused for the sake of Redis");
    drop(redis);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_all_connections_taken_others_are_told_in_time_and_all_recovers() {
    let server = Server::start_with(&[&UNLIMITED[..], &["--database-connections", "4"]].concat()).await;
    let (a, b) = (server.found("A", "ada@example.com").await, server.found("B", "bob@example.com").await);
    let read = "{ company { id version name } }";
    let before = server.ask(&a, read, json!({})).await;
    let company = id::decode(Kind::Company, before["company"]["id"].as_str().expect("id")).expect("id");

    // Somebody holds the row that these mutations need, and they hold all connections.
    let mut holder = server.db.superuser().await;
    let mut held = holder.begin().await.expect("begun");
    let lock = sqlx::query("SELECT 1 FROM company WHERE tenant_id = $1 FOR UPDATE").bind(company);
    held.execute(lock).await.expect("locked");
    let rename = "mutation($input: UpdateCompanyInput!) { updateCompany(input: $input) { company { name } userErrors { code } } }";
    let waiting: Vec<_> = (0..6)
        .map(|n| {
            let (http, url, token) = (server.http.clone(), server.url.clone(), a.clone());
            let input = json!({"expectedVersion": before["company"]["version"], "name": format!("A{n}")});
            let body = json!({"query": rename, "variables": {"input": input}});
            tokio::spawn(async move {
                let request = http.post(format!("{url}/graphql")).bearer_auth(token).json(&body);
                let response = request.send().await.expect("an answer");
                let (status, headers) = (response.status(), response.headers().clone());
                (status, headers, response.json::<Value>().await.expect("JSON"))
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;

    let others = join_all((0..10).map(|_| async {
        let began = Instant::now();
        let request = server.http.post(format!("{}/graphql", server.url)).bearer_auth(&b);
        let response = request.json(&json!({"query": read})).send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let answer: Value = response.json().await.expect("JSON");
        assert!(began.elapsed() < Duration::from_secs(4), "told after {:?}", began.elapsed());
        if status != StatusCode::OK {
            for_now(status, &headers, &answer);
        }
        status
    }))
    .await;
    assert!(others.iter().any(|status| *status != StatusCode::OK), "connections were left: {others:?}");
    let live = server.http.get(format!("{}/livez", server.url)).send().await.expect("an answer");
    assert_eq!(live.status(), StatusCode::OK);

    held.rollback().await.expect("released");
    let mut renamed = 0;
    for waited in waiting {
        let (status, headers, answer) = waited.await.expect("joined");
        match status {
            StatusCode::OK if answer["data"]["updateCompany"]["userErrors"] == json!([]) => renamed += 1,
            StatusCode::OK => {
                assert_eq!(
                    answer["data"]["updateCompany"]["userErrors"][0]["code"], "CONFLICT",
                    "{answer:#}"
                );
            }
            _ => drop(for_now(status, &headers, &answer)),
        }
    }
    let after = server.ask(&a, read, json!({})).await;
    let grown =
        after["company"]["version"].as_i64().zip(before["company"]["version"].as_i64()).map(|(n, o)| n - o);
    assert_eq!(grown, Some(renamed), "what was acknowledged is there, and nothing else");
    assert!(renamed <= 1, "{renamed} had the same version");
    let began = Instant::now();
    join_all((0..20).map(|_| server.ask(&b, read, json!({})))).await;
    assert!(began.elapsed() < Duration::from_secs(2), "the pool has not recovered: {:?}", began.elapsed());
}
