//! A server process and its lifetime.
//!
//! A server must end with the program that started it, even if that is killed with `kill -9` and cannot
//! clean up. Linux could signal the child by `PR_SET_PDEATHSIG`, but that fires when the starting
//! *thread* ends, which in an asynchronous program is early, and no other system has it. So each server
//! gets a *watchdog* that works everywhere: a shell that waits on a pipe whose other end only this program
//! holds. When the program is gone, however it went, the read ends and the shell interrupts the server.
//!
//! A *keeper* thread per server waits for its end, so that it is noticed and reaped without a runtime.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, test_kill_process, waitid};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::watch;

const POLL: Duration = Duration::from_millis(10);

/// Signals to send one after the other, each with the time given to it before the next.
pub(crate) type Ladder = [(Signal, Duration)];

/// A running (or ended) server process of ours. Dropping it stops it by [`DROP_LADDER`].
pub(crate) struct Server {
    pid: Pid,
    exit: watch::Receiver<Option<ExitStatus>>,
    /// Whether the process has been reaped. Held while signalling: a reaped number may be another's.
    reaped: Arc<Mutex<bool>>,
    drop_ladder: &'static Ladder,
}

impl Server {
    /// Starts a server with its keeper and its watchdog; dropped, it is stopped by `drop_ladder`.
    pub(crate) fn spawn(mut command: Command, drop_ladder: &'static Ladder) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let watchdog = match spawn_watchdog(child.id()) {
            Ok(watchdog) => watchdog,
            Err(error) => {
                child.kill().ok();
                child.wait().ok();
                return Err(error);
            }
        };
        let pid = Pid::from_child(&child);
        let (sender, exit) = watch::channel(None);
        let reaped = Arc::new(Mutex::new(false));
        let keeper_reaped = Arc::clone(&reaped);
        let keeper = thread::Builder::new().name("cluster-keeper".into());
        let spawned = keeper.spawn(move || {
            sender.send_replace(keep(child, watchdog, &keeper_reaped));
        });
        if let Err(error) = spawned {
            kill_process(pid, Signal::KILL).ok();
            return Err(error);
        }
        Ok(Self { pid, exit, reaped, drop_ladder })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.exit.borrow().is_some() || self.exit.has_changed().is_err()
    }

    /// Waits until the process ends, and tells how (`None` if the system did not say).
    pub(crate) async fn ended(&self) -> Option<ExitStatus> {
        let mut exit = self.exit.clone();
        let status = exit.wait_for(Option::is_some).await;
        status.ok().and_then(|status| *status)
    }

    /// Stops the process by sending one signal after the other; tells whether it has ended.
    pub(crate) fn stop(&self, ladder: &Ladder) -> bool {
        for (signal, patience) in ladder {
            {
                let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
                if !*reaped {
                    kill_process(self.pid, *signal).ok();
                }
            }
            if wait_until(*patience, || self.has_ended()) {
                return true;
            }
        }
        self.has_ended()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.stop(self.drop_ladder);
        }
    }
}

fn spawn_watchdog(server: u32) -> io::Result<Child> {
    // Deaf to the terminal's signals, and in a group of its own: only the pipe's end may move it.
    const SCRIPT: &str = r#"trap '' INT TERM HUP; read -r _; kill -INT "$1""#;
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(SCRIPT).arg("coulisse-watchdog").arg(server.to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.current_dir("/").process_group(0).spawn()
}

fn keep(mut child: Child, mut watchdog: Child, reaped: &Mutex<bool>) -> Option<ExitStatus> {
    // Wait without reaping: while the ended process still holds its number, nobody else can have it, and
    // neither the watchdog nor `stop` can hit a stranger.
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(Pid::from_child(&child)), ended), Err(rustix::io::Errno::INTR)) {}
    watchdog.kill().ok();
    watchdog.wait().ok();
    let mut reaped = reaped.lock().unwrap_or_else(PoisonError::into_inner);
    *reaped = true;
    child.wait().ok()
}

/// Stops a process that is not our child. `is_it` tells whether the number still means that process.
pub(crate) fn stop_foreign(pid: i32, ladder: &Ladder, is_it: impl Fn() -> bool) -> bool {
    for (signal, patience) in ladder {
        if !is_it() {
            return true;
        }
        if let Some(pid) = Pid::from_raw(pid) {
            kill_process(pid, *signal).ok();
        }
        if wait_until(*patience, || !is_it()) {
            return true;
        }
    }
    !is_it()
}

/// Whether a process of this number exists.
pub(crate) fn is_alive(pid: i32) -> bool {
    let Some(pid) = Pid::from_raw(pid) else { return false };
    !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// Waits until `done`, at most for `patience`; tells whether it is.
pub(crate) fn wait_until(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(POLL);
    }
}
