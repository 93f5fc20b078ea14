//! Independent counterparts as processes (npm `oidc-provider`, npm `dns2`), and a browser that signs in.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::sync::{Mutex, PoisonError};

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, Url, redirect};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Where a counterpart is installed; once a process.
fn installed(name: &str) -> PathBuf {
    static ONE_BY_ONE: Mutex<()> = Mutex::new(());
    let _turn = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", env!("CARGO_PKG_NAME")));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|up| up.join("Cargo.lock").exists());
    let script = root.expect("the workspace").join("tests/npm/install.sh");
    let done = Blocking::new(script).arg(name).arg(&folder).status().expect("install.sh");
    assert!(done.success(), "npm installs {name}");
    folder
}

/// A counterpart that runs, and ends with this.
struct Running {
    _process: Child,
    /// It writes notices too, and ends when nobody could read them.
    _output: Lines<BufReader<ChildStdout>>,
}

/// Starts a script of a counterpart; the first line that it writes.
async fn run(name: &'static str, script: &str, argument: &str) -> (String, Running) {
    let folder = tokio::task::spawn_blocking(move || installed(name)).await.expect("installed");
    let mut process = Command::new("node")
        .arg(folder.join(script))
        .arg(argument)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("node runs");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    let first = lines.next_line().await.expect("a line").expect("what it says first");
    (first, Running { _process: process, _output: lines })
}

/// A provider that runs. It ends with this.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    _running: Running,
}

impl Provider {
    /// Starts one; `options` are those of `provider.mjs`.
    pub(crate) async fn start(options: &Value) -> Self {
        let (issuer, running) = run("oidc-provider", "provider.mjs", &options.to_string()).await;
        Self { issuer, _running: running }
    }

    pub(crate) fn port(&self) -> u16 {
        Url::parse(&self.issuer).expect("a URL").port().expect("a port")
    }
}

/// A DNS server that runs, with the records of a file.
pub(crate) struct Names {
    pub(crate) address: SocketAddr,
    records: PathBuf,
    _running: Running,
}

impl Names {
    /// Starts one without any record; `name` is the test's own.
    pub(crate) async fn start(name: &str) -> Self {
        let records = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("records-{name}.json"));
        std::fs::write(&records, "{}").expect("written");
        let (port, running) = run("dns", "server.mjs", &records.to_string_lossy()).await;
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
        Self { address, records, _running: running }
    }

    /// Sets the TXT records of a name, and takes those of all others away.
    pub(crate) fn set(&self, name: &str, texts: &[&str]) {
        std::fs::write(&self.records, serde_json::json!({ name: texts }).to_string()).expect("written");
    }
}

/// A browser: it keeps cookies by host, and follows redirects only when it is told.
pub(crate) struct Browser {
    http: Client,
    pub(crate) cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let http = Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
        Self { http, cookies: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Response {
        self.send(self.http.get(url), url).await
    }

    pub(crate) async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Response {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(body.finish()), url).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder, url: &str) -> Response {
        let origin = Url::parse(url).expect("a URL").origin().ascii_serialization();
        let mine = self.cookies.iter().filter(|((of, _), _)| *of == origin);
        let cookies: Vec<String> = mine.map(|((_, name), value)| format!("{name}={value}")).collect();
        let answer = request.header(COOKIE, cookies.join("; ")).send().await.expect("an answer");
        for set in answer.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().expect("ASCII").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            let place = (origin.clone(), name.to_owned());
            if value.is_empty() {
                self.cookies.remove(&place)
            } else {
                self.cookies.insert(place, value.to_owned())
            };
        }
        answer
    }

    /// Where an answer leads.
    pub(crate) fn location(answer: &Response) -> String {
        let location = answer.headers().get(LOCATION).expect("a redirect").to_str().expect("ASCII");
        answer.url().join(location).expect("a URL").into()
    }

    /// Signs in at the provider: from the authorization URL to where the provider sends the browser back.
    pub(crate) async fn sign_in(&mut self, authorization: &str, account: &str) -> String {
        let issuer = Url::parse(authorization).expect("a URL").origin();
        let mut at = authorization.to_owned();
        for _ in 0..8 {
            let url = Url::parse(&at).expect("a URL");
            if url.origin() != issuer {
                return at;
            }
            let answer = if url.path().starts_with("/interaction/") {
                self.post(&at, &[("account", account)]).await
            } else {
                self.get(&at).await
            };
            assert!(answer.status().is_redirection(), "{at}: {} {:?}", answer.status(), answer.text().await);
            at = Self::location(&answer);
        }
        panic!("the provider goes in circles at {at}");
    }
}
