//! Allocates places to a hold request: the named places, and the lowest free places of each range for the rest.
//!
//! Never: a place of another hold. The order of checks is fixed (shape, limits, named places, ranges), so that every implementation refuses alike.

use std::collections::BTreeSet;

use super::{Inventory, refusals};
use crate::ids::HoldId;
use crate::refusal::Refusal;
use crate::ticketing::hold::{HoldRequest, Pick};
use crate::ticketing::hold_limits::{HOLD_DURATION_MAX, HOLDS_PER_SESSION_MAX, PLACES_PER_HOLD_MAX, TERMS_BYTES_MAX};
use crate::ticketing::place::DisplayState;
use crate::ticketing::place_number::PlaceNumber;

/// One list of places per pick of the request.
pub(super) type Allocation = Vec<Vec<PlaceNumber>>;

impl Inventory {
    /// Checks a request and chooses its places; the places of `own`, the hold that the request changes, count as free.
    pub(super) fn allocate(&self, request: &HoldRequest, own: Option<HoldId>) -> Result<Allocation, Refusal> {
        self.check_shape(request)?;
        let own_places =
            own.and_then(|hold| self.holds.get(hold)).map(|held| self.holds.held_places(held)).unwrap_or_default();
        self.check_limits(request, own, own_places.len())?;
        let mut chosen = self.named_places(request, own)?;
        let mut allocation = Vec::with_capacity(request.picks.len());
        for pick in &request.picks {
            match pick {
                Pick::Place(place) => allocation.push(vec![*place]),
                Pick::Any { range, quantity } => {
                    let kept = own_places.iter().copied().collect::<BTreeSet<_>>();
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
                    allocation.push(list);
                }
            }
        }
        Ok(allocation)
    }

    fn check_shape(&self, request: &HoldRequest) -> Result<(), Refusal> {
        if request.picks.is_empty() {
            return Err(refusals::no_picks());
        }
        if u128::from(request.lasts_millis) > HOLD_DURATION_MAX.as_millis() {
            return Err(refusals::hold_too_long());
        }
        if request.terms.len() > TERMS_BYTES_MAX {
            return Err(refusals::terms_too_long());
        }
        let mut named = BTreeSet::new();
        for (at, pick) in request.picks.iter().enumerate() {
            let valid = match pick {
                Pick::Place(place) => self.places.has(*place) && named.insert(*place),
                Pick::Any { range, quantity } => {
                    *quantity > 0 && range.start < range.end && range.end <= self.places.len()
                }
            };
            if !valid {
                return Err(refusals::invalid_pick(&format!("items[{at}]")));
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
        if wanted > u64::from(PLACES_PER_HOLD_MAX) {
            return Err(refusals::places_per_hold());
        }
        let usage = self.holds.usage(request.session);
        if own.is_none() && usage.holds >= HOLDS_PER_SESSION_MAX {
            return Err(refusals::holds_per_session());
        }
        let others = u64::from(usage.places).saturating_sub(own_places as u64);
        if others + wanted > u64::from(request.places_per_session) {
            return Err(refusals::places_per_session(request.places_per_session));
        }
        let address = own.map_or(request.address, |hold| self.holds.get(hold).and_then(|holding| holding.address));
        let others = address
            .map_or(0, |address| u64::from(self.holds.held_by_address(address)).saturating_sub(own_places as u64));
        // A change that keeps or lowers the number of places takes nothing from other buyers of the address.
        if address.is_some() && wanted > own_places as u64 && others + wanted > u64::from(request.places_per_address) {
            return Err(refusals::places_per_address(request.places_per_address));
        }
        Ok(())
    }

    /// The places that the request names; refused with `place_taken` and every named place that another holder has.
    fn named_places(&self, request: &HoldRequest, own: Option<HoldId>) -> Result<BTreeSet<PlaceNumber>, Refusal> {
        let mut chosen = BTreeSet::new();
        let mut taken = Vec::new();
        for pick in &request.picks {
            let Pick::Place(place) = *pick else { continue };
            let mine = own.is_some() && self.holds.holder(place) == own;
            if mine || self.places.display_state(place) == DisplayState::Free {
                chosen.insert(place);
            } else {
                taken.push(place);
            }
        }
        if taken.is_empty() { Ok(chosen) } else { Err(Refusal::place_taken(taken)) }
    }
}
