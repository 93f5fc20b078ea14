//! What an earlier server left in the data folder: its `postmaster.pid`, or the server itself.
//!
//! Called with the folder's lock held, so no program that plays by the rules is using the data. Whatever
//! still runs on it was orphaned by a crash, and is stopped before a new server starts: two servers on
//! the same data destroy it.

use crate::error::{ClusterError, Doing};
use crate::process::{Ladder, is_alive, stop_foreign, wait_until};
use crate::user::ServiceUser;
use rustix::process::Signal;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// For an orphaned server, as for one's own.
const ORPHAN: &Ladder = &[(Signal::INT, Duration::from_secs(30)), (Signal::QUIT, Duration::from_secs(10))];

/// For the children of a server that is gone. They notice by themselves, unless they are busy; what they
/// share with each other is lost already, so killing them loses nothing more.
const CHILD: &Ladder = &[(Signal::QUIT, Duration::from_secs(2)), (Signal::KILL, Duration::from_secs(5))];
const CHILD_GRACE: Duration = Duration::from_secs(2);

/// Makes the data folder ready for a new server.
pub(super) fn settle(home: &Path, data: &Path, user: ServiceUser) -> Result<(), ClusterError> {
    let pid_file = data.join("postmaster.pid");
    let text = match fs::read_to_string(&pid_file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        text => Some(text.doing("reading", &pid_file)?),
    };
    // A server that runs for a single user writes its number negated.
    let pid = text.as_deref().and_then(|text| text.lines().next()?.trim().parse().ok()).map(i32::abs);
    if let Some(pid) = pid
        && !stop_foreign(pid, ORPHAN, || is_server(pid, data))
    {
        return Err(ClusterError::StillRunning { pid, dir: home.to_path_buf() });
    }
    stop_children(home, data)?;
    match (fs::read_to_string(&pid_file), pid) {
        (Ok(text), Some(pid)) if is_alive(pid) => disown(&pid_file, &text, user),
        // Written by a server that was cut short; says nothing.
        (Ok(_), None) => {
            user.shell(r#"rm -f "$1""#, &pid_file).doing("removing", &pid_file)?;
            Ok(())
        }
        // The usual remains of a crash: PostgreSQL sees by itself that the number is nobody's.
        _ => Ok(()),
    }
}

/// Puts our own number into a stale `postmaster.pid` whose number a stranger has got since.
///
/// PostgreSQL refuses to start while the number is any living process of its account's, except its
/// parent's. The file is kept because PostgreSQL reads from it which shared memory must be out of use.
fn disown(pid_file: &Path, text: &str, user: ServiceUser) -> Result<(), ClusterError> {
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    let content = format!("{}\n{rest}", std::process::id());
    // Written by the account that owns the folder, and renamed: root must not follow a link laid there.
    let mut command = user.command("/bin/sh");
    command.arg("-c").arg(r#"cat >"$1.new" && mv "$1.new" "$1""#).arg("sh").arg(pid_file);
    let mut write = || {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(content.as_bytes())?;
        }
        child.wait().map(|_| ())
    };
    write().doing("writing", pid_file)
}

/// Whether the server of this number has written that it accepts connections.
pub(super) fn is_ready(data: &Path, pid: i32) -> bool {
    const STATUS_LINE: usize = 7;
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    let is_ours = lines.next().and_then(|line| line.parse().ok()) == Some(pid);
    is_ours && lines.nth(STATUS_LINE - 1) == Some("ready")
}

/// Whether a process is a PostgreSQL server on this data. Its number alone may be a stranger's.
fn is_server(pid: i32, data: &Path) -> bool {
    if cfg!(target_os = "linux") {
        return runs_in(&pid.to_string(), data);
    }
    let output = Command::new("ps").args(["-ww", "-o", "command=", "-p"]).arg(pid.to_string()).output();
    let command =
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    command.contains("postgres") && command.contains(&*data.to_string_lossy())
}

/// Every process of a server, and only it, is called `postgres` and stays in the data folder.
fn runs_in(pid: &str, data: &Path) -> bool {
    let process = Path::new("/proc").join(pid);
    fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data)
        && fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "postgres")
}

/// Ends the children of a server that was killed. Elsewhere than on Linux PostgreSQL is left to find them
/// by their shared memory, and to refuse.
fn stop_children(home: &Path, data: &Path) -> Result<(), ClusterError> {
    let children = || -> Vec<i32> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let numbers = names.filter(|name| name.starts_with(|c: char| c.is_ascii_digit()));
        numbers.filter(|pid| runs_in(pid, data)).filter_map(|pid| pid.parse().ok()).collect()
    };
    if wait_until(CHILD_GRACE, || children().is_empty()) {
        return Ok(());
    }
    for pid in children() {
        if !stop_foreign(pid, CHILD, || runs_in(&pid.to_string(), data)) {
            return Err(ClusterError::StillRunning { pid, dir: home.to_path_buf() });
        }
    }
    Ok(())
}
