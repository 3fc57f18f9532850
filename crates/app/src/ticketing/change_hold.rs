//! A buyer adds places to a hold or gives some back, all or nothing; its end does not move, nor do its prices.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::ticketing::hold::{HoldRecord, HoldRequest};
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::ticketing::quote::{amend, with_code};
use voelgoed_resilience::{Capability, Degradation};

use super::address_limit;
use super::hold::{mismatch, places_per_session};
use super::picks::{Chooser, Item, picks};
use super::ports::EventScope;
use super::read_hold::read_hold;
use super::rebuild::loaded;
use super::terms::{AnsweredChange, HoldTerms, HoldView};
use crate::checkout::counted::check_uses;
use crate::checkout::read_order::with_token;
use crate::error::{Error, Fault, Result};
use crate::platform::Platform;
use crate::tenant_bulkheads::WorkClass;

/// A change is made again at most so often when others of the same hold are faster.
const MOST_TRIES: usize = 5;

/// What is to change.
#[derive(Debug, Clone)]
pub struct ChangeHold {
    /// The event.
    pub scope: EventScope,
    /// The hold.
    pub hold: HoldId,
    /// What is taken in addition.
    pub add: Vec<Item>,
    /// Which of its places are given back.
    pub remove: Vec<PlaceNumber>,
    /// A promo code for what it contains.
    pub code: Option<String>,
    /// The caller's `Idempotency-Key` with a digest of the request.
    pub repeatable: Option<(String, [u8; 32])>,
}

/// Changes the hold. Where another change came in between, this one is made again from what that one left.
///
/// # Errors
/// `hold_expired`, `hold_lost`, `hold_changed`, `place_taken`, `sold_out`, `limit_reached`, `invalid_request`.
pub async fn change_hold(platform: &Platform, change: ChangeHold) -> Result<HoldView> {
    let scope = change.scope;
    match platform.shares.within(WorkClass::Holds, scope.organization, amend_and_grant(platform, &change)).await {
        Err(Error::Refused(refusal)) if refusal.code != Code::IdempotencyMismatch => {
            address_limit::note(scope, &refusal);
            changed_before(platform, &change, refusal).await
        }
        changed => changed,
    }
}

async fn amend_and_grant(platform: &Platform, change: &ChangeHold) -> Result<HoldView> {
    let less = platform.capable(Capability::Hold)?;
    for _ in 1..MOST_TRIES {
        match try_change(platform, change, less).await {
            Err(Error::Refused(refusal)) if refusal.code == Code::HoldChanged => {}
            done => return done,
        }
    }
    try_change(platform, change, less).await
}

/// What the same change was answered before, where it is refused now.
///
/// # Errors
/// `refused` where nothing was; `idempotency_mismatch`.
pub async fn changed_before(platform: &Platform, change: &ChangeHold, refused: Refusal) -> Result<HoldView> {
    let refused = with_token(platform, change.scope, refused.into());
    if change.repeatable.is_none() {
        return Err(refused);
    }
    let Ok(record) = platform.inventory.read_hold(change.scope, change.hold).await else { return Err(refused) };
    let listing = platform.listings.listing(change.scope).await?;
    repeated(&listing, change, &record)?.ok_or(refused)
}

/// The answer to an earlier request with the key, if there was one.
fn repeated(listing: &Listing, change: &ChangeHold, record: &HoldRecord) -> Result<Option<HoldView>> {
    let Some((key, digest)) = &change.repeatable else { return Ok(None) };
    let terms = HoldTerms::of(record)?;
    let Some(answered) = terms.changes.iter().find(|answered| answered.key == *key).cloned() else { return Ok(None) };
    if answered.request != STANDARD_NO_PAD.encode(digest) {
        return Err(mismatch().into());
    }
    Ok(Some(HoldView::replayed(change.scope, listing, record.clone(), terms, answered.then, answered.at)?))
}

async fn try_change(platform: &Platform, change: &ChangeHold, less: Option<Degradation>) -> Result<HoldView> {
    let scope = change.scope;
    let listing = platform.listings.listing(scope).await?;
    let held = read_hold(platform, scope, change.hold).await?;
    if let Some(view) = repeated(&listing, change, &held.record)? {
        return Ok(view);
    }
    let mut lines = Vec::new();
    if !change.add.is_empty() {
        let occupancy = platform.seat_view.current(scope).await?;
        let seating = platform.listings.seating(scope).await?;
        let chooser = Chooser { occupancy: &*occupancy, seating: &seating };
        lines = picks(&listing, &change.add, Some(chooser))?;
    }
    let now = platform.environment.now();
    let amended = amend(&listing, &held.terms.terms, &held.record.places, &change.remove, &lines, now);
    let mut amended = amended.map_err(Fault::internal)??;
    if let Some(code) = &change.code {
        amended = with_code(&listing, amended, code, now)?;
        check_uses(platform, scope, &listing, held.record.session, Some(code)).await?;
    }
    let answered = change.repeatable.as_ref().map(|(key, digest)| AnsweredChange {
        key: key.clone(),
        request: STANDARD_NO_PAD.encode(digest),
        at: now,
        then: None,
    });
    let terms = held.terms.changed(&held.record, amended.terms, answered);
    let request = HoldRequest {
        hold: change.hold,
        session: held.record.session,
        picks: amended.picks,
        terms: terms.to_text()?,
        lasts_millis: 0,
        // Giving places back is never too many.
        places_per_session: places_per_session(&listing, less.filter(|_| !change.add.is_empty())),
        // The hold's own address counts.
        address: None,
        places_per_address: platform.places_per_address.of(listing.layout.place_count()),
        of_version: held.record.version,
    };
    let record = loaded(platform, scope, || platform.inventory.change_hold(scope, request.clone())).await?;
    Ok(HoldView::new(scope, &listing, record, now)?)
}
