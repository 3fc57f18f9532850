//! Defines the values that describe an inventory to its readers: areas, counts, snapshots and changes.
//!
//! These values are no storage or JSON format; adapters and the HTTP API have types of their own.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::ids::AreaId;
use crate::ticketing::place::{DisplayState, Position};
use crate::ticketing::place_number::PlaceNumber;

/// An area's range of places, and whether each place is displayed by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaSpan {
    /// Its identifier.
    pub area: AreaId,
    /// Its places.
    pub places: Range<u32>,
    /// True for seated areas; a general-admission area is displayed as counts only.
    pub seated: bool,
}

/// How many places of an area are in each display state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AreaCounts {
    /// Can be held.
    pub free: u32,
    /// Held or claimed.
    pub held: u32,
    /// Sold.
    pub sold: u32,
    /// Withheld from sale.
    pub blocked: u32,
}

impl AreaCounts {
    /// The counter of `state`.
    pub const fn of(&mut self, state: DisplayState) -> &mut u32 {
        match state {
            DisplayState::Free => &mut self.free,
            DisplayState::Held => &mut self.held,
            DisplayState::Sold => &mut self.sold,
            DisplayState::Blocked => &mut self.blocked,
        }
    }

    /// The sum of all counters, always the size of the area.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.free + self.held + self.sold + self.blocked
    }
}

/// The display state of every place of an event at one position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventorySnapshot {
    /// The last change that the snapshot contains.
    pub position: Position,
    /// The areas, in place order.
    pub areas: Vec<AreaSpan>,
    /// One entry per place.
    pub places: Vec<DisplayState>,
    /// One entry per area, in the order of `areas`.
    pub counts: Vec<AreaCounts>,
}

/// The display states that changed in one atomic step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryChange {
    /// Its position.
    pub position: Position,
    /// The changed places with their new state, by number; empty where nothing displayed changed (a pin, a version).
    pub places: Vec<(PlaceNumber, DisplayState)>,
}

/// What a reader must apply to catch up from a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatchUp {
    /// All changes since then, oldest first; possibly none.
    Changes(Vec<InventoryChange>),
    /// The log has dropped some of the changes, or the epoch is another: replace the state.
    Snapshot(InventorySnapshot),
}
