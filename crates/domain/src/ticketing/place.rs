//! A place: one sellable unit of an event, a seat or one of the numbered units of a general-admission area.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::machine::machine;

/// A place's number within its event, `0..n` in the layout's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceNumber(pub u32);

impl PlaceNumber {
    /// As an index into vectors and bitmaps.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How many times a place has changed in the cold tier; an effect applies only above the version already seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceVersion(pub u32);

machine! {
    /// What the cold tier, the authority, says of a place (P1).
    "place" PlaceState {
        /// May be held and claimed.
        Free = "free",
        /// Kept back by the organizer.
        Blocked = "blocked",
        /// Belongs to an order that is not yet paid.
        Claimed = "claimed",
        /// Belongs to a paid order.
        Sold = "sold",
    }

    /// What may happen to a place; each raises its version by one.
    PlaceEvent {
        /// An order takes it, before any charge can start.
        Claim = "claim",
        /// Its order is paid; straight from free where nothing is owed any more (an order of total 0, late money).
        Sell = "sell",
        /// Its order ended unpaid.
        Release = "release",
        /// Its ticket was taken back everywhere.
        Return = "return",
        /// The organizer keeps it back.
        Block = "block",
        /// The organizer gives it free.
        Unblock = "unblock",
    }

    transitions {
        Free, Claim => Claimed;
        Free, Sell => Sold;
        Free, Block => Blocked;
        Blocked, Unblock => Free;
        Claimed, Sell => Sold;
        Claimed, Release => Free;
        Sold, Return => Free;
    }
}

/// What a viewer sees of a place: two bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Shown {
    /// Can be held.
    Free = 0,
    /// Held or claimed by somebody.
    Held = 1,
    /// Sold.
    Sold = 2,
    /// Kept back by the organizer.
    Blocked = 3,
}

impl From<PlaceState> for Shown {
    fn from(state: PlaceState) -> Self {
        match state {
            PlaceState::Free => Self::Free,
            PlaceState::Claimed => Self::Held,
            PlaceState::Sold => Self::Sold,
            PlaceState::Blocked => Self::Blocked,
        }
    }
}

/// What happened to a place in the cold tier, on its way to the warm one; applied only above the stored version, so a redelivery is harmless (P8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceEffect {
    /// Which place.
    pub place: PlaceNumber,
    /// Its new state.
    pub state: PlaceState,
    /// The order or block that owns it now, if any.
    pub owner: Option<Uuid>,
    /// Its new version.
    pub version: PlaceVersion,
}

/// A generation of an event's warm state; a rebuild raises it, and every call carries the highest one seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// Where a reader of an event's change log stands: `epoch:seq` in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Position {
    /// The generation.
    pub epoch: Epoch,
    /// The number of the last change within it.
    pub seq: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch.0, self.seq)
    }
}

/// The text is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `epoch:seq`, two whole numbers")]
pub struct MalformedPosition;

impl FromStr for Position {
    type Err = MalformedPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, seq) = text.split_once(':').ok_or(MalformedPosition)?;
        Ok(Self {
            epoch: Epoch(epoch.parse().map_err(|_| MalformedPosition)?),
            seq: seq.parse().map_err(|_| MalformedPosition)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::PlaceState;
    use crate::machine::tests::assert_matrix;

    #[test]
    fn what_follows_what() {
        assert_matrix::<PlaceState>(
            "free: claim→claimed sell→sold block→blocked
             blocked: unblock→free
             claimed: sell→sold release→free
             sold: return→free",
        );
    }
}
