//! What a process has used of the processor, as Linux counts it.

use anyhow::Context;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_this_process_are_found_and_those_of_none_are_not() {
        assert!(cpu_seconds("self").unwrap() >= 0.0);
        assert!(cpu_seconds("0").is_err());
    }
}
