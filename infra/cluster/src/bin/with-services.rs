//! Runs a command beside a PostgreSQL and a Redis of its own, and stops them after it.
//!
//! The servers keep nothing and have free ports, so that any number of runs go side by side. The command
//! finds them by `COULISSE_TEST_DATABASE_URL` (the superuser's) and `COULISSE_TEST_REDIS_URL`.

use cluster::{ClusterError, Postgres, PostgresOptions, Redis, RedisOptions, Scratch, scratch};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
Usage: with-services [--no-redis] -- COMMAND [ARGUMENT…]

Starts a PostgreSQL and a Redis that keep nothing, on free ports, runs the command with
COULISSE_TEST_DATABASE_URL and COULISSE_TEST_REDIS_URL, stops both servers, and exits as it did.

  --no-redis   leave Redis out
";

/// What a shell says of a command that could not be run, and of a wrong use.
const CANNOT_RUN: u8 = 126;
const WRONG_USE: u8 = 2;

struct Request {
    redis: bool,
    command: Vec<OsString>,
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Request> {
    let mut request = Request { redis: true, command: Vec::new() };
    let mut arguments = arguments.into_iter();
    for argument in arguments.by_ref() {
        match argument.to_str() {
            Some("--no-redis") => request.redis = false,
            Some("--") => break,
            _ => return None,
        }
    }
    request.command = arguments.collect();
    (!request.command.is_empty()).then_some(request)
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(request) = parse(std::env::args_os().skip(1)) else {
        eprint!("{USAGE}");
        return WRONG_USE.into();
    };
    match run(&request).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("with-services: {error}");
            CANNOT_RUN.into()
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error("cannot listen to signals: {0}")]
    Signals(std::io::Error),
    #[error("cannot run {command}: {source}")]
    Command { command: String, source: std::io::Error },
}

/// The signals that end the command, and us after it.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hang_up.recv() => Signal::HUP,
        }
    }
}

async fn run(request: &Request) -> Result<ExitCode, Failure> {
    // From here on a signal ends the command rather than us, so that the servers are always stopped.
    let mut signals = Signals::listen().map_err(Failure::Signals)?;
    let scratch = scratch()?;
    let (postgres, redis) = start(&scratch, request.redis).await?;

    let mut command = Command::new(&request.command[0]);
    command.args(&request.command[1..]).env("COULISSE_TEST_DATABASE_URL", postgres.url("postgres"));
    match &redis {
        Some(redis) => command.env("COULISSE_TEST_REDIS_URL", redis.url()),
        None => command.env_remove("COULISSE_TEST_REDIS_URL"),
    };
    let outcome = match command.spawn() {
        Ok(mut child) => wait(&mut child, &mut signals).await,
        Err(error) => Err(error),
    };

    if let Some(redis) = redis {
        redis.stop().await?;
    }
    postgres.remove().await?;
    drop(scratch);
    let status = outcome.map_err(|source| Failure::Command {
        command: request.command[0].to_string_lossy().into_owned(),
        source,
    })?;
    Ok(exit_code(status).into())
}

async fn start(scratch: &Scratch, redis: bool) -> Result<(Postgres, Option<Redis>), ClusterError> {
    let postgres = Postgres::start(PostgresOptions::ephemeral(scratch.path().join("pg")));
    let redis = async {
        if redis {
            return Redis::start(RedisOptions::new(scratch.path().join("redis"))).await.map(Some);
        }
        Ok(None)
    };
    let (postgres, redis) = tokio::join!(postgres, redis);
    let (postgres, redis) = (postgres?, redis?);
    let port = redis.as_ref().map_or_else(|| "none".to_owned(), |redis| format!("port {}", redis.port()));
    let major = postgres.binaries().major;
    eprintln!("with-services: PostgreSQL {major} on port {}, Redis {port}", postgres.port());
    Ok((postgres, redis))
}

/// Waits for the command and passes signals on to it.
async fn wait(child: &mut Child, signals: &mut Signals) -> std::io::Result<ExitStatus> {
    // The terminal sends Ctrl-C to the command as well, and a second one often means "now, without
    // cleaning up". So the command has a moment before it gets ours.
    const GRACE: Duration = Duration::from_secs(1);
    loop {
        let signal = tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => signal,
        };
        if signal == Signal::INT
            && let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await
        {
            return status;
        }
        if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
            kill_process(pid, signal).ok();
        }
    }
}

/// The command's own code; for a command that a signal ended, what a shell would say.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
