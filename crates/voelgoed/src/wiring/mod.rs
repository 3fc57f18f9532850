//! Builds the stores, adapters and slices of a process from its settings.
//!
//! The slices take their ports from the two stores and [`NodeParts`]; this file names none. To add a slice: its line in `app::slices`.

mod job_registry;
mod stores;

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use voelgoed_app::adapters::{Adapters, NodeParts};
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::context::Context;
use voelgoed_app::environment::Environment;
use voelgoed_app::limits::ports::Allowances;
use voelgoed_app::nodes::members::Members;
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::outbox::cluster_bus::ClusterBus;
use voelgoed_app::payments::ports::PaymentGateway;
use voelgoed_app::retention::class::RetentionPeriods;
use voelgoed_app::slices::Slices;
use voelgoed_app::tenant_bulkheads::TenantBulkheads;
use voelgoed_app::ticketing::load_event::EventLoader;
use voelgoed_app::token::{MasterKey, Tokens};
use voelgoed_cold::Cold;
use voelgoed_hot::credentials::CachedCredentials;
use voelgoed_hot::fanout::{Fanout, FanoutLimits};
use voelgoed_hot::listings::CachedListings;
use voelgoed_hot::orders::CachedOrders;
use voelgoed_resilience::Capabilities;
use voelgoed_warm::guarded::GuardedWarm;

use crate::argon2_hasher::Argon2Hasher;
use crate::master_key::master_key;
use crate::role::Role;
use crate::sandbox_supervisor::SandboxSupervisor;
use crate::settings::Settings;
use crate::store_urls::{ColdStore, StoreUrls};
use crate::system_environment::SystemEnvironment;

use stores::WarmTier;

pub use job_registry::registry;
pub use stores::postgres;

/// The parts of a process.
pub struct Runtime {
    /// The application's services.
    pub slices: Slices,
    /// Listings, cached on this node.
    pub listings: Arc<dyn Listings>,
    /// Availability and its streams.
    pub fanout: Arc<Fanout>,
    /// The cold tier, also for its closing.
    pub cold: Arc<Cold>,
    /// Rate limits over all nodes; none for a single node.
    pub allowances: Option<Arc<dyn Allowances>>,
    /// The guard of a warm tier outside of this process.
    pub warm_guard: Option<Arc<GuardedWarm>>,
    /// Viewer counts of all nodes.
    pub presence: Arc<dyn Presence>,
    /// The capability table.
    pub capabilities: Capabilities,
    /// Publishes messages to other nodes; none for a single node.
    pub cluster_bus: Option<Arc<dyn ClusterBus>>,
    /// The id of this process; new at each start.
    pub node: Uuid,
    /// The list of live nodes.
    pub members: Members,
    /// How long finished rows are stored.
    pub retention: RetentionPeriods,
    /// True if other processes may work on the same cold tier.
    pub is_shared: bool,
    /// The sandbox provider, if it is enabled.
    pub sandbox: Option<SandboxSupervisor>,
}

/// Builds a process of `role`; providers call back at `server_url`.
pub async fn wire(settings: &Settings, role: Role, server_url: &str) -> anyhow::Result<Runtime> {
    let urls = StoreUrls::of(settings, role)?;
    let directory: &Path = &settings.data.directory;
    let environment: Arc<dyn Environment> = Arc::new(SystemEnvironment);
    let master: MasterKey = master_key(&settings.secrets, directory, &SystemEnvironment)?;
    let capabilities = Capabilities::new();
    let cold = stores::cold(&urls.cold, directory, &environment, &master, settings.quotas.clone()).await?;
    cold.report_health_to(capabilities.clone());
    let stores::WarmStores { tier, presence, allowances, cluster_bus } =
        stores::warm(&urls.warm, &environment, &capabilities);
    let sandbox = sandbox_supervisor(settings, &master, server_url, &capabilities)?;
    let gateways = sandbox.iter().map(|sandbox| sandbox.gateway() as Arc<dyn PaymentGateway>).collect();
    let context = context(settings, &environment, &capabilities, master);
    let credentials = Arc::new(CachedCredentials::new(cold.clone(), cold.clone(), &environment));
    let order_views = Arc::new(CachedOrders::new(cold.clone(), &environment));
    let listings: Arc<dyn Listings> = Arc::new(CachedListings::new(cold.clone(), &environment));
    let loader = EventLoader::new(Arc::clone(&environment), tier.inventory(), cold.clone(), Arc::clone(&listings));
    let loader = Arc::new(loader);
    let limits = FanoutLimits { viewers_max: settings.limits.viewers, ..FanoutLimits::default() };
    let fanout = Arc::new(Fanout::new(tier.inventory(), loader.clone(), Arc::clone(&environment), limits));
    let node = NodeParts {
        context,
        credentials: credentials.clone(),
        gate_directory: credentials,
        passwords: Arc::new(Argon2Hasher::new(settings.limits.password_hashes())?),
        listings: Arc::clone(&listings),
        order_views: order_views.clone(),
        order_updates: order_views,
        gateways,
        loader,
        seat_view: fanout.clone(),
        places_per_address: settings.limits.places_per_address(),
    };
    let warm_guard = tier.guard();
    let slices = match tier {
        WarmTier::Memory(warm) => Slices::new(&Adapters { cold: cold.clone(), warm, node }),
        WarmTier::Guarded(warm) => Slices::new(&Adapters { cold: cold.clone(), warm, node }),
    };
    Ok(Runtime {
        slices,
        listings,
        fanout,
        cold,
        allowances,
        warm_guard,
        presence,
        capabilities,
        cluster_bus,
        node: environment.uuid(),
        members: Members::default(),
        retention: settings.retention.periods(),
        is_shared: urls.cold != ColdStore::Embedded,
        sandbox,
    })
}

/// The context that all slices share.
fn context(
    settings: &Settings,
    environment: &Arc<dyn Environment>,
    capabilities: &Capabilities,
    master: MasterKey,
) -> Context {
    let bulkheads = TenantBulkheads::new(settings.limits.organization_running, settings.limits.organization_waiting);
    Context {
        environment: Arc::clone(environment),
        capabilities: capabilities.clone(),
        bulkheads: Arc::new(bulkheads),
        tokens: Tokens::new(&master),
        master,
        times: settings.sale.times(),
    }
}

/// The sandbox provider, if it is enabled.
fn sandbox_supervisor(
    settings: &Settings,
    master: &MasterKey,
    server_url: &str,
    capabilities: &Capabilities,
) -> anyhow::Result<Option<SandboxSupervisor>> {
    if !settings.sandbox.enabled {
        return Ok(None);
    }
    let directory = &settings.data.directory;
    Ok(Some(SandboxSupervisor::new(settings, directory, master, server_url, capabilities.clone())?))
}
