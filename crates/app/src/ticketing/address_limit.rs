//! Computes how many places one client address may hold at once in one event, so that a client that changes sessions cannot take all of them.
//!
//! The inventory counts held places when holds are granted, changed, released, expired and ordered; cold counts places of unpaid orders.

use std::time::Duration;

use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::limits::PLACES_PER_ADDRESS;
use voelgoed_resilience::LogInterval;
use voelgoed_telemetry::metrics::ticketing::places_per_address_refused;

use super::ports::EventScope;

/// Limits the log lines about refusals.
static LOG_INTERVAL: LogInterval = LogInterval::new(Duration::from_secs(60));

/// A limit of places per client address: a number or a share of the event's places, whichever is greater.
#[derive(Debug, Clone, Copy)]
pub struct PlacesPerAddress {
    /// The number of places.
    pub places_max: u32,
    /// The share of the event's places, from 0 to 1.
    pub share_max: f64,
}

impl PlacesPerAddress {
    /// No limit.
    pub const UNLIMITED: Self = Self { places_max: u32::MAX, share_max: 1.0 };

    /// The limit for an event with `places` places.
    #[must_use]
    pub fn of(self, places: u32) -> u32 {
        // The product is between 0 and `places`, so it fits 32 bits.
        let share = (f64::from(places) * self.share_max.clamp(0.0, 1.0)).floor() as u32;
        share.max(self.places_max)
    }
}

/// Counts and logs a refusal by this limit.
pub(crate) fn record_refusal(scope: EventScope, refusal: &Refusal) {
    if refusal.evidence.limit.as_ref().is_none_or(|limit| limit.name != PLACES_PER_ADDRESS) {
        return;
    }
    places_per_address_refused();
    if let Some(suppressed) = LOG_INTERVAL.due() {
        tracing::error!(
            organization = %scope.organization, event = %scope.event, suppressed, slice = "ticketing",
            "a client address requested more places than it may hold at once"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::PlacesPerAddress;

    #[test]
    fn limit_is_the_greater_of_number_and_share() {
        let limit = PlacesPerAddress { places_max: 300, share_max: 0.1 };
        for (places, expected) in [(0, 300), (100, 300), (2_999, 300), (3_000, 300), (3_010, 301), (60_000, 6_000)] {
            assert_eq!(limit.of(places), expected, "{places}");
        }
        assert_eq!(PlacesPerAddress { places_max: 1, share_max: 0.0 }.of(60_000), 1);
        assert_eq!(PlacesPerAddress::UNLIMITED.of(10), u32::MAX);
    }
}
