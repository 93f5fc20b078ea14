//! Helpers of the tests.

use cluster::Postgres;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs SQL by the `psql` of some installation; the answer, or what it complained of.
pub(crate) fn psql(url: &str, statement: &str) -> Result<String, String> {
    let program = cluster::find_postgres().unwrap().program("psql");
    let mut command = Command::new(program);
    command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement]);
    let output = command.output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Runs SQL that must succeed.
pub(crate) fn sql(postgres: &Postgres, statement: &str) -> String {
    psql(&postgres.url("postgres"), statement).unwrap()
}

/// Sends a signal.
pub(crate) fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Whether a process is gone within ten seconds. One that is ended but not yet reaped is gone too.
pub(crate) fn ends(pid: i32) -> bool {
    eventually(|| {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let zombie = state.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'));
        zombie || test_kill_process(Pid::from_raw(pid).unwrap()).is_err()
    })
}

/// Whether something becomes true within ten seconds.
pub(crate) fn eventually(mut fact: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if fact() {
            return true;
        }
        sleep(Duration::from_millis(20));
    }
    fact()
}
