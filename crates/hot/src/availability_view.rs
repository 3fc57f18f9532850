//! Immutable view of one event's availability at one log position, packed to two bits per place, with the JSON body of `availability`.
//!
//! Never: a change in place except of the confirmation time; a newer view replaces the whole, so readers take no lock. The view shows what is certainly
//! taken; it grants nothing (P1, P10).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use voelgoed_app::ticketing::seat_view::Occupancy;
use voelgoed_domain::ids::AreaId;
use voelgoed_domain::ticketing::inventory::{AreaCounts, AreaSpan, InventoryChange, InventorySnapshot};
use voelgoed_domain::ticketing::place::{DisplayState, Position};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;

/// A view is shown as stale when the warm tier confirmed it longer ago than this.
pub const STALE_AFTER: Duration = Duration::from_secs(10);

/// An event's availability at one position.
#[derive(Debug)]
pub struct AvailabilityView {
    position: Position,
    areas: Arc<[AreaSpan]>,
    counts: Vec<AreaCounts>,
    packed: Vec<u8>,
    /// When the warm tier last confirmed this position as its newest, in microseconds.
    confirmed_at: AtomicI64,
    /// The part of the JSON body that does not depend on the time of the request.
    body: OnceLock<String>,
}

/// The seats and areas that changes touched; a frame shows their state in the newest view.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Seats by number. Places of general admission are never listed singly.
    pub(crate) seats: BTreeSet<PlaceNumber>,
    /// Areas by their index in the layout.
    pub(crate) areas: BTreeSet<usize>,
}

impl Touched {
    pub(crate) fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }
}

impl AvailabilityView {
    /// The view of a snapshot that was read at `now`.
    #[must_use]
    pub fn from_snapshot(snapshot: InventorySnapshot, now: Timestamp) -> Self {
        let mut packed = vec![0; snapshot.places.len().div_ceil(4)];
        for (place, shown) in snapshot.places.iter().enumerate() {
            packed[place / 4] |= (*shown as u8) << (2 * (place % 4));
        }
        Self {
            position: snapshot.position,
            areas: snapshot.areas.into(),
            counts: snapshot.counts,
            packed,
            confirmed_at: AtomicI64::new(now.micros()),
            body: OnceLock::new(),
        }
    }

    /// The view after `changes`; their seats and areas are added to `touched`.
    pub(crate) fn after(&self, changes: &[InventoryChange], now: Timestamp, touched: &mut Touched) -> Self {
        let mut next = Self {
            position: changes.last().map_or(self.position, |change| change.position),
            areas: Arc::clone(&self.areas),
            counts: self.counts.clone(),
            packed: self.packed.clone(),
            confirmed_at: AtomicI64::new(now.micros()),
            body: OnceLock::new(),
        };
        let last: BTreeMap<_, _> = changes.iter().flat_map(|change| change.places.iter().copied()).collect();
        for (place, shown) in last {
            next.show(place, shown, touched);
        }
        next
    }

    fn show(&mut self, place: PlaceNumber, shown: DisplayState, touched: &mut Touched) {
        let area = self.areas.partition_point(|span| span.places.end <= place.0);
        let Some(span) = self.areas.get(area) else { return };
        touched.areas.insert(area);
        if span.seated {
            touched.seats.insert(place);
        }
        let was = self.shown(place);
        *self.counts[area].of(was) -= 1;
        *self.counts[area].of(shown) += 1;
        let (byte, shift) = (place.index() / 4, 2 * (place.index() % 4));
        self.packed[byte] = self.packed[byte] & !(3 << shift) | (shown as u8) << shift;
    }

    /// The position in the event's log.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The display state of a place; a place beyond the last is blocked.
    #[must_use]
    pub fn shown(&self, place: PlaceNumber) -> DisplayState {
        let bits = self.packed.get(place.index() / 4).map_or(3, |byte| byte >> (2 * (place.index() % 4)) & 3);
        match bits {
            0 => DisplayState::Free,
            1 => DisplayState::Held,
            2 => DisplayState::Sold,
            _ => DisplayState::Blocked,
        }
    }

    /// The areas with their counts, in place order.
    pub fn areas(&self) -> impl Iterator<Item = (&AreaSpan, AreaCounts)> {
        self.areas.iter().zip(self.counts.iter().copied())
    }

    pub(crate) fn area(&self, at: usize) -> (AreaId, AreaCounts) {
        (self.areas[at].area, self.counts[at])
    }

    /// Two bits per place, as `availability` sends them: place p is bits 2·(p mod 4) and up of byte p div 4.
    #[must_use]
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// When the warm tier last confirmed the view.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.confirmed_at.load(Ordering::Relaxed))
    }

    pub(crate) fn confirm(&self, now: Timestamp) {
        self.confirmed_at.fetch_max(now.micros(), Ordering::Relaxed);
    }

    /// Whether the last confirmation is too old to show the view as live.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.since(self.at()) > STALE_AFTER
    }

    /// The `ETag`, weak because `at` and `now` differ between two bodies of one position.
    #[must_use]
    pub fn etag(&self, now: Timestamp) -> String {
        format!("W/\"{}{}\"", self.position, if self.is_stale(now) { ":stale" } else { "" })
    }

    /// The JSON body of `availability` at `now`; only the times are formatted per call.
    #[must_use]
    pub fn json(&self, now: Timestamp) -> Bytes {
        let body = self.body.get_or_init(|| self.time_independent_part());
        format!(r#"{{"at":"{}","now":"{now}","stale":{},{body}"#, self.at(), self.is_stale(now)).into()
    }

    /// An estimate of the length of the JSON body in bytes.
    pub(crate) fn json_size(&self) -> usize {
        self.packed.len() * 4 / 3 + self.areas.len() * 110 + 200
    }

    fn time_independent_part(&self) -> String {
        let Position { epoch, seq } = self.position;
        let mut body = format!(r#""epoch":{},"seq":{seq},"places":""#, epoch.0);
        STANDARD.encode_string(&self.packed, &mut body);
        body.push_str(r#"","areas":["#);
        for (at, (span, counts)) in self.areas().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let AreaCounts { free, held, sold, blocked } = counts;
            // Writing to a string cannot fail.
            let _ = write!(
                body,
                r#"{comma}{{"area":"{}","free":{free},"held":{held},"sold":{sold},"blocked":{blocked}}}"#,
                span.area
            );
        }
        body.push_str("]}");
        body
    }
}

impl Occupancy for AvailabilityView {
    fn position(&self) -> Position {
        self.position
    }

    fn packed(&self) -> &[u8] {
        &self.packed
    }
}
