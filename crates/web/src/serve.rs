//! The accept loop: HTTP/1.1 with small buffers, so that an idle viewer costs little; limits per address; draining without a dropped request.

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
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::Service;
use voelgoed_resilience::{KeyedConcurrency, KeyedConcurrencyLimit};

use crate::framing::Framed;
use crate::state::Web;
use crate::write_progress::WriteProgress;

/// hyper's own least is 8 KiB; a viewer's connection needs no more.
const BUFFER_BYTES: usize = 8 * 1024;
/// A client that does not finish its headers is let go.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// After a failed accept (no file left) the loop waits, so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a listener takes.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Connections open at once; more wait in the kernel's queue.
    pub most: usize,
    /// Connections of one address; more are closed at once. Proxies that are trusted have as many as they like.
    pub per_address_max: usize,
    /// A peer that takes nothing of what waits for it for so long is let go.
    pub write_timeout: Duration,
    /// What is under way when the node stops may take so long.
    pub drain: Duration,
}

/// Serves until `stopping`, then finishes what is under way.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    web: Web,
    limits: ConnectionLimits,
    stopping: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.most));
    let addresses = KeyedConcurrency::new(KeyedConcurrencyLimit {
        name: "connections_per_address_max",
        most: limits.per_address_max,
    });
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
        let of_address = match web
            .settings
            .address_rules
            .connection(peer.ip())
            .map(|address| addresses.try_acquire(address))
            .transpose()
        {
            Ok(permit) => permit,
            // Closed without a word: an answer would cost what the limit is to spare.
            Err(_full) => continue,
        };
        let connection = graceful.watch(connection(stream, peer, &router, limits.write_timeout));
        #[expect(
            clippy::disallowed_methods,
            reason = "one task per connection, bounded by the semaphore and drained below"
        )]
        tokio::spawn(async move {
            // A client that went away is no news.
            let _gone = connection.await;
            drop((place, of_address));
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: &Router,
    write_timeout: Duration,
) -> http1::Connection<
    TokioIo<Framed<WriteProgress<TcpStream>>>,
    impl hyper::service::Service<
        hyper::Request<hyper::body::Incoming>,
        Response = axum::response::Response,
        Error = Infallible,
        Future: Send,
    > + use<>,
> {
    // Small frames to many viewers must not wait for each other.
    let _unimportant = stream.set_nodelay(true);
    // A peer that vanished is noticed by what it does not acknowledge; one that reads nothing, by `WriteProgress`.
    let _unimportant = SockRef::from(&stream).set_tcp_user_timeout(Some(write_timeout * 2));
    let router = router.clone();
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request.map(axum::body::Body::new))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(Framed::new(WriteProgress::new(stream, write_timeout))), service)
}
