//! Many viewers in one process, each a socket and as little else as can be: they count what arrives.
//!
//! Their addresses are spread over 127.0.x.y, since one pair of addresses has only 28,000 ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Viewers per address.
const PER_ADDRESS: usize = 250;
/// A viewer's buffer: a frame fits, a snapshot takes some turns.
const BUFFER: usize = 4 * 1024;

#[derive(Default)]
struct Counts {
    frames: AtomicU64,
    bytes: AtomicU64,
}

/// Connects `count` viewers to `path`, says so, and tells their counts for every line on stdin.
pub async fn watch(address: &str, path: &str, count: usize) -> anyhow::Result<()> {
    let server: SocketAddr = address.parse()?;
    let counts = Arc::<Counts>::default();
    for at in 0..count {
        let source = Ipv4Addr::new(127, 0, u8::try_from(1 + at / PER_ADDRESS)?, u8::try_from(1 + at % PER_ADDRESS)?);
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((source, 0)))?;
        let mut stream = socket.connect(server).await.with_context(|| format!("viewer {at} could not connect"))?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n").as_bytes()).await?;
        tokio::spawn(count_frames(stream, Arc::clone(&counts)));
        // The machine is small: the server answers while the others come.
        tokio::task::yield_now().await;
    }
    println!("{}", json!({ "viewers": count }));
    let asked = || std::io::stdin().read_line(&mut String::new()).is_ok_and(|read| read > 0);
    while tokio::task::spawn_blocking(asked).await? {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        println!("{}", json!({ "frames": count(&counts.frames), "bytes": count(&counts.bytes) }));
    }
    Ok(())
}

/// Counts the ends of frames until the server hangs up.
async fn count_frames(mut stream: TcpStream, counts: Arc<Counts>) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        let ends = buffer[..read].windows(2).filter(|pair| pair == b"\n\n").count();
        counts.frames.fetch_add(ends as u64, Ordering::Relaxed);
        counts.bytes.fetch_add(read as u64, Ordering::Relaxed);
    }
}
