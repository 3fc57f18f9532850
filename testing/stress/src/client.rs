//! A lean HTTP/1.1 client: one keep-alive connection, one request at a time. It shares the machine with the server, so it does as little as it can.
//!
//! Never: a redirect, a retry, a body without `Content-Length` (the API sends none; streams are read by who opens them).

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An open connection.
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// What came back.
pub struct Answer {
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

/// A `GET` without anything.
#[must_use]
pub fn get(path: &str) -> Vec<u8> {
    request("GET", path, &[], None)
}

impl Connection {
    /// Connects to `address`, e.g. `127.0.0.1:8080`.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// The connection ended, or the answer is not HTTP as this client knows it.
    pub async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let head = loop {
            self.more().await?;
            if let Some(at) = find(&self.read, b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = std::str::from_utf8(&self.read[..head])?;
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer has a status")?;
        let length = match field(text, "content-length") {
            Some(length) => length.parse()?,
            None if status == 204 => 0,
            None => bail!("an answer without Content-Length: {text}"),
        };
        while self.read.len() < head + length {
            self.more().await?;
        }
        Ok(Answer { status, raw: self.read.clone(), body_at: head })
    }

    /// Opens a stream of events and reads its data until there is `enough`; the connection ends with the stream.
    ///
    /// # Errors
    /// Another status than 200, or the stream ended before.
    pub async fn follow(mut self, request: &[u8], mut enough: impl FnMut(&str) -> bool) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let mut heard = 0;
        loop {
            self.more().await?;
            // Each event comes whole in a chunk of its own, so that its lines begin where lines of the chunks do.
            while let Some(end) = find(&self.read[heard..], b"\n") {
                let line = std::str::from_utf8(&self.read[heard..heard + end])?.trim_end();
                if heard == 0 && line.split(' ').nth(1) != Some("200") {
                    bail!("a stream was answered {line}");
                }
                if line.strip_prefix("data: ").is_some_and(&mut enough) {
                    return Ok(());
                }
                heard += end + 1;
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

impl Answer {
    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.raw[self.body_at..]
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_slice(self.body())?)
    }

    /// A header's value; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        field(std::str::from_utf8(&self.raw[..self.body_at]).ok()?, name)
    }

    /// The same answer where its status is the expected one.
    ///
    /// # Errors
    /// Any other status, with the body.
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
    fn a_request_says_its_length_only_where_it_has_a_body() {
        let with = String::from_utf8(request("POST", "/x", &[("X-Token", "t")], Some("{}"))).unwrap();
        assert!(
            with.ends_with("X-Token: t\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
            "{with}"
        );
        let without = String::from_utf8(get("/x")).unwrap();
        assert!(!without.contains("Content-Length") && without.ends_with("\r\n\r\n"), "{without}");
    }

    #[test]
    fn fields_are_found_whatever_their_case() {
        let head = "HTTP/1.1 200 OK\r\nContent-length: 12\r\nX-Session: a:b\r\n\r\n";
        for (name, value) in [("content-length", Some("12")), ("x-session", Some("a:b")), ("etag", None)] {
            assert_eq!(field(head, name), value, "{name}");
        }
    }
}
