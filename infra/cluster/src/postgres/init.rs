//! Making a cluster.
//!
//! `initdb` works in a folder beside `data`, which takes that name only when all is done. So an `initdb`
//! that was cut short never looks like a cluster, and its remains are removed by the next start.

use crate::binaries::PostgresBinaries;
use crate::error::{ClusterError, Doing, says_disk_full, tail};
use crate::place;
use crate::user::ServiceUser;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const UNFINISHED: &str = "init-";

/// Locales to try in turn. Characters are classified as Unicode has them where the system knows how;
/// text always sorts by code point, so that an index means the same on every machine.
const LOCALES: [&[&str]; 3] = [
    &["--locale=C.UTF-8"],
    &["--lc-collate=C", "--lc-ctype=en_US.UTF-8", "--lc-messages=C"],
    &["--locale=C"],
];

/// Removes what an `initdb` that was cut short left behind. Called with the lock held.
pub(super) fn sweep(home: &Path) {
    let Ok(entries) = fs::read_dir(home) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED))
    {
        fs::remove_dir_all(entry.path()).ok();
    }
}

/// Whether there is a cluster. An empty folder is none; one with something else in it is an error, for
/// only this module writes there and it leaves nothing half done.
pub(super) fn exists(home: &Path, data: &Path) -> Result<bool, ClusterError> {
    let mut entries = match fs::read_dir(data) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        // Owned by an account that keeps it to itself.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            place::check_owner(data, home, ServiceUser::Oneself)?;
            return Err(ClusterError::io("reading", data, error));
        }
        entries => entries.doing("reading", data)?,
    };
    if entries.next().is_none() {
        fs::remove_dir(data).doing("removing", data)?;
        return Ok(false);
    }
    for needed in ["PG_VERSION", "global/pg_control"] {
        if !data.join(needed).is_file() {
            return Err(damaged(data, &format!("{needed} is missing")));
        }
    }
    Ok(true)
}

fn damaged(dir: &Path, lacks: &str) -> ClusterError {
    ClusterError::Damaged { dir: dir.to_path_buf(), lacks: lacks.to_owned() }
}

/// The major version that the cluster belongs to.
pub(super) fn major_of(home: &Path, data: &Path) -> Result<u32, ClusterError> {
    let path = data.join("PG_VERSION");
    let text = fs::read_to_string(&path).doing("reading", &path)?;
    text.trim().parse().map_err(|_| damaged(home, "PG_VERSION is not a number"))
}

fn password_path(home: &Path) -> PathBuf {
    home.join("password")
}

/// The superuser's password, as it was kept when the cluster was made.
pub(super) fn password(home: &Path) -> Result<String, ClusterError> {
    let path = password_path(home);
    match fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Ok(_) => Err(damaged(home, "the file `password` is empty")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(damaged(home, "the file `password` is missing"))
        }
        Err(error) => Err(ClusterError::io("reading", &path, error)),
    }
}

/// Makes the cluster and returns the superuser's new password. Every connection must give a password,
/// over the socket too: one rule, and a port on 127.0.0.1 is open to every account of the machine.
pub(super) fn create(
    home: &Path,
    data: &Path,
    user: ServiceUser,
    binaries: &PostgresBinaries,
    ephemeral: bool,
) -> Result<String, ClusterError> {
    let password = place::random_password()?;
    let password_file = password_path(home);
    place::write_private(&password_file, &format!("{password}\n"))?;
    user.own(&password_file).doing("giving away", &password_file)?;

    let mut output = String::new();
    for locale in LOCALES {
        // A name of its own each time: an orphaned initdb may still be writing to the last one.
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let unfinished = home.join(format!("{UNFINISHED}{}-{nanos}", std::process::id()));
        place::private_dir(&unfinished, user).doing("creating", &unfinished)?;
        let program = binaries.program("initdb");
        let mut command = user.command(&program);
        command.arg("-D").arg(&unfinished).arg("--username=postgres").arg("--pwfile").arg(&password_file);
        command.args(["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]).args(locale);
        if ephemeral {
            command.arg("--no-sync");
        }
        let result = command.output().doing("running", &program)?;
        if result.status.success() {
            fs::rename(&unfinished, data).doing("creating", data)?;
            if !ephemeral {
                File::open(home).and_then(|home| home.sync_all()).doing("flushing", home)?;
            }
            return Ok(password);
        }
        fs::remove_dir_all(&unfinished).ok();
        output = String::from_utf8_lossy(&[result.stdout, result.stderr].concat()).into_owned();
        if !output.contains("locale") {
            break;
        }
    }
    if says_disk_full(&output) {
        return Err(ClusterError::DiskFull { dir: home.to_path_buf() });
    }
    Err(ClusterError::Init { dir: home.to_path_buf(), output: tail(&output) })
}
