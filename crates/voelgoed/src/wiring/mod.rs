//! Builds the stores, adapters and slices of a process from its settings.
//!
//! To add a slice: its ports in [`wire`].

mod job_handlers;
mod stores;

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use voelgoed_app::context::Context;
use voelgoed_app::environment::Environment;
use voelgoed_app::limits::ports::Allowances;
use voelgoed_app::nodes::members::Members;
use voelgoed_app::nodes::ports::Presence;
use voelgoed_app::outbox::cluster_bus::ClusterBus;
use voelgoed_app::payments::ports::PaymentGateway;
use voelgoed_app::retention::{RetentionPeriods, RetentionPruner};
use voelgoed_app::slices::{Ports, Slices};
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

pub use job_handlers::registry;
pub use stores::postgres;

/// The parts of a process.
pub struct Runtime {
    /// The application's services.
    pub slices: Slices,
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

impl Runtime {
    /// Deletes rows past their retention period.
    pub fn retention(&self) -> RetentionPruner {
        let environment = Arc::clone(&self.slices.context.environment);
        RetentionPruner { environment, store: self.cold.clone(), periods: self.retention }
    }
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
    let stores::WarmStores {
        inventory,
        offline_scans,
        presence,
        count_stream,
        allowances,
        guard: warm_guard,
        cluster_bus,
    } = stores::warm(&urls.warm, &environment, &capabilities);
    let sandbox = sandbox_supervisor(settings, &master, server_url, &capabilities)?;
    let gateways = sandbox.iter().map(|sandbox| sandbox.gateway() as Arc<dyn PaymentGateway>).collect();
    let context = context(settings, &environment, &capabilities, master);
    let credentials = Arc::new(CachedCredentials::new(cold.clone(), cold.clone(), &environment));
    let order_views = Arc::new(CachedOrders::new(cold.clone(), &environment));
    let ports = Ports {
        accounts: cold.clone(),
        credentials: credentials.clone(),
        gate_directory: credentials,
        passwords: Arc::new(Argon2Hasher::new(settings.limits.password_hashes())?),
        catalog: cold.clone(),
        listings: Arc::new(CachedListings::new(cold.clone(), &environment)),
        inventory: Arc::clone(&inventory),
        places: cold.clone(),
        gate_tickets: cold.clone(),
        orders: cold.clone(),
        payable_orders: cold.clone(),
        order_views: order_views.clone(),
        order_updates: order_views,
        idempotency: cold.clone(),
        payments: cold.clone(),
        gateways,
        scans: cold.clone(),
        offline_scans,
        ledger: cold.clone(),
        count_stream,
        analytics: cold.clone(),
    };
    let loader = Arc::new(EventLoader::new(
        Arc::clone(&environment),
        Arc::clone(&inventory),
        cold.clone(),
        Arc::clone(&ports.listings),
    ));
    let limits = FanoutLimits { viewers_max: settings.limits.viewers, ..FanoutLimits::default() };
    let fanout = Arc::new(Fanout::new(inventory, loader.clone(), Arc::clone(&environment), limits));
    let slices = Slices::new(context, ports, loader, fanout.clone(), settings.limits.places_per_address());
    Ok(Runtime {
        slices,
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
