//! Test client: applies frames as a browser does and compares its seat map with the warm tier.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use serde_json::Value;
use voelgoed_app::ticketing::ports::InventoryStore;
use voelgoed_domain::ticketing::place::Position;

use super::interruptible_warm::{InterruptibleWarm, SEATS, scope};

/// The seat map of a client.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct ClientMap {
    pub(super) id: Option<Position>,
    seats: Vec<u8>,
    areas: BTreeMap<String, Value>,
}

pub(super) type Frames = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

impl ClientMap {
    /// Applies a frame; returns the name of its event, or `comment`.
    pub(super) fn read(&mut self, frame: &Bytes) -> String {
        let text = std::str::from_utf8(frame).unwrap();
        assert!(text.ends_with("\n\n"), "{text}");
        let field = |name| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let (event, data) = (field("event: "), field("data: "));
        if event.is_empty() {
            return "comment".into();
        }
        let data: Value = serde_json::from_str(data).unwrap();
        if let Ok(id) = field("id: ").parse::<Position>() {
            assert!(self.id.is_none_or(|last| last <= id), "positions never go back: {:?} then {id}", self.id);
            self.id = Some(id);
        }
        if event == "snapshot" {
            let packed = base64::engine::general_purpose::STANDARD.decode(data["places"].as_str().unwrap()).unwrap();
            self.seats = SEATS.map(|place| packed[place as usize / 4] >> (2 * (place % 4)) & 3).collect();
        }
        for change in data["changes"].as_array().into_iter().flatten() {
            let place = usize::try_from(change[0].as_u64().unwrap()).unwrap();
            assert!(place < self.seats.len(), "a place of general admission is listed singly");
            self.seats[place] = u8::try_from(change[1].as_u64().unwrap()).unwrap();
        }
        for area in data["areas"].as_array().into_iter().flatten() {
            self.areas.insert(area["area"].as_str().unwrap().into(), area.clone());
        }
        event.to_owned()
    }

    /// Reads until no frame has arrived for three seconds; returns the names of the events.
    pub(super) async fn drain(&mut self, frames: &mut Frames) -> Vec<String> {
        let mut events = vec![];
        while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_secs(3), frames.next()).await {
            let event = self.read(&frame);
            if event != "comment" {
                events.push(event);
            }
        }
        events
    }

    /// Asserts that the map equals the state of the warm tier.
    pub(super) async fn assert_matches(&self, warm: &InterruptibleWarm) {
        let expected_state = warm.store.snapshot(scope()).await.unwrap();
        let seats: Vec<_> = SEATS.map(|place| expected_state.places[place as usize] as u8).collect();
        assert_eq!(self.seats, seats);
        for (span, counts) in expected_state.areas.iter().zip(expected_state.counts) {
            let mut expected = serde_json::to_value(counts).unwrap();
            expected["area"] = span.area.to_string().into();
            assert_eq!(self.areas[&span.area.to_string()], expected);
        }
    }
}
