//! Replaces the parts of a test platform that a test of commands does not need for real: the seat view and the password hasher.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use voelgoed_app::accounts::password_hasher::PasswordHasher;
use voelgoed_app::error::CommandResult;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::seat_view::{Occupancy, SeatView};
use voelgoed_domain::ticketing::place::{Epoch, Position};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

/// Shows every place as free, so that no hold is refused before the tiers decide.
pub struct EmptySeatView;

impl Occupancy for EmptySeatView {
    fn position(&self) -> Position {
        Position { epoch: Epoch(0), seq: 0 }
    }

    fn packed(&self) -> &[u8] {
        &[0; 2_048]
    }
}

#[async_trait]
impl SeatView for EmptySeatView {
    async fn current(&self, _scope: EventScope) -> CommandResult<Arc<dyn Occupancy>> {
        Ok(Arc::new(Self))
    }

    async fn newer_than(&self, _scope: EventScope, _position: Position) -> CommandResult<Arc<dyn Occupancy>> {
        Ok(Arc::new(Self))
    }
}

/// Shows one view after the other: the first as the current one, the next for each request of a newer one, and the last for ever.
pub struct ScriptedSeatView {
    views: Vec<Arc<ScriptedOccupancy>>,
    newer_requests: AtomicUsize,
}

/// A view in which some places of the first 64 are taken.
struct ScriptedOccupancy {
    position: Position,
    packed: [u8; 16],
}

impl ScriptedSeatView {
    /// Views that show these places as taken, the oldest first; at least one.
    #[must_use]
    pub fn of_taken(views: &[&[u32]]) -> Self {
        let view = |(number, taken): (usize, &&[u32])| {
            let mut packed = [0; 16];
            for place in taken.iter().map(|place| PlaceNumber(*place).index()) {
                packed[place / 4] |= 1 << (2 * (place % 4));
            }
            Arc::new(ScriptedOccupancy { position: Position { epoch: Epoch(1), seq: number as u64 }, packed })
        };
        Self { views: views.iter().enumerate().map(view).collect(), newer_requests: AtomicUsize::new(0) }
    }

    /// How often a newer view was requested.
    pub fn newer_requests(&self) -> usize {
        self.newer_requests.load(Ordering::SeqCst)
    }
}

impl Occupancy for ScriptedOccupancy {
    fn position(&self) -> Position {
        self.position
    }

    fn packed(&self) -> &[u8] {
        &self.packed
    }
}

#[async_trait]
impl SeatView for ScriptedSeatView {
    async fn current(&self, _scope: EventScope) -> CommandResult<Arc<dyn Occupancy>> {
        Ok(self.views[0].clone())
    }

    async fn newer_than(&self, _scope: EventScope, position: Position) -> CommandResult<Arc<dyn Occupancy>> {
        self.newer_requests.fetch_add(1, Ordering::SeqCst);
        let newer = self.views.iter().find(|view| view.position > position);
        Ok(newer.unwrap_or(&self.views[self.views.len() - 1]).clone())
    }
}

/// Keeps passwords as they are; hashing has tests of its own.
pub struct PlainPasswords;

#[async_trait]
impl PasswordHasher for PlainPasswords {
    async fn hash(&self, password: String) -> CommandResult<String> {
        Ok(password)
    }

    async fn verify(&self, password: String, hash: Option<String>) -> CommandResult<bool> {
        Ok(hash == Some(password))
    }
}
