//! What others on the machine may read of a data directory that was made under umask 000.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use voelgoed_testkit::verdict::Verdicts;

/// A start of the binary by somebody who takes no care.
const CARELESS: &str = "#!/bin/sh\numask 000\nexec \"$VOELGOED_BINARY\" \"$@\"\n";

/// The program that starts it so.
pub fn careless(root: &Path) -> anyhow::Result<PathBuf> {
    let script = root.join("careless.sh");
    std::fs::write(&script, CARELESS)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(std::fs::canonicalize(script)?)
}

/// Judges the directory and everything in it.
pub fn judge(data: &Path, way: &str, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let mut wide = Vec::new();
    look(data, &mut wide)?;
    let private = || {
        ensure!(wide.is_empty(), "others may open {}", wide.join(", "));
        Ok(())
    };
    verdicts.judge(&format!("{way}: under umask 000 directories are 0700 and files 0600"), private());
    Ok(())
}

fn look(path: &Path, wide: &mut Vec<String>) -> anyhow::Result<()> {
    let metadata = std::fs::symlink_metadata(path)?;
    let mode = metadata.permissions().mode() & 0o777;
    let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
    if mode != expected {
        wide.push(format!("{} ({mode:o})", path.display()));
    }
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path)? {
            look(&entry?.path(), wide)?;
        }
    }
    Ok(())
}
