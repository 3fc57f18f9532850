//! Holds the adapters that a process hands to the slices when it builds them: the two stores, and what the process builds around them.
//!
//! Each slice takes the ports that it needs in its `new`; no command receives all of them.

use std::sync::Arc;

use crate::accounts::credentials::Credentials;
use crate::accounts::password_hasher::PasswordHasher;
use crate::catalog::listings::Listings;
use crate::checkout::view_order::OrderViews;
use crate::context::Context;
use crate::payments::order_ports::OrderUpdates;
use crate::payments::ports::PaymentGateway;
use crate::scanning::ports::GateDirectory;
use crate::ticketing::address_limit::PlacesPerAddress;
use crate::ticketing::load_event::LoadEvent;
use crate::ticketing::seat_view::SeatView;

/// The adapters of a process. `C` implements the durable ports, `W` those of the warm tier.
pub struct Adapters<C, W> {
    /// The cold tier.
    pub cold: Arc<C>,
    /// The warm tier.
    pub warm: Arc<W>,
    /// The parts of this node.
    pub node: NodeParts,
}

/// What a process builds around its stores: the shared context, caches, clients and limits.
pub struct NodeParts {
    /// What all slices share.
    pub context: Context,
    /// Credentials, cached on this node.
    pub credentials: Arc<dyn Credentials>,
    /// The cache of credentials, as scanning uses it.
    pub gate_directory: Arc<dyn GateDirectory>,
    /// Hashes passwords.
    pub passwords: Arc<dyn PasswordHasher>,
    /// Listings, cached on this node.
    pub listings: Arc<dyn Listings>,
    /// Views of orders for their buyers, cached on this node.
    pub order_views: Arc<dyn OrderViews>,
    /// The cache of order views, as payments uses it.
    pub order_updates: Arc<dyn OrderUpdates>,
    /// The payment providers; the first is the default.
    pub gateways: Vec<Arc<dyn PaymentGateway>>,
    /// Loads events into the warm tier.
    pub loader: Arc<dyn LoadEvent>,
    /// The availability on which seats are chosen.
    pub seat_view: Arc<dyn SeatView>,
    /// The limit of places per client address.
    pub places_per_address: PlacesPerAddress,
}
