//! Places, holds and what may be done with them.

pub mod best_available;
pub mod hold;
pub mod inventory;
pub mod limits;
pub mod place;
pub mod quote;
