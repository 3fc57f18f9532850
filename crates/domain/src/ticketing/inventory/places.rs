//! The places of an event as bitmaps with counters: what each looks like, its cold version, and where free ones are.
//!
//! Never: who holds a place (that is the book's). The bitmaps always have the event's full length; `sold` and `blocked` lie within `taken`.

use std::ops::Range;

use fixedbitset::FixedBitSet;

use super::values::{AreaSpan, Counts, InventorySnapshot};
use crate::ticketing::place::{PlaceNumber, PlaceVersion, Position, Shown};

/// Bits, versions and counts of an event's places.
#[derive(Debug, Clone)]
pub(super) struct Places {
    areas: Vec<AreaSpan>,
    counts: Vec<Counts>,
    /// Not free, for whatever reason.
    taken: FixedBitSet,
    sold: FixedBitSet,
    blocked: FixedBitSet,
    versions: Vec<PlaceVersion>,
}

impl Places {
    /// All places free and never touched. Fails with the first place at which the areas do not follow each other.
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
            .map(|span| Counts { free: span.places.end - span.places.start, ..Counts::default() })
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

    /// How many places there are.
    pub(super) fn len(&self) -> u32 {
        self.areas.last().map_or(0, |span| span.places.end)
    }

    pub(super) fn has(&self, place: PlaceNumber) -> bool {
        place.0 < self.len()
    }

    pub(super) fn shown(&self, place: PlaceNumber) -> Shown {
        let at = place.index();
        match (self.taken.contains(at), self.sold.contains(at), self.blocked.contains(at)) {
            (false, ..) => Shown::Free,
            (true, true, _) => Shown::Sold,
            (true, false, true) => Shown::Blocked,
            (true, false, false) => Shown::Held,
        }
    }

    /// Sets what a place looks like; returns what it looked like.
    pub(super) fn show(&mut self, place: PlaceNumber, shown: Shown) -> Shown {
        let was = self.shown(place);
        let at = place.index();
        self.taken.set(at, shown != Shown::Free);
        self.sold.set(at, shown == Shown::Sold);
        self.blocked.set(at, shown == Shown::Blocked);
        let area = self.areas.partition_point(|span| span.places.end <= place.0);
        *self.counts[area].of(was) -= 1;
        *self.counts[area].of(shown) += 1;
        was
    }

    pub(super) fn version(&self, place: PlaceNumber) -> PlaceVersion {
        self.versions[place.index()]
    }

    pub(super) fn set_version(&mut self, place: PlaceNumber, version: PlaceVersion) {
        self.versions[place.index()] = version;
    }

    /// The free places of a range, lowest first, found a word at a time.
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
            places: (0..self.len()).map(|place| self.shown(PlaceNumber(place))).collect(),
            counts: self.counts.clone(),
        }
    }
}
