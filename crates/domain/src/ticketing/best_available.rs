//! The best free seats for a party: adjacent in one row, leaving no single seat alone where that can be avoided, nearest to the focus.
//!
//! Never: a seat that is not free in the given view, or an accessible or companion seat that was not asked for. It chooses, it does not grant:
//! the inventory does (P1), and on a conflict one chooses again on a fresh view. To add a wish: a field of [`Party`], its mask in `choose`.
//!
//! In this order, each only where the one before finds nothing:
//! 1. **Together**: so many adjacent free seats of one row. Fewest seats left alone beside them first, then nearest (restricted view counts as
//!    further than any other seat), then the lowest number.
//! 2. **Neighbouring**: pieces of one row, else of two, else of three rows that follow each other in one area; in those, longest pieces first.
//!    The fewest pieces win, then the nearest. Nobody sits alone where taking one seat from a longer piece prevents it.
//! 3. **Apart**: anywhere, longest pieces first, since a free seat is never kept from a buyer (P4).
//!
//! With accessible or companion seats asked for, exactly so many of them are in the choice: first as one piece with the whole party, else they
//! are chosen first and the others as near to them as 1 to 3 allow. Too few of any kind: no choice.

use super::place::PlaceNumber;
use crate::refusal::Refusal;

mod bits;
mod neighbours;
mod plan;
mod split;
mod together;
mod view;
mod wished;

#[cfg(test)]
mod tests;

pub use plan::{SeatingPlan, SeatingPlans};
pub use view::{Availability, FreeIf, PackedStates};

/// How many rows, following each other in one area, count as neighbouring.
pub const NEIGHBOURING_ROWS: usize = 3;

/// Who wants to sit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    quantity: u32,
    accessible: u32,
    companions: u32,
    categories: Vec<String>,
}

impl Party {
    /// So many people, in any category, without wishes.
    #[must_use]
    pub const fn of(quantity: u32) -> Self {
        Self { quantity, accessible: 0, companions: 0, categories: Vec::new() }
    }

    /// The same party in one of these categories; none given means any.
    #[must_use]
    pub fn in_categories(mut self, categories: Vec<String>) -> Self {
        self.categories = categories;
        self
    }

    /// The same party with so many of its people in accessible and in companion seats.
    ///
    /// # Errors
    /// `invalid_request` (`accessible`) where that is more than the party.
    pub fn wishing(mut self, accessible: u32, companions: u32) -> Result<Self, Refusal> {
        if accessible.saturating_add(companions) > self.quantity {
            return Err(Refusal::invalid("accessible", "More special seats than people."));
        }
        (self.accessible, self.companions) = (accessible, companions);
        Ok(self)
    }
}

/// How near the chosen seats are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// Adjacent in one row.
    Together,
    /// Within [`NEIGHBOURING_ROWS`] rows that follow each other in one area.
    Neighbouring,
    /// Further apart.
    Apart,
}

/// The chosen seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// In ascending order, as many as asked for.
    pub places: Vec<PlaceNumber>,
    /// How near they are to each other.
    pub closeness: Closeness,
}

impl SeatingPlan {
    /// The best free seats of this plan for `party`; none where there are not enough.
    #[must_use]
    pub fn choose(&self, view: &impl Availability, party: &Party) -> Option<Choice> {
        if party.quantity == 0 {
            return None;
        }
        let free = self.free(view, &party.categories);
        let mut places = if party.accessible + party.companions == 0 {
            self.ordinary_seats(&free, self.costs(), party.quantity)?
        } else {
            self.wished_seats(&free, party)?
        };
        places.sort_unstable();
        let closeness = self.closeness(&places);
        let mut places: Vec<PlaceNumber> = places.into_iter().map(|index| PlaceNumber(self.place_of(index))).collect();
        places.sort_unstable();
        Some(Choice { places, closeness })
    }

    /// Seats for people without wishes, by steps 1 to 3.
    fn ordinary_seats(&self, free: &bits::Bits, costs: &plan::Costs, quantity: u32) -> Option<Vec<u32>> {
        let open = free.and(self.ordinary());
        let found = together::window(self, &open, costs, quantity);
        found.map(|first| (first..first + quantity).collect()).or_else(|| split::pieces(self, &open, costs, quantity))
    }
}
