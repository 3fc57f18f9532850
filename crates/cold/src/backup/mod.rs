//! Backs up a data directory while the server runs, verifies a backup, and restores one into an empty directory.
//!
//! Never: a directory overwritten, an incomplete backup accepted. A backup contains everything that was acknowledged before [`backup`] began (P3).
//! `backup.json` is written last and lists every file with its size and digest; without it a directory is no backup.

use std::path::{Path, PathBuf};

use voelgoed_domain::time::Timestamp;

use crate::db::{self, sqlite_copy};

mod files;
mod manifest;
#[cfg(test)]
mod tests;

pub use manifest::{Manifest, ManifestFile};

/// Why a backup or a restore failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The directory has entries.
    #[error("{0} is not empty, and nothing was changed; a backup and a restore need a directory of their own")]
    NotEmpty(PathBuf),
    /// The data directory has no database.
    #[error("{0} holds no database")]
    NoDatabase(PathBuf),
    /// There is no `backup.json`: the backup was not finished, or the directory is no backup.
    #[error("{0} is not a finished backup")]
    NotABackup(PathBuf),
    /// A file is missing, or differs from the manifest.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// The file system returned an error.
    #[error("{path}: {error}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the file system.
        error: std::io::Error,
    },
    /// The database could not be copied or read.
    #[error(transparent)]
    Database(#[from] db::DbError),
    /// A task of this program ended early.
    #[error("internal: {0}")]
    Internal(String),
}

/// The result of a backup or a restore.
pub type BackupResult<T> = Result<T, BackupError>;

/// Copies the database of `data_dir` and the small files `others` (relative paths of existing files that do not change meanwhile) into the new or empty
/// directory `into`. The server may run meanwhile.
///
/// # Errors
/// [`BackupError`]; the files written so far stay for inspection and are no backup.
pub async fn backup(data_dir: &Path, others: &[&str], into: &Path, now: Timestamp) -> BackupResult<Manifest> {
    if !data_dir.join(sqlite_copy::DATABASE_FILE).is_file() {
        return Err(BackupError::NoDatabase(data_dir.to_owned()));
    }
    let (source, target) = (data_dir.to_owned(), into.to_owned());
    let others: Vec<String> = others.iter().map(|&name| name.to_owned()).collect();
    files::blocking({
        let (source, target, others) = (source, target.clone(), others.clone());
        move || {
            files::make_empty(&target)?;
            others.iter().try_for_each(|name| files::copy(&source, &target, name))
        }
    })
    .await?;
    sqlite_copy::copy_database(data_dir, &into.join(sqlite_copy::DATABASE_FILE)).await?;
    sqlite_copy::check_integrity(&into.join(sqlite_copy::DATABASE_FILE)).await?;
    files::blocking(move || {
        files::only_owner(&target.join(sqlite_copy::DATABASE_FILE))?;
        let names = std::iter::once(sqlite_copy::DATABASE_FILE.to_owned()).chain(others);
        let files = names.map(|name| manifest::describe(&target, name)).collect::<BackupResult<_>>()?;
        let manifest = Manifest { v: manifest::MANIFEST_VERSION, at: now, files };
        manifest::write(&target, &manifest)?;
        Ok(manifest)
    })
    .await
}

/// Verifies the size and digest of every file, and reads every page of the database.
///
/// # Errors
/// [`BackupError::NotABackup`], [`BackupError::Damaged`].
pub async fn verify(from: &Path) -> BackupResult<Manifest> {
    let directory = from.to_owned();
    let manifest = files::blocking(move || {
        let manifest = manifest::read(&directory)?;
        manifest::compare(&directory, &manifest)?;
        Ok(manifest)
    })
    .await?;
    let checked = sqlite_copy::check_integrity(&from.join(sqlite_copy::DATABASE_FILE)).await;
    checked.map_err(|error| BackupError::Damaged(error.to_string()))?;
    Ok(manifest)
}

/// Restores a backup into `data_dir`, which must be absent or empty, by one rename: completely or not at all.
///
/// # Errors
/// [`BackupError`]; `data_dir` is unchanged.
pub async fn restore(from: &Path, data_dir: &Path) -> BackupResult<Manifest> {
    let target = data_dir.to_owned();
    files::blocking(move || files::refuse_filled(&target)).await?;
    let manifest = verify(from).await?;
    let (source, target, read) = (from.to_owned(), data_dir.to_owned(), manifest.clone());
    files::blocking(move || {
        let staging = files::staging(&target)?;
        read.files.iter().try_for_each(|file| files::copy(&source, &staging, &file.name))?;
        manifest::compare(&staging, &read)?;
        files::put_in_place(&staging, &target)
    })
    .await?;
    Ok(manifest)
}
