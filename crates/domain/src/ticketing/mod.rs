//! Sells places: holds, limits, quotes, the inventory of an event, and the choice of the best available seats.

pub mod best_available;
pub mod hold;
pub mod hold_limits;
pub mod inventory;
pub mod limits;
pub mod place;
pub mod place_number;
pub mod quote;
