//! What a process has used of the processor, as Linux counts it, and which of two goes first.

use std::process::Command;

use anyhow::{Context, ensure};

/// The kernel's unit in `/proc/…/stat`, which is the same on every Linux that runs on our machines.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time, user and system, that `pid` (a number or `self`) has used so far.
///
/// # Errors
/// There is no such process.
pub fn cpu_seconds(pid: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // "pid (name) state …": the name may hold anything, so read behind its last bracket.
    let (_, rest) = stat.rsplit_once(") ").context("a process has a name")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).context("a process has its times");
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// From now on this thread takes the processor from nobody, as a client on a machine of its own would not: each answer would wake it, and interrupt the
/// server that sent it. What it starts is not bound by that.
///
/// # Errors
/// `chrt` of util-linux is not there, or refuses.
pub fn give_way() -> anyhow::Result<()> {
    let me = std::process::id().to_string();
    let set = Command::new("chrt").args(["--batch", "--reset-on-fork", "--pid", "0", &me]).status();
    ensure!(set.context("is util-linux installed?")?.success(), "chrt refuses");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_this_process_are_found_and_those_of_none_are_not() {
        assert!(cpu_seconds("self").unwrap() >= 0.0);
        assert!(cpu_seconds("0").is_err());
    }
}
