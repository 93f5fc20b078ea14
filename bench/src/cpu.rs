//! CPU time and memory of processes, from the kernel's own accounting.

use std::collections::HashMap;
use std::fs;

use nix::sys::resource::{UsageWho, getrusage};

/// Clock ticks a second, as Linux reports process times to every program.
const TICKS: f64 = 100.0;

/// User and system milliseconds of a process and of its waited-for children.
pub(crate) fn of_process(pid: u32) -> f64 {
    let Some(fields) = stat(pid) else { return 0.0 };
    (11..=14).filter_map(|n| fields.get(n)?.parse::<f64>().ok()).sum::<f64>() * 1000.0 / TICKS
}

/// The same for a process with all that descends from it and lives.
pub(crate) fn of_family(root: i32) -> f64 {
    let root = root.unsigned_abs();
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut sum = 0.0;
    let mut waiting = vec![root];
    while let Some(pid) = waiting.pop() {
        sum += of_process(pid);
        waiting.extend(children.remove(&pid).unwrap_or_default());
    }
    sum
}

/// Resident memory of a process.
pub(crate) fn resident_kib(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

/// User and system milliseconds of the children that this process has waited for.
pub(crate) fn of_children() -> f64 {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return 0.0 };
    let ms = |time: nix::sys::time::TimeVal| {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of one run")]
        let ms = time.tv_sec() as f64 * 1000.0 + time.tv_usec() as f64 / 1000.0;
        ms
    };
    ms(usage.user_time()) + ms(usage.system_time())
}

/// The fields of /proc/<pid>/stat after the name, which may hold blanks: state, parent, …
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(str::to_owned).collect())
}
