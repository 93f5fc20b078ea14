//! A server of the release build on a private PostgreSQL, with a company and its invoices, and the meters.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cluster::{Postgres, PostgresOptions, Scratch};
use kernel::vault::Vault;
use migration::RolePasswords;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinHandle;

use crate::house::House;
use crate::{CLIENTS, cpu, replay};

/// What ends the benchmark.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

const DATABASE: &str = "bench";
const PASSWORD: &str = "bench";

/// A process of the server, which ends with its handle: also where a check failed.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            eprintln!("bench: a server was not ended: {error}");
        }
    }
}

/// The whole machinery. Fields are dropped in their order: the server before its PostgreSQL, the folder last.
pub(crate) struct Rig {
    server: Server,
    postgres: Postgres,
    scratch: Scratch,
    url: String,
    token: String,
    http: reqwest::Client,
    /// An invoice with lines.
    pub invoice: String,
    /// A customer, and an item.
    customer: String,
    item: String,
    pub from: String,
    pub to: String,
}

impl Rig {
    /// Starts everything and writes the company's invoices through the API.
    pub(crate) async fn start(invoices: usize) -> Result<Self, Failure> {
        let scratch = cluster::scratch()?;
        let mut options = PostgresOptions::ephemeral(scratch.path().join("postgres"));
        // PostgreSQL notes the moment of each commit, from which a receipt is counted.
        options.settings.push(("track_commit_timestamp".to_owned(), "on".to_owned()));
        let postgres = Postgres::start(options).await?;
        let password = || PASSWORD.to_owned();
        let passwords = RolePasswords { owner: password(), server: password(), worker: password() };
        migration::prepare(&postgres.url("postgres"), DATABASE, &passwords).await?;
        migration::run(&postgres.url_as("coulisse_owner", PASSWORD, DATABASE)).await?;
        let (server, url) = serve(&postgres, scratch.path())?;
        let mut rig = Self {
            scratch,
            postgres,
            server,
            url,
            token: String::new(),
            http: reqwest::Client::new(),
            invoice: String::new(),
            customer: String::new(),
            item: String::new(),
            from: String::new(),
            to: String::new(),
        };
        rig.fill(invoices).await?;
        Ok(rig)
    }

    /// A folder for scripts.
    pub(crate) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Founds a company with a customer and an article; its owner's token, and their ids.
    pub(crate) async fn found(&self, name: &str) -> Result<(String, String, String), Failure> {
        let company = json!({"name": name, "legalForm": "SAS", "country": "FR", "currency": "EUR",
            "timeZone": "Europe/Paris", "locale": "fr", "chart": "FR_PCG"});
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "-"));
        let input =
            json!({"email": email, "name": name, "password": "a long sentence to keep", "company": company});
        let sign_up = "mutation($input: SignUpInput!) { signUp(input: $input) { session { token } } }";
        let signed_up = self.ask_as("", sign_up, json!({"input": input})).await?;
        let token = text(&signed_up["signUp"]["session"]["token"])?;
        let party = json!({"name": "Customer", "isCustomer": true, "country": "FR"});
        let create = "mutation($input: CreatePartyInput!) { createParty(input: $input) { party { id } userErrors { message } } }";
        let party = self.ask_as(&token, create, json!({"input": party})).await?;
        let customer = text(&party["createParty"]["party"]["id"])?;
        let codes = "{ taxCodes(first: 100) { edges { node { id code } } } }";
        let codes = self.ask_as(&token, codes, json!({})).await?;
        let code = codes["taxCodes"]["edges"]
            .as_array()
            .and_then(|edges| edges.iter().find(|edge| edge["node"]["code"] == "S20"));
        let code = code.ok_or("no tax code S20")?["node"]["id"].clone();
        let item = json!({"code": "A", "name": "Article", "nature": "GOODS", "unitPrice": "12.50", "taxCodeId": code});
        let create = "mutation($input: CreateItemInput!) { createItem(input: $input) { item { id } userErrors { message } } }";
        let item = self.ask_as(&token, create, json!({"input": item})).await?;
        let item = text(&item["createItem"]["item"]["id"])?;
        Ok((token, customer, item))
    }

    /// Further companies.
    pub(crate) async fn houses(&self, count: usize) -> Result<Vec<House>, Failure> {
        let mut houses = Vec::with_capacity(count);
        for n in 0..count {
            houses.push(House::found(self, &format!("House {count} {n}")).await?);
        }
        Ok(houses)
    }

    /// API keys of the company that read figures.
    pub(crate) async fn keys(&self, count: usize) -> Result<Vec<String>, Failure> {
        self.keys_of(&self.token, count).await
    }

    /// API keys that read figures, of the company that a token is of.
    pub(crate) async fn keys_of(&self, token: &str, count: usize) -> Result<Vec<String>, Failure> {
        let create = "mutation($name: String!) { createApiKey(input: {name: $name, permissions: [\"kpi.read\"]}) { secret } }";
        let mut keys = Vec::with_capacity(count);
        for n in 0..count {
            let created = self.ask_as(token, create, json!({"name": format!("Screen {n}")})).await?;
            keys.push(text(&created["createApiKey"]["secret"])?);
        }
        Ok(keys)
    }

    /// Where the server listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn server_pid(&self) -> u32 {
        self.server.pid()
    }

    pub(crate) fn postgres_pid(&self) -> i32 {
        self.postgres.pid()
    }

    /// Resident memory of the server.
    pub(crate) fn server_memory_kib(&self) -> Result<f64, Failure> {
        cpu::resident_kib(self.server.pid()).ok_or_else(|| "the server is gone".into())
    }

    /// Sends a request of the company again and again until a moment; how many were answered.
    pub(crate) fn flood(&self, body: &Value, until: Instant) -> JoinHandle<Result<u64, Failure>> {
        let post = self.http.post(format!("{}/graphql", self.url)).bearer_auth(&self.token).json(body);
        tokio::spawn(async move {
            let mut answered = 0;
            while Instant::now() < until {
                let request = post.try_clone().ok_or("a body that cannot be sent twice")?;
                // A flood is refused now and then: that is what is measured.
                answered += u64::from(request.send().await?.status().is_success());
            }
            Ok(answered)
        })
    }

    async fn ask(&self, query: &str, variables: Value) -> Result<Value, Failure> {
        self.ask_as(&self.token, query, variables).await
    }

    /// Sends a request that must succeed, with a token or without one.
    pub(crate) async fn ask_as(&self, token: &str, query: &str, variables: Value) -> Result<Value, Failure> {
        let body = json!({"query": query, "variables": variables});
        let request = self.http.post(format!("{}/graphql", self.url)).json(&body);
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let answer: Value = request.send().await?.json().await?;
        if answer["errors"].is_array() {
            return Err(format!("{query}: {answer}").into());
        }
        Ok(answer["data"].clone())
    }

    async fn fill(&mut self, invoices: usize) -> Result<(), Failure> {
        (self.token, self.customer, self.item) = self.found("Bench").await?;
        for _ in 0..invoices {
            let draft = self
                .ask("mutation($input: CreateInvoiceInput!) { createInvoice(input: $input) { invoice { id version } userErrors { message } } }", self.draft())
                .await?;
            let invoice = &draft["createInvoice"]["invoice"];
            let input = json!({"invoiceId": invoice["id"], "expectedVersion": invoice["version"]});
            let issued = self
                .ask("mutation($input: IssueInvoiceInput!) { issueInvoice(input: $input) { invoice { id issueDate } userErrors { message } } }", json!({"input": input}))
                .await?;
            self.invoice = text(&issued["issueInvoice"]["invoice"]["id"])?;
            self.to = text(&issued["issueInvoice"]["invoice"]["issueDate"])?;
        }
        self.from = format!("{}-01-01", self.to.get(..4).unwrap_or("2026"));
        self.settle().await
    }

    /// What a live database does by itself in its first minutes.
    pub(crate) async fn settle(&self) -> Result<(), Failure> {
        let mut superuser = self.superuser().await?;
        superuser.execute("VACUUM ANALYZE").await?;
        superuser.close().await?;
        Ok(())
    }

    /// A connection that sees every company.
    pub(crate) async fn superuser(&self) -> Result<PgConnection, Failure> {
        Ok(PgConnection::connect(&self.postgres.url(DATABASE)).await?)
    }

    /// A connection of the role that owns the tables.
    pub(crate) async fn owner(&self) -> Result<PgConnection, Failure> {
        Ok(PgConnection::connect(&self.postgres.url_as("coulisse_owner", PASSWORD, DATABASE)).await?)
    }

    /// Where the server's own role connects, under the policies.
    pub(crate) fn as_server(&self) -> String {
        self.postgres.url_as("coulisse_server", PASSWORD, DATABASE)
    }

    /// An empty database beside the server's, for what is compared with; its address.
    pub(crate) async fn beside(&self, name: &'static str) -> Result<String, Failure> {
        let mut superuser = self.superuser().await?;
        superuser.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
        superuser.close().await?;
        Ok(self.postgres.url(name))
    }

    /// Another process of the server, on the same database, and where it listens. It ends when its handle is dropped.
    pub(crate) fn fresh(&self) -> Result<(Server, String), Failure> {
        serve(&self.postgres, self.scratch.path())
    }

    /// A request to send as a company, to this server or to another.
    pub(crate) fn post(&self, url: &str, token: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http.post(format!("{url}/graphql")).bearer_auth(token).json(body)
    }

    /// The variables of a draft with three lines.
    pub(crate) fn draft(&self) -> Value {
        let line = |quantity: &str| json!({"itemId": self.item, "quantity": quantity});
        json!({"input": {"customerId": self.customer, "lines": [line("1"), line("2"), line("3.5")]}})
    }

    /// The statements that one such request sends, once the server is warm: from PostgreSQL's own log.
    pub(crate) async fn capture(&self, request: &Value) -> Result<(Vec<replay::Statement>, String), Failure> {
        let mut superuser = PgConnection::connect(&self.postgres.url(DATABASE)).await?;
        superuser.execute("ALTER ROLE coulisse_server SET log_statement = 'all'").await?;
        let (child, url) = serve(&self.postgres, self.scratch.path())?;
        let sent = async {
            let post = || self.http.post(format!("{url}/graphql")).bearer_auth(&self.token).json(request);
            post().send().await?.bytes().await?;
            tokio::time::sleep(Duration::from_millis(300)).await;
            let before = std::fs::read_to_string(self.postgres.log())?.len();
            let answer: Value = post().send().await?.json().await?;
            if answer["errors"].is_array() {
                return Err(Failure::from(format!("{answer}")));
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
            let log = std::fs::read_to_string(self.postgres.log())?;
            Ok((replay::statements(&log[before..]), log[..before].to_owned()))
        };
        let statements = sent.await;
        drop(child);
        superuser.execute("ALTER ROLE coulisse_server RESET log_statement").await?;
        superuser.close().await?;
        statements
    }

    /// Sends a request again and again; CPU milliseconds of server and of PostgreSQL for each.
    pub(crate) async fn load(&self, request: &Value, span: Duration) -> Result<(f64, f64), Failure> {
        self.load_as(&self.token, request, span).await
    }

    /// The same as the company of a token.
    pub(crate) async fn load_as(
        &self,
        token: &str,
        request: &Value,
        span: Duration,
    ) -> Result<(f64, f64), Failure> {
        let (server, postgres) = (self.server.pid(), self.postgres.pid());
        let before = (cpu::of_process(server), cpu::of_family(postgres));
        let count = Arc::new(AtomicU64::new(0));
        let until = Instant::now() + span;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let post = self.post(&self.url, token, request);
                let count = count.clone();
                tokio::spawn(async move {
                    while Instant::now() < until {
                        let request = post.try_clone().ok_or("a body that cannot be sent twice")?;
                        request.send().await?.error_for_status()?.bytes().await?;
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok::<_, Failure>(())
                })
            })
            .collect();
        for client in clients {
            client.await??;
        }
        let after = (cpu::of_process(server), cpu::of_family(postgres));
        #[expect(clippy::cast_precision_loss, reason = "thousands of requests")]
        let count = count.load(Ordering::Relaxed).max(1) as f64;
        Ok(((after.0 - before.0) / count, (after.1 - before.1) / count))
    }

    /// Runs a script with pgbench as the server's role; CPU milliseconds of pgbench and of PostgreSQL for each run of it.
    pub(crate) fn pgbench(
        &self,
        script: &Path,
        variables: &[String],
        span: Duration,
    ) -> Result<(f64, f64), Failure> {
        let before = (cpu::of_children(), cpu::of_family(self.postgres.pid()));
        let output = Command::new(self.postgres.binaries().program("pgbench"))
            .args([
                "-n",
                "-M",
                "prepared",
                "-c",
                &CLIENTS.to_string(),
                "-j",
                "2",
                "-T",
                &span.as_secs().to_string(),
                "-f",
            ])
            .arg(script)
            .args(variables.iter().flat_map(|variable| ["-D", variable]))
            .env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan")
            .arg(self.postgres.url_as("coulisse_server", PASSWORD, DATABASE))
            .output()?;
        let after = (cpu::of_children(), cpu::of_family(self.postgres.pid()));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let count =
            text.lines().find_map(|line| line.strip_prefix("number of transactions actually processed: "));
        let count: f64 = count
            .and_then(|count| count.split('/').next()?.trim().parse().ok())
            .filter(|count| *count > 0.0)
            .ok_or_else(|| format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
        Ok(((after.0 - before.0) / count, (after.1 - before.1) / count))
    }

    /// Ends everything.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        drop(self.server);
        self.postgres.stop().await?;
        Ok(())
    }
}

/// A text of an answer.
pub(crate) fn text(value: &Value) -> Result<String, Failure> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("expected a text, found {value}").into())
}

/// The server of the same build as this benchmark.
fn binary() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let path = own.with_file_name("coulisse");
    if path.is_file() { Ok(path) } else { Err("build the server first: cargo build --release --bins".into()) }
}

fn serve(postgres: &Postgres, folder: &Path) -> Result<(Server, String), Failure> {
    let mut server = Server(
        Command::new(binary()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--log", "info"])
            // One program plays all clients here: none is held to a client's share.
            .args(["--budget-per-second", "0", "--anonymous-per-minute", "0", "--behind-proxy", "true"])
            .env("COULISSE_DATABASE_URL", postgres.url_as("coulisse_server", PASSWORD, DATABASE))
            .env("COULISSE_WORKER_DATABASE_URL", postgres.url_as("coulisse_worker", PASSWORD, DATABASE))
            .env("COULISSE_SEAL_KEYS", Vault::fresh_setting())
            .env("COULISSE_FILES", folder.join("files"))
            .stderr(Stdio::piped())
            .spawn()?,
    );
    let mut log = BufReader::new(server.0.stderr.take().ok_or("no log")?).lines();
    let listen = loop {
        let line = log.next().ok_or("the server ended")??;
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(listen) = line["listen"].as_str() {
            break listen.to_owned();
        }
    };
    std::thread::spawn(move || log.for_each(drop));
    Ok((server, format!("http://{listen}")))
}
