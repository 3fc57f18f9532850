//! A TCP proxy of our own between a client and a server: what goes through can be late, or not arrive until the way is mended, and the server behind it
//! can become another one.
//!
//! Never: a byte changed, lost or out of order; what was held back arrives in the end, as over a network that repeats what it lost. A server that hangs
//! up is hung up on this side too.

use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Read at once.
const CHUNK: usize = 16 * 1024;
/// Chunks on their way in one direction.
const ON_THE_WAY: usize = 256;

/// How the way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// As if there were no proxy.
    Fair,
    /// Everything arrives so much later, in each direction.
    Slow(Duration),
    /// Nothing arrives, in either direction, and no connection is refused.
    Parted,
}

#[derive(Debug, Clone)]
struct Way {
    to: String,
    weather: Weather,
}

/// A proxy; it ends with its value, and its connections with it.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    way: watch::Sender<Way>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port of loopback and leads to `to` (`host:port`).
    ///
    /// # Errors
    /// Where there is no port.
    pub async fn start(to: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for a proxy")?;
        let address = listener.local_addr()?.to_string();
        let (way, ways) = watch::channel(Way { to: to.to_owned(), weather: Weather::Fair });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, ways));
        Ok(Self { address, way, _accepting: accepting })
    }

    /// `host:port` of this side.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Changes the weather of every connection, and of those to come.
    pub fn set(&self, weather: Weather) {
        self.way.send_modify(|way| way.weather = weather);
    }

    /// New connections lead to `to`; those that are open stay with the old server.
    pub fn lead_to(&self, to: &str) {
        self.way.send_modify(|way| to.clone_into(&mut way.to));
    }
}

async fn accept(listener: TcpListener, way: watch::Receiver<Way>) {
    let mut carried = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    let way = way.clone();
                    // Whichever side hangs up, both are.
                    carried.spawn(async move { drop(carry(client, way).await) });
                }
            }
            Some(_ended) = carried.join_next() => {}
        }
    }
}

async fn carry(client: TcpStream, mut way: watch::Receiver<Way>) -> anyhow::Result<()> {
    let to = way.wait_for(|way| way.weather != Weather::Parted).await?.to.clone();
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        ended = pass(from_client, to_server, way.clone()) => ended,
        ended = pass(from_server, to_client, way) => ended,
    }
}

/// One direction, until its reader ends and everything has arrived.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
) -> anyhow::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let seen = way.clone();
    let read = async move {
        let mut chunk = vec![0; CHUNK];
        loop {
            let size = from.read(&mut chunk).await?;
            if size == 0 {
                return anyhow::Ok(());
            }
            let late = if let Weather::Slow(late) = seen.borrow().weather { late } else { Duration::ZERO };
            sender.send((Instant::now() + late, chunk[..size].to_vec())).await?;
        }
    };
    let write = async move {
        while let Some((at, chunk)) = receiver.recv().await {
            sleep_until(at).await;
            way.wait_for(|way| way.weather != Weather::Parted).await?;
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

    /// Answers each byte with its name and the byte.
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

    async fn ask(stream: &mut TcpStream, byte: u8) -> [u8; 2] {
        stream.write_u8(byte).await.unwrap();
        let mut answer = [0; 2];
        stream.read_exact(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn what_is_held_back_arrives_in_order_when_the_way_is_mended() {
        let (address, _server) = server(b'a').await;
        let proxy = Proxy::start(&address).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream, 1).await, [b'a', 1]);
        proxy.set(Weather::Parted);
        stream.write_all(&[2, 3]).await.unwrap();
        let mut late = TcpStream::connect(proxy.address()).await.unwrap();
        late.write_u8(4).await.unwrap();
        let mut answers = [0; 4];
        let unanswered = tokio::time::timeout(Duration::from_millis(200), stream.read_exact(&mut answers)).await;
        assert!(unanswered.is_err(), "{answers:?}");
        proxy.set(Weather::Fair);
        stream.read_exact(&mut answers).await.unwrap();
        assert_eq!(answers, [b'a', 2, b'a', 3]);
        late.read_exact(&mut answers[..2]).await.unwrap();
        assert_eq!(answers[..2], [b'a', 4]);
    }

    #[tokio::test]
    async fn a_slow_way_takes_its_time_in_each_direction() {
        let (address, _server) = server(b'a').await;
        let proxy = Proxy::start(&address).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        let late = Duration::from_millis(60);
        proxy.set(Weather::Slow(late));
        let begun = Instant::now();
        assert_eq!(ask(&mut stream, 1).await, [b'a', 1]);
        assert!(begun.elapsed() >= late * 2);
    }

    #[tokio::test]
    async fn it_leads_to_another_server_and_hangs_up_with_the_old_one() {
        let ((old, old_server), (new, _new_server)) = (server(b'a').await, server(b'b').await);
        let proxy = Proxy::start(&old).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream, 1).await, [b'a', 1]);
        proxy.lead_to(&new);
        assert_eq!(ask(&mut stream, 2).await, [b'a', 2]);
        drop(old_server);
        until("the old connection ends", Duration::from_secs(10), || {
            let ended = stream.try_read(&mut [0; 2]);
            async move { Ok(matches!(ended, Ok(0)).then_some(())) }
        })
        .await
        .unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream, 3).await, [b'b', 3]);
    }
}
