//! A place is one sellable unit of an event: a seat, or one of the numbered units of a general-admission area.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::place_number::PlaceNumber;
use crate::state_machine::state_machine;

/// Counts the changes of a place in the cold tier; an effect is applied only above the stored version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceVersion(pub u32);

state_machine! {
    /// The state of a place in the cold tier, which is authoritative (P1).
    "place" PlaceState {
        /// May be held and claimed.
        Free = "free",
        /// Withheld from sale by the organizer.
        Blocked = "blocked",
        /// Belongs to an order that is not yet paid.
        Claimed = "claimed",
        /// Belongs to a paid order.
        Sold = "sold",
    }

    /// The transitions of a place; each raises its version by one.
    PlaceTransition {
        /// An order takes the place, before any charge can start.
        Claim = "claim",
        /// The order is paid. Directly from free for an order of total 0 and for a reissued unmatched capture.
        Sell = "sell",
        /// The order ended unpaid.
        Release = "release",
        /// The ticket was revoked in every tier.
        Return = "return",
        /// The organizer withholds the place from sale.
        Block = "block",
        /// The organizer puts the place back on sale.
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

/// The state of a place as viewers see it; two bits, without its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum DisplayState {
    /// Can be held.
    Free = 0,
    /// Held or claimed.
    Held = 1,
    /// Belongs to a paid order.
    Sold = 2,
    /// Withheld from sale by the organizer.
    Blocked = 3,
}

impl From<PlaceState> for DisplayState {
    fn from(state: PlaceState) -> Self {
        match state {
            PlaceState::Free => Self::Free,
            PlaceState::Claimed => Self::Held,
            PlaceState::Sold => Self::Sold,
            PlaceState::Blocked => Self::Blocked,
        }
    }
}

/// A change of a place in the cold tier, sent to the warm tier. Applied only above the stored version, so redelivery is harmless (P8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceEffect {
    /// The changed place.
    pub place: PlaceNumber,
    /// Its new state.
    pub state: PlaceState,
    /// The order or block that owns the place, if any.
    pub owner: Option<Uuid>,
    /// Its new version.
    pub version: PlaceVersion,
}

/// The generation of an event's warm state. A rebuild raises it, and every call carries the highest epoch that the caller has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// The position of a reader in an event's change log, written as `epoch:seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Position {
    /// The generation that `seq` counts in.
    pub epoch: Epoch,
    /// The number of the last change within the epoch.
    pub seq: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch.0, self.seq)
    }
}

/// The text is not a [`Position`].
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
    use super::{Epoch, MalformedPosition, PlaceState, Position};
    use crate::state_machine::tests::assert_matrix;

    #[test]
    fn position_is_written_as_epoch_and_number_and_read_back() {
        for (epoch, seq, text) in [(0, 0, "0:0"), (3, 41, "3:41"), (u64::MAX, 7, "18446744073709551615:7")] {
            let position = Position { epoch: Epoch(epoch), seq };
            assert_eq!(position.to_string(), text);
            assert_eq!(text.parse(), Ok(position));
        }
        for text in ["", ":", "3", "3:", ":41", "3:41:5", "-3:41", "3: 41", "a:b", "18446744073709551616:7"] {
            assert_eq!(text.parse::<Position>(), Err(MalformedPosition), "{text:?}");
        }
    }

    #[test]
    fn place_transitions_match_the_matrix() {
        assert_matrix::<PlaceState>(
            "free: claim→claimed sell→sold block→blocked
             blocked: unblock→free
             claimed: sell→sold release→free
             sold: return→free",
        );
    }
}
