//! Checks how requests are framed before the HTTP parser reads them, so that this server and a proxy in front never disagree where one request ends.
//!
//! The parser accepts what RFC 9112 only tolerates (a bare LF, `Content-Length` beside `Transfer-Encoding`, a repeated length). Whoever reads such a
//! message otherwise can be made to take its rest for another request. Never: a request repaired; the first wrong byte becomes NUL, which the parser
//! refuses with 400 and a closed connection, and nothing behind it is read.

use std::io::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest line; the parser itself refuses a head that does not fit its buffer of 8 KiB.
const LINE_BYTES_MAX: usize = 32 * 1024;
/// Lines of trailers.
const TRAILERS_MAX: usize = 32;
/// A byte that no part of a message may have.
const REFUSED: u8 = 0;

/// Where in a message the next byte belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Before the request line; one empty line is passed over (RFC 9112, 2.2).
    Start { skipped: bool },
    /// The lines of the head.
    Head,
    /// A body of known length: so many bytes are left.
    Fixed(u64),
    /// The line before a chunk.
    ChunkSize,
    /// A chunk: so many bytes are left.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// The lines after the last chunk; so many so far.
    Trailers(usize),
    /// Something was wrong; nothing is read any more.
    Broken,
}

/// What the head has said of the body so far.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    is_old: bool,
    length: Option<u64>,
    is_chunked: bool,
}

/// Which bytes a token may have (RFC 9110, 5.6.2).
const TOKEN: [bool; 256] = {
    let others = b"!#$%&'*+-.^_`|~";
    let mut token = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        token[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        token[others[at] as usize] = true;
        at += 1;
    }
    token
};

/// A message that must not be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wrong;

/// Follows the messages of one connection.
#[derive(Debug)]
pub struct Framing {
    part: Part,
    facts: Facts,
    line: Vec<u8>,
}

impl Default for Framing {
    fn default() -> Self {
        Self { part: Part::Start { skipped: false }, facts: Facts::default(), line: Vec::new() }
    }
}

impl Framing {
    /// The index of the first byte that is wrong; none where all of them may be read.
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
                    Err(wrong) => {
                        self.part = Part::Broken;
                        return Some(at + wrong);
                    }
                },
            }
        }
        None
    }

    /// Reads up to the end of a line; how many bytes were read, or which of them is wrong.
    fn line(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        let end = memchr::memchr(b'\n', bytes);
        let here = &bytes[..end.unwrap_or(bytes.len())];
        // A CR is only ever before LF; of other control characters only a tab is allowed.
        let is_text = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
        // Most lines have none, which this finds out for many bytes at once.
        let is_clean = here.iter().fold(true, |clean, byte| clean & (*byte >= b' ') & (*byte != 0x7f));
        if !is_clean
            && let Some(wrong) = here.iter().position(|byte| !is_text(byte))
            && !(here[wrong] == b'\r' && wrong + 1 == here.len())
        {
            return Err(wrong);
        }
        // A CR at the end of what came last time must be followed by LF now.
        if self.line.last() == Some(&b'\r') && !here.is_empty() {
            return Err(0);
        }
        if self.line.len() + here.len() > LINE_BYTES_MAX {
            return Err(0);
        }
        if let Some(end) = end.filter(|_| self.line.is_empty()) {
            // The whole line is at hand.
            let text = here.strip_suffix(b"\r").ok_or(end)?;
            self.finished(text).map_err(|Wrong| end)?;
            return Ok(end + 1);
        }
        self.line.extend_from_slice(here);
        let Some(end) = end else { return Ok(bytes.len()) };
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\r").ok_or(end)?;
        self.finished(text).map_err(|Wrong| end)?;
        // The buffer is kept for the next line.
        self.line = line;
        self.line.clear();
        Ok(end + 1)
    }

    /// Takes in a line without its end.
    fn finished(&mut self, line: &[u8]) -> Result<(), Wrong> {
        self.part = match self.part {
            Part::Start { skipped: false } if line.is_empty() => Part::Start { skipped: true },
            Part::Start { .. } => {
                self.facts = Facts { is_old: is_old(line)?, ..Facts::default() };
                Part::Head
            }
            Part::Head if line.is_empty() => self.body()?,
            Part::Head => {
                self.header(line)?;
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
                    return Err(Wrong);
                }
                Part::Trailers(lines + 1)
            }
            _ => return Err(Wrong),
        };
        Ok(())
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Wrong> {
        let (name, value) = field(line)?;
        if is(name, "content-length") {
            let digits = std::str::from_utf8(value).map_err(|_| Wrong)?;
            let is_number = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number || self.facts.length.is_some() {
                return Err(Wrong);
            }
            self.facts.length = digits.parse().ok();
        } else if is(name, "transfer-encoding") {
            if self.facts.is_chunked || !is(value, "chunked") {
                return Err(Wrong);
            }
            self.facts.is_chunked = true;
        }
        Ok(())
    }

    /// What follows the head.
    fn body(&self) -> Result<Part, Wrong> {
        match (self.facts.is_chunked, self.facts.length) {
            (true, None) if !self.facts.is_old => Ok(Part::ChunkSize),
            (true, _) => Err(Wrong),
            (false, None | Some(0)) => Ok(Part::Start { skipped: false }),
            (false, Some(length)) => Ok(Part::Fixed(length)),
        }
    }
}

/// Whether a request line is of HTTP/1.0: three parts with one space between them.
fn is_old(line: &[u8]) -> Result<bool, Wrong> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Wrong);
    };
    if !is_token(method) || target.is_empty() || target.contains(&b'\t') {
        return Err(Wrong);
    }
    match version {
        b"HTTP/1.1" => Ok(false),
        b"HTTP/1.0" => Ok(true),
        _ => Err(Wrong),
    }
}

/// Name and value of a field line; a line that continues the one before it has no name.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Wrong> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Wrong)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if !is_token(name) {
        return Err(Wrong);
    }
    Ok((name, value.trim_ascii()))
}

/// The size that a chunk's line says, extensions left out.
fn chunk_size(line: &[u8]) -> Result<u64, Wrong> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = std::str::from_utf8(digits).map_err(|_| Wrong)?;
    if !(1..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Wrong);
    }
    u64::from_str_radix(digits, 16).map_err(|_| Wrong)
}

fn is(text: &[u8], name: &str) -> bool {
    text.eq_ignore_ascii_case(name.as_bytes())
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| TOKEN[usize::from(*byte)])
}

/// A connection whose requests are checked as they are read.
#[derive(Debug)]
pub struct Framed<S> {
    inner: S,
    framing: Framing,
}

impl<S> Framed<S> {
    /// Checks what `inner` reads from now on.
    pub fn new(inner: S) -> Self {
        Self { inner, framing: Framing::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        let Self { inner, framing } = self.get_mut();
        if framing.part == Part::Broken {
            // As if the peer had ended.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(inner).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = read
            && let Some(wrong) = framing.check(&buffer.filled()[before..])
        {
            buffer.filled_mut()[before + wrong] = REFUSED;
            buffer.set_filled(before + wrong + 1);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
