//! The accept loop: HTTP/1.1 with small buffers, so that an idle viewer costs little; draining without a dropped request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// hyper's own least is 8 KiB; a viewer's connection needs no more.
const BUFFER_BYTES: usize = 8 * 1024;
/// A client that does not finish its headers is let go.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// After a failed accept (no file left) the loop waits, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stopping`, then finishes what is under way for at most `drain`.
///
/// At most `most` connections are open at once; more wait in the kernel's queue.
pub async fn serve(listener: TcpListener, router: Router, most: usize, stopping: CancellationToken, drain: Duration) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(most));
    let mut stopped = pin!(stopping.cancelled());
    loop {
        let place = tokio::select! {
            () = &mut stopped => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        // The semaphore is never closed.
        let Ok(place) = place else { break };
        let (stream, peer) = tokio::select! {
            () = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let connection = graceful.watch(connection(stream, peer, &router));
        #[expect(
            clippy::disallowed_methods,
            reason = "one task per connection, bounded by the semaphore and drained below"
        )]
        tokio::spawn(async move {
            // A client that went away is no news.
            let _gone = connection.await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: &Router,
) -> http1::Connection<
    TokioIo<TcpStream>,
    impl hyper::service::Service<
        hyper::Request<hyper::body::Incoming>,
        Response = axum::response::Response,
        Error = Infallible,
        Future: Send,
    > + use<>,
> {
    // Small frames to many viewers must not wait for each other.
    let _unimportant = stream.set_nodelay(true);
    let router = router.clone();
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request.map(axum::body::Body::new))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
}
