//! Replaces general-admission places that cold refused by others of the same area, so that a stale warm tier does not cost the buyer the order (P1).

use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest, Pick};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::Checkout;
use crate::error::{CommandResult, Fault};
use crate::ticketing::hold_terms::HoldTerms;
use crate::ticketing::load_event::area_spans;
use crate::ticketing::ports::EventScope;

impl Checkout {
    /// Applies the cold state of the refused places to warm. If all of them are general admission, replaces the hold's general-admission places by free ones of
    /// the same areas and returns true.
    pub(super) async fn substitute_places(
        &self,
        scope: EventScope,
        record: &HoldRecord,
        refused: &[PlaceNumber],
    ) -> CommandResult<bool> {
        self.holds.refresh_from_cold(scope, refused).await?;
        let listing = self.listings.listing(scope).await?;
        let areas = area_spans(&listing);
        let general = |place: &PlaceNumber| areas.iter().find(|span| !span.seated && span.places.contains(&place.0));
        if refused.iter().any(|place| general(place).is_none()) {
            return Ok(false);
        }
        let picks = record
            .places
            .iter()
            .map(|places| {
                let first = places.first().ok_or_else(|| Fault::internal("a hold has a line without a place"))?;
                Ok(match general(first) {
                    Some(span) => Pick::Any { range: span.places.clone(), quantity: quantity(places)? },
                    None => Pick::Place(*first),
                })
            })
            .collect::<CommandResult<Vec<_>>>()?;
        let held = HoldTerms::of(record)?;
        let terms = held.terms.clone();
        let request = HoldRequest {
            hold: record.hold,
            session: record.session,
            picks,
            terms: held.with_change(record, terms, None).to_text()?,
            lasts_millis: 0,
            expected_version: record.version,
            address: None,
            places_per_address: u32::MAX,
            places_per_session: listing.event.limits.places_per_session,
        };
        self.holds.replace(scope, request).await?;
        Ok(true)
    }
}

fn quantity(places: &[PlaceNumber]) -> CommandResult<u32> {
    u32::try_from(places.len()).map_err(|_| Fault::internal("a hold has more places than an event").into())
}
