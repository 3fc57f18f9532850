//! Somebody who watches: reads server-sent events of one node until something is seen.

use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::Value;

/// Whatever is waited for comes within this.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream of one node.
pub struct Viewer {
    parts: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    buffer: Vec<u8>,
    /// The position of the last frame.
    pub position: String,
}

/// A frame.
#[derive(Debug)]
pub struct Frame {
    /// `snapshot`, `delta`, `order`, …
    pub event: String,
    /// What it tells.
    pub data: Value,
}

/// What somebody sees who only reads.
#[derive(Debug, Default)]
pub struct Map {
    /// The state of each place: 0 free, 1 held, 2 sold, 3 blocked.
    pub places: Vec<u8>,
}

impl Map {
    /// The map that `GET …/availability` or a snapshot tells.
    pub fn of(availability: &Value) -> anyhow::Result<Self> {
        let bytes = STANDARD.decode(availability["places"].as_str().context("availability has places")?)?;
        Ok(Self { places: bytes.iter().flat_map(|byte| (0..4).map(move |at| (byte >> (2 * at)) & 3)).collect() })
    }

    /// Moves it by a frame.
    pub fn take_in(&mut self, frame: &Frame) -> anyhow::Result<()> {
        match frame.event.as_str() {
            "snapshot" => *self = Self::of(&frame.data)?,
            "delta" => {
                for change in frame.data["changes"].as_array().context("a delta has changes")? {
                    let place = usize::try_from(change[0].as_u64().context("a change names its place")?)?;
                    let state = u8::try_from(change[1].as_u64().context("a change names its state")?)?;
                    *self.places.get_mut(place).context("a delta is about places of the map")? = state;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Viewer {
    /// Watches `path` of the node at `url`, with a buyer's token where the stream wants one, from `since` on.
    pub async fn open(url: &str, path: &str, token: Option<&str>, since: &str) -> anyhow::Result<Self> {
        let mut request = reqwest::Client::builder().no_proxy().build()?.get(format!("{url}{path}"));
        if let Some(token) = token {
            request = request.header("x-token", token);
        }
        if !since.is_empty() {
            request = request.header("last-event-id", since);
        }
        let answer = request.send().await?.error_for_status()?;
        let parts = answer.bytes_stream().map(|part| part.map(|part| part.to_vec())).boxed();
        Ok(Self { parts, buffer: Vec::new(), position: since.to_owned() })
    }

    /// The next frame that tells something.
    pub async fn next(&mut self) -> anyhow::Result<Frame> {
        loop {
            let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") else {
                let part = tokio::time::timeout(PATIENCE, self.parts.next()).await.context("nothing more is told")?;
                self.buffer.extend_from_slice(&part.context("the stream ended")??);
                continue;
            };
            let rest = self.buffer.split_off(end + 2);
            let text = String::from_utf8(std::mem::replace(&mut self.buffer, rest))?;
            let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
            if !field("id:").is_empty() {
                field("id:").clone_into(&mut self.position);
            }
            if !field("data:").is_empty() {
                return Ok(Frame { event: field("event:").to_owned(), data: serde_json::from_str(field("data:"))? });
            }
        }
    }

    /// Reads on until a delta tells that `place` is in `state` (0 free, 1 held, 2 sold, 3 blocked).
    pub async fn sees(&mut self, place: u32, state: u8) -> anyhow::Result<()> {
        let look = async {
            loop {
                let frame = self.next().await?;
                let changes = frame.data["changes"].as_array().cloned().unwrap_or_default();
                if frame.event == "delta" && changes.iter().any(|change| change[0] == place && change[1] == state) {
                    return Ok(());
                }
                if frame.event == "snapshot" && !self.position.is_empty() && frame.data["stale"] == true {
                    bail!("the view is stale");
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.with_context(|| format!("place {place} is not seen as {state}"))?
    }

    /// Reads on until the order is in `state`; returns it.
    pub async fn order_is(&mut self, state: &str) -> anyhow::Result<Value> {
        let look = async {
            loop {
                let frame = self.next().await?;
                if frame.data["state"] == state {
                    return Ok(frame.data);
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.with_context(|| format!("the order is not seen as {state}"))?
    }
}
