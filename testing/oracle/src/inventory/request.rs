//! What a request for places must get, or why not.

use voelgoed_domain::refusal::{Code, Evidence, LimitHit};
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{HOLDS_PER_SESSION, LONGEST_HOLD, PLACES_PER_HOLD, TERMS_BYTES};
use voelgoed_domain::ticketing::place::{PlaceNumber, Shown};

use super::Model;

type No = Box<(Code, Evidence)>;

fn invalid(field: impl Into<String>) -> No {
    Box::new((Code::InvalidRequest, Evidence { field: Some(field.into()), ..Evidence::default() }))
}

fn limit(name: &'static str, most: u32) -> No {
    Box::new((
        Code::LimitReached,
        Evidence { limit: Some(LimitHit { name, most: u64::from(most) }), ..Evidence::default() },
    ))
}

impl Model {
    /// The places that a request gets, `own` being what its hold has already.
    pub(super) fn choose(
        &self,
        request: &HoldRequest,
        own: Option<&[PlaceNumber]>,
    ) -> Result<Vec<Vec<PlaceNumber>>, No> {
        self.sensible(request)?;
        self.within_limits(request, own)?;
        let mine = |place: &PlaceNumber| own.is_some_and(|own| own.contains(place));
        let free = |place: &PlaceNumber| self.look(place.index()) == Shown::Free;
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
            return Err(Box::new((Code::PlaceTaken, Evidence { places: taken, ..Evidence::default() })));
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
                return Err(Box::new((Code::SoldOut, Evidence::default())));
            }
            used.extend(&list);
            lists.push(list);
        }
        Ok(lists)
    }

    fn sensible(&self, request: &HoldRequest) -> Result<(), No> {
        if request.picks.is_empty() {
            return Err(invalid("items"));
        }
        if u128::from(request.lasts_millis) > LONGEST_HOLD.as_millis() {
            return Err(invalid("lasts_millis"));
        }
        if request.terms.len() > TERMS_BYTES {
            return Err(Box::new((Code::TooLarge, Evidence::default())));
        }
        for (at, pick) in request.picks.iter().enumerate() {
            let sound = match pick {
                Pick::Place(place) => {
                    place.index() < self.cold.len() && !request.picks[..at].contains(&Pick::Place(*place))
                }
                Pick::Any { range, quantity } => {
                    *quantity > 0 && !range.is_empty() && range.end as usize <= self.cold.len()
                }
            };
            if !sound {
                return Err(invalid(format!("items[{at}]")));
            }
        }
        Ok(())
    }

    fn within_limits(&self, request: &HoldRequest, own: Option<&[PlaceNumber]>) -> Result<(), No> {
        let mut wanted: u64 = 0;
        for pick in &request.picks {
            wanted += match pick {
                Pick::Place(_) => 1,
                Pick::Any { quantity, .. } => u64::from(*quantity),
            };
        }
        if wanted > u64::from(PLACES_PER_HOLD) {
            return Err(limit("places_per_hold", PLACES_PER_HOLD));
        }
        let theirs = || self.holds.iter().filter(|hold| hold.session == request.session);
        let open = theirs().filter(|hold| hold.order.is_none()).count();
        if own.is_none() && open >= HOLDS_PER_SESSION as usize {
            return Err(limit("holds_per_session", HOLDS_PER_SESSION));
        }
        let elsewhere = theirs().filter(|hold| hold.id != request.hold).map(|hold| hold.own.len() as u64).sum::<u64>();
        if elsewhere + wanted > u64::from(request.places_per_session) {
            return Err(limit("places_per_session", request.places_per_session));
        }
        let own_hold = own.and_then(|_| self.holds.iter().find(|hold| hold.id == request.hold));
        let address = own_hold.map_or(request.address, |hold| hold.address);
        let grows = wanted > own.map_or(0, |own| own.len() as u64);
        let from_there = self.holds.iter().filter(|hold| hold.order.is_none() && hold.id != request.hold);
        let elsewhere =
            from_there.filter(|hold| hold.address == address).map(|hold| hold.own.len() as u64).sum::<u64>();
        if address.is_some() && grows && elsewhere + wanted > u64::from(request.places_per_address) {
            return Err(limit("places_per_address_max", request.places_per_address));
        }
        Ok(())
    }
}
