//! Sends prepared HTTP/1.1 bytes on one keep-alive connection. Separate from the testkit's client, because a load generator shares the machine with the
//! server and each request must cost as little as possible.
//!
//! Never: a redirect, a retry, or a response without `Content-Length` (streams are read by [`RawConnection::follow`]).

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The server and HAProxy close a connection that is idle for ten seconds; one that was idle longer than this is not used again.
pub const CONNECTION_IDLE_MAX: Duration = Duration::from_secs(5);

/// An open connection.
pub struct RawConnection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// A response.
pub struct RawResponse {
    /// The status code.
    pub status: u16,
    raw: Vec<u8>,
    body_at: usize,
}

/// The bytes of a request.
#[must_use]
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: shop\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    } else {
        text.push_str("\r\n");
    }
    text.into_bytes()
}

/// The bytes of a `GET` without headers.
#[must_use]
pub fn get(path: &str) -> Vec<u8> {
    request("GET", path, &[], None)
}

impl RawConnection {
    /// Connects to `address`, e.g. `127.0.0.1:8080`.
    ///
    /// # Errors
    /// No server listens.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("no server listens on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its response.
    ///
    /// # Errors
    /// The connection ended, or the response has no status or no length.
    pub async fn send(&mut self, request: &[u8]) -> anyhow::Result<RawResponse> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let head = loop {
            self.more().await?;
            if let Some(at) = find(&self.read, b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = std::str::from_utf8(&self.read[..head])?;
        let status =
            text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("a response has a status")?;
        let length = match field(text, "content-length") {
            Some(length) => length.parse()?,
            None if status == 204 => 0,
            None => bail!("a response without Content-Length: {text}"),
        };
        while self.read.len() < head + length {
            self.more().await?;
        }
        Ok(RawResponse { status, raw: self.read.clone(), body_at: head })
    }

    /// Opens a stream of server-sent events and reads its data lines until one is `enough`; the connection ends with the stream.
    ///
    /// # Errors
    /// Another status than 200, or the stream ended before.
    pub async fn follow(mut self, request: &[u8], mut enough: impl FnMut(&str) -> bool) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let mut parsed = 0;
        loop {
            self.more().await?;
            // The server sends each event in a chunk of its own, so the lines of an event are lines of the response too.
            while let Some(end) = find(&self.read[parsed..], b"\n") {
                let line = std::str::from_utf8(&self.read[parsed..parsed + end])?.trim_end();
                if parsed == 0 && line.split(' ').nth(1) != Some("200") {
                    bail!("a stream was answered {line}");
                }
                if line.strip_prefix("data: ").is_some_and(&mut enough) {
                    return Ok(());
                }
                parsed += end + 1;
            }
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

impl RawResponse {
    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.raw[self.body_at..]
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// The body is not JSON.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_slice(self.body())?)
    }

    /// A header's value; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        field(std::str::from_utf8(&self.raw[..self.body_at]).ok()?, name)
    }

    /// Checks the status.
    ///
    /// # Errors
    /// Another status; with the body.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        if self.status != status {
            bail!("{} instead of {status}: {}", self.status, String::from_utf8_lossy(self.body()));
        }
        Ok(self)
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_has_a_content_length_only_with_a_body() {
        let with = String::from_utf8(request("POST", "/x", &[("X-Token", "t")], Some("{}"))).unwrap();
        assert!(
            with.ends_with("X-Token: t\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
            "{with}"
        );
        let without = String::from_utf8(get("/x")).unwrap();
        assert!(!without.contains("Content-Length") && without.ends_with("\r\n\r\n"), "{without}");
    }

    #[test]
    fn header_is_found_in_any_case() {
        let head = "HTTP/1.1 200 OK\r\nContent-length: 12\r\nX-Session: a:b\r\n\r\n";
        for (name, value) in [("content-length", Some("12")), ("x-session", Some("a:b")), ("etag", None)] {
            assert_eq!(field(head, name), value, "{name}");
        }
    }
}
