//! Reads the data file at start, and replaces it by one line per charge, refund and barred key.
//!
//! Never: a skipped whole line. Only a last line without its newline is dropped, since the provider never answered for it (P3).

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::record::{Record, RecordLine, VERSION};

/// The data file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFileError {
    /// The file system refused to read or write it.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The file system's error.
        source: io::Error,
    },
    /// A whole line cannot be parsed: a person or the disk has changed it.
    #[error("{}:{line}: {detail}; put the line right or restore the file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// The parser's error.
        detail: String,
    },
}

/// The records of the file, oldest first; empty where there is no file.
pub fn read(path: &Path) -> Result<Vec<Record>, DataFileError> {
    let content = match fs::read(path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(DataFileError::Io { path: path.to_owned(), source }),
    };
    let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    if whole < content.len() {
        tracing::warn!(file = %path.display(), bytes = content.len() - whole, "dropped a torn last line that was never answered for");
    }
    let mut records = Vec::new();
    for (index, line) in content[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
        let unreadable = |detail: String| DataFileError::Unreadable { path: path.to_owned(), line: index + 1, detail };
        let line: RecordLine = serde_json::from_slice(line).map_err(|error| unreadable(error.to_string()))?;
        if line.v != VERSION {
            return Err(unreadable(format!("version {} is not known here", line.v)));
        }
        records.push(line.record);
    }
    Ok(records)
}

/// One record as a line, newline included.
pub fn line(record: &Record) -> Vec<u8> {
    let line = RecordLine { v: VERSION, record: record.clone() };
    let mut bytes = serde_json::to_vec(&line).expect("a record is plain data with text keys");
    bytes.push(b'\n');
    bytes
}

/// Replaces the file by these records with an atomic rename, and opens it for appending.
pub fn rewrite(path: &Path, records: impl Iterator<Item = Record>) -> Result<File, DataFileError> {
    let wrap = |source| DataFileError::Io { path: path.to_owned(), source };
    replace(path, records).map_err(wrap)?;
    OpenOptions::new().append(true).open(path).map_err(wrap)
}

fn replace(path: &Path, records: impl Iterator<Item = Record>) -> io::Result<()> {
    let mut replacement = path.as_os_str().to_owned();
    replacement.push(".new");
    let mut file = BufWriter::new(File::create(&replacement)?);
    for record in records {
        file.write_all(&line(&record))?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&replacement, path)?;
    // The rename itself is durable once the directory is.
    File::open(directory(path))?.sync_all()
}

/// The directory of a file, also where the path is a bare name.
pub fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
