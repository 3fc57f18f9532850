//! A viewer of an event's map: reads server-sent events and keeps the map that they tell of.
//!
//! Never: a map mended from elsewhere; only snapshots and deltas move it, so that a lost one shows.

use std::collections::BTreeMap;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use serde_json::Value;

use crate::server::Server;

/// What a viewer sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map {
    /// `epoch:seq` of the last thing seen; empty before the first.
    pub position: String,
    /// The state of each place: 0 free, 1 held, 2 sold, 3 blocked.
    pub places: Vec<u8>,
    /// Per area: free, held, sold, blocked.
    pub areas: BTreeMap<String, [u64; 4]>,
}

impl Map {
    /// The map that `GET …/availability` or a snapshot tells.
    pub fn of(availability: &Value) -> anyhow::Result<Self> {
        let bytes = STANDARD.decode(availability["places"].as_str().context("availability has places")?)?;
        let mut map = Self {
            position: format!("{}:{}", availability["epoch"], availability["seq"]),
            places: bytes.iter().flat_map(|byte| (0..4).map(move |at| (byte >> (2 * at)) & 3)).collect(),
            areas: BTreeMap::new(),
        };
        map.count(&availability["areas"]);
        Ok(map)
    }

    fn count(&mut self, areas: &Value) {
        for area in areas.as_array().into_iter().flatten() {
            let counts = ["free", "held", "sold", "blocked"].map(|state| area[state].as_u64().unwrap_or(u64::MAX));
            self.areas.insert(area["area"].as_str().unwrap_or_default().to_owned(), counts);
        }
    }

    fn change(&mut self, delta: &Value) -> anyhow::Result<()> {
        for change in delta["changes"].as_array().context("a delta has changes")? {
            let place = usize::try_from(change[0].as_u64().context("a change names its place")?)?;
            let state = u8::try_from(change[1].as_u64().context("a change names its state")?)?;
            *self.places.get_mut(place).context("a delta comes after the first snapshot, about places of the map")? =
                state;
        }
        self.count(&delta["areas"]);
        self.position = format!("{}:{}", delta["epoch"], delta["seq"]);
        Ok(())
    }

    /// The seats among its places, the first `count`: places without a seat are told by their area's counts alone.
    #[must_use]
    pub fn seats(&self, count: usize) -> &[u8] {
        &self.places[..count.min(self.places.len())]
    }
}

/// How a viewer says where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// By the header that browsers send.
    LastEventId,
    /// By the query.
    Since,
}

/// One server-sent event.
#[derive(Debug, Default)]
pub struct Frame {
    /// Its name; empty for a comment.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its data.
    pub data: String,
}

/// Any stream of server-sent events.
pub struct Events {
    parts: futures::stream::BoxStream<'static, reqwest::Result<Vec<u8>>>,
    buffer: Vec<u8>,
}

impl Events {
    /// Opens the stream; it must be one.
    pub async fn open(request: reqwest::RequestBuilder) -> anyhow::Result<Self> {
        // Until its reader goes.
        let answer = request.timeout(std::time::Duration::from_secs(24 * 3600)).send().await?.error_for_status()?;
        let kind =
            answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        anyhow::ensure!(kind == "text/event-stream", "a stream is {kind}");
        let parts = answer.bytes_stream().map(|part| part.map(|part| part.to_vec())).boxed();
        Ok(Self { parts, buffer: Vec::new() })
    }

    /// The next frame; none where the server has ended the stream. Waits for a while, not for ever.
    pub async fn next(&mut self) -> anyhow::Result<Option<Frame>> {
        let text = loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let rest = self.buffer.split_off(end + 2);
                break String::from_utf8(std::mem::replace(&mut self.buffer, rest))?;
            }
            let part = tokio::time::timeout(crate::LONGEST, self.parts.next()).await.context("the stream is silent")?;
            match part.transpose()? {
                Some(part) => self.buffer.extend_from_slice(&part),
                None => return Ok(None),
            }
        };
        let field =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        Ok(Some(Frame { kind: field("event:"), id: field("id:"), data: field("data:") }))
    }
}

/// A connection of a viewer.
pub struct Connection {
    events: Events,
    /// Snapshots that came.
    pub snapshots: u32,
    /// Deltas that came.
    pub deltas: u32,
}

impl Connection {
    /// Opens a stream that goes on where `map` stands.
    pub async fn open(server: &Server, event: &str, map: &Map, resume: Resume) -> anyhow::Result<Self> {
        let path = format!("/api/v1/events/{event}/stream");
        let request = match resume {
            _ if map.position.is_empty() => server.request("GET", &path),
            Resume::LastEventId => server.request("GET", &path).header("Last-Event-ID", &map.position),
            Resume::Since => server.request("GET", &format!("{path}?since={}", map.position)),
        };
        Ok(Self { events: Events::open(request).await?, snapshots: 0, deltas: 0 })
    }

    /// Reads one frame into `map`; comments and `stale` move nothing.
    pub async fn next(&mut self, map: &mut Map) -> anyhow::Result<()> {
        let frame = self.events.next().await?.context("the stream ended")?;
        match frame.kind.as_str() {
            "snapshot" => {
                *map = Map::of(&serde_json::from_str(&frame.data)?)?;
                self.snapshots += 1;
            }
            "delta" => {
                map.change(&serde_json::from_str(&frame.data)?)?;
                self.deltas += 1;
            }
            _ => return Ok(()),
        }
        anyhow::ensure!(frame.id == map.position, "the id {} is not the position {}", frame.id, map.position);
        Ok(())
    }
}
