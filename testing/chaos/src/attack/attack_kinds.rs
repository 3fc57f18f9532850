//! Attacks a server from one address until cancelled; each attacker starts again whenever it is refused or its connection is closed.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Between two bytes of a slow sender.
const BYTE_INTERVAL: Duration = Duration::from_millis(500);
/// Before a refused attacker starts again.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// The attacked server and event.
#[derive(Debug, Clone)]
pub struct AttackTarget {
    /// `host:port`
    pub address: String,
    /// The event with the largest map.
    pub stadium_event: String,
    /// The event of which the other buyer buys.
    pub event: String,
    /// The event's general-admission area.
    pub area: String,
    /// `tt_…`
    pub ticket_type: String,
    /// The attacker's address: `127.0.0.{last}`.
    pub last: u8,
}
#[derive(Debug, Clone, Copy)]
pub enum AttackKind {
    /// Bodies of orders, scans and holds, sent a byte at a time.
    SlowBodies,
    /// Heads, sent a byte at a time.
    SlowHeads,
    /// Requests for maps whose responses are never read.
    NonReaders,
    /// Connections without a request.
    Connections,
    /// Streams of availability.
    Streams,
    /// The largest map, again and again.
    MapFlood,
    /// Holds of places, each time with a new session.
    Places,
}

impl AttackKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::SlowBodies,
        Self::SlowHeads,
        Self::NonReaders,
        Self::Connections,
        Self::Streams,
        Self::MapFlood,
        Self::Places,
    ];

    /// Names the attack in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowBodies => "slow bodies",
            Self::SlowHeads => "slow heads",
            Self::NonReaders => "non-readers",
            Self::Connections => "connection hoarding",
            Self::Streams => "stream hoarding",
            Self::MapFlood => "map flood",
            Self::Places => "place hoarding",
        }
    }

    /// Concurrent attackers; for hoarding more than the default limits accept.
    const fn attackers(self) -> usize {
        match self {
            Self::SlowBodies | Self::SlowHeads => 500,
            Self::NonReaders => 100,
            Self::Connections => 3_000,
            Self::Streams => 2_000,
            Self::MapFlood => 8,
            Self::Places => 16,
        }
    }

    /// Starts the attackers, which end with the set.
    pub fn start(self, target: &AttackTarget, attackers: &mut JoinSet<()>) {
        for number in 0..self.attackers() {
            let target = target.clone();
            attackers.spawn(async move {
                let mut retry = tokio::time::interval(RETRY_INTERVAL);
                loop {
                    retry.tick().await;
                    // A refusal or a closed connection is the expected effect of the limits.
                    let _ended = self.attack_once(&target, number).await;
                }
            });
        }
    }

    async fn attack_once(self, target: &AttackTarget, number: usize) -> std::io::Result<()> {
        let mut stream = connect(target, matches!(self, Self::NonReaders)).await?;
        let AttackTarget { stadium_event, event, .. } = target;
        let map = format!("GET /api/v1/events/{stadium_event}/map HTTP/1.1\r\nHost: x\r\n");
        match self {
            Self::SlowBodies => {
                let holds = format!("/api/v1/events/{event}/holds");
                let paths = ["/api/v1/orders", "/api/v1/scans", &holds, "/holds/x/order"];
                let path = paths[number % paths.len()];
                let length = if number.is_multiple_of(2) { 400 } else { 40_000 };
                let head = format!(
                    "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&vec![b' '; length / 2]).await?;
                send_slowly(&mut stream, b" ").await
            }
            Self::SlowHeads => {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX: ").await?;
                send_slowly(&mut stream, b"y").await
            }
            Self::NonReaders => {
                let _full =
                    tokio::time::timeout(BYTE_INTERVAL, stream.write_all(format!("{map}\r\n").repeat(20).as_bytes()))
                        .await;
                wait_for_close(&stream).await
            }
            Self::Connections => read_to_end(&mut stream).await,
            Self::Streams => {
                let request = format!("GET /api/v1/events/{event}/stream HTTP/1.1\r\nHost: x\r\n\r\n");
                stream.write_all(request.as_bytes()).await?;
                read_to_end(&mut stream).await
            }
            Self::MapFlood => {
                let encoding = if number.is_multiple_of(2) { "gzip" } else { "identity" };
                let request = format!("{map}Accept-Encoding: {encoding}\r\nConnection: close\r\n\r\n");
                stream.write_all(request.as_bytes()).await?;
                read_to_end(&mut stream).await
            }
            Self::Places => {
                let item = json!({"area": target.area, "quantity": 10, "ticket_type": target.ticket_type});
                let body = json!({"items": [item]}).to_string();
                let request = format!(
                    "POST /api/v1/events/{event}/holds HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(request.as_bytes()).await?;
                read_to_end(&mut stream).await
            }
        }
    }
}

/// A connection from the attacker's address, with the smallest receive window on request.
async fn connect(target: &AttackTarget, small_window: bool) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if small_window {
        socket.set_recv_buffer_size(4_096)?;
    }
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, target.last), 0)))?;
    let to = target.address.parse().map_err(std::io::Error::other)?;
    socket.connect(to).await
}

/// Sends a byte per interval until the server closes the connection.
async fn send_slowly(stream: &mut TcpStream, byte: &[u8]) -> std::io::Result<()> {
    let mut pace = tokio::time::interval(BYTE_INTERVAL);
    let mut answer = [0; 1_024];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => {
                if read? == 0 {
                    return Ok(());
                }
            }
            _ = pace.tick() => stream.write_all(byte).await?,
        }
    }
}

/// Reads and discards everything.
async fn read_to_end(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut answer = vec![0; 64 * 1_024];
    while stream.read(&mut answer).await? > 0 {}
    Ok(())
}

/// Waits for a connection error without reading.
async fn wait_for_close(stream: &TcpStream) -> std::io::Result<()> {
    let mut pace = tokio::time::interval(BYTE_INTERVAL);
    loop {
        pace.tick().await;
        // An error shows without reading from the connection.
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
    }
}
