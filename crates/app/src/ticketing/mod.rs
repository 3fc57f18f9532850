//! Ticketing: grants, changes and releases holds in the warm tier, and blocks places in cold (P1, P4).

pub mod address_limit;
pub mod block_places;
pub mod change_hold;
pub mod choose_places;
pub mod free_expired_holds;
pub mod hold;
pub mod hold_terms;
pub mod hold_view;
pub mod load_event;
pub mod ports;
mod ports_of_other_slices;
pub mod read_hold;
pub mod release_hold;
pub mod seat_view;
pub mod session_holds;
pub mod slice;
pub mod warm_effects;

use std::sync::Arc;

use address_limit::PlacesPerAddress;
use load_event::LoadEvent;
use ports::{CodeUses, HoldCounts, InventoryStore, PlaceStore};
use seat_view::SeatView;

use crate::catalog::listings::Listings;
use crate::context::Context;

/// Grants, changes and releases holds, and blocks places.
#[derive(Clone)]
pub struct Ticketing {
    /// The context that all slices share.
    pub context: Context,
    /// The warm inventory.
    pub inventory: Arc<dyn InventoryStore>,
    /// Loads an event that the warm tier does not have.
    pub loader: Arc<dyn LoadEvent>,
    /// The places in cold.
    pub places: Arc<dyn PlaceStore>,
    /// This node's view of the taken places.
    pub seat_view: Arc<dyn SeatView>,
    /// Listings, cached on this node.
    pub listings: Arc<dyn Listings>,
    /// Counts granted and refused holds.
    pub counts: Arc<dyn HoldCounts>,
    /// Checks the remaining uses of promo codes.
    pub code_uses: Arc<dyn CodeUses>,
    /// The limit of held places of one client address.
    pub places_per_address: PlacesPerAddress,
}
