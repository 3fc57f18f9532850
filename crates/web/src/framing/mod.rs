//! Checks the framing of requests before the HTTP parser reads them, so that this server and a proxy in front agree where each request ends.
//!
//! The parser accepts what RFC 9112 only tolerates (a bare LF, `Content-Length` beside `Transfer-Encoding`, a repeated length); a proxy that reads such a
//! message otherwise can be made to take its rest for another request.
//! Never: a request repaired. The first invalid byte becomes NUL, which the parser refuses with 400 and a closed connection; nothing behind it is read.

mod checker;
mod syntax;

use std::io::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::checker::FramingChecker;

/// A byte that is invalid everywhere in a message.
const INVALID: u8 = 0;

/// A connection whose requests are checked as they are read.
#[derive(Debug)]
pub struct CheckedFraming<S> {
    inner: S,
    checker: FramingChecker,
}

impl<S> CheckedFraming<S> {
    /// Checks all that `inner` reads.
    pub fn new(inner: S) -> Self {
        Self { inner, checker: FramingChecker::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CheckedFraming<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        let Self { inner, checker } = self.get_mut();
        if checker.is_broken() {
            // The parser sees an end of the connection.
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(inner).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = read
            && let Some(invalid) = checker.check(&buffer.filled()[before..])
        {
            buffer.filled_mut()[before + invalid] = INVALID;
            buffer.set_filled(before + invalid + 1);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CheckedFraming<S> {
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
