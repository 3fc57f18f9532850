//! Writes, reads and compares `backup.json`, the list of a backup's files. It is written last, so its presence shows that the backup is complete.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use voelgoed_domain::time::Timestamp;

use super::files::{at, below, flush, only_owner, refuse_irregular};
use super::{BackupError, BackupResult};

const NAME: &str = "backup.json";
const CHUNK_BYTES: usize = 64 * 1024;
pub(super) const MANIFEST_VERSION: u32 = 1;

/// The content of `backup.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the file's format.
    pub v: u32,
    /// When the backup began.
    pub at: Timestamp,
    /// The database first.
    pub files: Vec<ManifestFile>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// The path below the data directory.
    pub name: String,
    /// The size of the content.
    pub bytes: u64,
    /// The SHA-256 of the content, in hexadecimal.
    pub sha256: String,
}

/// Flushes a file and returns its size and digest.
pub(super) fn describe(directory: &Path, name: String) -> BackupResult<ManifestFile> {
    let path = below(directory, &name)?;
    flush(&path)?;
    let mut file = at(&path, File::open(&path))?;
    let (mut digest, mut bytes, mut chunk) = (Sha256::new(), 0_u64, vec![0; CHUNK_BYTES]);
    loop {
        let read = at(&path, file.read(&mut chunk))?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        digest.update(&chunk[..read]);
    }
    let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(ManifestFile { name, bytes, sha256 })
}

/// Writes a draft and renames it, so that a half-written manifest is never read.
pub(super) fn write(directory: &Path, manifest: &Manifest) -> BackupResult<()> {
    let (draft, path) = (directory.join(format!("{NAME}.draft")), directory.join(NAME));
    let text = serde_json::to_vec_pretty(manifest).map_err(|error| BackupError::Internal(error.to_string()))?;
    at(&draft, fs::write(&draft, text))?;
    only_owner(&draft)?;
    flush(&draft)?;
    at(&path, fs::rename(&draft, &path))?;
    flush(directory)
}

/// Reads the manifest of a finished backup.
pub(super) fn read(directory: &Path) -> BackupResult<Manifest> {
    refuse_irregular(directory, NAME)?;
    let path = directory.join(NAME);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(BackupError::NotABackup(directory.to_owned()));
        }
        answer => at(&path, answer)?,
    };
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| BackupError::Damaged(format!("{NAME}: {error}")))?;
    if manifest.v != MANIFEST_VERSION {
        return Err(BackupError::Damaged(format!(
            "{NAME} has version {}, which this program does not know",
            manifest.v
        )));
    }
    Ok(manifest)
}

/// Compares each file with its size and digest in the manifest.
pub(super) fn compare(directory: &Path, manifest: &Manifest) -> BackupResult<()> {
    for expected in &manifest.files {
        refuse_irregular(directory, &expected.name)?;
        let found = describe(directory, expected.name.clone());
        match found {
            Ok(found) if found == *expected => {}
            Ok(found) => {
                let (name, bytes, was) = (&expected.name, found.bytes, expected.bytes);
                return Err(BackupError::Damaged(format!("{name} is not what was written ({bytes} of {was} bytes)")));
            }
            Err(BackupError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::Damaged(format!("{} is missing", expected.name)));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}
