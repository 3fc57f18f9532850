//! Reads the processor time of a process from `/proc`, and lowers the scheduling priority of this one.

use std::process::Command;

use anyhow::{Context, ensure};
use voelgoed_testkit::server::TestServer;

/// The kernel's unit in `/proc/…/stat` (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time, user and system, that `pid` (a number or `self`) has used so far.
///
/// # Errors
/// There is no such process.
pub fn cpu_seconds(pid: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // "pid (name) state …": the name may contain anything, so read after its last bracket.
    let (_, rest) = stat.rsplit_once(") ").context("a process has a name")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).context("a process has its times");
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// Seconds of processor time of a running server, without its sandbox provider.
///
/// # Errors
/// The server is down.
pub fn server_cpu_seconds(server: &TestServer) -> anyhow::Result<f64> {
    cpu_seconds(&server.pid().context("the server runs")?.to_string())
}

/// Schedules this process in batch mode, as if the client had a machine of its own: otherwise each response would wake it and preempt the server.
/// Processes that it starts are not affected.
///
/// # Errors
/// `chrt` of util-linux is absent, or refuses.
pub fn use_batch_scheduling() -> anyhow::Result<()> {
    let pid = std::process::id().to_string();
    let set = Command::new("chrt").args(["--batch", "--reset-on-fork", "--pid", "0", &pid]).status();
    ensure!(set.context("is util-linux installed?")?.success(), "chrt refuses");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_of_this_process_is_read_and_an_unknown_process_is_an_error() {
        assert!(cpu_seconds("self").unwrap() >= 0.0);
        assert!(cpu_seconds("0").is_err());
    }
}
