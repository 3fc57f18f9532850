//! Ends a connection whose peer takes nothing for a while, so that whoever never reads keeps neither memory nor a place.
//!
//! Never: a clock while nothing waits to be written; a silent stream stays as long as it likes.

use std::future::Future;
use std::io::{Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use voelgoed_telemetry::metrics::http::connection_stalled;

/// A connection with a write deadline.
#[derive(Debug)]
pub struct WriteProgress<S> {
    inner: S,
    timeout: Duration,
    /// Runs while the peer takes nothing of what waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteProgress<S> {
    /// Writes to `inner`, as long as its peer takes something at least every `timeout`.
    pub fn new(inner: S, timeout: Duration) -> Self {
        Self { inner, timeout, stalled: None }
    }

    /// What a write has come to; an error where nothing was taken for too long.
    fn progress<T>(&mut self, written: Poll<Result<T, Error>>, context: &mut Context<'_>) -> Poll<Result<T, Error>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timeout = self.timeout;
        ready!(self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(context));
        connection_stalled();
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the peer takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteProgress<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.get_mut().inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteProgress<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.progress(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(context, parts);
        this.progress(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_flush(context);
        // Nothing that is flushed is progress: a socket's flush is always done.
        match written {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => this.progress(Poll::Pending, context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_shutdown(context);
        this.progress(written, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_let_go() {
        let (ours, _theirs) = duplex(8);
        let mut ours = WriteProgress::new(ours, TIMEOUT);
        let error = ours.write_all(&[0; 20]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_a_little_now_and_then_gets_everything() {
        let (ours, mut theirs) = duplex(8);
        let mut ours = WriteProgress::new(ours, TIMEOUT);
        let reads = async {
            let mut read = 0;
            while read < 40 {
                tokio::time::sleep(TIMEOUT - Duration::from_secs(1)).await;
                read += theirs.read(&mut [0; 4]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(ours.write_all(&[0; 40]), reads);
        written.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_no_stall() {
        let (ours, _theirs) = duplex(8);
        let mut ours = WriteProgress::new(ours, TIMEOUT);
        ours.write_all(&[0; 4]).await.unwrap();
        tokio::time::sleep(TIMEOUT * 10).await;
        ours.write_all(&[0; 4]).await.unwrap();
    }
}
