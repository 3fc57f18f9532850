//! Chooses the best free seats for a party: adjacent in one row, without leaving a single seat alone, nearest to the focus.
//!
//! Only seats that are free in the given view are chosen; accessible and companion seats only on request. Choosing grants nothing: the inventory grants (P1);
//! after a conflict the caller chooses again on a current view. To add a wish: a field of [`Party`] and its mask in `choose`.
//!
//! Each step applies only where the one before finds nothing:
//!
//! | step | seats | preference |
//! |---|---|---|
//! | together | adjacent free seats of one row | fewest seats left alone beside them, then nearest (restricted view last), then lowest number |
//! | neighbouring | pieces of one row, else of two, else of three consecutive rows of one area | fewest pieces, then nearest; longest pieces first |
//! | apart | pieces anywhere, since a free seat is never withheld from a buyer (P4) | longest pieces first |
//!
//! A person sits alone only where moving one seat over from a longer piece cannot prevent it.
//! Accessible and companion seats are chosen in exactly the requested numbers: as one piece with the whole party where possible, else before all
//! others, which then follow the three steps near them. With too few seats of any kind there is no choice.

use super::place_number::PlaceNumber;
use crate::refusal::Refusal;

mod adjacent_seats;
mod availability;
mod neighbour_rows;
mod place_bitmap;
mod seating_plan;
mod special_seats;
mod split_party;

#[cfg(test)]
mod tests;

pub use availability::{Availability, FreeIf, PackedStates};
pub use seating_plan::{SeatingPlan, SeatingPlans};

/// Seats within this many consecutive rows of one area are neighbouring.
pub const NEIGHBOURING_ROWS_MAX: usize = 3;

/// The people who want to sit together, and the kinds of seats that they need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    quantity: u32,
    accessible: u32,
    companions: u32,
    categories: Vec<String>,
}

impl Party {
    /// A party of `quantity` people in ordinary seats of any category.
    #[must_use]
    pub const fn of(quantity: u32) -> Self {
        Self { quantity, accessible: 0, companions: 0, categories: Vec::new() }
    }

    /// Limits the party to these categories; an empty list allows any.
    #[must_use]
    pub fn in_categories(mut self, categories: Vec<String>) -> Self {
        self.categories = categories;
        self
    }

    /// Puts this many people of the party into accessible and into companion seats.
    ///
    /// # Errors
    /// `invalid_request` (`accessible`) where these are more than the party.
    pub fn with_special_seats(mut self, accessible: u32, companions: u32) -> Result<Self, Refusal> {
        if accessible.saturating_add(companions) > self.quantity {
            return Err(Refusal::invalid("accessible", "There are more accessible and companion seats than people."));
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
    /// Within [`NEIGHBOURING_ROWS_MAX`] consecutive rows of one area.
    Neighbouring,
    /// Further apart.
    Apart,
}

/// The chosen seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatChoice {
    /// In ascending order, one per person.
    pub places: Vec<PlaceNumber>,
    /// How near the seats are to each other.
    pub closeness: Closeness,
}

impl SeatingPlan {
    /// The best free seats of this plan for `party`; none where there are not enough.
    #[must_use]
    pub fn choose(&self, view: &impl Availability, party: &Party) -> Option<SeatChoice> {
        if party.quantity == 0 {
            return None;
        }
        let free = self.free(view, &party.categories);
        let mut places = if party.accessible + party.companions == 0 {
            self.ordinary_seats(&free, self.costs(), party.quantity)?
        } else {
            self.special_seats(&free, party)?
        };
        places.sort_unstable();
        let closeness = self.closeness(&places);
        let mut places: Vec<PlaceNumber> = places.into_iter().map(|index| PlaceNumber(self.place_of(index))).collect();
        places.sort_unstable();
        Some(SeatChoice { places, closeness })
    }

    /// Ordinary seats, by the three steps of the table above.
    fn ordinary_seats(
        &self,
        free: &place_bitmap::Bits,
        costs: &seating_plan::Costs,
        quantity: u32,
    ) -> Option<Vec<u32>> {
        let open = free.and(self.ordinary());
        let found = adjacent_seats::window(self, &open, costs, quantity);
        found
            .map(|first| (first..first + quantity).collect())
            .or_else(|| split_party::pieces(self, &open, costs, quantity))
    }
}
