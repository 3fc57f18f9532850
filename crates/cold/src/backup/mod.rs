//! Copies of a data directory: made while everything runs, checked, and put back into an empty directory.
//!
//! Never: a directory overwritten, a backup believed that is not whole. Promise: what was acknowledged before [`backup`] began is in it (P3).
//! `backup.json` is written last and names every file with its size and digest: without it there is no backup.

use std::path::{Path, PathBuf};

use voelgoed_domain::time::Timestamp;

use crate::db::{self, copy};

mod files;
mod manifest;
#[cfg(test)]
mod tests;

pub use manifest::{Manifest, ManifestFile};

/// Why there is no backup, or nothing was put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is there already.
    #[error("{0} is not empty; a backup and a restore need a directory of their own")]
    NotEmpty(PathBuf),
    /// There is no database to copy.
    #[error("{0} holds no database")]
    NoDatabase(PathBuf),
    /// No `backup.json`: it was never finished, or is something else.
    #[error("{0} is not a finished backup")]
    NotABackup(PathBuf),
    /// A file is missing, or is not the one that was written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// The file system refused.
    #[error("{path}: {error}")]
    Io {
        /// What was touched.
        path: PathBuf,
        /// Its answer.
        error: std::io::Error,
    },
    /// The database could not be copied or read.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// A part of this program ended early.
    #[error("internal: {0}")]
    Internal(String),
}

/// The result of this module.
pub type Result<T> = std::result::Result<T, BackupError>;

/// Copies the database of `data_dir` and the small files named in `others` (relative, all present, not changing meanwhile) into the new or empty
/// directory `into`. The server may run on.
///
/// # Errors
/// [`BackupError`]; what was written until then is no backup, and is left for a person to look at.
pub async fn backup(data_dir: &Path, others: &[&str], into: &Path, now: Timestamp) -> Result<Manifest> {
    if !data_dir.join(copy::FILE).is_file() {
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
    copy::copy(data_dir, &into.join(copy::FILE)).await?;
    copy::check(&into.join(copy::FILE)).await?;
    files::blocking(move || {
        files::only_owner(&target.join(copy::FILE))?;
        let names = std::iter::once(copy::FILE.to_owned()).chain(others);
        let files = names.map(|name| manifest::describe(&target, name)).collect::<Result<_>>()?;
        let manifest = Manifest { v: manifest::VERSION, at: now, files };
        manifest::write(&target, &manifest)?;
        Ok(manifest)
    })
    .await
}

/// Reads a whole backup: every file's size and digest, every page of the database.
///
/// # Errors
/// [`BackupError::NotABackup`], [`BackupError::Damaged`].
pub async fn verify(from: &Path) -> Result<Manifest> {
    let directory = from.to_owned();
    let manifest = files::blocking(move || {
        let manifest = manifest::read(&directory)?;
        manifest::compare(&directory, &manifest)?;
        Ok(manifest)
    })
    .await?;
    let checked = copy::check(&from.join(copy::FILE)).await;
    checked.map_err(|error| BackupError::Damaged(error.to_string()))?;
    Ok(manifest)
}

/// Puts a backup into `data_dir`, which must be absent or empty; it appears there whole or not at all.
///
/// # Errors
/// [`BackupError`]; `data_dir` is as it was.
pub async fn restore(from: &Path, data_dir: &Path) -> Result<Manifest> {
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
