//! Where a server's files go.
//!
//! The folder that was asked for is taken if the account that the server runs as may enter it, own a
//! folder in it, and keep that folder to itself. Otherwise (a project below `/root`, a read-only or
//! foreign disk) the files go to a folder of the system's that is named by a hash of the path asked for,
//! so that the same project finds its data again.

use crate::error::{ClusterError, Doing};
use crate::user::{ServiceUser, name_of};
use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The longest path of a socket, in bytes; the system's address has room for no more.
const SOCKET_PATH_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Root's fallback; other accounts have `$XDG_STATE_HOME`.
const ROOT_STATE: &str = "/var/lib/coulisse";

/// A hash of a path that stays the same across builds and machines (FNV-1a), unlike the standard hasher.
pub(crate) fn path_hash(path: &Path) -> String {
    let hash = path.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Opens the folder for a server's files: the one asked for, or its fallback.
pub(crate) fn open(wanted: &Path, user: ServiceUser) -> Result<PathBuf, ClusterError> {
    let wanted = std::path::absolute(wanted).doing("finding", wanted)?;
    let existed = wanted.exists();
    // Rather than begin anew elsewhere while there is data here that another account keeps.
    let data = wanted.join("data");
    let is_empty = fs::read_dir(&data).is_ok_and(|mut entries| entries.next().is_none());
    if data.exists() && !is_empty {
        check_owner(&data, &wanted, user)?;
    }
    match try_home(&wanted, user) {
        Ok(Some(home)) => return Ok(home),
        Ok(None) => {}
        Err(error) if is_refusal(&error) => {}
        Err(error) => return Err(ClusterError::io("creating", &wanted, error)),
    }
    // Leave no empty folder that seems to be the place. Fails when something is in it, as it should.
    let hash = path_hash(&fs::canonicalize(&wanted).unwrap_or_else(|_| wanted.clone()));
    if !existed {
        fs::remove_dir(&wanted).ok();
    }
    let fallback = state_folder(user).join(hash);
    let home = try_home(&fallback, user).doing("creating", &fallback)?;
    let home = home.ok_or(ClusterError::Permission { doing: "using", path: fallback })?;
    let origin = home.join("origin");
    fs::write(&origin, format!("{}\n", wanted.display())).doing("writing", &origin)?;
    Ok(home)
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn state_folder(user: ServiceUser) -> PathBuf {
    if let ServiceUser::Other { .. } = user {
        return PathBuf::from(ROOT_STATE);
    }
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    state.or_else(home).unwrap_or_else(env::temp_dir).join("coulisse")
}

/// Makes the folder and tries it out as the account that will use it.
///
/// Run by root it stays root's, so that the server's account cannot replace the files beside its data;
/// that account may pass through (711). Otherwise it is private (700).
fn try_home(home: &Path, user: ServiceUser) -> io::Result<Option<PathBuf>> {
    fs::create_dir_all(home)?;
    let home = fs::canonicalize(home)?;
    if fs::metadata(&home)?.uid() == rustix::process::geteuid().as_raw() {
        let mode = if user == ServiceUser::Oneself { 0o700 } else { 0o711 };
        fs::set_permissions(&home, Permissions::from_mode(mode))?;
    }
    let probe = home.join(format!("probe-{}", std::process::id()));
    let fits = try_probe(&probe, user);
    fs::remove_dir_all(&probe).ok();
    Ok(fits?.then_some(home))
}

fn try_probe(probe: &Path, user: ServiceUser) -> io::Result<bool> {
    private_dir(probe, user)?;
    // Some shared disks accept a change of owner or mode and keep the old one.
    let metadata = fs::metadata(probe)?;
    let kept = metadata.uid() == user.uid() && metadata.mode() & 0o777 == 0o700;
    Ok(kept && user.shell(r#"cd "$1" && : >file"#, probe)?)
}

/// Makes a new folder that only `user` may enter.
pub(crate) fn private_dir(dir: &Path, user: ServiceUser) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(dir)?;
    user.own(dir)
}

/// Refuses data that belongs to another account than the one that would use it.
pub(crate) fn check_owner(data: &Path, home: &Path, user: ServiceUser) -> Result<(), ClusterError> {
    let owner = fs::metadata(data).doing("reading", data)?.uid();
    if owner == user.uid() {
        return Ok(());
    }
    Err(ClusterError::Foreign { dir: home.to_path_buf(), owner: name_of(owner) })
}

/// Takes the folder's lock, which is held until the file is closed: by the program's end at the latest.
/// Servers do not inherit it.
pub(crate) fn lock(home: &Path) -> Result<File, ClusterError> {
    let path = home.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.doing("opening", &path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ClusterError::InUse { dir: home.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(ClusterError::io("locking", &path, error)),
    }
}

/// Writes a small file whole or not at all, readable by its owner only.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<(), ClusterError> {
    let new = path.with_extension("new");
    fs::remove_file(&new).ok();
    let write = || {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().doing("writing", path)
}

/// The folder for the sockets of a server on `home`: in it, or in `/tmp` when the path would be too long
/// or have a comma, which clients take for the end of a path.
pub(crate) fn socket_dir(home: &Path, user: ServiceUser) -> Result<PathBuf, ClusterError> {
    let near = home.join("sock");
    let longest = near.join(".s.PGSQL.65535");
    let longest = longest.as_os_str().as_bytes();
    let dir = if longest.len() <= SOCKET_PATH_MAX && !longest.contains(&b',') {
        near
    } else {
        PathBuf::from(format!("/tmp/coulisse-{}", path_hash(home)))
    };
    match private_dir(&dir, user) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.doing("creating", &dir)?,
    }
    // Anybody may have made a folder of this name in /tmp: take only our own, and no link.
    let metadata = fs::symlink_metadata(&dir).doing("reading", &dir)?;
    if !metadata.is_dir() || metadata.uid() != user.uid() || metadata.mode() & 0o077 != 0 {
        return Err(ClusterError::Foreign { dir, owner: name_of(metadata.uid()) });
    }
    Ok(dir)
}

/// A free port, chosen by the system. It may be taken before it is used: callers try again.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Whether nothing listens on a port now.
pub(crate) fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// 192 bits of the system's randomness in hexadecimal, which needs no escaping anywhere.
pub(crate) fn random_password() -> Result<String, ClusterError> {
    use std::fmt::Write as _;
    use std::io::Read as _;
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 24];
    File::open(source).and_then(|mut file| file.read_exact(&mut bytes)).doing("reading", source)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::path_hash;
    use std::path::Path;

    #[test]
    fn hash_never_changes() {
        // A published vector of FNV-1a: were it to change, every fallback cluster would be lost from sight.
        assert_eq!(path_hash(Path::new("foobar")), "85944171f73967e8");
    }
}
