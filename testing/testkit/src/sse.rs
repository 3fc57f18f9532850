//! Reads a stream of server-sent events frame by frame, with a deadline for each, and remembers the position to resume at.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::RequestBuilder;
use serde_json::Value;

/// A stream sends a frame or a comment at least this often.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(20);
/// A client's own timeout would end a stream; its reader ends it instead.
const STREAM_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// One server-sent event; all fields are empty for a comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SseFrame {
    /// `snapshot`, `delta`, `order`, …
    pub event: String,
    /// The position to resume after this frame.
    pub id: String,
    /// The data lines, joined.
    pub data: String,
}

impl SseFrame {
    fn parse(text: &str) -> Self {
        let field = |name: &str| {
            let values = text.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim);
            values.collect::<Vec<_>>().join("\n")
        };
        Self { event: field("event:"), id: field("id:"), data: field("data:") }
    }

    /// The data as JSON; null where there is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_default()
    }
}

/// An open stream of server-sent events.
pub struct SseStream {
    chunks: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    buffer: Vec<u8>,
    /// The id of the last frame that had one.
    pub position: String,
}

impl SseStream {
    /// Opens the stream.
    ///
    /// # Errors
    /// No success, or not a stream of events.
    pub async fn open(request: RequestBuilder) -> anyhow::Result<Self> {
        let response = request.timeout(STREAM_TIMEOUT).send().await?.error_for_status()?;
        let kind = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        ensure!(kind == "text/event-stream", "a stream is {kind}");
        let chunks = response.bytes_stream().map(|chunk| chunk.map(|chunk| chunk.to_vec())).boxed();
        Ok(Self { chunks, buffer: Vec::new(), position: String::new() })
    }

    /// The next frame or comment; none where the server has ended the stream.
    ///
    /// # Errors
    /// The connection broke, or nothing came for too long.
    pub async fn next(&mut self) -> anyhow::Result<Option<SseFrame>> {
        let text = loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let rest = self.buffer.split_off(end + 2);
                break String::from_utf8(std::mem::replace(&mut self.buffer, rest))?;
            }
            let chunk =
                tokio::time::timeout(SILENCE_TIMEOUT, self.chunks.next()).await.context("the stream is silent")?;
            match chunk.transpose()? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        };
        let frame = SseFrame::parse(&text);
        if !frame.id.is_empty() {
            self.position.clone_from(&frame.id);
        }
        Ok(Some(frame))
    }

    /// The next frame with data.
    ///
    /// # Errors
    /// As [`Self::next`], or the stream ended.
    pub async fn next_data(&mut self) -> anyhow::Result<SseFrame> {
        loop {
            let frame = self.next().await?.context("the stream ended")?;
            if !frame.data.is_empty() {
                return Ok(frame);
            }
        }
    }

    /// Reads on until a frame satisfies `wanted`.
    ///
    /// # Errors
    /// As [`Self::next_data`], or no such frame within `timeout`; `what` names it.
    pub async fn read_until(
        &mut self,
        what: &str,
        timeout: Duration,
        wanted: impl Fn(&SseFrame) -> bool,
    ) -> anyhow::Result<SseFrame> {
        let reading = async {
            loop {
                let frame = self.next_data().await?;
                if wanted(&frame) {
                    return anyhow::Ok(frame);
                }
            }
        };
        tokio::time::timeout(timeout, reading).await.with_context(|| format!("{what}: not within {timeout:?}"))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_has_its_fields_and_a_comment_has_none() {
        let frame = SseFrame::parse("event: delta\nid: 3:14\ndata: {\"a\":\ndata: 1}\n\n");
        assert_eq!((frame.event.as_str(), frame.id.as_str()), ("delta", "3:14"));
        assert_eq!(frame.json(), serde_json::json!({"a": 1}));
        assert_eq!(SseFrame::parse(": keep-alive\n\n"), SseFrame::default());
    }
}
