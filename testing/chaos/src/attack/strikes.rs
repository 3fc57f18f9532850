//! What one address does to a server until it is told to stop: each attacker begins anew whenever it is refused or closed.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Between two bytes of a slow one.
const DRIP: Duration = Duration::from_millis(500);
/// Before a refused attacker tries again.
const AGAIN: Duration = Duration::from_millis(100);

/// Whom it meets.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it listens.
    pub address: String,
    /// The event with the largest map.
    pub stadium: String,
    /// The event that the stranger buys from.
    pub event: String,
    /// Its area without seats.
    pub area: String,
    /// What is sold for it.
    pub ticket_type: String,
    /// The attacker's address: `127.0.0.{last}`.
    pub last: u8,
}

/// The strikes.
#[derive(Debug, Clone, Copy)]
pub enum Strike {
    /// Bodies of orders, scans and holds that come a byte at a time.
    SlowBodies,
    /// Heads that come a byte at a time.
    SlowHeads,
    /// Maps that are asked for and never read.
    NonReaders,
    /// Connections that say nothing.
    Connections,
    /// Streams of availability.
    Streams,
    /// The largest map, again and again.
    MapFlood,
    /// Places, each time with a new session.
    Places,
}

impl Strike {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::SlowBodies,
        Self::SlowHeads,
        Self::NonReaders,
        Self::Connections,
        Self::Streams,
        Self::MapFlood,
        Self::Places,
    ];

    /// What it is called.
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

    /// How many attackers there are; more than the default limits let in where they hoard.
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

    /// Starts them; they end with the set.
    pub fn begin(self, target: &Target, attackers: &mut JoinSet<()>) {
        for number in 0..self.attackers() {
            let target = target.clone();
            attackers.spawn(async move {
                let mut again = tokio::time::interval(AGAIN);
                loop {
                    again.tick().await;
                    // Refused or closed: that is what limits are for.
                    let _ended = self.once(&target, number).await;
                }
            });
        }
    }

    async fn once(self, target: &Target, number: usize) -> std::io::Result<()> {
        let mut stream = connect(target, matches!(self, Self::NonReaders)).await?;
        let Target { stadium, event, .. } = target;
        let map = format!("GET /api/v1/events/{stadium}/map HTTP/1.1\r\nHost: x\r\n");
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
                drip(&mut stream, b" ").await
            }
            Self::SlowHeads => {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX: ").await?;
                drip(&mut stream, b"y").await
            }
            Self::NonReaders => {
                let _full =
                    tokio::time::timeout(DRIP, stream.write_all(format!("{map}\r\n").repeat(20).as_bytes())).await;
                closed(&stream).await
            }
            Self::Connections => rest(&mut stream).await,
            Self::Streams => {
                let request = format!("GET /api/v1/events/{event}/stream HTTP/1.1\r\nHost: x\r\n\r\n");
                stream.write_all(request.as_bytes()).await?;
                rest(&mut stream).await
            }
            Self::MapFlood => {
                let encoding = if number.is_multiple_of(2) { "gzip" } else { "identity" };
                let request = format!("{map}Accept-Encoding: {encoding}\r\nConnection: close\r\n\r\n");
                stream.write_all(request.as_bytes()).await?;
                rest(&mut stream).await
            }
            Self::Places => {
                let item = json!({"area": target.area, "quantity": 10, "ticket_type": target.ticket_type});
                let body = json!({"items": [item]}).to_string();
                let request = format!(
                    "POST /api/v1/events/{event}/holds HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(request.as_bytes()).await?;
                rest(&mut stream).await
            }
        }
    }
}

/// A connection from the attacker's address, where wanted with a window as small as may be.
async fn connect(target: &Target, small: bool) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if small {
        socket.set_recv_buffer_size(4_096)?;
    }
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, target.last), 0)))?;
    let to = target.address.parse().map_err(std::io::Error::other)?;
    socket.connect(to).await
}

/// A byte now and then, until the server answers or closes.
async fn drip(stream: &mut TcpStream, byte: &[u8]) -> std::io::Result<()> {
    let mut pace = tokio::time::interval(DRIP);
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

/// Reads and forgets everything until the end.
async fn rest(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut answer = vec![0; 64 * 1_024];
    while stream.read(&mut answer).await? > 0 {}
    Ok(())
}

/// Until the server has closed; nothing is read.
async fn closed(stream: &TcpStream) -> std::io::Result<()> {
    let mut pace = tokio::time::interval(DRIP);
    loop {
        pace.tick().await;
        // An error of the connection is seen without taking anything out of it.
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
    }
}
