//! Signals and looks up processes by their ids, and kills those that an earlier start left behind.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Lists the process ids of a cluster below its root, so that a later start can end what a killed one left behind.
pub const PIDS_FILE: &str = "pids.json";

/// Sends a signal such as `-TERM` to a process.
///
/// # Errors
/// There is no such process.
pub fn send_signal(name: &str, pid: u32) -> anyhow::Result<()> {
    let status = Command::new("kill").arg(name).arg(pid.to_string()).status()?;
    ensure!(status.success(), "kill {name} {pid}: {status}");
    Ok(())
}

/// False also for a process that has ended and was not waited for yet.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Kills what an earlier start below `root` left behind: listed processes whose command line or working directory is below `root`.
///
/// # Errors
/// The list cannot be read.
pub fn kill_leftovers(root: &Path) -> anyhow::Result<()> {
    let file = root.join(PIDS_FILE);
    let Ok(text) = std::fs::read_to_string(&file) else { return Ok(()) };
    let pids: Vec<u32> = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    let place = root.to_str().context("the directory's name is not UTF-8")?;
    let is_ours = |pid: &u32| {
        let directory = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        directory.starts_with(root) || String::from_utf8_lossy(&line).contains(place)
    };
    let ours: Vec<String> = pids.into_iter().filter(is_ours).map(|pid| pid.to_string()).collect();
    if !ours.is_empty() {
        Command::new("kill").arg("-KILL").args(&ours).status()?;
    }
    std::fs::remove_file(file)?;
    Ok(())
}
