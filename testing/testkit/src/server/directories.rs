//! Prepares and copies the data directories of servers.

use std::path::{Path, PathBuf};

/// An empty directory path for one run's data below `root`; short, because of unix sockets and locks.
///
/// # Errors
/// What an earlier run left cannot be deleted.
pub fn empty_directory(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = root.join(name);
    if path.exists() {
        std::fs::remove_dir_all(&path)?;
    }
    let log = path.with_extension("log");
    if log.exists() {
        std::fs::remove_file(log)?;
    }
    std::fs::create_dir_all(root)?;
    Ok(path)
}

/// Copies a data directory that no process uses.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy_directory(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
