//! What a hold carries in the warm tier beside its places: its priced terms, and what it was asked, so that a repeat is recognised.
//!
//! The price is fixed by the hold: a change of it keeps the price of what stays.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::ticketing::hold::HoldRecord;
use voelgoed_domain::ticketing::quote::{PricedPlace, Terms};
use voelgoed_domain::time::Timestamp;

use super::ports::EventScope;
use crate::error::{Fault, Stored};

/// The stored form of a hold's terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldTerms {
    /// The priced terms, one line per pick.
    pub terms: Terms,
    /// A digest of the request, where it may be repeated.
    pub request: Option<String>,
    /// The try that was granted, where it may be repeated: each try has its own, so that a repeat is not taken for another grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_to: Option<Uuid>,
}

impl HoldTerms {
    /// As the warm tier stores it.
    ///
    /// # Errors
    /// [`Fault::Internal`] where it cannot be written as JSON.
    pub fn to_text(&self) -> Stored<String> {
        serde_json::to_string(self).map_err(Fault::internal)
    }

    /// As it was stored.
    ///
    /// # Errors
    /// [`Fault::Internal`] where the stored text is not ours.
    pub fn of(record: &HoldRecord) -> Stored<Self> {
        serde_json::from_str(&record.terms).map_err(Fault::internal)
    }
}

/// A hold with its priced places, for the surface.
#[derive(Debug, Clone)]
pub struct HoldView {
    /// The event.
    pub scope: EventScope,
    /// Its identifier.
    pub id: HoldId,
    /// The hold as the warm tier keeps it.
    pub record: HoldRecord,
    /// Its terms.
    pub terms: HoldTerms,
    /// Its places, priced, in the order of the request.
    pub places: Vec<PricedPlace>,
    /// The moment of the answer.
    pub now: Timestamp,
}

impl HoldView {
    /// Prices a record's places.
    ///
    /// # Errors
    /// [`Fault::Internal`] where record and terms do not fit together.
    pub fn new(scope: EventScope, listing: &Listing, record: HoldRecord, now: Timestamp) -> Stored<Self> {
        let terms = HoldTerms::of(&record)?;
        Self::with_terms(scope, listing, record, terms, now)
    }

    /// The same where the record's terms are read already.
    ///
    /// # Errors
    /// [`Fault::Internal`] where record and terms do not fit together.
    pub fn with_terms(
        scope: EventScope,
        listing: &Listing,
        record: HoldRecord,
        terms: HoldTerms,
        now: Timestamp,
    ) -> Stored<Self> {
        let places = terms.terms.price_places(&listing.layout, &record.places).map_err(Fault::internal)?;
        Ok(Self { scope, id: record.hold, record, terms, places, now })
    }
}
