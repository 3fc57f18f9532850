//! Ends a connection whose peer accepts no bytes for a timeout, so that a peer that stops reading gives its memory and permit back.
//!
//! The timeout runs only while bytes wait to be written; a stream may be silent for any time.

use std::future::Future;
use std::io::{Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use voelgoed_telemetry::metrics::http::connection_stalled;

/// A connection with a timeout for each write.
#[derive(Debug)]
pub struct WriteTimeout<S> {
    inner: S,
    timeout: Duration,
    /// Runs while bytes wait and the peer accepts none.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteTimeout<S> {
    /// Writes to `inner`, as long as its peer accepts bytes at least once per `timeout`.
    pub fn new(inner: S, timeout: Duration) -> Self {
        Self { inner, timeout, stalled: None }
    }

    /// The result of a write; an error where the peer accepted nothing for the timeout.
    fn check<T>(&mut self, written: Poll<Result<T, Error>>, context: &mut Context<'_>) -> Poll<Result<T, Error>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timeout = self.timeout;
        ready!(self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(context));
        connection_stalled();
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the peer accepts no bytes")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.get_mut().inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.check(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(context, parts);
        this.check(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_flush(context);
        // A flush that is done is no progress: a socket's flush always is.
        match written {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => this.check(Poll::Pending, context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_shutdown(context);
        this.check(written, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn connection_ends_when_its_peer_accepts_no_bytes() {
        let (ours, _theirs) = duplex(8);
        let mut ours = WriteTimeout::new(ours, TIMEOUT);
        let error = ours.write_all(&[0; 20]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_peer_gets_everything() {
        let (ours, mut theirs) = duplex(8);
        let mut ours = WriteTimeout::new(ours, TIMEOUT);
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
    async fn silent_stream_does_not_time_out() {
        let (ours, _theirs) = duplex(8);
        let mut ours = WriteTimeout::new(ours, TIMEOUT);
        ours.write_all(&[0; 4]).await.unwrap();
        tokio::time::sleep(TIMEOUT * 10).await;
        ours.write_all(&[0; 4]).await.unwrap();
    }
}
