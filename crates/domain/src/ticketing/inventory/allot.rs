//! Which places a request gets: the exact ones it names, and for the rest the lowest free ones of each range.
//!
//! Never: a place of another hold. Checks come in one fixed order (shape, limits, exact places, ranges), so that every implementation refuses alike.

use std::collections::BTreeSet;

use voelgoed_planted::{Bug, planted};

use super::{HOLDS_PER_SESSION, Inventory, LONGEST_HOLD, PLACES_PER_HOLD, TERMS_BYTES, refusals};
use crate::ids::HoldId;
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldRequest, Pick};
use crate::ticketing::place::{PlaceNumber, Shown};

/// The places for a request, one list per pick.
pub(super) type Allotment = Vec<Vec<PlaceNumber>>;

impl Inventory {
    /// Checks a request and chooses its places; `own` is the hold that it replaces, whose places count as free for it.
    pub(super) fn allot(&self, request: &HoldRequest, own: Option<HoldId>) -> Result<Allotment, Refusal> {
        self.check_shape(request)?;
        let reach = own.and_then(|hold| self.book.get(hold)).map(|held| self.book.reach(held)).unwrap_or_default();
        self.check_limits(request, own, reach.len())?;
        let mut chosen = self.exact(request, own)?;
        let mut allotment = Vec::with_capacity(request.picks.len());
        for pick in &request.picks {
            match pick {
                Pick::Place(place) => allotment.push(vec![*place]),
                Pick::Any { range, quantity } => {
                    let kept = reach.iter().copied().collect::<BTreeSet<_>>();
                    let kept = kept.into_iter().filter(|place| range.contains(&place.0));
                    let list: Vec<_> = kept
                        .chain(self.places.free_in(range.clone()))
                        .filter(|place| !chosen.contains(place))
                        .take(*quantity as usize)
                        .collect();
                    if list.len() < *quantity as usize {
                        return Err(refusals::sold_out());
                    }
                    chosen.extend(&list);
                    allotment.push(list);
                }
            }
        }
        Ok(allotment)
    }

    fn check_shape(&self, request: &HoldRequest) -> Result<(), Refusal> {
        if request.picks.is_empty() {
            return Err(refusals::no_picks());
        }
        if u128::from(request.lasts_millis) > LONGEST_HOLD.as_millis() {
            return Err(refusals::lasts_too_long());
        }
        if request.terms.len() > TERMS_BYTES {
            return Err(refusals::terms_too_long());
        }
        let mut named = BTreeSet::new();
        for (at, pick) in request.picks.iter().enumerate() {
            let sound = match pick {
                Pick::Place(place) => self.places.has(*place) && named.insert(*place),
                Pick::Any { range, quantity } => {
                    *quantity > 0 && range.start < range.end && range.end <= self.places.len()
                }
            };
            if !sound {
                return Err(refusals::unsound_pick(&format!("items[{at}]")));
            }
        }
        Ok(())
    }

    fn check_limits(&self, request: &HoldRequest, own: Option<HoldId>, own_places: usize) -> Result<(), Refusal> {
        let wanted: u64 = request
            .picks
            .iter()
            .map(|pick| match pick {
                Pick::Place(_) => 1,
                Pick::Any { quantity, .. } => u64::from(*quantity),
            })
            .sum();
        if wanted > u64::from(PLACES_PER_HOLD) {
            return Err(refusals::places_per_hold());
        }
        let tally = self.book.tally(request.session);
        if own.is_none() && tally.holds >= HOLDS_PER_SESSION {
            return Err(refusals::holds_per_session());
        }
        let others = u64::from(tally.places).saturating_sub(own_places as u64);
        if others + wanted > u64::from(request.places_per_session) {
            return Err(refusals::places_per_session(request.places_per_session));
        }
        let address = own.map_or(request.address, |hold| self.book.get(hold).and_then(|holding| holding.address));
        let others =
            address.map_or(0, |address| u64::from(self.book.held_from(address)).saturating_sub(own_places as u64));
        // Whoever takes no more than the hold has already is not in anybody's way.
        if address.is_some() && wanted > own_places as u64 && others + wanted > u64::from(request.places_per_address) {
            return Err(refusals::places_per_address(request.places_per_address));
        }
        Ok(())
    }

    /// The exact places of a request; `place_taken` names all that are another's.
    fn exact(&self, request: &HoldRequest, own: Option<HoldId>) -> Result<BTreeSet<PlaceNumber>, Refusal> {
        let mut chosen = BTreeSet::new();
        let mut taken = Vec::new();
        for pick in &request.picks {
            let Pick::Place(place) = *pick else { continue };
            let mine = own.is_some() && self.book.holder(place) == own;
            if mine || self.places.shown(place) == Shown::Free || planted(Bug::SeatHeldTwice) {
                chosen.insert(place);
            } else {
                taken.push(place);
            }
        }
        if taken.is_empty() { Ok(chosen) } else { Err(Refusal::place_taken(taken)) }
    }
}
