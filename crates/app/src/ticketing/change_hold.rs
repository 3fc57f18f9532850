//! Changes a hold: adds and removes places in one atomic step of the warm tier; its end and the prices of kept places stay.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::ticketing::quote::{amend, apply_code};
use voelgoed_resilience::{Capability, Degradation};

use super::Ticketing;
use super::address_limit;
use super::choose_places::{HoldItem, SeatChooser, choose_places};
use super::hold::{key_reused, places_per_session};
use super::hold_terms::{AnsweredChange, HoldTerms};
use super::hold_view::HoldView;
use super::load_event::load_and_retry;
use super::ports::EventScope;
use crate::error::{CommandError, CommandResult, Fault};
use crate::tenant_bulkheads::WorkClass;

/// Attempts of a change when concurrent changes of the same hold come first.
const CHANGE_ATTEMPTS_MAX: usize = 5;

/// A request to change a hold.
#[derive(Debug, Clone)]
pub struct ChangeHold {
    /// The event.
    pub scope: EventScope,
    /// The hold.
    pub hold: HoldId,
    /// The items to add.
    pub add: Vec<HoldItem>,
    /// The places to remove.
    pub remove: Vec<PlaceNumber>,
    /// A promo code for the changed hold.
    pub code: Option<String>,
    /// The request's `Idempotency-Key` with a digest of the request.
    pub repeatable: Option<(String, [u8; 32])>,
}

impl Ticketing {
    /// Changes the hold. After a concurrent change, this change is computed again from the new state.
    ///
    /// # Errors
    /// `hold_expired`, `hold_lost`, `hold_changed`, `place_taken`, `sold_out`, `limit_reached`, `invalid_request`.
    pub async fn change_hold(&self, change: ChangeHold) -> CommandResult<HoldView> {
        let scope = change.scope;
        match self.context.bulkheads.run(WorkClass::Holds, scope.organization, self.change_with_retry(&change)).await {
            Err(CommandError::Refused(refusal)) if refusal.code != Code::IdempotencyMismatch => {
                address_limit::record_refusal(scope, &refusal);
                self.replay_change_or(&change, refusal).await
            }
            changed => changed,
        }
    }

    async fn change_with_retry(&self, change: &ChangeHold) -> CommandResult<HoldView> {
        let degradation = self.context.require(Capability::Hold)?;
        for _ in 1..CHANGE_ATTEMPTS_MAX {
            match self.try_change(change, degradation).await {
                Err(CommandError::Refused(refusal)) if refusal.code == Code::HoldChanged => {}
                done => return done,
            }
        }
        self.try_change(change, degradation).await
    }

    /// Returns the stored answer if the same change was made before; `refused` is the answer to the repeat.
    ///
    /// # Errors
    /// `refused` if there was no such change; `idempotency_mismatch`.
    pub async fn replay_change_or(&self, change: &ChangeHold, refused: Refusal) -> CommandResult<HoldView> {
        let refused = self.context.with_order_token(change.scope, refused.into());
        if change.repeatable.is_none() {
            return Err(refused);
        }
        let Ok(record) = self.inventory.read_hold(change.scope, change.hold).await else { return Err(refused) };
        let listing = self.listings.listing(change.scope).await?;
        replay_change(&listing, change, &record)?.ok_or(refused)
    }

    async fn try_change(&self, change: &ChangeHold, degradation: Option<Degradation>) -> CommandResult<HoldView> {
        let scope = change.scope;
        let listing = self.listings.listing(scope).await?;
        let held = self.read_hold(scope, change.hold).await?;
        if let Some(view) = replay_change(&listing, change, &held.record)? {
            return Ok(view);
        }
        let mut lines = Vec::new();
        if !change.add.is_empty() {
            let occupancy = self.seat_view.current(scope).await?;
            let seating = self.listings.seating(scope).await?;
            let chooser = SeatChooser { occupancy: &*occupancy, seating: &seating };
            lines = choose_places(&listing, &change.add, Some(chooser))?;
        }
        let now = self.context.now();
        let amended = amend(&listing, &held.terms.terms, &held.record.places, &change.remove, &lines, now);
        let mut amended = amended.map_err(Fault::internal)??;
        if let Some(code) = &change.code {
            amended = apply_code(&listing, amended, code, now)?;
            self.code_uses.check_uses(scope, &listing, held.record.session, Some(code)).await?;
        }
        let answered = change.repeatable.as_ref().map(|(key, digest)| AnsweredChange {
            key: key.clone(),
            request: STANDARD_NO_PAD.encode(digest),
            at: now,
            content: None,
        });
        let terms = held.terms.with_change(&held.record, amended.terms, answered);
        let request = HoldRequest {
            hold: change.hold,
            session: held.record.session,
            picks: amended.picks,
            terms: terms.to_text()?,
            lasts_millis: 0,
            // Removing places is not limited.
            places_per_session: places_per_session(&listing, degradation.filter(|_| !change.add.is_empty())),
            // The inventory counts the address that the hold was granted to.
            address: None,
            places_per_address: self.places_per_address.of(listing.layout.place_count()),
            expected_version: held.record.version,
        };
        let record =
            load_and_retry(&*self.loader, scope, || self.inventory.change_hold(scope, request.clone())).await?;
        Ok(HoldView::new(scope, &listing, record, now)?)
    }
}

/// The answer to an earlier change with the same key, if there was one.
fn replay_change(listing: &Listing, change: &ChangeHold, record: &HoldRecord) -> CommandResult<Option<HoldView>> {
    let Some((key, digest)) = &change.repeatable else { return Ok(None) };
    let terms = HoldTerms::of(record)?;
    let Some(answered) = terms.changes.iter().find(|answered| answered.key == *key).cloned() else { return Ok(None) };
    if answered.request != STANDARD_NO_PAD.encode(digest) {
        return Err(key_reused().into());
    }
    Ok(Some(HoldView::replayed(change.scope, listing, record.clone(), terms, answered.content, answered.at)?))
}
