//! Reads snapshots and changes of an event.
//!
//! Never: a stored count. Counts are computed from the places, so that the two cannot differ.

use redis::Value;
use voelgoed_app::error::Fault;
use voelgoed_app::ticketing::ports::{AreaSpan, InventorySnapshot};
use voelgoed_domain::ticketing::inventory::{AreaCounts, CatchUp, InventoryChange};
use voelgoed_domain::ticketing::place::{DisplayState, Position};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::{array, bytes, int, places, unexpected, unsigned};

/// Reads `{length, areas, bitmaps}`; the bitmaps taken, sold and blocked follow each other.
pub(in crate::redis) fn snapshot(position: Position, value: Value) -> Result<InventorySnapshot, Fault> {
    read_snapshot(position, array(value)?)
}

fn read_snapshot(position: Position, parts: Vec<Value>) -> Result<InventorySnapshot, Fault> {
    let [length, areas, bitmaps] =
        <[Value; 3]>::try_from(parts).map_err(|parts| unexpected(&format!("a snapshot of {} parts", parts.len())))?;
    let length = usize::try_from(unsigned(&length)?).map_err(|_| unexpected("an invalid length"))?;
    let areas: Vec<AreaSpan> = serde_json::from_slice(&bytes(areas)?).map_err(|_| unexpected("unreadable areas"))?;
    let bitmaps = bytes(bitmaps)?;
    let size = length.div_ceil(8);
    if bitmaps.len() != size * 3 {
        return Err(unexpected("bitmaps of another length"));
    }
    let (taken, others) = bitmaps.split_at(size);
    let (sold, blocked) = others.split_at(size);
    let bit = |bits: &[u8], place: usize| bits[place / 8] & (0x80 >> (place % 8)) != 0;
    let display_state = |place| match (bit(taken, place), bit(sold, place), bit(blocked, place)) {
        (false, ..) => DisplayState::Free,
        (true, true, _) => DisplayState::Sold,
        (true, false, true) => DisplayState::Blocked,
        (true, false, false) => DisplayState::Held,
    };
    let places: Vec<_> = (0..length).map(display_state).collect();
    let count = |span: &AreaSpan| {
        let area = places.get(span.places.start as usize..span.places.end as usize);
        let area = area.ok_or_else(|| unexpected("an area beyond the places"))?;
        Ok(area.iter().fold(AreaCounts::default(), |mut counts, shown| {
            *counts.of(*shown) += 1;
            counts
        }))
    };
    let counts = areas.iter().map(count).collect::<Result<_, Fault>>()?;
    Ok(InventorySnapshot { position, counts, areas, places })
}

/// Reads `{1, since, steps}`, or `{0, …}` followed by a snapshot.
pub(in crate::redis) fn catch_up(position: Position, value: Value) -> Result<CatchUp, Fault> {
    let mut parts = array(value)?;
    if parts.is_empty() {
        return Err(unexpected("an empty list of changes"));
    }
    if int(&parts.remove(0))? == 0 {
        return Ok(CatchUp::Snapshot(read_snapshot(position, parts)?));
    }
    let [since, steps] =
        <[Value; 2]>::try_from(parts).map_err(|parts| unexpected(&format!("changes of {} parts", parts.len())))?;
    let numbered = (unsigned(&since)? + 1..).zip(array(steps)?);
    let changes = numbered.map(|(seq, packed)| {
        let changed = places(&bytes(packed)?).into_iter().map(|PlaceNumber(packed)| {
            let shown = [DisplayState::Free, DisplayState::Held, DisplayState::Sold, DisplayState::Blocked]
                [packed as usize % 4];
            (PlaceNumber(packed / 4), shown)
        });
        Ok(InventoryChange { position: Position { seq, ..position }, places: changed.collect() })
    });
    Ok(CatchUp::Changes(changes.collect::<Result<_, Fault>>()?))
}
