//! The writer of the data file: lines in the order of their decisions, many per flush, and word of how far the disk has them.
//!
//! Never: an answer before its line is flushed (P3). While one flush is in flight the next lines gather. After a write that failed nothing
//! is written any more and everybody who waits is told so.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc;

use tokio::sync::watch;

/// The most lines of one flush.
const MOST_LINES_PER_FLUSH: usize = 1024;

/// The file cannot be written any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data file cannot be written any more")]
pub struct Broken;

/// The way to the writer, a thread of its own that ends with this value.
#[derive(Debug)]
pub struct Journal {
    lines: mpsc::Sender<Vec<u8>>,
    flushed: watch::Receiver<u64>,
}

impl Journal {
    /// Starts the writer on a file that is open for appending.
    pub fn start(file: File) -> io::Result<Self> {
        let (lines, incoming) = mpsc::channel();
        let (report, flushed) = watch::channel(0);
        std::thread::Builder::new().name("sandbox-journal".into()).spawn(move || write(file, &incoming, &report))?;
        Ok(Self { lines, flushed })
    }

    /// Hands a line over, newline included. The caller counts its lines from 1 and holds whatever keeps them in order.
    pub fn append(&self, line: Vec<u8>) -> Result<(), Broken> {
        self.lines.send(line).map_err(|_| Broken)
    }

    /// Waits until the first `count` lines are on the disk.
    pub async fn flushed(&self, count: u64) -> Result<(), Broken> {
        let mut flushed = self.flushed.clone();
        flushed.wait_for(|done| *done >= count).await.map(|_| ()).map_err(|_| Broken)
    }

    /// Waits until the file cannot be written any more.
    pub async fn broken(&self) -> Broken {
        let mut flushed = self.flushed.clone();
        while flushed.changed().await.is_ok() {}
        Broken
    }
}

fn write(mut file: File, incoming: &mpsc::Receiver<Vec<u8>>, report: &watch::Sender<u64>) {
    let mut done = 0;
    while let Ok(first) = incoming.recv() {
        let mut batch = first;
        let mut count = 1;
        while count < MOST_LINES_PER_FLUSH
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
        report.send_replace(done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_whole_and_in_order_when_they_are_told_to_be_flushed() {
        let path = std::env::temp_dir().join(format!("voelgoed-journal-{}", std::process::id()));
        let journal = Journal::start(File::create(&path).unwrap()).unwrap();
        let expected: String = (1..=3000).map(|number| format!("line {number}\n")).collect();
        for line in expected.split_inclusive('\n') {
            journal.append(line.into()).unwrap();
        }
        journal.flushed(3000).await.unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        std::fs::remove_file(&path).unwrap();
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_reported_to_everybody_who_waits() {
        let journal = Journal::start(File::open("/dev/null").unwrap()).unwrap();
        journal.append(b"line\n".to_vec()).unwrap();
        assert_eq!(journal.flushed(1).await, Err(Broken));
        assert_eq!(journal.broken().await, Broken);
    }
}
