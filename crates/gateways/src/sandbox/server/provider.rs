//! The books and their data file as one: a change is decided, written, flushed, and only then answered.
//!
//! Never: an answer, even a reading one, that a crash could take back (P3): every answer waits until all that it may rest on is flushed.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use tokio::sync::{Notify, Semaphore};
use voelgoed_domain::time::Timestamp;

use super::books::{Books, Decided, Decision, Outgoing};
use super::clock;
use super::config::SandboxConfig;
use super::data_file::{self, DataFileError};
use super::journal::Journal;
use super::record::CallbackState;
use super::refused::Refused;

/// The most changes between decision and flush.
const MOST_CHANGES_IN_FLIGHT: usize = 4096;

/// The provider's knowledge, durable.
#[derive(Debug)]
pub struct Provider {
    /// As it was told at start.
    pub config: SandboxConfig,
    state: Mutex<State>,
    journal: Journal,
    changes: Semaphore,
    /// Rings when the next capture may have become an earlier one.
    captures: Notify,
    /// Rings when there is news for the courier.
    callbacks: Notify,
    /// True: nothing is answered any more.
    stopped: AtomicBool,
}

#[derive(Debug)]
struct State {
    books: Books,
    /// Lines handed to the journal.
    appended: u64,
    news: News,
}

/// What the courier has to be told.
#[derive(Debug, Default)]
pub struct News {
    /// Callbacks that were not there before.
    pub waiting: Vec<String>,
    /// True: the shop said where it is; whatever pauses is tried at once.
    pub hurry: bool,
}

impl Provider {
    /// Reads the data file, writes it anew with one line per thing, and starts the writer.
    pub fn open(config: SandboxConfig) -> Result<Self, DataFileError> {
        let path = &config.data_file;
        let mut books = Books::default();
        for record in data_file::read(path)? {
            books.apply(record);
        }
        if let Some(record) = config.callback_url.as_deref().and_then(|url| books.retarget(url).record) {
            books.apply(record);
        }
        let file = data_file::rewrite(path, books.records())?;
        let journal = Journal::start(file).map_err(|source| DataFileError::Io { path: path.clone(), source })?;
        let news = News { waiting: books.waiting_callbacks(), hurry: false };
        Ok(Self {
            state: Mutex::new(State { books, appended: 0, news }),
            journal,
            changes: Semaphore::new(MOST_CHANGES_IN_FLIGHT),
            captures: Notify::new(),
            callbacks: Notify::new(),
            stopped: AtomicBool::new(false),
            config,
        })
    }

    /// Decides, writes, flushes and answers.
    pub async fn change<T>(&self, decide: impl FnOnce(&Books, Timestamp) -> Decided<T>) -> Result<T, Refused> {
        let _permit = self.changes.try_acquire().map_err(|_| Refused::Busy)?;
        let (outcome, seen) = self.decide(decide)?;
        self.settle(seen).await?;
        outcome
    }

    /// The synchronous half: the decision, its line in the journal's queue, and how many lines the answer rests on.
    fn decide<T>(
        &self,
        decide: impl FnOnce(&Books, Timestamp) -> Decided<T>,
    ) -> Result<(Result<T, Refused>, u64), Refused> {
        let mut state = self.lock()?;
        let state = &mut *state;
        let Decision { record, answer } = match decide(&state.books, clock::now()) {
            Ok(decision) => decision,
            Err(refused) => return Ok((Err(refused), state.appended)),
        };
        if let Some(record) = record {
            self.journal.append(data_file::line(&record)).map_err(|_| Refused::Broken)?;
            state.appended += 1;
            let (next, waiting) = (state.books.next_capture(), state.books.waiting_count());
            let new_callbacks = record.waiting_callbacks();
            state.books.apply(record);
            if state.books.next_capture() != next {
                self.captures.notify_one();
            }
            if state.books.waiting_count() > waiting {
                state.news.waiting.extend(new_callbacks);
                self.callbacks.notify_one();
            }
        }
        Ok((Ok(answer), state.appended))
    }

    /// Reads, and answers once all that was read is flushed.
    pub async fn read<T>(&self, read: impl FnOnce(&Books) -> T) -> Result<T, Refused> {
        let (answer, seen) = {
            let state = self.lock()?;
            (read(&state.books), state.appended)
        };
        self.settle(seen).await?;
        Ok(answer)
    }

    /// Waits until the first `seen` lines are flushed.
    async fn settle(&self, seen: u64) -> Result<(), Refused> {
        self.journal.flushed(seen).await.map_err(|_| Refused::Broken)?;
        if self.stopped.load(Ordering::Acquire) { Err(Refused::Broken) } else { Ok(()) }
    }

    /// From now on nothing is answered, so that the data file can be somebody else's.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// When the next charge is to be captured.
    pub async fn next_capture(&self) -> Result<Option<Timestamp>, Refused> {
        self.read(Books::next_capture).await
    }

    /// Waits until the next capture may have become an earlier one.
    pub async fn captures_changed(&self) {
        self.captures.notified().await;
    }

    /// The message called `id`, if it still waits.
    pub async fn outgoing(&self, id: &str) -> Result<Option<Outgoing>, Refused> {
        self.read(|books| books.outgoing(id)).await
    }

    /// The message called `id` waits no longer.
    pub async fn finish_callback(&self, id: &str, end: CallbackState) -> Result<(), Refused> {
        self.change(|books, _| Ok(books.finish_callback(id, end))).await
    }

    /// Callbacks go to `url` from now on, and those that wait go at once.
    pub async fn retarget(&self, url: &str) -> Result<(), Refused> {
        self.change(|books, _| Ok(books.retarget(url))).await?;
        self.lock()?.news.hurry = true;
        self.callbacks.notify_one();
        Ok(())
    }

    /// Takes what the courier has to be told.
    pub fn take_news(&self) -> News {
        self.lock().map(|mut state| std::mem::take(&mut state.news)).unwrap_or_default()
    }

    /// Waits until there may be news for the courier.
    pub async fn callbacks_changed(&self) {
        self.callbacks.notified().await;
    }

    /// Waits until the data file cannot be written any more.
    pub async fn broken(&self) {
        self.journal.broken().await;
    }

    /// The durable file.
    pub fn data_file(&self) -> &Path {
        &self.config.data_file
    }

    fn lock(&self) -> Result<MutexGuard<'_, State>, Refused> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(Refused::Broken);
        }
        // Somebody panicked half-way through a change: memory and file may differ, so nothing is said any more.
        self.state.lock().map_err(|_| Refused::Broken)
    }
}
