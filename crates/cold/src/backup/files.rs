//! The file system's part: directories that are empty, copies that are on disk when this returns, one rename that decides.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use super::{BackupError, Result};

/// Runs what waits for the disk beside the runtime.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|ended| Err(BackupError::Internal(ended.to_string())))
}

/// Names the path in the answer.
pub(super) fn at<T>(path: &Path, answer: io::Result<T>) -> Result<T> {
    answer.map_err(|error| BackupError::Io { path: path.to_owned(), error })
}

/// Refuses a directory that holds something; an absent one is fine.
pub(super) fn refuse_filled(directory: &Path) -> Result<()> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => at(directory, Err(error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::NotEmpty(directory.to_owned())),
        },
    }
}

/// Makes a directory for its owner only; it may be there if it is empty.
pub(super) fn make_empty(directory: &Path) -> Result<()> {
    refuse_filled(directory)?;
    at(directory, DirBuilder::new().recursive(true).mode(0o700).create(directory))?;
    only_owner(directory)
}

/// Takes every right from everybody but the owner: buyers' names and the master key are inside.
pub(super) fn only_owner(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    at(path, fs::set_permissions(path, Permissions::from_mode(mode)))
}

/// A file's name as a path below `directory`; never one that leads out of it.
pub(super) fn below(directory: &Path, name: &str) -> Result<PathBuf> {
    let plain = !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if plain {
        Ok(directory.join(name))
    } else {
        Err(BackupError::Damaged(format!("`{name}` leads out of the directory")))
    }
}

/// Refuses a name of a backup that is no ordinary file: a symbolic link leads a restore to a file of somebody else's choice, and a pipe or a device has no end.
pub(super) fn refuse_irregular(directory: &Path, name: &str) -> Result<()> {
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

/// Copies a file's content onto the disk, into a new file for its owner only, whatever rights the original has.
pub(super) fn copy(from: &Path, to: &Path, name: &str) -> Result<()> {
    let (source, target) = (below(from, name)?, below(to, name)?);
    if let Some(folder) = target.parent() {
        at(folder, DirBuilder::new().recursive(true).mode(0o700).create(folder))?;
    }
    let mut reader = at(&source, File::open(&source))?;
    let mut writer = at(&target, OpenOptions::new().write(true).create_new(true).mode(0o600).open(&target))?;
    at(&source, io::copy(&mut reader, &mut writer))?;
    at(&target, writer.sync_all())
}

/// Waits until a file, or the entries of a directory, are on disk.
pub(super) fn flush(path: &Path) -> Result<()> {
    at(path, File::open(path).and_then(|file| file.sync_all()))
}

/// An empty directory beside `target`, on the same disk; what a killed restore left there goes.
pub(super) fn staging(target: &Path) -> Result<PathBuf> {
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

/// Renames a finished directory to its place, which is absent or empty.
pub(super) fn put_in_place(staging: &Path, target: &Path) -> Result<()> {
    flush(staging)?;
    refuse_filled(target)?;
    at(target, fs::rename(staging, target))?;
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    flush(parent)
}
