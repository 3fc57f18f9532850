//! File operations of backup and restore: private empty directories, flushed copies, and one rename that puts a restore in place.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use super::{BackupError, BackupResult};

/// Runs blocking file operations on the blocking pool.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> BackupResult<T> + Send + 'static,
) -> BackupResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|ended| Err(BackupError::Internal(ended.to_string())))
}

/// Adds the path to an I/O error.
pub(super) fn at<T>(path: &Path, result: io::Result<T>) -> BackupResult<T> {
    result.map_err(|error| BackupError::Io { path: path.to_owned(), error })
}

/// Refuses a directory with entries; an absent one is accepted.
pub(super) fn refuse_filled(directory: &Path) -> BackupResult<()> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => at(directory, Err(error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::NotEmpty(directory.to_owned())),
        },
    }
}

/// Creates a directory that only its owner may read; it may exist if it is empty.
pub(super) fn make_empty(directory: &Path) -> BackupResult<()> {
    refuse_filled(directory)?;
    at(directory, DirBuilder::new().recursive(true).mode(0o700).create(directory))?;
    only_owner(directory)
}

/// Restricts a path to its owner: a backup contains buyers' names and the master key.
pub(super) fn only_owner(path: &Path) -> BackupResult<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    at(path, fs::set_permissions(path, Permissions::from_mode(mode)))
}

/// Joins a file name to `directory`; refuses a name that leads out of it.
pub(super) fn below(directory: &Path, name: &str) -> BackupResult<PathBuf> {
    let plain = !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if plain {
        Ok(directory.join(name))
    } else {
        Err(BackupError::Damaged(format!("`{name}` leads out of the directory")))
    }
}

/// Refuses anything but ordinary files: a symbolic link could make a restore read a foreign file, and a pipe or a device has no end.
pub(super) fn refuse_irregular(directory: &Path, name: &str) -> BackupResult<()> {
    below(directory, name)?;
    let mut path = directory.to_owned();
    for part in Path::new(name).components() {
        path.push(part);
        let found = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => at(&path, found)?,
        };
        let fault = match found.file_type() {
            kind if kind.is_dir() || kind.is_file() => continue,
            kind if kind.is_symlink() => "a symbolic link",
            _ => "no ordinary file",
        };
        return Err(BackupError::Damaged(format!("{} is {fault}; a backup has none", path.display())));
    }
    Ok(())
}

/// Copies and flushes a file's content into a new file that only its owner may read.
pub(super) fn copy(from: &Path, to: &Path, name: &str) -> BackupResult<()> {
    let (source, target) = (below(from, name)?, below(to, name)?);
    if let Some(folder) = target.parent() {
        at(folder, DirBuilder::new().recursive(true).mode(0o700).create(folder))?;
    }
    let mut reader = at(&source, File::open(&source))?;
    let mut writer = at(&target, OpenOptions::new().write(true).create_new(true).mode(0o600).open(&target))?;
    at(&source, io::copy(&mut reader, &mut writer))?;
    at(&target, writer.sync_all())
}

/// Flushes a file, or the entries of a directory, to the disk.
pub(super) fn flush(path: &Path) -> BackupResult<()> {
    at(path, File::open(path).and_then(|file| file.sync_all()))
}

/// Creates an empty directory beside `target`, on the same disk, and deletes the remains of a killed restore first.
pub(super) fn staging(target: &Path) -> BackupResult<PathBuf> {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".restoring");
    let staging = target.with_file_name(name);
    match fs::remove_dir_all(&staging) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => at(&staging, Err(error))?,
        _ => {}
    }
    make_empty(&staging)?;
    Ok(staging)
}

/// Renames a finished directory to `target`, which is absent or empty.
pub(super) fn put_in_place(staging: &Path, target: &Path) -> BackupResult<()> {
    flush(staging)?;
    refuse_filled(target)?;
    at(target, fs::rename(staging, target))?;
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    flush(parent)
}
