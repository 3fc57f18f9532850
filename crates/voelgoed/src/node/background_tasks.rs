//! Starts the background tasks of a node by role: the loops of all slices, relay, jobs, fan-out and probes.
//!
//! Several nodes may run each task at once: rows are leased (`skip locked`), schedules are claimed, and loops that free holds or
//! reconcile payments are idempotent. What a slice runs is in `slice.rs` of its folder in `app`; this file names no slice.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::catalog::listings::Listings;
use voelgoed_app::environment::Environment;
use voelgoed_app::loops::{LoopContext, LoopNodes};
use voelgoed_app::outbox::cluster_bus::ClusterPublisher;
use voelgoed_app::outbox::consumer::OutboxConsumer;
use voelgoed_cold::Cold;
use voelgoed_hot::fanout::Fanout;
use voelgoed_jobs::{Relay, RelaySettings, Runner, RunnerSettings};

use super::cluster_bus_listener::ClusterBusListener;
use super::{dependency_recovery, until};
use crate::role::Role;
use crate::wiring::{Runtime, registry};

/// Between checks for ended sales.
const SALE_END_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Between checks of the sizes of cold tables.
const ANALYZE_INTERVAL: Duration = Duration::from_secs(2);
/// After a failed check; autovacuum analyzes the tables meanwhile.
const ANALYZE_RETRY_DELAY: Duration = Duration::from_secs(60);

/// Starts the tasks of `role`; all of them end with `background`.
pub fn start(
    tasks: &mut JoinSet<()>,
    runtime: &Runtime,
    role: Role,
    background: &CancellationToken,
) -> anyhow::Result<()> {
    let environment = Arc::clone(&runtime.slices.context.environment);
    // A worker has no viewers, but an unmatched capture may search for seats.
    let fanout = Arc::clone(&runtime.fanout);
    let stop = background.clone();
    tasks.spawn(async move { fanout.run(stop.cancelled()).await });
    let viewers = super::presence_exchange::exchange_presence(
        Arc::clone(&runtime.presence),
        runtime.node,
        Arc::clone(&runtime.fanout),
    );
    tasks.spawn(until(background.clone(), viewers));
    if role.serves() {
        let ends = end_sales(Arc::clone(&runtime.listings), Arc::clone(&runtime.fanout), Arc::clone(&environment));
        tasks.spawn(until(background.clone(), ends));
    }
    if let Some(sandbox) = runtime.sandbox.clone() {
        tasks.spawn(sandbox.keep(Arc::clone(&environment), background.clone()));
    }
    tasks.spawn(until(background.clone(), dependency_recovery::probe_dependencies(runtime)));
    for slice in runtime.slices.all() {
        let name = slice.name();
        for each in slice.loops().into_iter().filter(|each| each.nodes == LoopNodes::All || role.works()) {
            tracing::debug!(slice = name, nodes = ?each.nodes, "a loop of the slice starts");
            tasks.spawn(each.run(LoopContext { node: runtime.node, stop: background.clone() }));
        }
    }
    if let Some(cluster_bus) = runtime.cluster_bus.clone().filter(|_| role.serves()) {
        let listener =
            ClusterBusListener { cluster_bus, node: runtime.node, slices: runtime.slices.all(), environment };
        tasks.spawn(until(background.clone(), listener.listen()));
    }
    if role.works() {
        start_worker(tasks, runtime, background)?;
    }
    Ok(())
}

fn start_worker(tasks: &mut JoinSet<()>, runtime: &Runtime, background: &CancellationToken) -> anyhow::Result<()> {
    let environment = &runtime.slices.context.environment;
    let relay =
        Relay::new(runtime.cold.clone(), Arc::clone(environment), relay_consumers(runtime), RelaySettings::default());
    tasks.spawn(relay.run(background.clone()));
    let runner =
        Runner::new(runtime.cold.clone(), Arc::clone(environment), registry(runtime)?, RunnerSettings::default());
    tasks.spawn(runner.run(background.clone()));
    if runtime.is_shared {
        tasks.spawn(until(background.clone(), analyze_grown_tables(Arc::clone(&runtime.cold))));
    }
    Ok(())
}

/// The consumers of each outbox row, in order: shared effects before this node's memory, and the other nodes last.
fn relay_consumers(runtime: &Runtime) -> Vec<Arc<dyn OutboxConsumer>> {
    let slices = runtime.slices.all();
    let mut consumers: Vec<_> = slices.iter().flat_map(|slice| slice.consumers()).collect();
    consumers.extend(slices.iter().flat_map(|slice| slice.node_consumers()));
    if let Some(bus) = runtime.cluster_bus.clone() {
        consumers.push(Arc::new(ClusterPublisher { bus, node: runtime.node }));
    }
    consumers
}

/// Updates the planner statistics of a shared cold tier while tables grow fast at the start of a sale.
async fn analyze_grown_tables(cold: Arc<Cold>) {
    loop {
        tokio::time::sleep(ANALYZE_INTERVAL).await;
        if let Err(fault) = cold.analyze_grown_tables().await {
            tracing::warn!(%fault, slice = "operations", "grown tables were not analyzed");
            tokio::time::sleep(ANALYZE_RETRY_DELAY).await;
        }
    }
}

/// Ends the viewer streams of sales that their organizer or their window ended.
async fn end_sales(listings: Arc<dyn Listings>, fanout: Arc<Fanout>, environment: Arc<dyn Environment>) {
    loop {
        tokio::time::sleep(SALE_END_CHECK_INTERVAL).await;
        for scope in fanout.watched_events() {
            // Without its listing a sale is not known to be over.
            let Ok(listing) = listings.listing(scope).await else { continue };
            if listing.is_sale_over(environment.now()) {
                fanout.end(scope).await;
            }
        }
    }
}
