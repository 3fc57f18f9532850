//! Stores what each place of an event is displayed as, in bitmaps with counters per area, with the version that cold gave it.
//!
//! Never: who holds a place (see `hold_index`). The bitmaps always cover the whole event; `sold` and `blocked` are subsets of `taken`.

use std::ops::Range;

use fixedbitset::FixedBitSet;

use super::snapshot::{AreaCounts, AreaSpan, InventorySnapshot};
use crate::ticketing::place::{DisplayState, PlaceVersion, Position};
use crate::ticketing::place_number::PlaceNumber;

/// Bits, versions and counts of an event's places.
#[derive(Debug, Clone)]
pub(super) struct Places {
    areas: Vec<AreaSpan>,
    counts: Vec<AreaCounts>,
    /// Held, claimed, sold or blocked.
    taken: FixedBitSet,
    sold: FixedBitSet,
    blocked: FixedBitSet,
    versions: Vec<PlaceVersion>,
}

impl Places {
    /// All places free at version 0. Fails with the first place that the areas leave out or cover twice.
    pub(super) fn new(areas: Vec<AreaSpan>) -> Result<Self, u32> {
        let mut next = 0;
        for span in &areas {
            if span.places.start != next || span.places.end < next {
                return Err(next);
            }
            next = span.places.end;
        }
        let size = next as usize;
        let counts = areas
            .iter()
            .map(|span| AreaCounts { free: span.places.end - span.places.start, ..AreaCounts::default() })
            .collect();
        Ok(Self {
            areas,
            counts,
            taken: FixedBitSet::with_capacity(size),
            sold: FixedBitSet::with_capacity(size),
            blocked: FixedBitSet::with_capacity(size),
            versions: vec![PlaceVersion::default(); size],
        })
    }

    pub(super) fn areas(&self) -> &[AreaSpan] {
        &self.areas
    }

    pub(super) fn len(&self) -> u32 {
        self.areas.last().map_or(0, |span| span.places.end)
    }

    pub(super) fn has(&self, place: PlaceNumber) -> bool {
        place.0 < self.len()
    }

    pub(super) fn display_state(&self, place: PlaceNumber) -> DisplayState {
        let at = place.index();
        match (self.taken.contains(at), self.sold.contains(at), self.blocked.contains(at)) {
            (false, ..) => DisplayState::Free,
            (true, true, _) => DisplayState::Sold,
            (true, false, true) => DisplayState::Blocked,
            (true, false, false) => DisplayState::Held,
        }
    }

    /// Returns the previous state.
    pub(super) fn set_display_state(&mut self, place: PlaceNumber, state: DisplayState) -> DisplayState {
        let was = self.display_state(place);
        let at = place.index();
        self.taken.set(at, state != DisplayState::Free);
        self.sold.set(at, state == DisplayState::Sold);
        self.blocked.set(at, state == DisplayState::Blocked);
        let area = self.areas.partition_point(|span| span.places.end <= place.0);
        *self.counts[area].of(was) -= 1;
        *self.counts[area].of(state) += 1;
        was
    }

    pub(super) fn version(&self, place: PlaceNumber) -> PlaceVersion {
        self.versions[place.index()]
    }

    pub(super) fn set_version(&mut self, place: PlaceNumber, version: PlaceVersion) {
        self.versions[place.index()] = version;
    }

    /// The free places of a range, lowest first; scans a word of the bitmap at a time.
    pub(super) fn free_in(&self, range: Range<u32>) -> impl Iterator<Item = PlaceNumber> + '_ {
        let end = range.end;
        let mut from = range.start;
        std::iter::from_fn(move || {
            let found = self.next_free(from, end)?;
            from = found.0 + 1;
            Some(found)
        })
    }

    fn next_free(&self, from: u32, end: u32) -> Option<PlaceNumber> {
        const WORD: usize = usize::BITS as usize;
        let words = self.taken.as_slice();
        let (mut at, end) = (from as usize, end.min(self.len()) as usize);
        while at < end {
            let free = !words[at / WORD] >> (at % WORD);
            if free == 0 {
                at = (at / WORD + 1) * WORD;
                continue;
            }
            at += free.trailing_zeros() as usize;
            return u32::try_from(at).ok().filter(|_| at < end).map(PlaceNumber);
        }
        None
    }

    pub(super) fn snapshot(&self, position: Position) -> InventorySnapshot {
        InventorySnapshot {
            position,
            areas: self.areas.clone(),
            places: (0..self.len()).map(|place| self.display_state(PlaceNumber(place))).collect(),
            counts: self.counts.clone(),
        }
    }
}
