//! Forwards TCP between a client and a server, delays bytes or holds them back during a partition, and can redirect new connections to another server.
//!
//! Never: a byte changed, lost or out of order; held-back bytes arrive in the end, as over a network that retransmits. When one side closes its
//! connection, the other side is closed too.

use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const CHUNK_BYTES: usize = 16 * 1024;
const CHUNKS_IN_FLIGHT_MAX: usize = 256;

/// What the proxy does to traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkFault {
    /// Forwards at once.
    None,
    /// Forwards each byte later by this, in each direction.
    Delay(Duration),
    /// Holds back every byte in both directions; connections are still accepted.
    Partition,
}

#[derive(Debug, Clone)]
struct Route {
    to: String,
    fault: LinkFault,
}

/// A running proxy; dropping the value closes it and its connections.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    route: watch::Sender<Route>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port of loopback and forwards to `to` (`host:port`).
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(to: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for a proxy")?;
        let address = listener.local_addr()?.to_string();
        let (route, routes) = watch::channel(Route { to: to.to_owned(), fault: LinkFault::None });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, routes));
        Ok(Self { address, route, _accepting: accepting })
    }

    /// `host:port` for clients.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Applies a fault to open and new connections.
    pub fn set_fault(&self, fault: LinkFault) {
        self.route.send_modify(|route| route.fault = fault);
    }

    /// Forwards new connections to `to`; open ones stay with the old server.
    pub fn redirect_to(&self, to: &str) {
        self.route.send_modify(|route| to.clone_into(&mut route.to));
    }
}

async fn accept(listener: TcpListener, route: watch::Receiver<Route>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    let route = route.clone();
                    // When one side closes, the forwarding ends and closes the other.
                    connections.spawn(async move { drop(forward(client, route).await) });
                }
            }
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn forward(client: TcpStream, mut route: watch::Receiver<Route>) -> anyhow::Result<()> {
    let to = route.wait_for(|route| route.fault != LinkFault::Partition).await?.to.clone();
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        ended = copy(from_client, to_server, route.clone()) => ended,
        ended = copy(from_server, to_client, route) => ended,
    }
}

/// Copies one direction until its reader ends and everything has arrived.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut route: watch::Receiver<Route>,
) -> anyhow::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS_IN_FLIGHT_MAX);
    let current = route.clone();
    let read = async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let size = from.read(&mut chunk).await?;
            if size == 0 {
                return anyhow::Ok(());
            }
            let delay = if let LinkFault::Delay(delay) = current.borrow().fault { delay } else { Duration::ZERO };
            sender.send((Instant::now() + delay, chunk[..size].to_vec())).await?;
        }
    };
    let write = async move {
        while let Some((at, chunk)) = receiver.recv().await {
            sleep_until(at).await;
            route.wait_for(|route| route.fault != LinkFault::Partition).await?;
            to.write_all(&chunk).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(read, write).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::until::until;

    /// Replies to each byte with the server's name and the byte.
    async fn server(name: u8) -> (String, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                served.spawn(async move {
                    while let Ok(byte) = stream.read_u8().await {
                        if stream.write_all(&[name, byte]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        (address, tasks)
    }

    async fn exchange(stream: &mut TcpStream, byte: u8) -> [u8; 2] {
        stream.write_u8(byte).await.unwrap();
        let mut reply = [0; 2];
        stream.read_exact(&mut reply).await.unwrap();
        reply
    }

    #[tokio::test]
    async fn bytes_held_back_by_a_partition_arrive_in_order_when_it_heals() {
        let (address, _server) = server(b'a').await;
        let proxy = Proxy::start(&address).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(exchange(&mut stream, 1).await, [b'a', 1]);
        proxy.set_fault(LinkFault::Partition);
        stream.write_all(&[2, 3]).await.unwrap();
        let mut late = TcpStream::connect(proxy.address()).await.unwrap();
        late.write_u8(4).await.unwrap();
        let mut replies = [0; 4];
        let no_reply = tokio::time::timeout(Duration::from_millis(200), stream.read_exact(&mut replies)).await;
        assert!(no_reply.is_err(), "{replies:?}");
        proxy.set_fault(LinkFault::None);
        stream.read_exact(&mut replies).await.unwrap();
        assert_eq!(replies, [b'a', 2, b'a', 3]);
        late.read_exact(&mut replies[..2]).await.unwrap();
        assert_eq!(replies[..2], [b'a', 4]);
    }

    #[tokio::test]
    async fn delay_applies_in_each_direction() {
        let (address, _server) = server(b'a').await;
        let proxy = Proxy::start(&address).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        let delay = Duration::from_millis(60);
        proxy.set_fault(LinkFault::Delay(delay));
        let begun = Instant::now();
        assert_eq!(exchange(&mut stream, 1).await, [b'a', 1]);
        assert!(begun.elapsed() >= delay * 2);
    }

    #[tokio::test]
    async fn redirect_applies_to_new_connections_and_the_old_server_closes_its_own() {
        let ((old, old_server), (new, _new_server)) = (server(b'a').await, server(b'b').await);
        let proxy = Proxy::start(&old).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(exchange(&mut stream, 1).await, [b'a', 1]);
        proxy.redirect_to(&new);
        assert_eq!(exchange(&mut stream, 2).await, [b'a', 2]);
        drop(old_server);
        until("the old connection ends", Duration::from_secs(10), || {
            let ended = stream.try_read(&mut [0; 2]);
            async move { Ok(matches!(ended, Ok(0)).then_some(())) }
        })
        .await
        .unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(exchange(&mut stream, 3).await, [b'b', 3]);
    }
}
