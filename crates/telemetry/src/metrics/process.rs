//! Metrics of the process: version, uptime, memory, open files.

use std::time::Duration;

use metrics::Gauge;

use crate::family::Family;
use crate::metric::{Label, Metric, Unit};

const VERSION: Label = Label::closed("version", &[env!("CARGO_PKG_VERSION")]);

/// Version and role.
pub const PROCESS_INFO: Metric = Metric::gauge(
    "process",
    "voelgoed_process_info",
    Unit::Count,
    &[VERSION],
    "Always 1; its labels are version and role.",
);
/// Uptime.
pub const UPTIME_SECONDS: Metric =
    Metric::gauge("process", "voelgoed_uptime_seconds", Unit::Seconds, &[], "Seconds since this process started.");
/// Memory.
pub const RESIDENT_BYTES: Metric = Metric::gauge(
    "process",
    "voelgoed_resident_bytes",
    Unit::Bytes,
    &[],
    "Resident memory of this process; 0 if the system does not report it.",
);
/// Files and sockets.
pub const OPEN_FILES: Metric = Metric::gauge(
    "process",
    "voelgoed_open_files",
    Unit::Count,
    &[],
    "Open files and sockets of this process; 0 if the system does not report it.",
);

/// Every metric of this area.
pub const ALL: &[Metric] = &[PROCESS_INFO, UPTIME_SECONDS, RESIDENT_BYTES, OPEN_FILES];

static INFO: Family<Gauge, 1> = Family::of(&PROCESS_INFO);
static UPTIME: Family<Gauge, 0> = Family::of(&UPTIME_SECONDS);
static RESIDENT: Family<Gauge, 0> = Family::of(&RESIDENT_BYTES);
static FILES: Family<Gauge, 0> = Family::of(&OPEN_FILES);

/// Updates all of them; the exporter calls it before each rendering.
pub(crate) fn observe(uptime: Duration) {
    INFO.at([env!("CARGO_PKG_VERSION")], |gauge| gauge.set(1.0));
    UPTIME.at([], |gauge| gauge.set(uptime));
    RESIDENT.at([], |gauge| gauge.set(resident_bytes().unwrap_or(0) as f64));
    FILES.at([], |gauge| gauge.set(std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as f64));
}

/// `VmRSS` of `/proc/self/status`, which is in kilobytes.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn resident_memory_is_read_from_procfs() {
        assert!(super::resident_bytes().is_some_and(|bytes| bytes > 1024 * 1024));
    }
}
