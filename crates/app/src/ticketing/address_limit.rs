//! Limits the places that one client address holds at once in one event, so that nobody without a session to lose takes all of them.
//!
//! The inventory counts them where holds are granted, changed, given back, lapsed and ordered; cold counts those of unpaid orders. This file says how many
//! there may be of each.

use std::time::Duration;

use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::limits::PLACES_PER_ADDRESS;
use voelgoed_resilience::LogInterval;
use voelgoed_telemetry::metrics::ticketing::places_per_address_refused;

use super::ports::EventScope;

/// One line in so long, however many are refused.
static LINES: LogInterval = LogInterval::new(Duration::from_secs(60));

/// The greater of a number and a share of the event's places.
#[derive(Debug, Clone, Copy)]
pub struct PlacesPerAddress {
    /// The number.
    pub places_max: u32,
    /// The share, from 0 to 1.
    pub share_max: f64,
}

impl PlacesPerAddress {
    /// No limit.
    pub const UNLIMITED: Self = Self { places_max: u32::MAX, share_max: 1.0 };

    /// The limit of an event of so many places.
    #[must_use]
    pub fn of(self, places: u32) -> u32 {
        // Between 0 and `places`, both of which are whole numbers of 32 bits.
        let share = (f64::from(places) * self.share_max.clamp(0.0, 1.0)).floor() as u32;
        share.max(self.places_max)
    }
}

/// Counts a refusal by this limit and raises an alarm.
pub(crate) fn note(scope: EventScope, refusal: &Refusal) {
    if refusal.evidence.limit.as_ref().is_none_or(|limit| limit.name != PLACES_PER_ADDRESS) {
        return;
    }
    places_per_address_refused();
    if let Some(suppressed) = LINES.due() {
        tracing::error!(
            organization = %scope.organization, event = %scope.event, suppressed, slice = "ticketing",
            "one client address asks for more places than it may hold at once"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::PlacesPerAddress;

    #[test]
    fn the_greater_of_number_and_share_counts() {
        let limit = PlacesPerAddress { places_max: 300, share_max: 0.1 };
        for (places, expected) in [(0, 300), (100, 300), (2_999, 300), (3_000, 300), (3_010, 301), (60_000, 6_000)] {
            assert_eq!(limit.of(places), expected, "{places}");
        }
        assert_eq!(PlacesPerAddress { places_max: 1, share_max: 0.0 }.of(60_000), 1);
        assert_eq!(PlacesPerAddress::UNLIMITED.of(10), u32::MAX);
    }
}
