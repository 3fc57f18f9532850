//! Declares this node's view of an event's taken places, by which seats are chosen and requests refused early.
//!
//! Never: a grant by this view; it may be old (P1).

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_domain::ticketing::place::Position;
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::ports::EventScope;
use crate::error::CommandResult;

/// The public state of an event's places at one position of its log.
pub trait Occupancy: Send + Sync {
    /// The position in the event's log.
    fn position(&self) -> Position;

    /// Two bits per place; 0 is free.
    fn packed(&self) -> &[u8];

    /// True if the place is held, sold or blocked, or does not exist.
    fn is_taken(&self, place: PlaceNumber) -> bool {
        let byte = self.packed().get(place.index() / 4).copied().unwrap_or(u8::MAX);
        byte >> (2 * (place.index() % 4)) & 3 != 0
    }
}

/// Reads the views of this node; the realtime fan-out implements it.
#[async_trait]
pub trait SeatView: Send + Sync + 'static {
    /// The newest view on this node.
    async fn current(&self, scope: EventScope) -> CommandResult<Arc<dyn Occupancy>>;
    /// A view newer than `position`; reads the warm tier if none arrives soon.
    async fn newer_than(&self, scope: EventScope, position: Position) -> CommandResult<Arc<dyn Occupancy>>;
}
