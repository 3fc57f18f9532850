//! Checks that a data directory made under umask 000 is still private to its owner.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::ensure;
use voelgoed_testkit::report::SuiteReport;

/// Checks the directory and everything in it.
pub fn check(data: &Path, way: &str, report: &mut SuiteReport) -> anyhow::Result<()> {
    let mut too_wide = Vec::new();
    collect(data, &mut too_wide)?;
    let private = || {
        ensure!(too_wide.is_empty(), "others may open {}", too_wide.join(", "));
        Ok(())
    };
    report.check(&format!("{way}: under umask 000 directories are 0700 and files 0600"), private());
    Ok(())
}

fn collect(path: &Path, too_wide: &mut Vec<String>) -> anyhow::Result<()> {
    let metadata = std::fs::symlink_metadata(path)?;
    let mode = metadata.permissions().mode() & 0o777;
    let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
    if mode != expected {
        too_wide.push(format!("{} ({mode:o})", path.display()));
    }
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), too_wide)?;
        }
    }
    Ok(())
}
