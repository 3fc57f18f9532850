//! One provider per data file: a lock that ends with its process, and the address at which a second start finds the first.
//!
//! Never: trust in what a dead process has left; the lock alone says whether somebody lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sandbox::protocol::Ready;

/// How often, with [`PAUSE`] between, somebody asks again: a lock may be held for a moment by one who only looks, and an address
/// is written a moment after the lock is taken.
const TRIES: u32 = 100;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// The right to be the one provider of a data file, while this value lives.
#[derive(Debug)]
pub struct Running {
    file: File,
    /// Where the provider before this one was, if it is known.
    pub previous: Option<Ready>,
}

impl Running {
    /// Takes the right; none where another process has it.
    pub async fn take(data_file: &Path) -> io::Result<Option<Self>> {
        let mut file = open(data_file)?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => {
                    let previous = read(&mut file)?;
                    file.set_len(0)?;
                    return Ok(Some(Self { file, previous }));
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Tells others where this provider is.
    pub fn describe(&mut self, ready: &Ready) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.set_len(0)?;
        self.file.write_all(&serde_json::to_vec(ready)?)?;
        self.file.sync_all()
    }
}

/// The child of a process that was killed notices within this many tries, even on a busy machine.
const TRIES_OF_AN_ORPHAN: u32 = 500;

/// The provider that lives on `data_file`, to be used again instead of starting one; none where nobody lives there. One that ends with
/// its parent is waited for first: where the parent was killed, it is about to end, and whoever counted on it would charge nobody.
///
/// # Errors
/// Where the lock file cannot be opened, or a living provider does not say where it is within two seconds.
pub async fn reuse_or_describe(data_file: &Path) -> io::Result<Option<Ready>> {
    if !lock_path(data_file).exists() {
        return Ok(None);
    }
    let mut file = open(data_file)?;
    for tried in 1..=TRIES_OF_AN_ORPHAN {
        // Shared, so that two who look do not take each other for a living provider.
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        match read(&mut file)? {
            Some(ready) if !ready.ends_with_parent || tried == TRIES_OF_AN_ORPHAN => return Ok(Some(ready)),
            Some(_) => {}
            None if tried >= TRIES => break,
            None => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the living provider does not say where it is"))
}

/// The lock file beside a data file.
fn lock_path(data_file: &Path) -> PathBuf {
    let mut path = data_file.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

fn open(data_file: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(lock_path(data_file))
}

/// What the file says; none where it is empty or half written.
fn read(file: &mut File) -> io::Result<Option<Ready>> {
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut content)?;
    Ok(serde_json::from_slice(&content).ok())
}
