//! Makes the provider's state durable: decides a change in memory, appends its line to the data file, and answers after the flush.
//!
//! Never: an answer that a crash could take back (P3). Reads wait for the flush as well, because they may show a change that is not flushed yet.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::{Notify, Semaphore};
use voelgoed_domain::time::Timestamp;

use crate::clock;
use crate::config::SandboxConfig;
use crate::data_file::{self, DataFileError};
use crate::journal::SandboxJournal;
use crate::record::CallbackState;
use crate::request_error::RequestError;
use crate::state::{ChangeResult, PendingCallback, ProviderState, StateChange};

/// Changes that are applied in memory and not yet flushed to the data file.
const CHANGES_IN_FLIGHT_MAX: usize = 4096;

/// The provider's state and its data file.
#[derive(Debug)]
pub struct DurableState {
    pub config: SandboxConfig,
    memory: Mutex<Memory>,
    journal: SandboxJournal,
    changes: Semaphore,
    /// Wakes the capture scheduler after a change that may have added an earlier capture.
    next_capture_changed: Notify,
    /// Wakes the webhook sender when there are [`CallbackUpdates`].
    callbacks_changed: Notify,
    /// True after [`DurableState::stop`]; every request is refused then.
    stopped: AtomicBool,
}

#[derive(Debug)]
struct Memory {
    state: ProviderState,
    /// Counts the lines handed to the journal.
    appended: u64,
    callback_updates: CallbackUpdates,
}

/// The changes for the webhook sender since its last read.
#[derive(Debug, Default)]
pub struct CallbackUpdates {
    /// Identifiers of new callbacks.
    pub new_ids: Vec<String>,
    /// True: the shop registered a callback URL, so callbacks in backoff are tried at once.
    pub retry_now: bool,
}

impl DurableState {
    /// Reads the data file, rewrites it with one line per record, and starts the journal.
    pub fn open(config: SandboxConfig) -> Result<Self, DataFileError> {
        let path = &config.data_file;
        let mut state = ProviderState::default();
        for record in data_file::read(path)? {
            state.apply(record);
        }
        if let Some(record) = config.callback_url.as_deref().and_then(|url| state.set_callback_url(url).record) {
            state.apply(record);
        }
        let file = data_file::rewrite(path, state.records())?;
        let journal = SandboxJournal::start(file).map_err(|source| DataFileError::Io { path: path.clone(), source })?;
        let callback_updates = CallbackUpdates { new_ids: state.pending_callback_ids(), retry_now: false };
        Ok(Self {
            memory: Mutex::new(Memory { state, appended: 0, callback_updates }),
            journal,
            changes: Semaphore::new(CHANGES_IN_FLIGHT_MAX),
            next_capture_changed: Notify::new(),
            callbacks_changed: Notify::new(),
            stopped: AtomicBool::new(false),
            config,
        })
    }

    /// Decides a change, appends its record, and returns the reply once the record is flushed.
    pub async fn change<T>(
        &self,
        decide: impl FnOnce(&ProviderState, Timestamp) -> ChangeResult<T>,
    ) -> Result<T, RequestError> {
        let _permit = self.changes.try_acquire().map_err(|_| RequestError::Busy)?;
        let (outcome, appended) = self.decide(decide)?;
        self.wait_until_flushed(appended).await?;
        outcome
    }

    /// Decides and appends under the lock; returns how many lines must be flushed before the reply.
    fn decide<T>(
        &self,
        decide: impl FnOnce(&ProviderState, Timestamp) -> ChangeResult<T>,
    ) -> Result<(Result<T, RequestError>, u64), RequestError> {
        let mut memory = self.lock()?;
        let memory = &mut *memory;
        let StateChange { record, reply } = match decide(&memory.state, clock::now()) {
            Ok(change) => change,
            Err(error) => return Ok((Err(error), memory.appended)),
        };
        if let Some(record) = record {
            self.journal.append(data_file::line(&record)).map_err(|_| RequestError::Broken)?;
            memory.appended += 1;
            let (next_capture, pending_callbacks) =
                (memory.state.next_capture(), memory.state.pending_callback_count());
            let callback_ids = record.pending_callback_ids();
            memory.state.apply(record);
            if memory.state.next_capture() != next_capture {
                self.next_capture_changed.notify_one();
            }
            if memory.state.pending_callback_count() > pending_callbacks {
                memory.callback_updates.new_ids.extend(callback_ids);
                self.callbacks_changed.notify_one();
            }
        }
        Ok((Ok(reply), memory.appended))
    }

    /// Reads the state, and returns once every line it may show is flushed.
    pub async fn read<T>(&self, read: impl FnOnce(&ProviderState) -> T) -> Result<T, RequestError> {
        let (reply, appended) = {
            let memory = self.lock()?;
            (read(&memory.state), memory.appended)
        };
        self.wait_until_flushed(appended).await?;
        Ok(reply)
    }

    async fn wait_until_flushed(&self, lines: u64) -> Result<(), RequestError> {
        self.journal.flushed(lines).await.map_err(|_| RequestError::Broken)?;
        if self.stopped.load(Ordering::Acquire) { Err(RequestError::Broken) } else { Ok(()) }
    }

    /// Refuses every request from now on, so that another process may take the data file.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// The time of the next capture; none if no charge waits for one.
    pub async fn next_capture(&self) -> Result<Option<Timestamp>, RequestError> {
        self.read(ProviderState::next_capture).await
    }

    /// Waits until the next capture may have become an earlier one.
    pub async fn next_capture_changed(&self) {
        self.next_capture_changed.notified().await;
    }

    /// The callback `id`; none once it was delivered or given up.
    pub async fn pending_callback(&self, id: &str) -> Result<Option<PendingCallback>, RequestError> {
        self.read(|state| state.pending_callback(id)).await
    }

    /// Records that the callback `id` was delivered or given up.
    pub async fn finish_callback(&self, id: &str, end: CallbackState) -> Result<(), RequestError> {
        self.change(|state, _| Ok(state.finish_callback(id, end))).await
    }

    /// Records the shop's callback URL, and has pending callbacks tried at once.
    pub async fn set_callback_url(&self, url: &str) -> Result<(), RequestError> {
        self.change(|state, _| Ok(state.set_callback_url(url))).await?;
        self.lock()?.callback_updates.retry_now = true;
        self.callbacks_changed.notify_one();
        Ok(())
    }

    /// Takes the updates that accumulated since the last call.
    pub fn take_callback_updates(&self) -> CallbackUpdates {
        self.lock().map(|mut memory| std::mem::take(&mut memory.callback_updates)).unwrap_or_default()
    }

    /// Waits until there may be [`CallbackUpdates`].
    pub async fn callbacks_changed(&self) {
        self.callbacks_changed.notified().await;
    }

    /// Waits until writing the data file fails.
    pub async fn write_failed(&self) {
        self.journal.failed().await;
    }

    /// The durable file.
    pub fn data_file(&self) -> &Path {
        &self.config.data_file
    }

    fn lock(&self) -> Result<MutexGuard<'_, Memory>, RequestError> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(RequestError::Broken);
        }
        // A panic during a change may have left memory and file different, so a poisoned lock refuses every request.
        self.memory.lock().map_err(|_| RequestError::Broken)
    }
}
