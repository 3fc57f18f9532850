//! Checkout: turns holds into orders with claimed places, and shows and cancels orders.

pub mod cancel_order;
pub mod code_uses;
mod compose_order;
pub mod order_limits;
pub mod order_notifications;
pub mod order_watch;
pub mod place_order;
pub mod placed_order_keys;
pub mod ports;
mod ports_of_other_slices;
pub mod read_order;
mod replay_order;
pub mod slice;
mod substitute_places;
pub mod view_order;

use std::sync::Arc;

use order_watch::OrderWatch;
use placed_order_keys::PlacedOrderKeys;
use ports::{HoldPins, OrderPayments, OrderStore};
use view_order::OrderViews;

use crate::catalog::listings::Listings;
use crate::context::Context;
use crate::replays::Replays;
use crate::ticketing::address_limit::PlacesPerAddress;

/// Places, shows and cancels orders.
#[derive(Clone)]
pub struct Checkout {
    /// The context that all slices share.
    pub context: Context,
    /// Orders in the cold tier.
    pub orders: Arc<dyn OrderStore>,
    /// Pins the holds that become orders.
    pub holds: Arc<dyn HoldPins>,
    /// Charges orders and cancels payment attempts.
    pub payments: Arc<dyn OrderPayments>,
    /// Listings, cached on this node.
    pub listings: Arc<dyn Listings>,
    /// Views of unpaid orders for their buyers, cached on this node.
    pub views: Arc<dyn OrderViews>,
    /// The watchers of orders on this node.
    pub watch: OrderWatch,
    /// Idempotency keys of orders that this node sent to cold.
    pub placed_keys: Arc<PlacedOrderKeys>,
    /// Stored answers of creating requests.
    pub replays: Replays,
    /// The limit of places in unpaid orders of one client address.
    pub places_per_address: PlacesPerAddress,
}
