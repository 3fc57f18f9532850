//! Frames as they go over the wire: server-sent events, encoded once and shared.
//!
//! Never encoded per viewer. A delta tells the last state of all that was touched between two positions, so it fits whoever stands at either or between.

use bytes::Bytes;
use serde::Serialize;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::ticketing::inventory::Counts;
use voelgoed_domain::ticketing::place::{PlaceNumber, Position};
use voelgoed_domain::time::Timestamp;

use crate::snapshot::{AvailabilityView, Touched};

/// An encoded delta: what was touched since the frame before it.
#[derive(Debug)]
pub(super) struct Frame {
    /// The position that it leads to.
    pub(super) to: Position,
    /// The bytes of all frames of this ring up to and with this one, to tell a backlog's size.
    pub(super) sum: usize,
    pub(super) bytes: Bytes,
}

#[derive(Serialize)]
struct Delta {
    epoch: u64,
    seq: u64,
    changes: Vec<(PlaceNumber, u8)>,
    areas: Vec<AreaCounts>,
}

#[derive(Serialize)]
struct AreaCounts {
    area: AreaId,
    #[serde(flatten)]
    counts: Counts,
}

/// A delta to the state of `view`: the seats that were touched, and the counts of the areas that were.
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
            .map(|(area, counts)| AreaCounts { area, counts })
            .collect(),
    };
    match serde_json::to_string(&delta) {
        Ok(data) => format!("id: {}\nevent: delta\ndata: {data}\n\n", view.position()).into(),
        Err(error) => {
            tracing::error!(%error, slice = "ticketing", "a delta could not be serialized; viewers get the whole state");
            snapshot(view, view.at())
        }
    }
}

/// The whole state.
pub(super) fn snapshot(view: &AvailabilityView, now: Timestamp) -> Bytes {
    let head = format!("id: {}\nevent: snapshot\ndata: ", view.position());
    [head.as_bytes(), &view.json(now), b"\n\n"].concat().into()
}

/// What is shown has an age: the warm tier has not been heard since `at`.
pub(super) fn stale(at: Timestamp, now: Timestamp) -> Bytes {
    format!("event: stale\ndata: {{\"at\":\"{at}\",\"now\":\"{now}\"}}\n\n").into()
}

/// The sale is over; there will be no further frame.
pub(super) const ENDED: Bytes = Bytes::from_static(b"event: ended\ndata: {}\n\n");

/// A comment that no client sees; a dead connection is noticed by it.
pub(super) const KEEP_ALIVE: Bytes = Bytes::from_static(b": alive\n\n");
