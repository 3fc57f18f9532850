//! Defines the text that the warm tier stores with a hold: its priced terms, and the answered requests, so that a repeat gets the same answer.
//!
//! The text changes in the same atomic step as the places. A change of the hold keeps the prices of the places that stay.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use voelgoed_domain::ticketing::hold::HoldRecord;
use voelgoed_domain::ticketing::hold_limits::TERMS_BYTES_MAX;
use voelgoed_domain::ticketing::place::Epoch;
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::ticketing::quote::Terms;
use voelgoed_domain::time::Timestamp;

use crate::error::{Fault, StoreResult};

/// Answered changes that a hold keeps for repeats; the oldest are dropped.
pub const ANSWERED_CHANGES_MAX: usize = 16;

/// The stored form of a hold's terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldTerms {
    /// The priced terms, one line per pick.
    pub terms: Terms,
    /// A digest of the request that was granted, if it had a key.
    pub request: Option<String>,
    /// A random identifier of the granted attempt, if the request had a key, so that a repeat is not taken for the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_to: Option<Uuid>,
    /// The time of the grant, if the request had a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_at: Option<Timestamp>,
    /// The content of the grant, if the request had a key and the hold has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<HoldContent>,
    /// Changes with a key, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<AnsweredChange>,
}

/// An answered change of a hold that had a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnsweredChange {
    /// The request's `Idempotency-Key`.
    pub key: String,
    /// A digest of the request.
    pub request: String,
    /// The time of the answer.
    pub at: Timestamp,
    /// The content of the answer, if the hold has changed since.
    #[serde(rename = "then", default, skip_serializing_if = "Option::is_none")]
    pub content: Option<HoldContent>,
}

/// The content of a hold at the time of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldContent {
    pub(super) terms: Terms,
    pub(super) places: Vec<Vec<PlaceNumber>>,
    pub(super) epoch: Epoch,
}

impl HoldTerms {
    /// Serializes for the warm tier. If the text is too long, the oldest changes are dropped and no longer replayed.
    ///
    /// # Errors
    /// [`Fault::Internal`] if it cannot be written as JSON.
    pub fn to_text(&self) -> StoreResult<String> {
        let mut text = serde_json::to_string(self).map_err(Fault::internal)?;
        let mut shortened = self.clone();
        while (text.len() > TERMS_BYTES_MAX || shortened.changes.len() > ANSWERED_CHANGES_MAX)
            && !shortened.changes.is_empty()
        {
            shortened.changes.remove(0);
            text = serde_json::to_string(&shortened).map_err(Fault::internal)?;
        }
        if text.len() > TERMS_BYTES_MAX && shortened.granted.take().is_some() {
            text = serde_json::to_string(&shortened).map_err(Fault::internal)?;
        }
        Ok(text)
    }

    /// Parses the stored text.
    ///
    /// # Errors
    /// [`Fault::Internal`] if the stored text is invalid.
    pub fn of(record: &HoldRecord) -> StoreResult<Self> {
        serde_json::from_str(&record.terms).map_err(Fault::internal)
    }

    /// Replaces the terms and keeps the content of earlier answers.
    #[must_use]
    pub fn with_change(self, record: &HoldRecord, terms: Terms, change: Option<AnsweredChange>) -> Self {
        let before = HoldContent { terms: self.terms, places: record.places.clone(), epoch: record.epoch };
        let granted = self.granted.or_else(|| self.request.is_some().then(|| before.clone()));
        let mut changes = self.changes;
        for answered in changes.iter_mut().filter(|answered| answered.content.is_none()) {
            answered.content = Some(before.clone());
        }
        changes.extend(change);
        Self { terms, granted, changes, ..self }
    }
}
