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

/// How the server runs. Secrets are never printed.
#[derive(Clone, Debug, Args)]
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

    /// Redis, for telling other replicas that figures moved; without it each finds it by itself within a second
    #[arg(long, env = "COULISSE_REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<String>,

    /// Keys that seal secrets at rest, `id:base64` of 32 bytes each (openssl rand -base64 32), separated by
    /// commas; the first seals, all open
    #[arg(long, env = "COULISSE_SEAL_KEYS", hide_env_values = true, value_name = "KEYS")]
    pub seal_keys: String,

    /// The folder that keeps uploaded files
    #[arg(long, env = "COULISSE_FILES", default_value = "files", value_name = "FOLDER")]
    pub files: PathBuf,

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
