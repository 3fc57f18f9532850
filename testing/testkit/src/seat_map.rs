//! Keeps the map of an event's places from snapshots and deltas of its availability stream.
//!
//! Never: a place changed by anything but a snapshot or a delta, so that a lost delta shows as a wrong map.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::http_client::ApiClient;
use crate::sse::{SseFrame, SseStream};

/// The state of every place of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeatMap {
    /// `epoch:seq` of the last snapshot or delta; empty before the first.
    pub position: String,
    /// The state of each place: 0 free, 1 held, 2 sold, 3 blocked.
    pub places: Vec<u8>,
    /// Per area: free, held, sold, blocked.
    pub areas: BTreeMap<String, [u64; 4]>,
}

impl SeatMap {
    /// The map in the body of `GET …/availability` or in a snapshot.
    ///
    /// # Errors
    /// The body has no places.
    pub fn from_availability(availability: &Value) -> anyhow::Result<Self> {
        let bytes = STANDARD.decode(availability["places"].as_str().context("availability has places")?)?;
        let mut map = Self {
            position: format!("{}:{}", availability["epoch"], availability["seq"]),
            places: bytes.iter().flat_map(|byte| (0..4).map(move |at| (byte >> (2 * at)) & 3)).collect(),
            areas: BTreeMap::new(),
        };
        map.set_area_counts(&availability["areas"]);
        Ok(map)
    }

    fn set_area_counts(&mut self, areas: &Value) {
        for area in areas.as_array().into_iter().flatten() {
            let counts = ["free", "held", "sold", "blocked"].map(|state| area[state].as_u64().unwrap_or(u64::MAX));
            self.areas.insert(area["area"].as_str().unwrap_or_default().to_owned(), counts);
        }
    }

    fn apply_delta(&mut self, delta: &Value) -> anyhow::Result<()> {
        for change in delta["changes"].as_array().context("a delta has changes")? {
            let place = usize::try_from(change[0].as_u64().context("a change names its place")?)?;
            let state = u8::try_from(change[1].as_u64().context("a change names its state")?)?;
            *self.places.get_mut(place).context("a delta follows a snapshot and names places of the map")? = state;
        }
        self.set_area_counts(&delta["areas"]);
        self.position = format!("{}:{}", delta["epoch"], delta["seq"]);
        Ok(())
    }

    /// Applies a snapshot or a delta; other frames change nothing.
    ///
    /// # Errors
    /// The frame is malformed, or its id is not the position that its data names.
    pub fn apply(&mut self, frame: &SseFrame) -> anyhow::Result<()> {
        match frame.event.as_str() {
            "snapshot" => *self = Self::from_availability(&serde_json::from_str(&frame.data)?)?,
            "delta" => self.apply_delta(&serde_json::from_str(&frame.data)?)?,
            _ => return Ok(()),
        }
        ensure!(frame.id == self.position, "the id {} is not the position {}", frame.id, self.position);
        Ok(())
    }

    /// The first `count` places, which are the seats: places without a seat show in the counts of their area alone.
    #[must_use]
    pub fn seats(&self, count: usize) -> &[u8] {
        &self.places[..count.min(self.places.len())]
    }
}

/// Where a client names the position to resume at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeBy {
    /// In the header that browsers send.
    LastEventId,
    /// In the query.
    Since,
}

/// An open availability stream that counts its snapshots and deltas.
pub struct SeatMapStream {
    frames: SseStream,
    /// Snapshots received.
    pub snapshots: u32,
    /// Deltas received.
    pub deltas: u32,
}

impl SeatMapStream {
    /// Opens the stream of `event`, resuming at the position of `map` where it has one.
    ///
    /// # Errors
    /// As [`SseStream::open`].
    pub async fn open(client: &ApiClient, event: &str, map: &SeatMap, resume: ResumeBy) -> anyhow::Result<Self> {
        let path = format!("/api/v1/events/{event}/stream");
        let request = match resume {
            _ if map.position.is_empty() => client.request("GET", &path),
            ResumeBy::LastEventId => client.request("GET", &path).header("Last-Event-ID", &map.position),
            ResumeBy::Since => client.request("GET", &format!("{path}?since={}", map.position)),
        };
        Ok(Self { frames: SseStream::open(request).await?, snapshots: 0, deltas: 0 })
    }

    /// Reads one frame and applies it to `map`.
    ///
    /// # Errors
    /// As [`SseStream::next`] and [`SeatMap::apply`], or the stream ended.
    pub async fn next(&mut self, map: &mut SeatMap) -> anyhow::Result<SseFrame> {
        let frame = self.frames.next().await?.context("the stream ended")?;
        map.apply(&frame)?;
        self.snapshots += u32::from(frame.event == "snapshot");
        self.deltas += u32::from(frame.event == "delta");
        Ok(frame)
    }
}
