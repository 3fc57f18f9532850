//! Sends one command to a Redis server and reads its reply as text: as much of the protocol as suites need.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A server that does not reply within this is unavailable.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends a command on a new connection; a list becomes lines.
pub(super) async fn execute(port: u16, command: &[&str]) -> anyhow::Result<String> {
    let exchange = async {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
        let mut text = format!("*{}\r\n", command.len());
        for part in command {
            text.push_str(&format!("${}\r\n{part}\r\n", part.len()));
        }
        stream.write_all(text.as_bytes()).await?;
        read(&mut stream).await
    };
    timeout(REPLY_TIMEOUT, exchange)
        .await
        .with_context(|| format!("{command:?}: no reply"))?
        .with_context(|| format!("{command:?}"))
}

async fn read(stream: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let (mut lines, mut pending) = (vec![], 1_usize);
    while pending > 0 {
        pending -= 1;
        let mut head = String::new();
        if stream.read_line(&mut head).await? == 0 {
            bail!("the server closed the connection");
        }
        let (kind, rest) = head.trim_end().split_at_checked(1).context("an empty line")?;
        match kind {
            "*" => pending += rest.parse::<usize>().unwrap_or(0),
            "$" => {
                let Ok(length) = rest.parse::<usize>() else { continue };
                let mut bytes = vec![0; length + 2];
                stream.read_exact(&mut bytes).await?;
                lines.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            }
            "-" => bail!("{rest}"),
            _ => lines.push(rest.to_owned()),
        }
    }
    Ok(lines.join("\n"))
}
