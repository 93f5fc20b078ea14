//! `coulisse demo`: a live back office on a private PostgreSQL, with two companies and a year behind them.

mod acts;
mod people;
mod place;
mod seed;
mod simulate;
mod story;
mod welcome;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use cluster::{Postgres, PostgresOptions};
use identity::Authenticator;
use kernel::Db;
use kernel::db::DbOptions;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::people::House;
use self::place::{Place, Secrets};
use self::story::{CAST, Cast};
use crate::server::{Failure, Server, interrupted, log};
use crate::settings::{Introspection, LogFormat, Settings};

/// How the demo runs.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The address to listen on; another free port is taken when this one is in use
    #[arg(long, env = "COULISSE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// Where the demo keeps its database and files
    #[arg(long, env = "COULISSE_DEMO_DIR", default_value = ".coulisse", value_name = "FOLDER")]
    dir: PathBuf,

    /// Redis, if there is one; the demo needs none
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    redis_url: Option<String>,

    /// Leave the companies alone: no simulated work, the figures move by your own
    #[arg(long)]
    still: bool,

    /// Open no browser
    #[arg(long)]
    no_browser: bool,

    /// What is logged
    #[arg(long, env = "COULISSE_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
}

/// Runs the demo until Ctrl-C.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    log(&options.log, LogFormat::Text)?;
    let place = Place::open(&options.dir)?;
    println!("starting a private PostgreSQL in {} …", place.postgres().display());
    let postgres = Postgres::start(PostgresOptions::new(place.postgres())).await?;
    let served = serve(&options, &place, &postgres).await;
    place.forget_demo_file();
    println!("\nstopping …");
    postgres.stop().await?;
    served
}

async fn serve(options: &Options, place: &Place, postgres: &Postgres) -> Result<(), Failure> {
    let secrets = place.secrets()?;
    if !place.is_seeded() {
        // A seed that was interrupted is begun anew: half a year of business would explain nothing.
        migration::discard(&postgres.url("postgres"), "coulisse").await?;
    }
    migration::prepare(&postgres.url("postgres"), "coulisse", &secrets.roles()).await?;
    migration::run(&postgres.url_as("coulisse_owner", &secrets.owner, "coulisse")).await?;

    let listener = match TcpListener::bind(options.listen).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind(SocketAddr::new(options.listen.ip(), 0)).await?,
    };
    let settings = settings(options, place, postgres, &secrets, listener.local_addr()?);
    let mut server = Server::build(&settings)?;
    let houses = houses(&server.app.auth, &settings, place).await?;
    server.demo = Some(welcome::sign_ins(&houses)?.into());
    let mut lives = JoinSet::new();
    if !options.still {
        for (cast, house) in &houses {
            lives.spawn(simulate::live(server.app.auth.clone(), cast, house.clone()));
        }
    }
    let (auth, url) = (server.app.auth.clone(), settings.public_url());
    let task = tokio::spawn(server.serve(listener, interrupted()));
    welcome::tell(&auth, place, &url, &houses).await?;
    if !options.no_browser {
        welcome::open(&url);
    }
    let ended = task.await;
    lives.abort_all();
    ended?
}

/// The demo's companies: found, or founded with their year behind them.
async fn houses(
    auth: &Authenticator,
    settings: &Settings,
    place: &Place,
) -> Result<Vec<(&'static Cast, House)>, Failure> {
    let mut houses = find(auth).await?;
    if houses.is_empty() {
        println!("writing a year of business for two companies …");
        let began = std::time::Instant::now();
        let today = auth.clock().today(chrono_tz::Europe::Paris);
        // Nobody waits for the disk at each of thousands of commits: a seed that was cut short is begun anew.
        let at_ease = |url: &str| format!("{url}?options=-c%20synchronous_commit%3Doff");
        let db = Db::connect(&DbOptions {
            server_url: at_ease(&settings.database_url),
            worker_url: at_ease(&settings.worker_database_url),
            connections: settings.database_connections,
            prepared_statements: settings.prepared_statements,
        })?;
        seed::run(&db, auth.vault(), today).await?;
        db.close().await;
        place.set_seeded()?;
        println!("… written in {:.0} s", began.elapsed().as_secs_f64());
        houses = find(auth).await?;
    }
    Ok(houses)
}

async fn find(auth: &Authenticator) -> Result<Vec<(&'static Cast, House)>, Failure> {
    let mut houses = Vec::new();
    for cast in &CAST {
        if let Some(house) = people::find(auth, cast).await? {
            houses.push((cast, house));
        }
    }
    Ok(houses)
}

fn settings(
    options: &Options,
    place: &Place,
    postgres: &Postgres,
    secrets: &Secrets,
    listen: SocketAddr,
) -> Settings {
    Settings {
        config: None,
        listen,
        public_url: None,
        database_url: postgres.url_as("coulisse_server", &secrets.server, "coulisse"),
        worker_database_url: postgres.url_as("coulisse_worker", &secrets.worker, "coulisse"),
        redis_url: options.redis_url.clone(),
        seal_keys: secrets.seal_keys.clone(),
        files: place.files(),
        smtp_url: None,
        smtp_ca: None,
        mail_from: None,
        outbox: true,
        google_client_id: None,
        google_client_secret: None,
        microsoft_client_id: None,
        microsoft_client_secret: None,
        microsoft_directory: None,
        sso_loopback: false,
        dns_server: None,
        geo_database: None,
        database_connections: 16,
        prepared_statements: true,
        workers: true,
        graphiql: true,
        introspection: Introspection::Everyone,
        allowed_origins: Vec::new(),
        behind_proxy: false,
        budget_per_second: 5000,
        anonymous_per_minute: 240,
        client_connections: 20_000,
        log: options.log.clone(),
        log_format: LogFormat::Text,
    }
}
