//! Follows the messages of one connection byte by byte, and finds the first byte that no valid message has there.

use super::syntax::{Invalid, chunk_size, field, is, is_http_1_0};

/// A longer line is invalid; the parser itself refuses a head that does not fit its buffer of 8 KiB.
const LINE_BYTES_MAX: usize = 32 * 1024;
/// More lines of trailers are invalid.
const TRAILERS_MAX: usize = 32;
/// The part of a message that the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Before the request line; one empty line is passed over (RFC 9112, 2.2).
    Start { skipped: bool },
    /// The lines of the head.
    Head,
    /// A body of known length, with the bytes that are left.
    Fixed(u64),
    /// The line before a chunk.
    ChunkSize,
    /// A chunk, with the bytes that are left.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// The lines after the last chunk, with their number so far.
    Trailers(usize),
    /// Behind an invalid byte.
    Broken,
}

/// The headers so far that determine where the body ends.
#[derive(Debug, Clone, Copy, Default)]
struct BodyHeaders {
    is_http_1_0: bool,
    length: Option<u64>,
    is_chunked: bool,
}

/// Follows the messages of one connection.
#[derive(Debug)]
pub struct FramingChecker {
    part: Part,
    headers: BodyHeaders,
    line: Vec<u8>,
}

impl Default for FramingChecker {
    fn default() -> Self {
        Self { part: Part::Start { skipped: false }, headers: BodyHeaders::default(), line: Vec::new() }
    }
}

impl FramingChecker {
    /// Whether an invalid byte was found; nothing is read any more.
    pub fn is_broken(&self) -> bool {
        self.part == Part::Broken
    }

    /// The index of the first invalid byte; none where all bytes may be read.
    pub fn check(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            match self.part {
                Part::Broken => return Some(at),
                Part::Fixed(left) | Part::Chunk(left) => {
                    let here = left.min((bytes.len() - at) as u64);
                    at += usize::try_from(here).unwrap_or(bytes.len());
                    self.part = match (self.part, left - here) {
                        (Part::Fixed(_), 0) => Part::Start { skipped: false },
                        (Part::Fixed(_), left) => Part::Fixed(left),
                        (_, 0) => Part::ChunkEnd,
                        (_, left) => Part::Chunk(left),
                    };
                }
                _ => match self.line(&bytes[at..]) {
                    Ok(read) => at += read,
                    Err(invalid) => {
                        self.part = Part::Broken;
                        return Some(at + invalid);
                    }
                },
            }
        }
        None
    }

    /// Reads up to the end of a line: the number of bytes that were read, or the index of the invalid one.
    fn line(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        let end = memchr::memchr(b'\n', bytes);
        let here = &bytes[..end.unwrap_or(bytes.len())];
        // A CR is valid before LF only; of the other control characters only a tab is valid.
        let is_text = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
        // Most lines have no control character; this checks many bytes at once.
        let is_clean = here.iter().fold(true, |clean, byte| clean & (*byte >= b' ') & (*byte != 0x7f));
        if !is_clean
            && let Some(invalid) = here.iter().position(|byte| !is_text(byte))
            && !(here[invalid] == b'\r' && invalid + 1 == here.len())
        {
            return Err(invalid);
        }
        // A CR at the end of the bytes before must be followed by LF.
        if self.line.last() == Some(&b'\r') && !here.is_empty() {
            return Err(0);
        }
        if self.line.len() + here.len() > LINE_BYTES_MAX {
            return Err(0);
        }
        if let Some(end) = end.filter(|_| self.line.is_empty()) {
            // The whole line is in these bytes.
            let text = here.strip_suffix(b"\r").ok_or(end)?;
            self.end_line(text).map_err(|Invalid| end)?;
            return Ok(end + 1);
        }
        self.line.extend_from_slice(here);
        let Some(end) = end else { return Ok(bytes.len()) };
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\r").ok_or(end)?;
        self.end_line(text).map_err(|Invalid| end)?;
        // The buffer is kept for the next line.
        self.line = line;
        self.line.clear();
        Ok(end + 1)
    }

    /// Applies a whole line, without its end.
    fn end_line(&mut self, line: &[u8]) -> Result<(), Invalid> {
        self.part = match self.part {
            Part::Start { skipped: false } if line.is_empty() => Part::Start { skipped: true },
            Part::Start { .. } => {
                self.headers = BodyHeaders { is_http_1_0: is_http_1_0(line)?, ..BodyHeaders::default() };
                Part::Head
            }
            Part::Head if line.is_empty() => self.after_head()?,
            Part::Head => {
                self.apply_header(line)?;
                Part::Head
            }
            Part::ChunkSize => match chunk_size(line)? {
                0 => Part::Trailers(0),
                size => Part::Chunk(size),
            },
            Part::ChunkEnd if line.is_empty() => Part::ChunkSize,
            Part::Trailers(_) if line.is_empty() => Part::Start { skipped: false },
            Part::Trailers(lines) if lines < TRAILERS_MAX => {
                let (name, _) = field(line)?;
                if is(name, "content-length") || is(name, "transfer-encoding") || is(name, "host") {
                    return Err(Invalid);
                }
                Part::Trailers(lines + 1)
            }
            _ => return Err(Invalid),
        };
        Ok(())
    }

    fn apply_header(&mut self, line: &[u8]) -> Result<(), Invalid> {
        let (name, value) = field(line)?;
        if is(name, "content-length") {
            let digits = std::str::from_utf8(value).map_err(|_| Invalid)?;
            let is_number = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number || self.headers.length.is_some() {
                return Err(Invalid);
            }
            self.headers.length = digits.parse().ok();
        } else if is(name, "transfer-encoding") {
            if self.headers.is_chunked || !is(value, "chunked") {
                return Err(Invalid);
            }
            self.headers.is_chunked = true;
        }
        Ok(())
    }

    /// The part after the head.
    fn after_head(&self) -> Result<Part, Invalid> {
        match (self.headers.is_chunked, self.headers.length) {
            (true, None) if !self.headers.is_http_1_0 => Ok(Part::ChunkSize),
            (true, _) => Err(Invalid),
            (false, None | Some(0)) => Ok(Part::Start { skipped: false }),
            (false, Some(length)) => Ok(Part::Fixed(length)),
        }
    }
}

#[cfg(test)]
mod tests;
