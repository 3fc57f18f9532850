//! This node's view of an event's places, for choosing and for refusing early; never a grant (P1).

use std::sync::Arc;

use async_trait::async_trait;
use voelgoed_domain::ticketing::place::{PlaceNumber, Position};

use super::ports::EventScope;
use crate::error::Result;

/// What everybody sees of an event's places, at one position.
pub trait Occupancy: Send + Sync {
    /// At which change.
    fn position(&self) -> Position;

    /// Two bits per place, as availability is sent: 0 is free.
    fn packed(&self) -> &[u8];

    /// True where the place is held, sold or blocked, or does not exist.
    fn is_taken(&self, place: PlaceNumber) -> bool {
        let byte = self.packed().get(place.index() / 4).copied().unwrap_or(u8::MAX);
        byte >> (2 * (place.index() % 4)) & 3 != 0
    }
}

/// The hot tier's availability.
#[async_trait]
pub trait SeatView: Send + Sync + 'static {
    /// The newest view that this node has.
    async fn current(&self, scope: EventScope) -> Result<Arc<dyn Occupancy>>;
    /// A view that is newer than `position`; where none comes soon, one read from the warm tier itself.
    async fn newer_than(&self, scope: EventScope, position: Position) -> Result<Arc<dyn Occupancy>>;
}
