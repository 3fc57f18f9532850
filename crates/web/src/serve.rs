//! Accepts connections within limits and serves HTTP/1.1 on them with small buffers, so that an idle viewer costs little; drains them when the node stops.

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

use crate::framing::CheckedFraming;
use crate::state::Web;
use crate::write_timeout::WriteTimeout;

/// The least that hyper allows; a viewer's connection needs no more.
const BUFFER_BYTES: usize = 8 * 1024;
/// A connection whose client has not sent its headers by then is closed.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The wait after a failed accept, because the loop would spin while the process has no free file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The limits of one listener.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Connections of one address; more are closed at once. Trusted proxies have no limit.
    pub per_address_max: usize,
    /// A connection whose peer accepts no bytes for this time is closed.
    pub write_timeout: Duration,
    /// Time for the requests that run when the node stops.
    pub drain: Duration,
}

/// Serves until `stopping`, then drains the connections.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    web: Web,
    limits: ConnectionLimits,
    stopping: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let addresses = KeyedConcurrency::new(KeyedConcurrencyLimit {
        name: "connections_per_address_max",
        permits_max: limits.per_address_max,
    });
    let mut stopped = pin!(stopping.cancelled());
    loop {
        let permit = tokio::select! {
            () = &mut stopped => break,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        // The semaphore is never closed.
        let Ok(permit) = permit else { break };
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
        let address_permit = match web
            .settings
            .address_rules
            .connection(peer.ip())
            .map(|address| addresses.try_acquire(address))
            .transpose()
        {
            Ok(permit) => permit,
            // Closed without a response, which would cost what the limit saves.
            Err(_full) => continue,
        };
        let connection = graceful.watch(connection(stream, peer, &router, limits.write_timeout));
        #[expect(
            clippy::disallowed_methods,
            reason = "one task per connection, bounded by the semaphore and drained below"
        )]
        tokio::spawn(async move {
            // A client may close its connection at any time.
            let _closed = connection.await;
            drop((permit, address_permit));
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
    TokioIo<CheckedFraming<WriteTimeout<TcpStream>>>,
    impl hyper::service::Service<
        hyper::Request<hyper::body::Incoming>,
        Response = axum::response::Response,
        Error = Infallible,
        Future: Send,
    > + use<>,
> {
    // Small frames must leave at once.
    let _optional = stream.set_nodelay(true);
    // The kernel notices a peer that vanished by missing acknowledgements; `WriteTimeout` notices one that reads nothing.
    let _optional = SockRef::from(&stream).set_tcp_user_timeout(Some(write_timeout * 2));
    let router = router.clone();
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request.map(axum::body::Body::new))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(CheckedFraming::new(WriteTimeout::new(stream, write_timeout))), service)
}
