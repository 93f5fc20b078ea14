//! The running server, as a client meets it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::vault::Vault;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testing::TestDb;

/// A password that is long enough.
pub(crate) const PASSWORD: &str = "a long sentence to keep";

/// Options of a server that never asks its clients to be slower.
pub(crate) const UNLIMITED: [&str; 4] = ["--budget-per-second", "0", "--anonymous-per-minute", "0"];

/// A server on a database of its own, ended with the test.
pub(crate) struct Server {
    pub db: TestDb,
    pub url: String,
    seal_keys: String,
    files: Arc<tempfile::TempDir>,
    child: Child,
    pub http: reqwest::Client,
}

/// The server's binary, built beside this test's.
fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("this test's path");
    let folder = own.ancestors().find(|folder| folder.join("coulisse").is_file());
    folder.expect("build the workspace first: cargo build --workspace --bins").join("coulisse")
}

impl Server {
    /// Starts a server on a fresh database.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with further options.
    pub(crate) async fn start_with(options: &[&str]) -> Self {
        Self::on(TestDb::new().await, options)
    }

    /// Starts a server on a database, with further options.
    pub(crate) fn on(db: TestDb, options: &[&str]) -> Self {
        let files = Arc::new(tempfile::tempdir().expect("a folder for files"));
        let seal_keys = Vault::fresh_setting();
        let (child, url) = spawn(&db, &files, &seal_keys, options);
        let http = reqwest::Client::new();
        Self { db, url, seal_keys, files, child, http }
    }

    /// A further server on the same database and files.
    pub(crate) fn replica(&self, options: &[&str]) -> Replica {
        let (child, url) = spawn(&self.db, &self.files, &self.seal_keys, options);
        Replica { child, url }
    }

    /// A further server on a database of its own, with the same keys and files.
    pub(crate) fn beside(&self, db: TestDb) -> Self {
        let (files, seal_keys, http) = (self.files.clone(), self.seal_keys.clone(), reqwest::Client::new());
        let (child, url) = spawn(&db, &files, &seal_keys, &UNLIMITED);
        Self { db, url, seal_keys, files, child, http }
    }

    /// Ends the server as its operator does, and waits until it has ended.
    pub(crate) fn end(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill").success());
        self.child.wait().expect("ended");
    }

    /// What a server says that does not start with these options.
    pub(crate) fn refusal(options: &[&str]) -> String {
        let nowhere = "postgres://nobody@127.0.0.1:1/nothing";
        let ended = Command::new(binary())
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", nowhere])
            .args(["--worker-database-url", nowhere, "--seal-keys", &Vault::fresh_setting()])
            .args(options)
            .output()
            .expect("the server starts");
        assert!(!ended.status.success(), "it starts");
        String::from_utf8_lossy(&ended.stderr).into_owned()
    }

    /// Ends the server as a crash would.
    pub(crate) fn crash(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Ends the server as a crash would, and starts it again on the same database.
    pub(crate) fn crash_and_restart(&mut self) {
        self.crash();
        self.restart(&[]);
    }

    /// Starts an ended server again on the same database.
    pub(crate) fn restart(&mut self, options: &[&str]) {
        (self.child, self.url) = spawn(&self.db, &self.files, &self.seal_keys, options);
    }

    /// Starts an ended server again on the same database and at the same address.
    pub(crate) fn restart_in_place(&mut self, options: &[&str]) {
        let listen = self.url.trim_start_matches("http://").to_owned();
        let placed = [options, &["--listen", &listen]].concat();
        (self.child, self.url) = spawn(&self.db, &self.files, &self.seal_keys, &placed);
    }

    /// Sends a document; the status and the whole answer.
    pub(crate) async fn send(
        &self,
        token: Option<&str>,
        key: Option<&str>,
        query: &str,
        variables: Value,
    ) -> (StatusCode, Value) {
        let mut request = self.http.post(format!("{}/graphql", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let response =
            request.json(&json!({"query": query, "variables": variables})).send().await.expect("an answer");
        (response.status(), response.json().await.expect("JSON"))
    }

    /// Sends a document that must succeed; its data.
    pub(crate) async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let (status, answer) = self.send(Some(token), None, query, variables).await;
        assert!(status == StatusCode::OK && answer["errors"].is_null(), "{query}: {answer:#}");
        answer["data"].clone()
    }

    /// Founds a company; the owner's session token.
    pub(crate) async fn found(&self, name: &str, email: &str) -> String {
        self.found_by(name, email, PASSWORD).await
    }

    /// Founds a company as a person with a password of one's own.
    pub(crate) async fn found_by(&self, name: &str, email: &str, password: &str) -> String {
        let input = json!({"email": email, "name": "Ada", "password": password, "company": {
            "name": name, "legalForm": "SAS", "country": "FR", "currency": "EUR", "timeZone": "Europe/Paris",
            "locale": "fr", "chart": "FR_PCG"}});
        let query = "mutation($input: SignUpInput!) { signUp(input: $input) { session { token } userErrors { code message } } }";
        let (_, answer) = self.send(None, None, query, json!({"input": input})).await;
        answer["data"]["signUp"]["session"]["token"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer:#}"))
            .to_owned()
    }
}

/// Any free port, unless it is said.
fn address(options: &[&str]) -> &'static [&'static str] {
    if options.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] }
}

/// Letters are read in the outbox, unless they are sent.
fn outbox(options: &[&str]) -> &'static [&'static str] {
    let said = |option: &&str| ["--smtp-url", "--outbox"].contains(option);
    if options.iter().any(said) { &[] } else { &["--outbox", "true"] }
}

fn spawn(db: &TestDb, files: &tempfile::TempDir, seal_keys: &str, options: &[&str]) -> (Child, String) {
    let mut child = Command::new(binary())
        .args(["serve", "--log-format", "json", "--log", "info"])
        .args(address(options))
        .env("COULISSE_DATABASE_URL", db.url("coulisse_server"))
        .env("COULISSE_WORKER_DATABASE_URL", db.url("coulisse_worker"))
        .args(outbox(options))
        .args(options)
        .env("COULISSE_SEAL_KEYS", seal_keys)
        .env("COULISSE_FILES", files.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut log = BufReader::new(child.stderr.take().expect("its log")).lines();
    let began = Instant::now();
    let listen = loop {
        let line = log.next().expect("the server says where it listens").expect("a line");
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(listen) = line["listen"].as_str() {
            break listen.to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "the server does not start");
    };
    // Somebody must read on, or the server would wait for its log to be taken.
    std::thread::spawn(move || log.for_each(drop));
    (child, format!("http://{listen}"))
}

/// A further server, ended with the test.
pub(crate) struct Replica {
    child: Child,
    pub url: String,
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
