//! Appends lines to the data file on a thread of its own, many lines per flush, and publishes how many lines are flushed.
//!
//! Never: a line counted as flushed before `fdatasync` (P3), or a write after a failed write; waiting callers then get [`JournalFailed`].

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc;

use tokio::sync::watch;

/// Limits the lines of one flush.
const LINES_PER_FLUSH_MAX: usize = 1024;

/// Writing the data file failed; the journal's thread has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data file cannot be written any more")]
pub struct JournalFailed;

/// The handle of the writing thread, which ends when the handle is dropped.
#[derive(Debug)]
pub struct SandboxJournal {
    lines: mpsc::Sender<Vec<u8>>,
    flushed: watch::Receiver<u64>,
}

impl SandboxJournal {
    /// Starts the writing thread on a file that is open for appending.
    pub fn start(file: File) -> io::Result<Self> {
        let (lines, incoming) = mpsc::channel();
        let (flushed_sender, flushed) = watch::channel(0);
        std::thread::Builder::new()
            .name("sandbox-journal".into())
            .spawn(move || write(file, &incoming, &flushed_sender))?;
        Ok(Self { lines, flushed })
    }

    /// Queues a line, newline included. The caller counts its lines from 1 and holds the lock that keeps them in order.
    pub fn append(&self, line: Vec<u8>) -> Result<(), JournalFailed> {
        self.lines.send(line).map_err(|_| JournalFailed)
    }

    /// Waits until the first `count` lines are on the disk.
    pub async fn flushed(&self, count: u64) -> Result<(), JournalFailed> {
        let mut flushed = self.flushed.clone();
        flushed.wait_for(|done| *done >= count).await.map(|_| ()).map_err(|_| JournalFailed)
    }

    /// Waits until writing fails.
    pub async fn failed(&self) -> JournalFailed {
        let mut flushed = self.flushed.clone();
        while flushed.changed().await.is_ok() {}
        JournalFailed
    }
}

fn write(mut file: File, incoming: &mpsc::Receiver<Vec<u8>>, flushed: &watch::Sender<u64>) {
    let mut done = 0;
    while let Ok(first) = incoming.recv() {
        let mut batch = first;
        let mut count = 1;
        while count < LINES_PER_FLUSH_MAX
            && let Ok(line) = incoming.try_recv()
        {
            batch.extend_from_slice(&line);
            count += 1;
        }
        if let Err(error) = file.write_all(&batch).and_then(|()| file.sync_data()) {
            tracing::error!(%error, "the sandbox provider cannot write its data file");
            return;
        }
        done += count as u64;
        flushed.send_replace(done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn flushed_lines_are_whole_and_in_order() {
        let path = std::env::temp_dir().join(format!("voelgoed-journal-{}", std::process::id()));
        let journal = SandboxJournal::start(File::create(&path).unwrap()).unwrap();
        let expected: String = (1..=3000).map(|number| format!("line {number}\n")).collect();
        for line in expected.split_inclusive('\n') {
            journal.append(line.into()).unwrap();
        }
        journal.flushed(3000).await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        std::fs::remove_file(&path).unwrap();
    }

    #[tokio::test]
    async fn failed_write_is_reported_to_every_waiting_caller() {
        let journal = SandboxJournal::start(File::open("/dev/null").unwrap()).unwrap();
        journal.append(b"line\n".to_vec()).unwrap();
        assert_eq!(journal.flushed(1).await, Err(JournalFailed));
        assert_eq!(journal.failed().await, JournalFailed);
    }
}
