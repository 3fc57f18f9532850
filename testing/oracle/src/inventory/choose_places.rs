//! Chooses the places of a hold request, or refuses it with the expected code and evidence.

use voelgoed_domain::refusal::{Code, LimitHit, RefusalEvidence};
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::hold_limits::{
    HOLD_DURATION_MAX, HOLDS_PER_SESSION_MAX, PLACES_PER_HOLD_MAX, TERMS_BYTES_MAX,
};
use voelgoed_domain::ticketing::place::DisplayState;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::InventoryModel;
use super::command::ModelRefusal;

fn invalid(field: impl Into<String>) -> ModelRefusal {
    Box::new((Code::InvalidRequest, RefusalEvidence { field: Some(field.into()), ..RefusalEvidence::default() }))
}

fn limit_reached(name: &'static str, count_max: u32) -> ModelRefusal {
    Box::new((
        Code::LimitReached,
        RefusalEvidence { limit: Some(LimitHit { name, most: u64::from(count_max) }), ..RefusalEvidence::default() },
    ))
}

impl InventoryModel {
    /// One list of places per pick; `own` has the places of the hold that the request changes.
    pub(super) fn choose_places(
        &self,
        request: &HoldRequest,
        own: Option<&[PlaceNumber]>,
    ) -> Result<Vec<Vec<PlaceNumber>>, ModelRefusal> {
        self.require_valid(request)?;
        self.require_within_limits(request, own)?;
        let mine = |place: &PlaceNumber| own.is_some_and(|own| own.contains(place));
        let free = |place: &PlaceNumber| self.display_state(place.index()) == DisplayState::Free;
        let named: Vec<_> = request
            .picks
            .iter()
            .filter_map(|pick| match pick {
                Pick::Place(place) => Some(*place),
                Pick::Any { .. } => None,
            })
            .collect();
        let taken: Vec<_> = named.iter().copied().filter(|place| !mine(place) && !free(place)).collect();
        if !taken.is_empty() {
            return Err(Box::new((Code::PlaceTaken, RefusalEvidence { places: taken, ..RefusalEvidence::default() })));
        }
        let mut used = named;
        let mut lists = vec![];
        for pick in &request.picks {
            let list = match pick {
                Pick::Place(place) => vec![*place],
                Pick::Any { range, quantity } => {
                    let all: Vec<_> = range.clone().map(PlaceNumber).filter(|place| !used.contains(place)).collect();
                    let first = all.iter().filter(|place| mine(place));
                    let then = all.iter().filter(|place| !mine(place) && free(place));
                    first.chain(then).take(*quantity as usize).copied().collect()
                }
            };
            if let Pick::Any { quantity, .. } = pick
                && list.len() < *quantity as usize
            {
                return Err(Box::new((Code::SoldOut, RefusalEvidence::default())));
            }
            used.extend(&list);
            lists.push(list);
        }
        Ok(lists)
    }

    fn require_valid(&self, request: &HoldRequest) -> Result<(), ModelRefusal> {
        if request.picks.is_empty() {
            return Err(invalid("items"));
        }
        if u128::from(request.lasts_millis) > HOLD_DURATION_MAX.as_millis() {
            return Err(invalid("lasts_millis"));
        }
        if request.terms.len() > TERMS_BYTES_MAX {
            return Err(Box::new((Code::TooLarge, RefusalEvidence::default())));
        }
        for (at, pick) in request.picks.iter().enumerate() {
            let is_valid = match pick {
                Pick::Place(place) => {
                    place.index() < self.cold.len() && !request.picks[..at].contains(&Pick::Place(*place))
                }
                Pick::Any { range, quantity } => {
                    *quantity > 0 && !range.is_empty() && range.end as usize <= self.cold.len()
                }
            };
            if !is_valid {
                return Err(invalid(format!("items[{at}]")));
            }
        }
        Ok(())
    }

    fn require_within_limits(&self, request: &HoldRequest, own: Option<&[PlaceNumber]>) -> Result<(), ModelRefusal> {
        let mut wanted: u64 = 0;
        for pick in &request.picks {
            wanted += match pick {
                Pick::Place(_) => 1,
                Pick::Any { quantity, .. } => u64::from(*quantity),
            };
        }
        if wanted > u64::from(PLACES_PER_HOLD_MAX) {
            return Err(limit_reached("places_per_hold", PLACES_PER_HOLD_MAX));
        }
        let of_session = || self.holds.iter().filter(|hold| hold.session == request.session);
        let open = of_session().filter(|hold| hold.order.is_none()).count();
        if own.is_none() && open >= HOLDS_PER_SESSION_MAX as usize {
            return Err(limit_reached("holds_per_session", HOLDS_PER_SESSION_MAX));
        }
        let elsewhere =
            of_session().filter(|hold| hold.id != request.hold).map(|hold| hold.own.len() as u64).sum::<u64>();
        if elsewhere + wanted > u64::from(request.places_per_session) {
            return Err(limit_reached("places_per_session", request.places_per_session));
        }
        let own_hold = own.and_then(|_| self.holds.iter().find(|hold| hold.id == request.hold));
        let address = own_hold.map_or(request.address, |hold| hold.address);
        let grows = wanted > own.map_or(0, |own| own.len() as u64);
        let of_others = self.holds.iter().filter(|hold| hold.order.is_none() && hold.id != request.hold);
        let elsewhere = of_others.filter(|hold| hold.address == address).map(|hold| hold.own.len() as u64).sum::<u64>();
        if address.is_some() && grows && elsewhere + wanted > u64::from(request.places_per_address) {
            return Err(limit_reached("places_per_address_max", request.places_per_address));
        }
        Ok(())
    }
}
