//! Opens many viewers in one process, each a bare socket, and counts the frames and bytes that arrive.
//!
//! Their addresses are spread over 127.0.x.y, since one pair of addresses has only 28,000 ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const VIEWERS_PER_ADDRESS: usize = 250;
/// A frame fits; a snapshot takes several reads.
const BUFFER_BYTES: usize = 4 * 1024;

#[derive(Default)]
struct ReceivedCounts {
    frames: AtomicU64,
    bytes: AtomicU64,
}

/// Connects `count` viewers to `path`, prints that, and prints their counts for every line on stdin.
pub async fn watch(address: &str, path: &str, count: usize) -> anyhow::Result<()> {
    let server: SocketAddr = address.parse()?;
    let counts = Arc::<ReceivedCounts>::default();
    for at in 0..count {
        let source = Ipv4Addr::new(
            127,
            0,
            u8::try_from(1 + at / VIEWERS_PER_ADDRESS)?,
            u8::try_from(1 + at % VIEWERS_PER_ADDRESS)?,
        );
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((source, 0)))?;
        let mut stream = socket.connect(server).await.with_context(|| format!("viewer {at} could not connect"))?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n").as_bytes()).await?;
        tokio::spawn(count_frames(stream, Arc::clone(&counts)));
        // Lets the server answer while further viewers connect.
        tokio::task::yield_now().await;
    }
    println!("{}", json!({ "viewers": count }));
    let next_line = || std::io::stdin().read_line(&mut String::new()).is_ok_and(|read| read > 0);
    while tokio::task::spawn_blocking(next_line).await? {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        println!("{}", json!({ "frames": count(&counts.frames), "bytes": count(&counts.bytes) }));
    }
    Ok(())
}

/// Counts the ends of frames until the server closes the connection.
async fn count_frames(mut stream: TcpStream, counts: Arc<ReceivedCounts>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        let ends = buffer[..read].windows(2).filter(|pair| pair == b"\n\n").count();
        counts.frames.fetch_add(ends as u64, Ordering::Relaxed);
        counts.bytes.fetch_add(read as u64, Ordering::Relaxed);
    }
}
