//! The server and its command line.

mod demo;
mod doctor;
mod edge;
mod founding;
mod graphql;
mod people;
mod post;
mod server;
mod settings;
mod sso;
mod verify;
mod workers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tokio::net::TcpListener;

use mimalloc::MiMalloc;
use server::{Failure, Server, interrupted};
use settings::Settings;

/// An answer is made of thousands of small pieces: the system's allocator takes a tenth of the time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Coulisse: the back office that companies share and never see each other in.
#[derive(Debug, Parser)]
#[command(name = "coulisse", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a live back office with two companies, needing nothing but the binaries of PostgreSQL
    Demo(demo::Options),
    /// Serves the API
    Serve(Settings),
    /// Brings the database's schema up to date
    Migrate(Migrate),
    /// Prints the public contract
    Schema(Schema),
    /// Says what is missing or misconfigured, and the fix
    Doctor(Settings),
    /// Keeps a person out of every company, or lets them in again
    Person(people::Options),
    /// Verifies a company's sealed event log and names the first broken link
    VerifyEvents(verify::Options),
}

/// Where the schema is built.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "the names of the settings")]
struct Migrate {
    /// PostgreSQL as `coulisse_owner`, the role that owns the schema
    #[arg(long, env = "COULISSE_OWNER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    owner_database_url: String,

    /// A superuser's URL: first creates the roles and the database where they are missing
    #[arg(long, env = "COULISSE_ADMIN_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    admin_database_url: Option<String>,

    /// The URL of `coulisse_server`, for its password; needed with --admin-database-url
    #[arg(
        long,
        env = "COULISSE_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        requires = "admin_database_url"
    )]
    database_url: Option<String>,

    /// The URL of `coulisse_worker`, for its password; needed with --admin-database-url
    #[arg(
        long,
        env = "COULISSE_WORKER_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        requires = "admin_database_url"
    )]
    worker_database_url: Option<String>,
}

/// The public contract.
#[derive(Debug, Args)]
struct Schema {
    /// Compare with this file instead of printing, and fail on a difference
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "schema.graphql")]
    check: Option<PathBuf>,
}

fn main() -> ExitCode {
    let command = match command_with_file() {
        Ok(command) => command,
        Err(message) => {
            eprintln!("coulisse: {message}");
            return ExitCode::from(2);
        }
    };
    let cli = match Cli::from_arg_matches(&command.get_matches()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("coulisse: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("coulisse: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The command line, with the settings of `--config FILE` or `COULISSE_CONFIG` as defaults.
fn command_with_file() -> Result<clap::Command, String> {
    let arguments: Vec<String> = std::env::args().collect();
    let named = arguments.iter().zip(arguments.iter().skip(1)).find(|(option, _)| *option == "--config");
    let joined = arguments.iter().find_map(|argument| argument.strip_prefix("--config=").map(str::to_owned));
    let file =
        named.map(|(_, file)| file.clone()).or(joined).or_else(|| std::env::var("COULISSE_CONFIG").ok());
    match file {
        Some(file) => settings::with_file(Cli::command(), file.as_ref()),
        None => Ok(Cli::command()),
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo(options) => demo::run(options).await?,
        Command::Serve(settings) => serve(&settings).await?,
        Command::Migrate(migrate) => {
            if let Some(admin) = &migrate.admin_database_url {
                prepare(admin, &migrate).await?;
            }
            migration::run(&migrate.owner_database_url).await?;
            println!("the schema is up to date");
        }
        Command::Schema(schema) => return check_schema(schema.check),
        Command::Doctor(settings) => {
            return Ok(if doctor::examine(&settings).await { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Person(options) => people::run(options).await?,
        Command::VerifyEvents(options) => return verify::run(options).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(settings: &Settings) -> Result<(), Failure> {
    server::log(&settings.log, settings.log_format)?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|e| {
        format!("cannot listen on {}: {e}; give another address with --listen", settings.listen)
    })?;
    // A port that the system has chosen is known from here on, and is the one in links.
    let settings = &Settings { listen: listener.local_addr()?, ..settings.clone() };
    let server = Server::build(settings)?;
    tracing::info!(listen = %listener.local_addr()?, url = %settings.public_url(), "serving");
    server.serve(listener, interrupted()).await
}

async fn prepare(admin: &str, migrate: &Migrate) -> Result<(), Failure> {
    let read = |url: Option<&String>, option: &str| -> Result<(String, String), Failure> {
        let url = url.ok_or_else(|| {
            format!("with --admin-database-url, {option} is needed for the role's password")
        })?;
        let url: url::Url = url.parse()?;
        let password = url.password().ok_or_else(|| format!("{option} has no password"))?;
        Ok((password.to_owned(), url.path().trim_start_matches('/').to_owned()))
    };
    let (owner, database) = read(Some(&migrate.owner_database_url), "--owner-database-url")?;
    let (server, _) = read(migrate.database_url.as_ref(), "--database-url")?;
    let (worker, _) = read(migrate.worker_database_url.as_ref(), "--worker-database-url")?;
    migration::prepare(admin, &database, &migration::RolePasswords { owner, server, worker }).await?;
    Ok(())
}

fn check_schema(file: Option<PathBuf>) -> Result<ExitCode, Failure> {
    let sdl = graphql::sdl();
    let Some(file) = file else {
        print!("{sdl}");
        return Ok(ExitCode::SUCCESS);
    };
    let committed = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    if committed == sdl {
        return Ok(ExitCode::SUCCESS);
    }
    let line = committed.lines().zip(sdl.lines()).take_while(|(a, b)| a == b).count() + 1;
    eprintln!(
        "{} differs from the code, first in line {line}; if the change is meant: coulisse schema > {}",
        file.display(),
        file.display()
    );
    Ok(ExitCode::FAILURE)
}
