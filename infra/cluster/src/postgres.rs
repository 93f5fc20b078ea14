//! A private PostgreSQL server.
//!
//! In its folder: `data/` (the cluster), `sock/` (its socket), `password` (of the superuser, mode 600),
//! `port` (the one it had last), `lock` (held by the program that uses it), `postgres.log` and the log of
//! the run before, `postgres.log.1`.

mod init;
mod leftover;
mod settings;

use crate::binaries::{PostgresBinaries, find_postgres, find_postgres_of_major};
use crate::error::{ClusterError, Doing, says_disk_full, tail};
use crate::place;
use crate::process::{Ladder, Server, wait_until};
use crate::user::ServiceUser;
use rustix::process::Signal;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

const NAME: &str = "PostgreSQL";
const SUPERUSER: &str = "postgres";

/// How often another free port is tried when the chosen one was taken in the meantime.
const PORT_ATTEMPTS: usize = 8;

/// INT is a fast shutdown (open transactions end, data is flushed), QUIT an immediate one (the next start
/// recovers from the log). TERM would wait for every client to leave.
const STOP: &Ladder = &[
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(10)),
    (Signal::KILL, Duration::from_secs(5)),
];
/// A dropped handle blocks its thread, so it is less patient.
const DROP: &Ladder = &[
    (Signal::INT, Duration::from_secs(5)),
    (Signal::QUIT, Duration::from_secs(2)),
    (Signal::KILL, Duration::from_secs(1)),
];

/// How to start a [`Postgres`].
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The folder that is to hold the cluster; made if absent. Where the server's account may not use it,
    /// a fallback named by its hash is used: `/var/lib/coulisse/…` for root, `$XDG_STATE_HOME/coulisse/…`
    /// for others. [`Postgres::home`] tells which.
    pub dir: PathBuf,
    /// The port on 127.0.0.1. `None` keeps the port of the last run while it is free, and else takes any.
    pub port: Option<u16>,
    /// Whether the data may be lost with the machine's power: fast, for tests only.
    pub ephemeral: bool,
    /// The most connections at once.
    pub max_connections: u16,
    /// The size of the shared buffers in MiB.
    pub shared_buffers_mib: u32,
    /// Further settings of `postgresql.conf`, which go before the ones chosen here.
    pub settings: Vec<(String, String)>,
    /// How long the server may take to answer; recovery after a crash takes its time.
    pub ready_timeout: Duration,
}

impl PostgresOptions {
    /// A cluster that keeps its data in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            port: None,
            ephemeral: false,
            max_connections: 100,
            shared_buffers_mib: 128,
            settings: Vec::new(),
            ready_timeout: Duration::from_mins(2),
        }
    }

    /// A cluster for tests in `dir`.
    pub fn ephemeral(dir: impl Into<PathBuf>) -> Self {
        Self { ephemeral: true, ..Self::new(dir) }
    }
}

/// A running PostgreSQL server. Dropping it stops the server and blocks for that long; better to call
/// [`Postgres::stop`].
pub struct Postgres {
    // Before the lock, because fields are dropped in this order: the lock outlives the server.
    server: Server,
    home: PathBuf,
    socket_dir: PathBuf,
    binaries: PostgresBinaries,
    port: u16,
    password: String,
    _lock: File,
}

impl Postgres {
    /// Makes the cluster if there is none, recovers it if it was left running or crashed, starts it, and
    /// returns when it answers.
    ///
    /// A server that is still running on the folder although no program holds its lock was orphaned by a
    /// crash; it is stopped first (cleanly if it can be), not adopted: it is nobody's child, so its end
    /// would go unnoticed, and it runs with the settings of another time.
    ///
    /// # Errors
    /// See [`ClusterError`]; each says the fix.
    pub async fn start(options: PostgresOptions) -> Result<Self, ClusterError> {
        let path = options.dir.clone();
        let started = tokio::task::spawn_blocking(move || start(&options)).await;
        started.map_err(std::io::Error::other).doing("starting PostgreSQL in", &path)?
    }

    /// The superuser's URL over TCP for a database, as sqlx and libpq take it. It holds the password.
    pub fn url(&self, database: &str) -> String {
        self.url_as(SUPERUSER, &self.password, database)
    }

    /// The URL over TCP for a database and any role.
    pub fn url_as(&self, role: &str, password: &str, database: &str) -> String {
        let (role, password, database) = (escape(role), escape(password), escape(database));
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The superuser's URL over the socket, which costs less per round trip than TCP. Only the account that
    /// the server runs as, and root, can use it.
    pub fn socket_url(&self, database: &str) -> String {
        let socket = escape(&self.socket_dir.to_string_lossy());
        let (password, port) = (&self.password, self.port);
        format!("postgres://{SUPERUSER}:{password}@localhost:{port}/{}?host={socket}", escape(database))
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The folder that holds the cluster in fact.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        log_path(&self.home)
    }

    /// The installation that runs.
    pub fn binaries(&self) -> &PostgresBinaries {
        &self.binaries
    }

    /// The process id of the server.
    pub fn pid(&self) -> i32 {
        self.server.pid()
    }

    /// Waits until the server ends, whatever ends it, and tells how (`None` if the system did not say).
    pub async fn ended(&self) -> Option<ExitStatus> {
        self.server.ended().await
    }

    /// Stops the server: open transactions are rolled back, everything committed is flushed.
    ///
    /// # Errors
    /// [`ClusterError::StillRunning`] if it withstands even being killed.
    pub async fn stop(self) -> Result<(), ClusterError> {
        self.stop_then(|_| Ok(())).await
    }

    /// Stops the server and removes the cluster with everything in it.
    ///
    /// # Errors
    /// As [`Postgres::stop`], and the system's if the folder cannot be removed.
    pub async fn remove(self) -> Result<(), ClusterError> {
        self.stop_then(|postgres| {
            if !postgres.socket_dir.starts_with(&postgres.home) {
                fs::remove_dir_all(&postgres.socket_dir).ok();
            }
            fs::remove_dir_all(&postgres.home).doing("removing", &postgres.home)
        })
        .await
    }

    async fn stop_then(
        self,
        then: impl FnOnce(&Self) -> Result<(), ClusterError> + Send + 'static,
    ) -> Result<(), ClusterError> {
        let home = self.home.clone();
        let stopped = tokio::task::spawn_blocking(move || {
            if !self.server.stop(STOP) {
                return Err(ClusterError::StillRunning { pid: self.pid(), dir: self.home.clone() });
            }
            then(&self)
        });
        stopped.await.map_err(std::io::Error::other).doing("stopping PostgreSQL in", &home)?
    }
}

impl std::fmt::Debug for Postgres {
    /// Leaves out the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Postgres");
        debug.field("home", &self.home).field("port", &self.port).field("pid", &self.pid());
        debug.finish_non_exhaustive()
    }
}

/// Escapes what means something in a URL.
fn escape(part: &str) -> String {
    use std::fmt::Write as _;
    part.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").ok();
        }
        text
    })
}

fn log_path(home: &Path) -> PathBuf {
    home.join("postgres.log")
}

fn start(options: &PostgresOptions) -> Result<Postgres, ClusterError> {
    let mut binaries = find_postgres()?;
    let user = ServiceUser::for_data(&options.dir.join("data"))?;
    let home = place::open(&options.dir, user)?;
    let data = home.join("data");
    // The fallback folder may hold data of another account than the one that is the default today.
    let user = ServiceUser::for_data(&data)?;
    let lock = place::lock(&home)?;

    init::sweep(&home);
    let password = if init::exists(&home, &data)? {
        place::check_owner(&data, &home, user)?;
        binaries = match init::major_of(&home, &data)? {
            major if major == binaries.major => binaries,
            major => find_postgres_of_major(major, &home)?,
        };
        leftover::settle(&home, &data, user)?;
        init::password(&home)?
    } else {
        init::create(&home, &data, user, &binaries, options.ephemeral)?
    };

    let socket_dir = place::socket_dir(&home, user)?;
    let port_file = home.join("port");
    let mut port = match options.port {
        Some(port) if place::is_free(port) => port,
        Some(port) => return Err(ClusterError::PortTaken { port }),
        None => {
            remembered(&port_file).map_or_else(place::free_port, Ok).doing("choosing a port for", &home)?
        }
    };
    let mut attempt = 1;
    let server = loop {
        let arguments = settings::arguments(options, &data, &socket_dir, port);
        match launch(options, &home, &data, user, &binaries, &arguments, port) {
            Err(ClusterError::PortTaken { .. }) if options.port.is_none() && attempt < PORT_ATTEMPTS => {
                attempt += 1;
                port = place::free_port().doing("choosing a port for", &home)?;
            }
            launched => break launched?,
        }
    };
    place::write_private(&port_file, &format!("{port}\n"))?;
    Ok(Postgres { server, home, socket_dir, binaries, port, password, _lock: lock })
}

fn remembered(port_file: &Path) -> Option<u16> {
    let port = fs::read_to_string(port_file).ok()?.trim().parse().ok()?;
    place::is_free(port).then_some(port)
}

fn launch(
    options: &PostgresOptions,
    home: &Path,
    data: &Path,
    user: ServiceUser,
    binaries: &PostgresBinaries,
    arguments: &[String],
    port: u16,
) -> Result<Server, ClusterError> {
    let log = log_path(home);
    fs::rename(&log, log.with_extension("log.1")).ok();
    let mut create = OpenOptions::new();
    create.create(true).append(true).mode(0o600);
    let output = create.open(&log).doing("writing", &log)?;
    let errors = output.try_clone().doing("writing", &log)?;
    let program = binaries.program("postgres");
    let mut command = user.command(&program);
    command.args(arguments).stdout(output).stderr(errors);
    let server = Server::spawn(command, DROP).doing("running", &program)?;

    let ready = wait_until(options.ready_timeout, || {
        server.has_ended() || (leftover::is_ready(data, server.pid()) && answers(port))
    });
    // Logs may hold any bytes; what cannot be read is of no help anyway.
    let said = || String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    if server.has_ended() {
        return Err(cause_of_death(&said(), home, log.clone(), port));
    }
    if !ready {
        let seconds = options.ready_timeout.as_secs();
        return Err(ClusterError::NotReady { server: NAME, seconds, tail: tail(&said()), log });
    }
    Ok(server)
}

fn cause_of_death(said: &str, home: &Path, log: PathBuf, port: u16) -> ClusterError {
    if said.contains("could not bind") || said.contains("could not create any TCP/IP sockets") {
        ClusterError::PortTaken { port }
    } else if says_disk_full(said) {
        ClusterError::DiskFull { dir: home.to_path_buf() }
    } else {
        ClusterError::Died { server: NAME, log, tail: tail(said) }
    }
}

/// Whether the server answers on its port. The question, whether it offers TLS, is the one that every
/// version answers before asking who is there.
fn answers(port: u16) -> bool {
    const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let patience = Duration::from_secs(2);
    let ask = || -> std::io::Result<u8> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(&TLS_REQUEST)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        Ok(answer[0])
    };
    matches!(ask(), Ok(b'N' | b'S'))
}
