//! Builds the slices from their ports in one direction: each slice receives what it needs of the slices before it.
//!
//! To add a slice: its field in [`Slices`], its ports in [`Ports`], and its line in [`Slices::new`].

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::accounts::credentials::Credentials;
use crate::accounts::password_hasher::PasswordHasher;
use crate::accounts::ports::AccountStore;
use crate::analytics::Analytics;
use crate::analytics::ports::{AnalyticsStore, CountStream};
use crate::catalog::Catalog;
use crate::catalog::listings::Listings;
use crate::catalog::ports::CatalogStore;
use crate::checkout::Checkout;
use crate::checkout::code_uses::CodeUseCounts;
use crate::checkout::order_watch::OrderWatch;
use crate::checkout::ports::OrderStore;
use crate::checkout::view_order::OrderViews;
use crate::context::Context;
use crate::idempotency::IdempotencyStore;
use crate::ledger::Ledger;
use crate::ledger::ports::LedgerStore;
use crate::payments::Payments;
use crate::payments::order_ports::{OrderUpdates, PayableOrders};
use crate::payments::ports::{PaymentGateway, PaymentStore};
use crate::replays::Replays;
use crate::scanning::Scanning;
use crate::scanning::ports::{GateDirectory, GateTickets, OfflineScanJournal, ScanStore};
use crate::ticketing::Ticketing;
use crate::ticketing::address_limit::PlacesPerAddress;
use crate::ticketing::load_event::LoadEvent;
use crate::ticketing::ports::{InventoryStore, PlaceStore};
use crate::ticketing::seat_view::SeatView;

/// The adapters behind the ports of all slices, for [`Slices::new`]; no command receives all of them.
pub struct Ports {
    /// Organizations, members, keys and logins in cold.
    pub accounts: Arc<dyn AccountStore>,
    /// Credentials, cached on this node.
    pub credentials: Arc<dyn Credentials>,
    /// The cache of credentials, as scanning uses it.
    pub gate_directory: Arc<dyn GateDirectory>,
    /// Hashes passwords.
    pub passwords: Arc<dyn PasswordHasher>,
    /// The catalog in cold.
    pub catalog: Arc<dyn CatalogStore>,
    /// Listings, cached on this node.
    pub listings: Arc<dyn Listings>,
    /// The warm inventory.
    pub inventory: Arc<dyn InventoryStore>,
    /// Places in cold.
    pub places: Arc<dyn PlaceStore>,
    /// The store of places, as scanning uses it.
    pub gate_tickets: Arc<dyn GateTickets>,
    /// Orders in cold.
    pub orders: Arc<dyn OrderStore>,
    /// The store of orders, as payments uses it.
    pub payable_orders: Arc<dyn PayableOrders>,
    /// Views of orders for their buyers, cached on this node.
    pub order_views: Arc<dyn OrderViews>,
    /// The cache of order views, as payments uses it.
    pub order_updates: Arc<dyn OrderUpdates>,
    /// Stored answers of creating requests.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// Payment attempts and refunds in cold.
    pub payments: Arc<dyn PaymentStore>,
    /// The payment providers; the first is the default.
    pub gateways: Vec<Arc<dyn PaymentGateway>>,
    /// Gates, devices and scans in cold.
    pub scans: Arc<dyn ScanStore>,
    /// Scans that warm decided and cold has not recorded.
    pub offline_scans: Arc<dyn OfflineScanJournal>,
    /// The ledger in cold.
    pub ledger: Arc<dyn LedgerStore>,
    /// The streams of step counts in warm.
    pub count_stream: Arc<dyn CountStream>,
    /// Step counts in cold.
    pub analytics: Arc<dyn AnalyticsStore>,
}

/// Every slice of the platform, for handlers, jobs and the command line. Cheap to clone.
#[derive(Clone)]
pub struct Slices {
    /// What all slices share.
    pub context: Context,
    /// Organizations, members, keys and logins.
    pub accounts: Accounts,
    /// Venues, layouts, events, ticket types and price rules.
    pub catalog: Catalog,
    /// Places and holds.
    pub ticketing: Ticketing,
    /// Orders.
    pub checkout: Checkout,
    /// Payment attempts and refunds.
    pub payments: Payments,
    /// Gates, devices and scans.
    pub scanning: Scanning,
    /// Balances and journal entries.
    pub ledger: Ledger,
    /// Counts of the steps of a sale.
    pub analytics: Analytics,
}

impl Slices {
    /// Builds the slices on `ports`. `loader` and `seat_view` are separate because the realtime fan-out behind the seat view loads events too.
    pub fn new(
        context: Context,
        ports: Ports,
        loader: Arc<dyn LoadEvent>,
        seat_view: Arc<dyn SeatView>,
        places_per_address: PlacesPerAddress,
    ) -> Self {
        let listings = ports.listings;
        let replays = Replays { context: context.clone(), store: ports.idempotency };
        let accounts = Accounts {
            context: context.clone(),
            store: ports.accounts,
            credentials: ports.credentials,
            passwords: ports.passwords,
        };
        let catalog = Catalog { context: context.clone(), store: ports.catalog, listings: Arc::clone(&listings) };
        let analytics = Analytics {
            context: context.clone(),
            counters: Arc::default(),
            stream: ports.count_stream,
            store: ports.analytics,
        };
        let ticketing = Ticketing {
            context: context.clone(),
            inventory: ports.inventory,
            loader: Arc::clone(&loader),
            places: ports.places,
            seat_view,
            listings: Arc::clone(&listings),
            counts: Arc::new(analytics.clone()),
            code_uses: Arc::new(CodeUseCounts { orders: Arc::clone(&ports.orders) }),
            places_per_address,
        };
        let scanning = Scanning {
            context: context.clone(),
            store: ports.scans,
            journal: ports.offline_scans,
            pending: Arc::default(),
            loader,
            tickets: ports.gate_tickets,
            directory: ports.gate_directory,
            listings: Arc::clone(&listings),
        };
        let payments = Payments {
            context: context.clone(),
            store: ports.payments,
            gateways: ports.gateways,
            send_queue: Arc::default(),
            orders: ports.payable_orders,
            updates: ports.order_updates,
            listings: Arc::clone(&listings),
            places: Arc::new(ticketing.clone()),
            gate_filter: Arc::new(scanning.clone()),
            replays: replays.clone(),
        };
        let checkout = Checkout {
            context: context.clone(),
            orders: ports.orders,
            holds: Arc::new(ticketing.clone()),
            payments: Arc::new(payments.clone()),
            listings,
            views: ports.order_views,
            watch: OrderWatch::default(),
            placed_keys: Arc::default(),
            replays,
            places_per_address,
        };
        let ledger = Ledger { store: ports.ledger };
        Self { context, accounts, catalog, ticketing, checkout, payments, scanning, ledger, analytics }
    }
}
