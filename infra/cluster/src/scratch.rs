//! Temporary folders for servers that keep nothing.

use crate::error::{ClusterError, Doing};
use crate::place;
use std::env;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const PREFIX: &str = "coulisse-scratch-";

/// A younger folder may not have its lock yet.
const SWEEP_AGE: Duration = Duration::from_mins(1);

/// A temporary folder that servers can use even when root makes it; removed when dropped.
#[derive(Debug)]
pub struct Scratch {
    dir: TempDir,
    /// Tells other programs that the folder is in use.
    _lock: File,
}

impl Scratch {
    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Makes a temporary folder for servers, and removes those that killed programs left behind.
///
/// # Errors
/// [`ClusterError::DiskFull`], [`ClusterError::Permission`] or [`ClusterError::Io`].
pub fn scratch() -> Result<Scratch, ClusterError> {
    let parent = env::temp_dir();
    sweep(&parent);
    let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).doing("writing to", &parent)?;
    let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    fs::set_permissions(dir.path(), Permissions::from_mode(mode)).doing("opening", dir.path())?;
    let lock = place::lock(dir.path())?;
    Ok(Scratch { dir, _lock: lock })
}

/// Removes our own folders that nobody holds. Failure is harmless: the next sweep tries again.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let ours = metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw();
        let old =
            metadata.modified().ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > SWEEP_AGE);
        if ours && old && place::lock(&path).is_ok() {
            fs::remove_dir_all(&path).ok();
        }
    }
}
