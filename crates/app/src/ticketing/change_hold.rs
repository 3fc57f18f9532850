//! A buyer adds places to a hold or gives some back, all or nothing; its end does not move, nor do its prices.

use voelgoed_domain::ids::HoldId;
use voelgoed_domain::refusal::Code;
use voelgoed_domain::ticketing::hold::HoldRequest;
use voelgoed_domain::ticketing::place::PlaceNumber;
use voelgoed_domain::ticketing::quote::amend;
use voelgoed_resilience::Capability;

use super::picks::{Chooser, Item, picks};
use super::ports::EventScope;
use super::read_hold::read_hold;
use super::rebuild::loaded;
use super::terms::{HoldTerms, HoldView};
use crate::error::{Error, Fault, Result};
use crate::platform::Platform;
use crate::shares::Work;

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
}

/// Changes the hold. Where another change came in between, this one is made again from what that one left.
///
/// # Errors
/// `hold_expired`, `hold_lost`, `hold_changed`, `place_taken`, `sold_out`, `limit_reached`, `invalid_request`.
pub async fn change_hold(platform: &Platform, change: ChangeHold) -> Result<HoldView> {
    let organization = change.scope.organization;
    platform.shares.within(Work::Holds, organization, amend_and_grant(platform, change)).await
}

async fn amend_and_grant(platform: &Platform, change: ChangeHold) -> Result<HoldView> {
    platform.capable(Capability::Hold)?;
    for _ in 1..MOST_TRIES {
        match try_change(platform, &change).await {
            Err(Error::Refused(refusal)) if refusal.code == Code::HoldChanged => {}
            done => return done,
        }
    }
    try_change(platform, &change).await
}

async fn try_change(platform: &Platform, change: &ChangeHold) -> Result<HoldView> {
    let scope = change.scope;
    let listing = platform.listings.listing(scope).await?;
    let held = read_hold(platform, scope, change.hold).await?;
    let mut lines = Vec::new();
    if !change.add.is_empty() {
        let occupancy = platform.seat_view.current(scope).await?;
        let seating = platform.listings.seating(scope).await?;
        let chooser = Chooser { occupancy: &*occupancy, seating: &seating };
        lines = picks(&listing, &change.add, Some(chooser))?;
    }
    let now = platform.environment.now();
    let amended = amend(&listing, &held.terms.terms, &held.record.places, &change.remove, &lines, now);
    let amended = amended.map_err(Fault::internal)??;
    let terms = HoldTerms { terms: amended.terms, ..held.terms };
    let request = HoldRequest {
        hold: change.hold,
        session: held.record.session,
        picks: amended.picks,
        terms: terms.to_text()?,
        lasts_millis: 0,
        places_per_session: listing.event.limits.places_per_session,
        of_version: held.record.version,
    };
    let record = loaded(platform, scope, || platform.inventory.change_hold(scope, request.clone())).await?;
    Ok(HoldView::new(scope, &listing, record, platform.environment.now())?)
}
