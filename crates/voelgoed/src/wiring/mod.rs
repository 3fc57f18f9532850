//! Which adapter stands behind which port.

mod handlers;
mod loader;
mod tiers;

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use voelgoed_app::analytics::counters::Counters;
use voelgoed_app::checkout::placed_order_keys::PlacedOrderKeys;
use voelgoed_app::checkout::watch::OrderWatch;
use voelgoed_app::environment::Environment;
use voelgoed_app::limits::ports::Allowances;
use voelgoed_app::nodes::members::Members;
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::outbox::cluster_bus::ClusterBus;
use voelgoed_app::payments::dispatch::Dispatch;
use voelgoed_app::payments::ports::PaymentGateway;
use voelgoed_app::platform::Platform;
use voelgoed_app::retention::RetentionPeriods;
use voelgoed_app::scanning::gate_filter_sync::PendingFilterUpdates;
use voelgoed_app::tenant_bulkheads::TenantBulkheads;
use voelgoed_app::ticketing::rebuild::Rebuilds;
use voelgoed_app::token::{MasterKey, Tokens};
use voelgoed_cold::Cold;
use voelgoed_hot::credentials::CachedCredentials;
use voelgoed_hot::fanout::{Fanout, FanoutLimits};
use voelgoed_hot::listings::CachedListings;
use voelgoed_hot::orders::CachedOrders;
use voelgoed_resilience::Capabilities;
use voelgoed_warm::guarded::Guarded;

use crate::environment::Machine;
use crate::passwords::Argon2Hasher;
use crate::role::Role;
use crate::sandbox::Sandbox;
use crate::secret;
use crate::settings::Settings;
use crate::tiers::{ColdStore, Tiers};

pub use handlers::registry;
pub use tiers::postgres;

/// Everything that a process of this program is made of.
pub struct Wired {
    /// Commands and ports.
    pub platform: Arc<Platform>,
    /// Availability and its streams.
    pub fanout: Arc<Fanout>,
    /// The cold tier itself, for closing and backups.
    pub cold: Arc<Cold>,
    /// What callers may still do, over all nodes, where there can be any.
    pub allowances: Option<Arc<dyn Allowances>>,
    /// What stands before a warm tier that can be away.
    pub warm_guard: Option<Arc<Guarded>>,
    /// Who watches at which node.
    pub presence: Arc<dyn Presence>,
    /// What is possible now.
    pub capabilities: Capabilities,
    /// The way to other nodes, where there can be any.
    pub bulletin: Option<Arc<dyn ClusterBus>>,
    /// This process among the others; new at each start.
    pub node: Uuid,
    /// Who else is there.
    pub members: Members,
    /// How long what is over is kept.
    pub retention: RetentionPeriods,
    /// True where other processes may work on the same cold tier.
    pub is_shared: bool,
    /// The sandbox provider, where it is enabled.
    pub sandbox: Option<Sandbox>,
}

/// Puts a process of `role` together; `server_url` is where providers reach it.
pub async fn wire(settings: &Settings, role: Role, server_url: &str) -> anyhow::Result<Wired> {
    let stores = Tiers::of(settings, role)?;
    let directory: &Path = &settings.data.directory;
    let environment: Arc<dyn Environment> = Arc::new(Machine);
    let master: MasterKey = secret::master_key(&settings.secrets, directory, &Machine)?;
    let capabilities = Capabilities::new();
    let cold = tiers::cold(&stores.cold, directory, &environment, &master, settings.quotas.clone()).await?;
    cold.report_to(capabilities.clone());
    let tiers::Warm { inventory, kept_scans, presence, count_stream, allowances, guard: warm_guard, bulletin } =
        tiers::warm(&stores.warm, &environment, &capabilities);
    let loader = Arc::new(loader::PlatformLoader::default());
    let limits = FanoutLimits { viewers: settings.limits.viewers, ..FanoutLimits::default() };
    let fanout = Arc::new(Fanout::new(Arc::clone(&inventory), loader.clone(), Arc::clone(&environment), limits));
    let sandbox = sandbox(settings, &master, server_url, &capabilities)?;
    let gateways = sandbox.iter().map(|sandbox| sandbox.gateway() as Arc<dyn PaymentGateway>).collect();
    let node = environment.uuid();
    let platform = Arc::new(Platform {
        capabilities: capabilities.clone(),
        shares: TenantBulkheads::new(settings.limits.organization_running, settings.limits.organization_waiting),
        inventory,
        rebuilds: Rebuilds::default(),
        seat_view: fanout.clone(),
        places: cold.clone(),
        catalog: cold.clone(),
        listings: Arc::new(CachedListings::new(cold.clone(), &environment)),
        accounts: cold.clone(),
        credentials: Arc::new(CachedCredentials::new(cold.clone(), cold.clone(), &environment)),
        passwords: Arc::new(Argon2Hasher::new(settings.limits.password_hashes())?),
        orders: cold.clone(),
        order_views: Arc::new(CachedOrders::new(cold.clone(), &environment)),
        order_watch: OrderWatch::default(),
        taken_orders: PlacedOrderKeys::default(),
        idempotency: cold.clone(),
        payments: cold.clone(),
        dispatch: Dispatch::default(),
        gateways,
        scans: cold.clone(),
        kept_scans,
        untold: PendingFilterUpdates::default(),
        ledger: cold.clone(),
        counters: Counters::default(),
        count_stream,
        analytics: cold.clone(),
        jobs: cold.clone(),
        outbox: cold.clone(),
        tokens: Tokens::new(&master),
        master,
        times: settings.sale.times(),
        places_per_address: settings.limits.places_per_address(),
        environment,
    });
    loader.tell(&platform);
    let is_shared = stores.cold != ColdStore::Embedded;
    Ok(Wired {
        platform,
        fanout,
        cold,
        allowances,
        warm_guard,
        presence,
        capabilities,
        bulletin,
        node,
        members: Members::default(),
        retention: settings.retention.spans(),
        is_shared,
        sandbox,
    })
}

/// The provider that comes with us, where it is wanted.
fn sandbox(
    settings: &Settings,
    master: &MasterKey,
    server_url: &str,
    capabilities: &Capabilities,
) -> anyhow::Result<Option<Sandbox>> {
    if !settings.sandbox.enabled {
        return Ok(None);
    }
    let directory = &settings.data.directory;
    Ok(Some(Sandbox::new(settings, directory, master, server_url, capabilities.clone())?))
}
