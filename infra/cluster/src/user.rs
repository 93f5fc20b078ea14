//! As whom servers run.
//!
//! PostgreSQL refuses to run as root. Run by root, programs are started under another account with
//! [`std::os::unix::process::CommandExt`], which also clears the supplementary groups. That spares the
//! need for `setpriv` or `su`, which differ between systems.

use crate::ClusterError;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The account that servers run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServiceUser {
    /// The account that runs this program.
    Oneself,
    /// Another account, taken on because this program runs as root.
    Other { uid: u32, gid: u32 },
}

impl ServiceUser {
    /// Who a server on `data` runs as: oneself, or for root the owner of data that is there already,
    /// else `postgres`, else `nobody`.
    pub(crate) fn for_data(data: &Path) -> Result<Self, ClusterError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Oneself);
        }
        if let Ok(metadata) = fs::metadata(data)
            && metadata.uid() != 0
        {
            return Ok(Self::Other { uid: metadata.uid(), gid: metadata.gid() });
        }
        ["postgres", "nobody"].into_iter().find_map(Self::named).ok_or(ClusterError::NoServiceUser)
    }

    fn named(name: &str) -> Option<Self> {
        let (uid, gid) = listed(name).or_else(|| Some((id("-u", name)?, id("-g", name)?)))?;
        (uid != 0).then_some(Self::Other { uid, gid })
    }

    /// The number of the account.
    pub(crate) fn uid(self) -> u32 {
        match self {
            Self::Oneself => rustix::process::geteuid().as_raw(),
            Self::Other { uid, .. } => uid,
        }
    }

    /// A command that runs as this account, away from the caller's folder (which the account may not be
    /// allowed to enter), from the terminal's Ctrl-C, and from settings meant for other servers.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        // Messages are read by this program, so they must come in one language.
        command.env("LC_ALL", "C").env_remove("LANGUAGE");
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or folder to this account.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Oneself => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid)),
        }
    }

    /// Runs a line of shell as this account, with `path` as `$1`; tells whether it succeeded.
    pub(crate) fn shell(self, line: &str, path: &Path) -> io::Result<bool> {
        let mut command = self.command("/bin/sh");
        command.arg("-c").arg(line).arg("sh").arg(path).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status()?.success())
    }
}

/// Looks an account up in the system's own list.
fn listed(name: &str) -> Option<(u32, u32)> {
    let list = fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = list.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let account = fields.find(|fields| fields.first() == Some(&name))?;
    Some((account.get(2)?.parse().ok()?, account.get(3)?.parse().ok()?))
}

/// Asks the system about an account that is listed elsewhere, as in a directory service.
fn id(flag: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").arg(flag).arg(name).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// The name of an account, or its number when it has none.
pub(crate) fn name_of(uid: u32) -> String {
    let output = Command::new("id").arg("-nu").arg(uid.to_string()).stderr(Stdio::null()).output();
    let name =
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if name.is_empty() { format!("user {uid}") } else { format!("user `{name}`") }
}
