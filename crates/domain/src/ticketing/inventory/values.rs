//! What goes into and comes out of an event's inventory.
//!
//! Never: a row, a key or a sent shape (adapters and surfaces have types of their own).

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::ids::{AreaId, TicketId};
use crate::ticketing::place::{Epoch, PlaceEffect, PlaceNumber, Position, Shown};

/// An area as the warm tier needs it: its places, and whether they show one by one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaSpan {
    /// Which area.
    pub area: AreaId,
    /// Its places.
    pub places: Range<u32>,
    /// True for seated areas; a general-admission area shows as counts only.
    pub seated: bool,
}

/// Everything that the warm tier needs to serve an event, read from cold under a raised epoch.
#[derive(Debug, Clone)]
pub struct Install {
    /// Higher than any before.
    pub epoch: Epoch,
    /// The areas, in place order; they cover `0..n`.
    pub areas: Vec<AreaSpan>,
    /// Every place that cold has a row for.
    pub places: Vec<PlaceEffect>,
    /// Tickets that no longer admit.
    pub revoked: Vec<TicketId>,
    /// Tickets that have admitted.
    pub admitted: Vec<TicketId>,
}

/// Why an installation was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstallRefused {
    /// Another rebuild was faster, or this one is old.
    #[error("epoch {} is not above the installed epoch {}", offered.0, installed.0)]
    EpochNotHigher {
        /// The one offered.
        offered: Epoch,
        /// The one in place.
        installed: Epoch,
    },
    /// The areas do not cover `0..n` in order, or a row names a place beyond them.
    #[error("areas and places contradict each other at place {0}")]
    Malformed(u32),
}

/// How many places of an area stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Can be held.
    pub free: u32,
    /// Held or claimed.
    pub held: u32,
    /// Sold.
    pub sold: u32,
    /// Kept back.
    pub blocked: u32,
}

impl Counts {
    /// The number of places that stand as `shown`.
    pub const fn of(&mut self, shown: Shown) -> &mut u32 {
        match shown {
            Shown::Free => &mut self.free,
            Shown::Held => &mut self.held,
            Shown::Sold => &mut self.sold,
            Shown::Blocked => &mut self.blocked,
        }
    }

    /// All places together; always the size of the area.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.free + self.held + self.sold + self.blocked
    }
}

/// The whole of an event's availability at one position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventorySnapshot {
    /// At which change.
    pub position: Position,
    /// The areas, in place order.
    pub areas: Vec<AreaSpan>,
    /// One entry per place.
    pub places: Vec<Shown>,
    /// One entry per area, in the order of `areas`.
    pub counts: Vec<Counts>,
}

/// What changed in one atomic step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryChange {
    /// Its position.
    pub position: Position,
    /// The places whose shown state changed, with the new one, by number; empty where only something unseen changed (a pin, a version).
    pub places: Vec<(PlaceNumber, Shown)>,
}

/// What an event's readers have missed since a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatchUp {
    /// Exactly these, oldest first (possibly none).
    Changes(Vec<InventoryChange>),
    /// More than is kept, or another epoch: start anew.
    Snapshot(InventorySnapshot),
}

/// What the gate's filter says of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateFilter {
    /// Not seen before: cold decides.
    Unseen,
    /// Has been admitted; cold knows where and when.
    Admitted,
    /// No longer admits.
    Revoked,
}
