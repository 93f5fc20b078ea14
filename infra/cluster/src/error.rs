//! What can go wrong, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a server could not be started or stopped. Each message ends with the fix, where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A server's programs are not installed, or not where they are looked for.
    #[error("{what} is not installed: {install}")]
    BinaryMissing {
        /// What is missing, such as "Redis (redis-server)".
        what: String,
        /// The command that installs it here.
        install: String,
    },
    /// PostgreSQL is installed, but too old.
    #[error("PostgreSQL {found} is installed, {needed} or newer is needed: {install}")]
    TooOld {
        /// The newest major version found.
        found: u32,
        /// The oldest that will do.
        needed: u32,
        /// The command that installs it here.
        install: String,
    },
    /// The data was written by a major version that is not installed.
    #[error(
        "the data in {} was written by PostgreSQL {data}, which is not installed: install PostgreSQL \
         {data}, or move the folder away to begin anew", dir.display()
    )]
    WrongMajor {
        /// The cluster's folder.
        dir: PathBuf,
        /// The major version that wrote it.
        data: u32,
    },
    /// Run by root, and no account was found that a server could run as.
    #[error(
        "run by root, a server must run as another account, and neither `postgres` nor `nobody` exists: \
         create one (useradd --system postgres), or run as an ordinary user"
    )]
    NoServiceUser,
    /// Another program uses this cluster now.
    #[error("another running program uses the cluster in {}: stop it, or choose another folder", dir.display())]
    InUse {
        /// The cluster's folder.
        dir: PathBuf,
    },
    /// The cluster belongs to another account.
    #[error(
        "the cluster in {} belongs to {owner}: run as that user or as root, or move the folder away to \
         begin anew", dir.display()
    )]
    Foreign {
        /// The cluster's folder.
        dir: PathBuf,
        /// Name or number of the owner.
        owner: String,
    },
    /// The folder lacks what makes it a cluster, and was not left so by a start that was cut short.
    #[error("{} is damaged ({lacks}): restore it from a backup, or move it away to begin anew", dir.display())]
    Damaged {
        /// The cluster's folder.
        dir: PathBuf,
        /// What is missing.
        lacks: String,
    },
    /// The disk is full.
    #[error("the disk that holds {} is full: free some space (a new cluster takes about 100 MB)", dir.display())]
    DiskFull {
        /// The folder that could not be written.
        dir: PathBuf,
    },
    /// A file or folder may not be read or written.
    #[error("not permitted: {doing} {}: give this user access to it, or choose another folder", path.display())]
    Permission {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
    },
    /// The port that was asked for is used by something else.
    #[error(
        "port {port} on 127.0.0.1 is taken: stop what listens there, or leave the port out to get a free one"
    )]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// `initdb` failed for a reason of its own.
    #[error("initdb failed in {}:\n{output}", dir.display())]
    Init {
        /// The cluster's folder.
        dir: PathBuf,
        /// The end of what it printed.
        output: String,
    },
    /// A server ended by itself while it was starting.
    #[error("{server} ended while starting; the end of {} says:\n{tail}", log.display())]
    Died {
        /// Which server.
        server: &'static str,
        /// Its log.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// A server runs but did not answer in time.
    #[error("{server} did not answer within {seconds} s; its log is {}:\n{tail}", log.display())]
    NotReady {
        /// Which server.
        server: &'static str,
        /// How long was waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// A server left over from a program that crashed does not stop.
    #[error("process {pid} still uses {} and does not stop: kill it and start again", dir.display())]
    StillRunning {
        /// The process.
        pid: i32,
        /// The cluster's folder.
        dir: PathBuf,
    },
    /// Anything else the operating system refused.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ClusterError {
    /// Sorts an error of the system into the variant that says the fix.
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { dir: path },
            io::ErrorKind::PermissionDenied => Self::Permission { doing, path },
            _ => Self::Io { doing, path, source },
        }
    }
}

/// Adds to an [`io::Result`] what was being done, and to what.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, ClusterError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, ClusterError> {
        self.map_err(|source| ClusterError::io(doing, path, source))
    }
}

/// Whether a program's output blames a full disk.
pub(crate) fn says_disk_full(output: &str) -> bool {
    let signs = ["No space left on device", "Disk quota exceeded", "Check free disk space"];
    signs.iter().any(|sign| output.contains(sign))
}

/// The last lines of a program's output: enough to see the cause, short enough for a terminal.
pub(crate) fn tail(output: &str) -> String {
    const LINES: usize = 12;
    let lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
