//! Numbers the places of an event `0..n` in layout order; stores, bitmaps and refusals name a place by this number.

use serde::{Deserialize, Serialize};

/// The number of a place within its event, `0..n` in layout order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceNumber(pub u32);

impl PlaceNumber {
    /// The index of the place in vectors and bitmaps.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
