//! Creates the data directory, restricts it to its owner, or refuses it, before a command reads or writes anything inside.
//!
//! Never: restricts a directory that holds something else (`--data /tmp`), leaves a file that another user can read.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::data_files::{DATABASE, DEMO, MASTER_KEY, SANDBOX_CHARGES, SERVER_LOCK};

/// Mode bits with which other users may read, write or enter.
const OTHER_USERS: u32 = 0o077;
/// The mode bit of a shared directory such as /tmp.
const STICKY: u32 = 0o1000;

/// What a command does if the data directory, or the database in it, does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMissing {
    /// Creates it: `serve`, `demo` and the first `organization`.
    Create,
    /// Refuses: a wrong `--data` would otherwise make an empty shop.
    Refuse,
}

/// Makes files that this process creates private from their first byte, regardless of the inherited umask.
pub fn restrict_new_files() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(OTHER_USERS));
}

/// Creates or checks `directory`, and restricts it and the files in it to their owner.
///
/// # Errors
/// Names the directory, the problem and what to do.
pub fn open(directory: &Path, needs_database: bool, if_missing: IfMissing) -> anyhow::Result<()> {
    let shown = shown(directory);
    let metadata = match fs::metadata(directory) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", shown.display())),
    };
    if if_missing == IfMissing::Refuse && needs_database && !holds_database(directory) {
        bail!(
            "{} holds no database of Voelgoed; nothing was created. Name the data directory with --data or \
             VOELGOED__DATA__DIRECTORY (`voelgoed serve`, `voelgoed demo` and the first `voelgoed organization` create one)",
            shown.display()
        );
    }
    match metadata {
        None if if_missing == IfMissing::Refuse => Ok(()),
        None => {
            let created = DirBuilder::new().recursive(true).mode(0o700).create(directory);
            created.with_context(|| format!("cannot create {}", shown.display()))
        }
        Some(metadata) if !metadata.is_dir() => bail!("{} is not a directory", shown.display()),
        Some(metadata) => restrict(directory, &metadata),
    }
}

/// True if the embedded database is in the directory.
pub fn holds_database(directory: &Path) -> bool {
    directory.join(DATABASE).is_file()
}

/// The absolute path, for messages.
pub fn shown(directory: &Path) -> PathBuf {
    std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned())
}

/// Restricts a directory with our files to its owner; refuses one that holds other files.
fn restrict(directory: &Path, metadata: &Metadata) -> anyhow::Result<()> {
    let shown = shown(directory);
    let others_may_enter = metadata.mode() & OTHER_USERS != 0;
    if others_may_enter {
        if metadata.mode() & STICKY != 0 || !is_empty_or_ours(directory)? {
            bail!(
                "{} holds other files and other users can enter it. Name an empty or new directory with --data: it holds buyers' \
                 names and secret keys, so it is restricted to its owner",
                shown.display()
            );
        }
        set_mode(directory, 0o700)?;
    }
    for file in files_below(directory)? {
        let mode = fs::symlink_metadata(&file).map(|metadata| metadata.mode());
        if mode.is_ok_and(|mode| mode & OTHER_USERS != 0) {
            let is_directory = file.is_dir();
            set_mode(&file, if is_directory { 0o700 } else { 0o600 })?;
        }
    }
    Ok(())
}

fn set_mode(path: &Path, mode: u32) -> anyhow::Result<()> {
    match fs::set_permissions(path, Permissions::from_mode(mode)) {
        // A server that runs on the directory may have deleted the file.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        changed => changed.with_context(|| {
            format!(
                "{} can be read by other users and is not yours; run as its owner, or set its mode to {mode:o}",
                path.display()
            )
        }),
    }
}

fn is_empty_or_ours(directory: &Path) -> anyhow::Result<bool> {
    let ours = [DATABASE, MASTER_KEY, DEMO, SANDBOX_CHARGES, SERVER_LOCK];
    if ours.iter().any(|name| directory.join(name).exists()) {
        return Ok(true);
    }
    let mut entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    Ok(entries.next().is_none())
}

/// The files in the directory and one level of directories below; symbolic links are skipped.
fn files_below(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(current) = directories.pop() {
        for entry in fs::read_dir(&current).with_context(|| current.display().to_string())? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && current == directory {
                directories.push(entry.path());
            }
            if kind.is_dir() || kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str, mode: u32) -> Self {
            let path = std::env::temp_dir().join(format!("voelgoed-data-{}-{name}", std::process::id()));
            fs::remove_dir_all(&path).ok();
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            Self(path)
        }

        fn file(&self, name: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "x").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn directory_of_ours_that_others_can_enter_is_restricted_with_all_its_files() {
        let scratch = Scratch::new("ours", 0o755);
        let files =
            [DATABASE, "voelgoed.sqlite-wal", "master.key", "sandbox/charges.jsonl"].map(|name| scratch.file(name));
        open(&scratch.0, true, IfMissing::Refuse).unwrap();
        assert_eq!(mode(&scratch.0), 0o700);
        assert_eq!(mode(&scratch.0.join("sandbox")), 0o700);
        assert_eq!(files.each_ref().map(|file| mode(file)), [0o600; 4]);
    }

    #[test]
    fn directory_with_other_files_is_refused_and_left_as_it_was() {
        let scratch = Scratch::new("other", 0o755);
        let file = scratch.file("notes.txt");
        let error = open(&scratch.0, true, IfMissing::Create).unwrap_err().to_string();
        assert!(error.contains("holds other files"), "{error}");
        assert_eq!((mode(&scratch.0), mode(&file)), (0o755, 0o644));
    }

    #[test]
    fn shared_directory_with_the_sticky_bit_is_never_restricted() {
        let scratch = Scratch::new("sticky", 0o1777);
        assert!(open(&scratch.0, true, IfMissing::Create).is_err());
        assert_eq!(mode(&scratch.0), 0o1777);
    }

    #[test]
    fn missing_directory_is_created_private_or_refused_untouched() {
        let scratch = Scratch::new("missing", 0o700);
        let [created, refused] = ["a/b", "c"].map(|name| scratch.0.join(name));
        open(&created, true, IfMissing::Create).unwrap();
        assert_eq!((mode(&created), mode(&scratch.0.join("a"))), (0o700, 0o700));
        let error = open(&refused, true, IfMissing::Refuse).unwrap_err().to_string();
        assert!(error.contains("holds no database") && error.contains("--data"), "{error}");
        assert!(!refused.exists());
        open(&refused, false, IfMissing::Refuse).unwrap();
        assert!(!refused.exists(), "with Postgres nothing is needed on disk");
    }

    #[test]
    fn directory_without_a_database_is_refused_and_stays_empty() {
        let scratch = Scratch::new("empty", 0o755);
        assert!(open(&scratch.0, true, IfMissing::Refuse).is_err());
        assert_eq!((mode(&scratch.0), fs::read_dir(&scratch.0).unwrap().count()), (0o755, 0));
    }
}
