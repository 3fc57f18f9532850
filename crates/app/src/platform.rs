//! Everything that commands need, in one value: the ports, the keys, and the named times and limits of a sale.
//!
//! Built once by the binary; never global. To add a port: a field here and its adapter in the binary's wiring.

use std::sync::Arc;
use std::time::Duration;

use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_resilience::{Answer, Capabilities, Capability, Degradation};

use crate::accounts::credentials::Credentials;
use crate::accounts::passwords::PasswordHasher;
use crate::accounts::ports::AccountStore;
use crate::analytics::counters::Counters;
use crate::analytics::ports::{AnalyticsStore, CountStream};
use crate::catalog::listings::Listings;
use crate::catalog::ports::CatalogStore;
use crate::checkout::placed_order_keys::PlacedOrderKeys;
use crate::checkout::ports::{IdempotencyStore, OrderStore};
use crate::checkout::view_order::OrderViews;
use crate::checkout::watch::OrderWatch;
use crate::environment::Environment;
use crate::error::Result;
use crate::jobs::ports::JobStore;
use crate::ledger::ports::LedgerStore;
use crate::outbox::ports::OutboxStore;
use crate::payments::dispatch::Dispatch;
use crate::payments::ports::{PaymentGateway, PaymentStore};
use crate::scanning::gate_filter_sync::PendingFilterUpdates;
use crate::scanning::ports::{OfflineScanJournal, ScanStore};
use crate::tenant_bulkheads::TenantBulkheads;
use crate::ticketing::address_limit::PlacesPerAddress;
use crate::ticketing::ports::{InventoryStore, PlaceStore};
use crate::ticketing::rebuild::Rebuilds;
use crate::ticketing::seat_view::SeatView;
use crate::token::{MasterKey, Tokens};

/// How long things last.
#[derive(Debug, Clone, Copy)]
pub struct SaleTimes {
    /// A hold, from its grant.
    pub hold: Duration,
    /// How long past the end of its hold an order may be paid.
    pub extension: Duration,
    /// How long the sender of a charge owns the attempt.
    pub send_lease: Duration,
    /// An unresolved attempt is asked about again after this long.
    pub poll_every: Duration,
    /// Links to orders work so long after the last admission of their event.
    pub order_link_lifetime: Duration,
}

impl Default for SaleTimes {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(600),
            extension: Duration::from_secs(300),
            send_lease: Duration::from_secs(15),
            poll_every: Duration::from_secs(5),
            order_link_lifetime: Duration::from_secs(90 * 24 * 3600),
        }
    }
}

/// Everything that commands need.
pub struct Platform {
    /// What is possible now; every command asks first.
    pub capabilities: Capabilities,
    /// What each organization may have in work on this node.
    pub shares: TenantBulkheads,
    /// Time, identifiers, randomness.
    pub environment: Arc<dyn Environment>,
    /// The warm inventory.
    pub inventory: Arc<dyn InventoryStore>,
    /// Who rebuilds it, one at a time per event.
    pub rebuilds: Rebuilds,
    /// This node's view of who sits where.
    pub seat_view: Arc<dyn SeatView>,
    /// The cold places.
    pub places: Arc<dyn PlaceStore>,
    /// The cold catalog.
    pub catalog: Arc<dyn CatalogStore>,
    /// Listings, cached on this node.
    pub listings: Arc<dyn Listings>,
    /// Organizations, members, keys.
    pub accounts: Arc<dyn AccountStore>,
    /// Who calls, cached on this node.
    pub credentials: Arc<dyn Credentials>,
    /// Slow on purpose.
    pub passwords: Arc<dyn PasswordHasher>,
    /// Orders.
    pub orders: Arc<dyn OrderStore>,
    /// Orders as their buyers see them, cached on this node while they wait for their payment.
    pub order_views: Arc<dyn OrderViews>,
    /// Who watches which order on this node.
    pub order_watch: OrderWatch,
    /// Keys of orders that this node took to cold.
    pub taken_orders: PlacedOrderKeys,
    /// Repeated requests.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// Attempts and refunds.
    pub payments: Arc<dyn PaymentStore>,
    /// The way of new attempts to their provider.
    pub dispatch: Dispatch,
    /// The payment providers, the first being the usual one.
    pub gateways: Vec<Arc<dyn PaymentGateway>>,
    /// Gates, devices, scans.
    pub scans: Arc<dyn ScanStore>,
    /// Scans that the warm tier keeps for cold.
    pub kept_scans: Arc<dyn OfflineScanJournal>,
    /// Acts on tickets of which this node could not tell the warm tier.
    pub untold: PendingFilterUpdates,
    /// The journal's readers.
    pub ledger: Arc<dyn LedgerStore>,
    /// What this node has counted and not yet handed on.
    pub counters: Counters,
    /// Where nodes leave what they counted.
    pub count_stream: Arc<dyn CountStream>,
    /// Figures.
    pub analytics: Arc<dyn AnalyticsStore>,
    /// The durable queue.
    pub jobs: Arc<dyn JobStore>,
    /// Facts on their way out.
    pub outbox: Arc<dyn OutboxStore>,
    /// Tokens of buyers.
    pub tokens: Tokens,
    /// Derives signing keys of tickets.
    pub master: MasterKey,
    /// How long things last.
    pub times: SaleTimes,
    /// How many places one client address may hold at once.
    pub places_per_address: PlacesPerAddress,
}

impl Platform {
    /// Asks the capability table before a command begins, so that a refusal costs nothing (P10); what is less than usual is told.
    ///
    /// # Errors
    /// The code that the table names, with its time.
    pub fn capable(&self, capability: Capability) -> Result<Option<Degradation>> {
        match self.capabilities.may(capability) {
            Answer::Yes => Ok(None),
            Answer::Degraded { why } => Ok(Some(why)),
            Answer::Refused { code, retry_after } => {
                let code = Code::ALL.iter().copied().find(|known| known.as_str() == code).unwrap_or(Code::TryAgain);
                let detail = "This is not possible for the moment. This request changed nothing; repeat it soon, with the same key if it has one.";
                let seconds = Some(retry_after.as_seconds());
                Err(Refusal::new(code, detail).with(|evidence| evidence.retry_after = seconds).into())
            }
        }
    }

    /// The provider of this name.
    ///
    /// # Errors
    /// `invalid_request` where there is none.
    pub fn gateway(&self, name: &str) -> Result<&Arc<dyn PaymentGateway>> {
        self.gateways.iter().find(|gateway| gateway.name() == name).ok_or_else(|| {
            let known: Vec<_> = self.gateways.iter().map(|gateway| gateway.name()).collect();
            Refusal::invalid("payment.provider", format!("Known providers: {}.", known.join(", "))).into()
        })
    }
}
