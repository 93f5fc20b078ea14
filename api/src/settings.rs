//! Every setting: by option, by environment, or by one file. An option beats the environment, which beats the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Command, ValueEnum};

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Who may ask for the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Introspection {
    /// Whoever asks.
    Everyone,
    /// Who is signed in.
    SignedIn,
    /// Nobody.
    Nobody,
}

/// How the server runs. Secrets are never printed.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Settings {
    /// A TOML file with any of these settings, named as the options are: `listen = "0.0.0.0:8080"`
    #[arg(long, env = "COULISSE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The address to listen on
    #[arg(long, env = "COULISSE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,

    /// The server's address as clients see it, for links; http://<listen> when not given
    #[arg(long, env = "COULISSE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// PostgreSQL 15 or later as `coulisse_server`, the role that the policies apply to
    #[arg(long, env = "COULISSE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,

    /// The same database as `coulisse_worker`, the role that seals events and folds figures
    #[arg(long, env = "COULISSE_WORKER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub worker_database_url: String,

    /// Redis, for what replicas share: budgets, sent documents, and word that figures moved; without it each keeps its own
    #[arg(long, env = "COULISSE_REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<String>,

    /// Keys that seal secrets at rest, `id:base64` of 32 bytes each (openssl rand -base64 32), separated by
    /// commas; the first seals, all open
    #[arg(long, env = "COULISSE_SEAL_KEYS", hide_env_values = true, value_name = "KEYS")]
    pub seal_keys: String,

    /// The folder that keeps uploaded files
    #[arg(long, env = "COULISSE_FILES", default_value = "files", value_name = "FOLDER")]
    pub files: PathBuf,

    /// The SMTP server that sends letters: `smtp://user:password@host:587` (always with STARTTLS, unless on this machine)
    /// or `smtps://…`; without it letters wait
    #[arg(long, env = "COULISSE_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,

    /// A file of certificates (PEM) that the SMTP server is trusted by, beside the system's
    #[arg(long, env = "COULISSE_SMTP_CA", value_name = "FILE")]
    pub smtp_ca: Option<PathBuf>,

    /// The sender of letters, e.g. `Coulisse <post@example.com>`
    #[arg(long, env = "COULISSE_MAIL_FROM", value_name = "SENDER")]
    pub mail_from: Option<String>,

    /// Keep letters and show all of them at GET /outbox instead of sending them: for a demo and for developing only, for
    /// whoever reads them can take over any account
    #[arg(long, env = "COULISSE_OUTBOX", default_value_t = false, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub outbox: bool,

    /// The client at Google by which anybody can sign in, as `ID.apps.googleusercontent.com`; not offered without it
    #[arg(long, env = "COULISSE_GOOGLE_CLIENT_ID", requires = "google_client_secret", value_name = "ID")]
    pub google_client_id: Option<String>,

    /// The secret of that client
    #[arg(long, env = "COULISSE_GOOGLE_CLIENT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub google_client_secret: Option<String>,

    /// The client at Microsoft Entra by which anybody can sign in who was linked; not offered without it
    #[arg(
        long,
        env = "COULISSE_MICROSOFT_CLIENT_ID",
        requires = "microsoft_client_secret",
        value_name = "ID"
    )]
    pub microsoft_client_id: Option<String>,

    /// The secret of that client
    #[arg(long, env = "COULISSE_MICROSOFT_CLIENT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub microsoft_client_secret: Option<String>,

    /// The one directory of Microsoft Entra that is taken, by its id; all of companies and schools without it, never personal
    /// accounts
    #[arg(long, env = "COULISSE_MICROSOFT_DIRECTORY", value_name = "UUID")]
    pub microsoft_directory: Option<String>,

    /// Reach sign-in providers on this machine, also without TLS: for tests and developing only
    #[arg(long, env = "COULISSE_SSO_LOOPBACK", default_value_t = false, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub sso_loopback: bool,

    /// The DNS server that is asked for the records which prove domains; those of the system without it
    #[arg(long, env = "COULISSE_DNS_SERVER", value_name = "ADDRESS:PORT")]
    pub dns_server: Option<std::net::SocketAddr>,

    /// A database of countries or cities (.mmdb), to tell where sessions were opened; without it no
    /// place is told
    #[arg(long, env = "COULISSE_GEO_DATABASE", value_name = "FILE")]
    pub geo_database: Option<PathBuf>,

    /// Most connections to PostgreSQL that requests may hold
    #[arg(long, env = "COULISSE_DATABASE_CONNECTIONS", default_value_t = 16, value_name = "N")]
    pub database_connections: u32,

    /// Set to false behind a pooler that cannot keep prepared statements
    #[arg(long, env = "COULISSE_PREPARED_STATEMENTS", default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub prepared_statements: bool,

    /// Whether this replica folds figures, seals events and ticks midnights
    #[arg(long, env = "COULISSE_WORKERS", default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub workers: bool,

    /// Whether GET /graphql shows the GraphiQL page
    #[arg(long, env = "COULISSE_GRAPHIQL", default_value_t = false, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub graphiql: bool,

    /// Who may ask for the schema by introspection
    #[arg(long, env = "COULISSE_INTROSPECTION", value_enum, default_value_t = Introspection::SignedIn)]
    pub introspection: Introspection,

    /// Other origins whose pages may use the API, as browsers write them (scheme, host, port), separated by
    /// commas
    #[arg(long, env = "COULISSE_ALLOWED_ORIGINS", value_delimiter = ',', value_name = "ORIGINS")]
    pub allowed_origins: Vec<String>,

    /// Set to true behind a proxy that adds the client's address to X-Forwarded-For: the last one there is believed
    #[arg(long, env = "COULISSE_BEHIND_PROXY", default_value_t = false, action = clap::ArgAction::Set, value_name = "BOOL")]
    pub behind_proxy: bool,

    /// Cost units that a company may spend a second, ten seconds' worth at once, and one of its clients half of that;
    /// 0 for no limit
    #[arg(long, env = "COULISSE_BUDGET_PER_SECOND", default_value_t = 5000, value_name = "UNITS")]
    pub budget_per_second: u32,

    /// Requests a minute that an address may send without being signed in; 0 for no limit
    #[arg(long, env = "COULISSE_ANONYMOUS_PER_MINUTE", default_value_t = 240, value_name = "N")]
    pub anonymous_per_minute: u32,

    /// Most connections of clients, sockets and event streams included
    #[arg(long, env = "COULISSE_CLIENT_CONNECTIONS", default_value_t = 20_000, value_name = "N")]
    pub client_connections: usize,

    /// What is logged, e.g. `info` or `coulisse=debug,sqlx=warn`
    #[arg(
        long,
        env = "COULISSE_LOG",
        default_value = "info,sqlx::postgres::notice=warn",
        value_name = "FILTER"
    )]
    pub log: String,

    /// How log lines are written
    #[arg(long, env = "COULISSE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}

impl Settings {
    /// The server's address as clients see it, without a slash at the end.
    pub(crate) fn public_url(&self) -> String {
        let url = self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen));
        url.trim_end_matches('/').to_owned()
    }
}

/// Gives the settings of a file to every subcommand, as defaults below options and environment.
pub(crate) fn with_file(command: Command, file: &Path) -> Result<Command, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let table: toml::Table = text.parse().map_err(|e| format!("{}: {e}", file.display()))?;
    let known: Vec<String> = command
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .filter_map(|argument| argument.get_long().map(|long| long.replace('-', "_")))
        .collect();
    let mut values = Vec::new();
    for (key, value) in table {
        let key = key.replace('-', "_");
        if !known.contains(&key) {
            return Err(format!(
                "{}: there is no setting `{key}`; `coulisse serve --help` lists them",
                file.display()
            ));
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(truth) => truth.to_string(),
            other => return Err(format!("{}: `{key}` cannot be {}", file.display(), other.type_str())),
        };
        values.push((key, value));
    }
    Ok(command.mut_subcommands(|subcommand| {
        values.iter().fold(subcommand, |subcommand, (key, value)| {
            let there = subcommand.get_arguments().any(|argument| argument.get_id() == key.as_str());
            if !there {
                return subcommand;
            }
            // clap keeps defaults for the life of the program; there is one file, read once.
            let kept: &'static str = value.clone().leak();
            subcommand.mut_arg(key, |argument| argument.required(false).default_value(kept))
        })
    }))
}
