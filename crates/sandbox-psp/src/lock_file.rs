//! Locks `<data file>.lock` while the provider runs and writes its address there, so that a second start finds the running provider.
//!
//! Only the lock says whether a provider runs; an address in an unlocked file belongs to a process that has ended.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::protocol::ProviderEndpoint;

/// Limits attempts, [`ATTEMPT_INTERVAL`] apart: a reader may hold the lock for a moment, and a starting provider writes its address a
/// moment after it took the lock.
const ATTEMPTS_MAX: u32 = 100;

/// Limits attempts for a provider that ends with its parent: it notices a killed parent within this time, even on a busy machine.
const ORPHAN_ATTEMPTS_MAX: u32 = 500;

const ATTEMPT_INTERVAL: Duration = Duration::from_millis(20);

/// The lock of a data file, held until it is dropped or its process ends.
#[derive(Debug)]
pub struct LockFile {
    file: File,
    /// The endpoint that the previous provider left, if it can be read.
    pub previous: Option<ProviderEndpoint>,
}

impl LockFile {
    /// Takes the lock; none where another process holds it.
    pub async fn acquire(data_file: &Path) -> io::Result<Option<Self>> {
        let mut file = open(data_file)?;
        for _ in 0..ATTEMPTS_MAX {
            match file.try_lock() {
                Ok(()) => {
                    let previous = read(&mut file)?;
                    file.set_len(0)?;
                    return Ok(Some(Self { file, previous }));
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(ATTEMPT_INTERVAL).await,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Writes this provider's endpoint for other processes.
    pub fn write_endpoint(&mut self, endpoint: &ProviderEndpoint) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.set_len(0)?;
        self.file.write_all(&serde_json::to_vec(endpoint)?)?;
        self.file.sync_all()
    }
}

/// The endpoint of the provider that runs on `data_file`; none where none runs. A provider that ends with its parent gets time to end first, because charges
/// that are sent to it after its parent was killed are lost.
///
/// # Errors
/// Where the lock file cannot be opened, or a running provider does not write its endpoint within two seconds.
pub async fn find_running_provider(data_file: &Path) -> io::Result<Option<ProviderEndpoint>> {
    if !lock_path(data_file).exists() {
        return Ok(None);
    }
    let mut file = open(data_file)?;
    for attempt in 1..=ORPHAN_ATTEMPTS_MAX {
        // A shared lock, so that two readers do not take each other for a running provider.
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        match read(&mut file)? {
            Some(endpoint) if !endpoint.ends_with_parent || attempt == ORPHAN_ATTEMPTS_MAX => {
                return Ok(Some(endpoint));
            }
            Some(_) => {}
            None if attempt >= ATTEMPTS_MAX => break,
            None => {}
        }
        tokio::time::sleep(ATTEMPT_INTERVAL).await;
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the running sandbox provider has not written its address"))
}

/// `<data file>.lock`.
fn lock_path(data_file: &Path) -> PathBuf {
    let mut path = data_file.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

fn open(data_file: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(lock_path(data_file))
}

/// The endpoint in the file; none where it is empty or half written.
fn read(file: &mut File) -> io::Result<Option<ProviderEndpoint>> {
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut content)?;
    Ok(serde_json::from_slice(&content).ok())
}
