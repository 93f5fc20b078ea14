//! The wiring: from settings to a listening server, and back down without losing an answer.

use std::net::SocketAddr;
use std::path::Path;

use documents::Files;
use identity::{Authenticator, Passwords};
use kernel::db::DbOptions;
use kernel::hint::Hints;
use kernel::vault::Vault;
use kernel::{Clock, Db};
use tokio::net::TcpListener;

use crate::edge::{Edge, router};
use crate::graphql::request::App;
use crate::graphql::schema;
use crate::settings::{LogFormat, Settings};
use crate::workers;

/// What ends a command, told on standard error.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Everything a server needs, ready to listen.
#[derive(Clone)]
pub(crate) struct Server {
    pub app: App,
    pub workers: bool,
    pub graphiql: bool,
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
        let app = App {
            auth: Authenticator::new(db, vault, clock),
            passwords: Passwords::default(),
            files: Files::local(Path::new(&settings.files))?,
            hints,
            public_url: settings.public_url(),
        };
        Ok(Self { app, workers: settings.workers, graphiql: settings.graphiql })
    }

    /// Serves until `stop` ends; requests under way are answered first.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let auth = self.app.auth.clone();
        let workers = self.workers.then(|| workers::start(auth.db(), &self.app.hints, auth.clock()));
        let edge = Edge { schema: schema(), app: self.app, graphiql: self.graphiql };
        let service = router(edge).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).with_graceful_shutdown(stop).await?;
        drop(workers);
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
    let filter = tracing_subscriber::EnvFilter::try_new(filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}
