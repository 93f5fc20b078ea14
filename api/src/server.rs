//! The wiring: from settings to a listening server, and back down without losing an answer.

use std::path::Path;

use documents::Files;
use gateway::http::cors::Origins;
use gateway::http::listen::{self, Limits};
use gateway::socket::{self, Hub};
use identity::place::Places;
use identity::{Authenticator, Passwords};
use kernel::db::DbOptions;
use kernel::hint::Hints;
use kernel::vault::Vault;
use kernel::{Clock, Db};
use mail::post::Post;
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::edge::gates::Gates;
use crate::edge::{Edge, router};
use crate::graphql::request::App;
use crate::graphql::{ApiSchema, schema};
use crate::post::post;
use crate::settings::{LogFormat, Settings};
use crate::workers;

/// What ends a command, told on standard error.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Everything a server needs, ready to listen.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Server {
    pub app: App,
    pub workers: bool,
    pub graphiql: bool,
    /// Who takes letters.
    post: Option<Post>,
    outbox: bool,
    /// The sign-ins of the demo, as JSON.
    pub demo: Option<bytes::Bytes>,
    schema: ApiSchema,
    gates: Gates,
    origins: Origins,
    limits: Limits,
    streams: Hub,
    behind_proxy: bool,
}

impl Server {
    /// Builds the server. Nothing is asked of PostgreSQL or Redis yet: a server starts without them.
    pub(crate) fn build(settings: &Settings) -> Result<Self, Failure> {
        let vault = Vault::parse(&settings.seal_keys)?;
        let clock = Clock::system();
        let db = Db::connect(&DbOptions {
            server_url: settings.database_url.clone(),
            worker_url: settings.worker_database_url.clone(),
            connections: settings.database_connections,
            prepared_statements: settings.prepared_statements,
        })?;
        let hints = match &settings.redis_url {
            Some(url) => Hints::over_redis(url)?,
            None => Hints::local(),
        };
        let places = settings.geo_database.as_deref().map(Places::open).transpose()?.unwrap_or_default();
        let app = App {
            hub: kpi::Hub::new(db.clone(), vault.clone(), clock.clone(), hints.clone()),
            auth: Authenticator::new(db, vault, clock).issued_by(&settings.public_url()).with_places(places),
            passwords: Passwords::default(),
            files: Files::local(Path::new(&settings.files))?,
            hints,
            federation: crate::sso::federation(settings)?,
            public_url: settings.public_url(),
        };
        let schema = schema();
        let origins = settings.allowed_origins.iter().map(String::as_str).filter(|origin| !origin.is_empty());
        let per_address = if settings.behind_proxy { None } else { Limits::default().per_address };
        Ok(Self {
            app,
            workers: settings.workers,
            graphiql: settings.graphiql,
            post: post(settings)?,
            outbox: settings.outbox,
            demo: None,
            gates: Gates::build(settings, &schema)?,
            schema,
            origins: Origins::parse(origins)?,
            limits: Limits { connections: settings.client_connections, per_address, ..Limits::default() },
            streams: Hub::new(socket::Settings {
                most_connections: settings.client_connections,
                ..socket::Settings::default()
            }),
            behind_proxy: settings.behind_proxy,
        })
    }

    /// Serves until `stop` ends; requests under way are answered first.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let auth = self.app.auth.clone();
        let workers = self.workers.then(|| {
            let mut workers = workers::start(auth.db(), &self.app.hints, auth.clock());
            workers::letters(&mut workers, &auth, self.post.clone(), self.app.public_url.clone());
            workers::tokens(&mut workers, &auth);
            workers::figures(&mut workers, &auth);
            workers::alerts(&mut workers, &auth, self.app.public_url.clone());
            workers
        });
        let watching = workers::watch(&auth, &self.streams);
        let Self {
            app, schema, gates, origins, limits, streams, graphiql, outbox, demo, behind_proxy, ..
        } = self;
        let edge = Edge { schema, app, gates, streams: streams.clone(), origins, graphiql, outbox, demo };
        // Streams never end by themselves: they are told to go elsewhere as soon as nothing new is taken.
        let stop = async move {
            stop.await;
            streams.close();
        };
        let closed = listen::serve(listener, router(edge, behind_proxy), limits, stop).await;
        if closed.dropped > 0 {
            tracing::warn!(dropped = closed.dropped, "connections were still busy when the server ended");
        }
        drop((workers, watching));
        // What was used in the last minute, too.
        if let Err(fault) = identity::review::uses::flush(&auth).await {
            tracing::warn!(%fault, "the last uses of rights are not written down");
        }
        auth.db().close().await;
        Ok(())
    }
}

/// Ends at Ctrl-C or SIGTERM.
pub(crate) async fn interrupted() {
    let ctrl_c = async {
        // Without a handler there is no way to be told; then nothing ends this.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! { () = ctrl_c => {}, () = terminated => {} }
}

/// Starts logging.
pub(crate) fn log(filter: &str, format: LogFormat) -> Result<(), Failure> {
    let registry = tracing_subscriber::registry().with(filter.parse::<Targets>()?);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => registry.with(lines).init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).init(),
    }
    Ok(())
}
