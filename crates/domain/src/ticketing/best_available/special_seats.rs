//! Chooses seats for parties with wheelchairs and companions: special seats in exactly the requested numbers, the others nearby.
//!
//! Never: an ordinary seat instead of an accessible one. To add a kind of special seat: its bitmap and its number in [`SpecialRequest`].

use super::Party;
use super::adjacent_seats::Rank;
use super::place_bitmap::Bits;
use super::seating_plan::{Costs, SeatingPlan};
use crate::catalog::layout::Point;

/// The free seats by kind, and how many of each kind are requested.
struct SpecialRequest<'a> {
    free: &'a Bits,
    open: Bits,
    accessible: (Bits, u32),
    companion: (Bits, u32),
}

impl SeatingPlan {
    /// Chooses seats for a party with accessible or companion seats.
    pub(super) fn special_seats(&self, free: &Bits, party: &Party) -> Option<Vec<u32>> {
        let request = SpecialRequest {
            free,
            open: free.and(self.ordinary()),
            accessible: (free.and(self.accessible()), party.accessible),
            companion: (free.and(self.companion()), party.companions),
        };
        if let Some(first) = request.window(self, party.quantity) {
            return Some((first..first + party.quantity).collect());
        }
        let special = party.accessible + party.companions;
        let mut places: Vec<u32> = match request.window(self, special) {
            Some(first) => (first..first + special).collect(),
            None => request.one_by_one(self)?,
        };
        if party.quantity > special {
            let near = self.costs_near(middle(self, &places));
            places.extend(self.ordinary_seats(free, &near, party.quantity - special)?);
        }
        Some(places)
    }
}

impl SpecialRequest<'_> {
    /// The first place of the best window of `quantity` free seats with exactly the requested number of each special kind.
    fn window(&self, plan: &SeatingPlan, quantity: u32) -> Option<u32> {
        let mut best: Option<Rank> = None;
        for (row, range) in plan.rows().iter().enumerate().filter(|(_, range)| range.special && range.len >= quantity) {
            for run in self.free.runs(range.first, range.end()) {
                for first in run.first..(run.end() + 1).saturating_sub(quantity) {
                    let (from, to) = (first, first + quantity);
                    let exactly = |(kind, wanted): &(Bits, u32)| kind.count(from, to) == *wanted;
                    if exactly(&self.accessible) && exactly(&self.companion) {
                        let orphans = self.orphans((range.first, range.end()), from, to);
                        let rank = Rank { orphans, cost: plan.costs().of(plan, row, first, quantity), first };
                        best = Some(best.map_or(rank, |best| best.min(rank)));
                    }
                }
            }
        }
        best.map(|best| best.first)
    }

    /// How many ordinary free seats of the row lose their last free neighbour when `from..to` is taken.
    fn orphans(&self, row: (u32, u32), from: u32, to: u32) -> u32 {
        let open = |place: u32| (row.0..row.1).contains(&place) && self.open.get(place);
        let before = from > row.0 && open(from - 1) && open(from) && !(from > row.0 + 1 && open(from - 2));
        let after = open(to) && open(to - 1) && !open(to + 1);
        u32::from(before) + u32::from(after)
    }

    /// The requested special seats one by one: the nearest to the focus, then the nearest to that seat.
    fn one_by_one(&self, plan: &SeatingPlan) -> Option<Vec<u32>> {
        let anchor_of = if self.accessible.1 > 0 { &self.accessible.0 } else { &self.companion.0 };
        let anchor = nearest(plan, anchor_of, plan.costs(), 1)?;
        let costs = plan.costs_near(plan.position(*anchor.first()?));
        let mut places = nearest(plan, &self.accessible.0, &costs, self.accessible.1)?;
        places.extend(nearest(plan, &self.companion.0, &costs, self.companion.1)?);
        Some(places)
    }
}

/// The `wanted` places of `kind` with the lowest costs; none where there are fewer.
fn nearest(plan: &SeatingPlan, kind: &Bits, costs: &Costs, wanted: u32) -> Option<Vec<u32>> {
    let mut found: Vec<(u32, u32)> = Vec::new();
    for (row, range) in plan.rows().iter().enumerate().filter(|(_, range)| range.special) {
        for run in kind.runs(range.first, range.end()) {
            found.extend((run.first..run.end()).map(|place| (costs.of(plan, row, place, 1), place)));
        }
    }
    found.sort_unstable();
    let chosen: Vec<u32> = found.iter().take(wanted as usize).map(|(_, place)| *place).collect();
    (chosen.len() == wanted as usize).then_some(chosen)
}

fn middle(plan: &SeatingPlan, places: &[u32]) -> Point {
    let count = places.len().max(1) as f32;
    let sum = places.iter().map(|place| plan.position(*place)).fold((0.0, 0.0), |sum, at| (sum.0 + at.x, sum.1 + at.y));
    Point { x: sum.0 / count, y: sum.1 / count }
}
