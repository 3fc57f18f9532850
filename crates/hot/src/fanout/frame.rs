//! Encodes frames as server-sent events, once for all viewers.
//!
//! Never: an encoding per viewer. A delta contains the newest state of everything touched between two positions, so it is correct for a viewer at any
//! position in between.

use bytes::Bytes;
use serde::Serialize;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::ticketing::inventory::AreaCounts;
use voelgoed_domain::ticketing::place::Position;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use crate::availability_view::{AvailabilityView, Touched};

/// An encoded delta: the changes since the frame before.
#[derive(Debug)]
pub(super) struct EncodedFrame {
    /// The position of a viewer after this frame.
    pub(super) to: Position,
    /// The bytes of all frames of the ring up to and including this one, so that a backlog's size is one subtraction.
    pub(super) total_bytes: usize,
    pub(super) bytes: Bytes,
}

#[derive(Serialize)]
struct Delta {
    epoch: u64,
    seq: u64,
    changes: Vec<(PlaceNumber, u8)>,
    areas: Vec<AreaCountsFrame>,
}

#[derive(Serialize)]
struct AreaCountsFrame {
    area: AreaId,
    #[serde(flatten)]
    counts: AreaCounts,
}

/// A delta to the state of `view`: the touched seats, and the counts of the touched areas.
pub(super) fn delta(view: &AvailabilityView, touched: &Touched) -> Bytes {
    let Position { epoch, seq } = view.position();
    let delta = Delta {
        epoch: epoch.0,
        seq,
        changes: touched.seats.iter().map(|place| (*place, view.shown(*place) as u8)).collect(),
        areas: touched
            .areas
            .iter()
            .map(|at| view.area(*at))
            .map(|(area, counts)| AreaCountsFrame { area, counts })
            .collect(),
    };
    match serde_json::to_string(&delta) {
        Ok(data) => format!("id: {}\nevent: delta\ndata: {data}\n\n", view.position()).into(),
        Err(error) => {
            tracing::error!(%error, slice = "ticketing", "a delta could not be serialized; viewers get a snapshot");
            snapshot(view, view.at())
        }
    }
}

/// The whole state of an event.
pub(super) fn snapshot(view: &AvailabilityView, now: Timestamp) -> Bytes {
    let head = format!("id: {}\nevent: snapshot\ndata: ", view.position());
    [head.as_bytes(), &view.json(now), b"\n\n"].concat().into()
}

/// Says that the view is stale: the warm tier last confirmed it `at`.
pub(super) fn stale(at: Timestamp, now: Timestamp) -> Bytes {
    format!("event: stale\ndata: {{\"at\":\"{at}\",\"now\":\"{now}\"}}\n\n").into()
}

/// The last frame: the sale is over.
pub(super) const ENDED: Bytes = Bytes::from_static(b"event: ended\ndata: {}\n\n");

/// A comment that clients ignore; sending it detects dead connections.
pub(super) const KEEP_ALIVE: Bytes = Bytes::from_static(b": alive\n\n");
