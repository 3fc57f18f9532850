//! Shows a hold with its priced places, as it is now or as an earlier request was answered.

use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::ticketing::hold::HoldRecord;
use voelgoed_domain::ticketing::quote::PricedPlace;
use voelgoed_domain::time::Timestamp;

use super::hold_terms::{HoldContent, HoldTerms};
use super::ports::EventScope;
use crate::error::{Fault, StoreResult};

/// A hold with its priced places.
#[derive(Debug, Clone)]
pub struct HoldView {
    /// The event.
    pub scope: EventScope,
    /// Its identifier.
    pub id: HoldId,
    /// The hold as the warm tier stores it.
    pub record: HoldRecord,
    /// The parsed terms of the record.
    pub terms: HoldTerms,
    /// The priced places, in the order of the request.
    pub places: Vec<PricedPlace>,
    /// The time of the answer.
    pub now: Timestamp,
    /// True if this is the answer to an earlier request.
    pub replayed: bool,
}

impl HoldView {
    /// Prices a record's places.
    ///
    /// # Errors
    /// [`Fault::Internal`] if record and terms contradict each other.
    pub fn new(scope: EventScope, listing: &Listing, record: HoldRecord, now: Timestamp) -> StoreResult<Self> {
        let terms = HoldTerms::of(&record)?;
        Self::with_terms(scope, listing, record, terms, now)
    }

    /// Prices a record's places by its parsed terms.
    ///
    /// # Errors
    /// [`Fault::Internal`] if record and terms contradict each other.
    pub fn with_terms(
        scope: EventScope,
        listing: &Listing,
        record: HoldRecord,
        terms: HoldTerms,
        now: Timestamp,
    ) -> StoreResult<Self> {
        let places = terms.terms.price_places(&listing.layout, &record.places).map_err(Fault::internal)?;
        Ok(Self { scope, id: record.hold, record, terms, places, now, replayed: false })
    }

    /// The answer to an earlier request: `content` if the hold has changed since, and the time of that answer.
    ///
    /// # Errors
    /// [`Fault::Internal`] if record and terms contradict each other.
    pub fn replayed(
        scope: EventScope,
        listing: &Listing,
        mut record: HoldRecord,
        mut terms: HoldTerms,
        content: Option<HoldContent>,
        at: Timestamp,
    ) -> StoreResult<Self> {
        if let Some(content) = content {
            record.places = content.places;
            record.epoch = content.epoch;
            terms.terms = content.terms;
        }
        Ok(Self { replayed: true, ..Self::with_terms(scope, listing, record, terms, at)? })
    }
}
