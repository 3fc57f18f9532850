//! What a hold carries in the warm tier beside its places: its priced terms, and the requests that were answered with it, so that a repeat gets the same
//! answer. Both change in the same atomic step as the places.
//!
//! The price is fixed by the hold: a change of it keeps the price of what stays.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::ticketing::hold::HoldRecord;
use voelgoed_domain::ticketing::inventory::TERMS_BYTES;
use voelgoed_domain::ticketing::place::{Epoch, PlaceNumber};
use voelgoed_domain::ticketing::quote::{PricedPlace, Terms};
use voelgoed_domain::time::Timestamp;

use super::ports::EventScope;
use crate::error::{Fault, StoreResult};

/// Changes of one hold whose answers are kept for a repeat; the oldest are forgotten.
pub const CHANGES_KEPT_MAX: usize = 16;

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
    /// The moment of the grant's answer, where it may be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_at: Option<Timestamp>,
    /// What was granted, where the hold has changed since and the grant may be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Content>,
    /// Changes with a key, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<AnsweredChange>,
}

/// A change of a hold that may be repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnsweredChange {
    /// The caller's `Idempotency-Key`.
    pub key: String,
    /// A digest of the request.
    pub request: String,
    /// The moment of its answer.
    pub at: Timestamp,
    /// What the hold contained then, where it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Content>,
}

/// What a hold contained when it was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    terms: Terms,
    places: Vec<Vec<PlaceNumber>>,
    epoch: Epoch,
}

impl HoldTerms {
    /// As the warm tier stores it. Where the text grows too long, the oldest changes are no longer recognised.
    ///
    /// # Errors
    /// [`Fault::Internal`] where it cannot be written as JSON.
    pub fn to_text(&self) -> StoreResult<String> {
        let mut text = serde_json::to_string(self).map_err(Fault::internal)?;
        let mut kept = self.clone();
        while (text.len() > TERMS_BYTES || kept.changes.len() > CHANGES_KEPT_MAX) && !kept.changes.is_empty() {
            kept.changes.remove(0);
            text = serde_json::to_string(&kept).map_err(Fault::internal)?;
        }
        if text.len() > TERMS_BYTES && kept.granted.take().is_some() {
            text = serde_json::to_string(&kept).map_err(Fault::internal)?;
        }
        Ok(text)
    }

    /// As it was stored.
    ///
    /// # Errors
    /// [`Fault::Internal`] where the stored text is not ours.
    pub fn of(record: &HoldRecord) -> StoreResult<Self> {
        serde_json::from_str(&record.terms).map_err(Fault::internal)
    }

    /// The same with other terms; what was answered before is kept as it was then.
    #[must_use]
    pub fn changed(self, record: &HoldRecord, terms: Terms, change: Option<AnsweredChange>) -> Self {
        let before = Content { terms: self.terms, places: record.places.clone(), epoch: record.epoch };
        let granted = self.granted.or_else(|| self.request.is_some().then(|| before.clone()));
        let mut changes = self.changes;
        for answered in changes.iter_mut().filter(|answered| answered.then.is_none()) {
            answered.then = Some(before.clone());
        }
        changes.extend(change);
        Self { terms, granted, changes, ..self }
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
    /// Whether this repeats an earlier answer.
    pub replayed: bool,
}

impl HoldView {
    /// Prices a record's places.
    ///
    /// # Errors
    /// [`Fault::Internal`] where record and terms do not fit together.
    pub fn new(scope: EventScope, listing: &Listing, record: HoldRecord, now: Timestamp) -> StoreResult<Self> {
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
    ) -> StoreResult<Self> {
        let places = terms.terms.price_places(&listing.layout, &record.places).map_err(Fault::internal)?;
        Ok(Self { scope, id: record.hold, record, terms, places, now, replayed: false })
    }

    /// The hold as an earlier request was answered: with `then` where it has changed since, and with the moment of that answer.
    ///
    /// # Errors
    /// [`Fault::Internal`] where record and terms do not fit together.
    pub fn replayed(
        scope: EventScope,
        listing: &Listing,
        mut record: HoldRecord,
        mut terms: HoldTerms,
        then: Option<Content>,
        at: Timestamp,
    ) -> StoreResult<Self> {
        if let Some(content) = then {
            record.places = content.places;
            record.epoch = content.epoch;
            terms.terms = content.terms;
        }
        Ok(Self { replayed: true, ..Self::with_terms(scope, listing, record, terms, at)? })
    }
}
