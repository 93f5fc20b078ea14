//! Where the machine keeps its PostgreSQL and Redis.

use crate::ClusterError;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest PostgreSQL that will do (policies, `security_invoker` views, `NULLS NOT DISTINCT`).
pub const MIN_POSTGRES_MAJOR: u32 = 15;

/// Folders whose children (`<version>/bin`, or the folder itself for an empty suffix) hold PostgreSQL,
/// by the distributions that use them: Debian, Red Hat, Alpine, and Homebrew on both kinds of Mac.
const POSTGRES_PARENTS: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"),
    ("/usr/libexec", ""),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "bin"),
];

/// A PostgreSQL installation with its server programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresBinaries {
    /// The folder that holds `postgres`, `initdb`, `psql` and the rest.
    pub dir: PathBuf,
    /// Its major version, such as 15.
    pub major: u32,
}

impl PostgresBinaries {
    /// The path of one program of this installation.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Looks for a server in a folder. Links are followed first, because a distribution may link single
    /// programs into the search path while their companions stay at home.
    fn in_folder(dir: &Path) -> Option<Self> {
        let postgres = fs::canonicalize(dir.join("postgres")).ok()?;
        let dir = postgres.parent()?.to_path_buf();
        if !dir.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(&postgres).arg("--version").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { dir, major })
    }
}

/// Reads the major version out of `postgres (PostgreSQL) 15.14 (Debian …)`, or of `17beta1`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn known_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, bin) in POSTGRES_PARENTS {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // In a folder of its own every child counts; in a shared one only those named for PostgreSQL.
            if parent.ends_with("postgresql") || name.starts_with("postgresql") || name.starts_with("pgsql") {
                folders.push(entry.path().join(bin));
            }
        }
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    folders
}

fn installed() -> Vec<PostgresBinaries> {
    let mut found: Vec<PostgresBinaries> = Vec::new();
    for dir in search_path().into_iter().chain(known_folders()) {
        if let Some(binaries) = PostgresBinaries::in_folder(&dir)
            && !found.contains(&binaries)
        {
            found.push(binaries);
        }
    }
    found
}

/// Finds a PostgreSQL of at least [`MIN_POSTGRES_MAJOR`]: the first in the search path, else the newest
/// in the folders where distributions and Homebrew put it.
///
/// # Errors
/// [`ClusterError::BinaryMissing`] or [`ClusterError::TooOld`], with the command that installs one.
pub fn find_postgres() -> Result<PostgresBinaries, ClusterError> {
    let in_path = search_path().iter().find_map(|dir| PostgresBinaries::in_folder(dir));
    if let Some(binaries) = in_path
        && binaries.major >= MIN_POSTGRES_MAJOR
    {
        return Ok(binaries);
    }
    match installed().into_iter().max_by_key(|binaries| binaries.major) {
        Some(newest) if newest.major >= MIN_POSTGRES_MAJOR => Ok(newest),
        Some(newest) => Err(ClusterError::TooOld {
            found: newest.major,
            needed: MIN_POSTGRES_MAJOR,
            install: install("postgresql"),
        }),
        None => Err(ClusterError::BinaryMissing {
            what: format!("PostgreSQL {MIN_POSTGRES_MAJOR} or newer (initdb and postgres)"),
            install: install("postgresql"),
        }),
    }
}

/// Finds the installation that can read the data in `home`: a cluster is bound to its major version.
pub(crate) fn find_postgres_of_major(major: u32, home: &Path) -> Result<PostgresBinaries, ClusterError> {
    installed()
        .into_iter()
        .find(|binaries| binaries.major == major)
        .ok_or_else(|| ClusterError::WrongMajor { dir: home.to_path_buf(), data: major })
}

/// Finds `redis-server`, or its drop-in `valkey-server`.
///
/// # Errors
/// [`ClusterError::BinaryMissing`], with the command that installs it.
pub fn find_redis() -> Result<PathBuf, ClusterError> {
    let more = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin"];
    let folders: Vec<PathBuf> = search_path().into_iter().chain(more.map(PathBuf::from)).collect();
    for name in ["redis-server", "valkey-server"] {
        if let Some(found) = folders.iter().map(|dir| dir.join(name)).find(|path| path.is_file()) {
            return Ok(found);
        }
    }
    Err(ClusterError::BinaryMissing { what: "Redis (redis-server)".into(), install: install("redis") })
}

/// The command that installs a package here.
fn install(package: &str) -> String {
    let has = |manager: &str| search_path().iter().any(|dir| dir.join(manager).is_file());
    let postgres = package == "postgresql";
    if has("apt-get") {
        format!("apt-get install {}", if postgres { "postgresql" } else { "redis-server" })
    } else if has("brew") {
        format!("brew install {}", if postgres { "postgresql@17" } else { "redis" })
    } else if has("dnf") {
        format!("dnf install {}", if postgres { "postgresql-server" } else { "redis" })
    } else if has("apk") {
        format!("apk add {}", if postgres { "postgresql17" } else { "redis" })
    } else if has("pacman") {
        format!("pacman -S {}", if postgres { "postgresql" } else { "redis" })
    } else if postgres {
        format!("install PostgreSQL {MIN_POSTGRES_MAJOR} or newer and put its bin folder into PATH")
    } else {
        "install Redis and put redis-server into PATH".into()
    }
}

#[cfg(test)]
mod tests {
    use super::major_of;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("command not found"), None);
    }
}
