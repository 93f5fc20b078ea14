//! A private Redis server that keeps nothing.

use crate::binaries::find_redis;
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

const NAME: &str = "Redis";
const PORT_ATTEMPTS: usize = 8;

const STOP: &Ladder = &[(Signal::INT, Duration::from_secs(5)), (Signal::KILL, Duration::from_secs(5))];

/// How to start a [`Redis`].
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// The folder for its log and its password; made if absent, with the fallback of
    /// [`PostgresOptions::dir`](crate::PostgresOptions::dir).
    pub dir: PathBuf,
    /// The port on 127.0.0.1; `None` takes any free one.
    pub port: Option<u16>,
    /// How long the server may take to answer.
    pub ready_timeout: Duration,
}

impl RedisOptions {
    /// A server with its files in `dir`, on any free port.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), port: None, ready_timeout: Duration::from_secs(20) }
    }
}

/// A running Redis server. Dropping it stops the server and blocks for that long.
pub struct Redis {
    server: Server,
    home: PathBuf,
    port: u16,
    password: String,
    _lock: File,
}

impl Redis {
    /// Starts a server without persistence and returns when it answers.
    ///
    /// # Errors
    /// See [`ClusterError`]; each says the fix.
    pub async fn start(options: RedisOptions) -> Result<Self, ClusterError> {
        let path = options.dir.clone();
        let started = tokio::task::spawn_blocking(move || start(&options)).await;
        started.map_err(std::io::Error::other).doing("starting Redis in", &path)?
    }

    /// The server's URL. It holds the password.
    pub fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}/0", self.password, self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the server.
    pub fn pid(&self) -> i32 {
        self.server.pid()
    }

    /// The folder that holds its files in fact.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Waits until the server ends, whatever ends it, and tells how (`None` if the system did not say).
    pub async fn ended(&self) -> Option<ExitStatus> {
        self.server.ended().await
    }

    /// Stops the server and removes its folder: it keeps nothing.
    ///
    /// # Errors
    /// [`ClusterError::StillRunning`] if it withstands even being killed.
    pub async fn stop(self) -> Result<(), ClusterError> {
        let home = self.home.clone();
        let stopped = tokio::task::spawn_blocking(move || {
            if !self.server.stop(STOP) {
                return Err(ClusterError::StillRunning { pid: self.pid(), dir: self.home.clone() });
            }
            fs::remove_dir_all(&self.home).doing("removing", &self.home)
        });
        stopped.await.map_err(std::io::Error::other).doing("stopping Redis in", &home)?
    }
}

impl std::fmt::Debug for Redis {
    /// Leaves out the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Redis");
        debug.field("port", &self.port).field("pid", &self.pid()).finish_non_exhaustive()
    }
}

fn start(options: &RedisOptions) -> Result<Redis, ClusterError> {
    let program = find_redis()?;
    let user = ServiceUser::for_data(&options.dir.join("data"))?;
    let home = place::open(&options.dir, user)?;
    let lock = place::lock(&home)?;
    let password = place::random_password()?;
    let data = home.join("data");
    if !data.is_dir() {
        place::private_dir(&data, user).doing("creating", &data)?;
    }
    let mut attempt = 1;
    let (server, port) = loop {
        let port = match options.port {
            Some(port) if place::is_free(port) => port,
            Some(port) => return Err(ClusterError::PortTaken { port }),
            None => place::free_port().doing("choosing a port for", &home)?,
        };
        match launch(options, &program, &home, user, &password, port) {
            Err(ClusterError::PortTaken { .. }) if options.port.is_none() && attempt < PORT_ATTEMPTS => {
                attempt += 1;
            }
            launched => break (launched?, port),
        }
    };
    Ok(Redis { server, home, port, password, _lock: lock })
}

fn launch(
    options: &RedisOptions,
    program: &Path,
    home: &Path,
    user: ServiceUser,
    password: &str,
    port: u16,
) -> Result<Server, ClusterError> {
    // In a file rather than on the command line, which every account of the machine can read.
    let config = home.join("redis.conf");
    let data = home.join("data");
    let settings = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir \"{}\"\ndaemonize no\nsave \"\"\n\
         appendonly no\ndatabases 16\n",
        data.display()
    );
    place::write_private(&config, &settings)?;
    user.own(&config).doing("giving away", &config)?;

    let log = home.join("redis.log");
    let mut create = OpenOptions::new();
    create.create(true).write(true).truncate(true).mode(0o600);
    let output = create.open(&log).doing("writing", &log)?;
    let errors = output.try_clone().doing("writing", &log)?;
    let mut command = user.command(program);
    command.arg(&config).stdout(output).stderr(errors);
    let server = Server::spawn(command, STOP).doing("running", program)?;

    let ready = wait_until(options.ready_timeout, || server.has_ended() || answers(port, password));
    let said = || String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    if server.has_ended() {
        let said = said();
        return Err(
            if said.contains("Address already in use") || said.contains("Could not create server TCP") {
                ClusterError::PortTaken { port }
            } else if says_disk_full(&said) {
                ClusterError::DiskFull { dir: home.to_path_buf() }
            } else {
                ClusterError::Died { server: NAME, tail: tail(&said), log }
            },
        );
    }
    if !ready {
        let seconds = options.ready_timeout.as_secs();
        return Err(ClusterError::NotReady { server: NAME, seconds, tail: tail(&said()), log });
    }
    Ok(server)
}

/// Whether a server answers that knows our password: no stranger on the same port does.
fn answers(port: u16, password: &str) -> bool {
    const EXPECTED: &[u8] = b"+OK\r\n+PONG\r\n";
    let patience = Duration::from_secs(2);
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(format!("AUTH {password}\r\nPING\r\n").as_bytes())?;
        let mut answer = [0; EXPECTED.len()];
        stream.read_exact(&mut answer)?;
        Ok(answer == EXPECTED)
    };
    ask().unwrap_or(false)
}
