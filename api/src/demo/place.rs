//! The demo's folder: its database, files and secrets, and the file for programs that want to try it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kernel::vault::Vault;
use migration::RolePasswords;
use serde::{Deserialize, Serialize};

use crate::server::Failure;

/// The demo's folder.
#[derive(Debug)]
pub(super) struct Place(PathBuf);

/// Made once, kept with the database that they open.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Secrets {
    pub owner: String,
    pub server: String,
    pub worker: String,
    pub seal_keys: String,
}

impl Secrets {
    fn fresh() -> Self {
        let password = || identity::secret::generate("");
        Self { owner: password(), server: password(), worker: password(), seal_keys: Vault::fresh_setting() }
    }

    /// The passwords of the database's roles.
    pub(super) fn roles(&self) -> RolePasswords {
        RolePasswords { owner: self.owner.clone(), server: self.server.clone(), worker: self.worker.clone() }
    }
}

impl Place {
    /// Makes the folder if it is missing. Others may enter it, for PostgreSQL runs as another user when root
    /// starts it; each secret file in it is closed to them.
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o711))?;
        Ok(Self(folder.canonicalize()?))
    }

    /// The database's folder.
    pub(super) fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    /// The uploaded files' folder.
    pub(super) fn files(&self) -> PathBuf {
        self.0.join("files")
    }

    /// The secrets, made at the first start.
    pub(super) fn secrets(&self) -> Result<Secrets, Failure> {
        let file = self.0.join("secrets.json");
        if let Ok(text) = fs::read_to_string(&file) {
            return serde_json::from_str(&text).map_err(|e| {
                format!("{}: {e}; remove the folder {} to start afresh", file.display(), self.0.display())
                    .into()
            });
        }
        let secrets = Secrets::fresh();
        self.write("secrets.json", &serde_json::to_vec_pretty(&secrets)?)?;
        Ok(secrets)
    }

    /// Writes a file that only its owner reads, whole or not at all.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (file, draft) = (self.0.join(name), self.0.join(format!("{name}.new")));
        let mut open =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        open.write_all(bytes)?;
        open.sync_all()?;
        fs::rename(draft, file)?;
        Ok(())
    }

    /// Whether the companies' year was written to its end.
    pub(super) fn is_seeded(&self) -> bool {
        self.0.join("seeded").exists()
    }

    /// Notes that it was.
    pub(super) fn set_seeded(&self) -> Result<(), Failure> {
        self.write("seeded", b"")
    }

    /// The file that tells programs how to try the demo.
    pub(super) fn demo_file(&self) -> PathBuf {
        self.0.join("demo.json")
    }

    /// Removes that file: nothing can be tried any more.
    pub(super) fn forget_demo_file(&self) {
        // It may never have been written.
        let _missing = fs::remove_file(self.demo_file());
    }
}
