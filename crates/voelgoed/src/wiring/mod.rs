//! Which adapter stands behind which port: the embedded default.

mod handlers;
mod loader;

use std::path::Path;
use std::sync::Arc;

use voelgoed_app::checkout::watch::OrderWatch;
use voelgoed_app::environment::Environment;
use voelgoed_app::payments::dispatch::Dispatch;
use voelgoed_app::payments::ports::PaymentGateway;
use voelgoed_app::platform::{Platform, SaleTimes};
use voelgoed_app::ticketing::ports::InventoryStore;
use voelgoed_app::ticketing::rebuild::Rebuilds;
use voelgoed_app::token::{MasterKey, Tokens};
use voelgoed_cold::{Cold, ColdConfig};
use voelgoed_gateways::sandbox::SandboxGateway;
use voelgoed_hot::credentials::CachedCredentials;
use voelgoed_hot::fanout::{Fanout, FanoutLimits};
use voelgoed_hot::listings::CachedListings;
use voelgoed_resilience::Capabilities;
use voelgoed_warm::memory::MemoryInventory;

use crate::environment::Machine;
use crate::passwords::Argon2Hasher;
use crate::sandbox::Sandbox;
use crate::secret;
use crate::settings::Settings;

pub use handlers::registry;

/// Everything that a process of this program is made of.
pub struct Wired {
    /// Commands and ports.
    pub platform: Arc<Platform>,
    /// Availability and its streams.
    pub fanout: Arc<Fanout>,
    /// The cold tier itself, for closing and backups.
    pub cold: Arc<Cold>,
    /// What is possible now.
    pub capabilities: Capabilities,
    /// The sandbox provider and the gateway to it, where it is enabled.
    pub sandbox: Option<(Sandbox, Arc<SandboxGateway>)>,
}

/// Puts the embedded default together.
pub async fn wire(settings: &Settings, server_url: &str) -> anyhow::Result<Wired> {
    let directory: &Path = &settings.data.directory;
    let environment: Arc<dyn Environment> = Arc::new(Machine);
    let master: MasterKey = secret::master_key(&settings.secrets.master, directory, &Machine)?;
    let capabilities = Capabilities::new();
    let cold = Arc::new(Cold::open(ColdConfig::embedded(directory), Arc::clone(&environment)).await?);
    let inventory: Arc<dyn InventoryStore> = Arc::new(MemoryInventory::new(Arc::clone(&environment)));
    let loader = Arc::new(loader::PlatformLoader::default());
    let limits = FanoutLimits { viewers: settings.limits.viewers, ..FanoutLimits::default() };
    let fanout = Arc::new(Fanout::new(Arc::clone(&inventory), loader.clone(), Arc::clone(&environment), limits));
    let sandbox = match settings.sandbox.enabled {
        true => {
            let sandbox = Sandbox::new(settings.sandbox.clone(), directory, &master, server_url);
            let gateway = Arc::new(sandbox.gateway(capabilities.clone())?);
            Some((sandbox, gateway))
        }
        false => None,
    };
    let gateways = sandbox.iter().map(|(_, gateway)| Arc::clone(gateway) as Arc<dyn PaymentGateway>).collect();
    let platform = Arc::new(Platform {
        capabilities: capabilities.clone(),
        inventory,
        rebuilds: Rebuilds::default(),
        seat_view: fanout.clone(),
        places: cold.clone(),
        catalog: cold.clone(),
        listings: Arc::new(CachedListings::new(cold.clone(), &environment)),
        accounts: cold.clone(),
        credentials: Arc::new(CachedCredentials::new(cold.clone(), cold.clone(), &environment)),
        passwords: Arc::new(Argon2Hasher::new()?),
        orders: cold.clone(),
        order_watch: OrderWatch::default(),
        idempotency: cold.clone(),
        payments: cold.clone(),
        dispatch: Dispatch::default(),
        gateways,
        scans: cold.clone(),
        ledger: cold.clone(),
        jobs: cold.clone(),
        outbox: cold.clone(),
        tokens: Tokens::new(&master),
        master,
        times: SaleTimes {
            hold: settings.sale.hold,
            extension: settings.sale.extension,
            send_lease: settings.sale.send_lease,
            poll_every: settings.sale.poll_every,
        },
        environment,
    });
    loader.tell(&platform);
    Ok(Wired { platform, fanout, cold, capabilities, sandbox })
}
