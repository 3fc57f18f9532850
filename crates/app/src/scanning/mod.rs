//! Scanning: creates gates and devices, and decides the scans that admit ticket holders (P3, P6).

pub mod create_device;
pub mod create_gate;
pub mod decide_scan;
pub mod gate_filter_sync;
pub mod gate_notifications;
pub mod gate_signals;
pub mod offline_package;
pub mod pair_device;
pub mod ports;
mod ports_of_other_slices;
pub mod replay_offline_scans;
pub mod scan;
pub mod slice;
pub mod ticket_codes;

use std::sync::Arc;

use gate_filter_sync::PendingFilterUpdates;
use gate_signals::GateWatch;
use ports::{GateDirectory, GateTickets, OfflineScanJournal, ScanStore};

use crate::catalog::listings::Listings;
use crate::context::Context;
use crate::ticketing::load_event::LoadEvent;

/// Creates gates and devices, and decides scans.
#[derive(Clone)]
pub struct Scanning {
    /// The context that all slices share.
    pub context: Context,
    /// Gates, devices and scans in the cold tier.
    pub store: Arc<dyn ScanStore>,
    /// Scans that warm decided and cold has not recorded.
    pub journal: Arc<dyn OfflineScanJournal>,
    /// Updates of tickets that warm has not acknowledged.
    pub pending: Arc<PendingFilterUpdates>,
    /// Loads an event that the warm tier does not have.
    pub loader: Arc<dyn LoadEvent>,
    /// Revoked and admitted tickets, for offline packages.
    pub tickets: Arc<dyn GateTickets>,
    /// The gates of events and the keys of devices, cached on this node.
    pub directory: Arc<dyn GateDirectory>,
    /// Listings, cached on this node.
    pub listings: Arc<dyn Listings>,
    /// Signals for the devices that are connected to this node.
    pub gate_watch: GateWatch,
}
