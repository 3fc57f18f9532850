//! Starts the background tasks of a node by role: relay, jobs, reconcilers, sweeps, fan-out and probes.
//!
//! Several nodes may run each task at once: rows are leased (`skip locked`), schedules are claimed, and sweeps and reconcilers are idempotent.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voelgoed_app::analytics::collect_counts;
use voelgoed_app::outbox::cluster_bus::ClusterPublisher;
use voelgoed_app::outbox::consumer::OutboxConsumer;
use voelgoed_app::outbox::consumers::{CacheInvalidation, GateNotifications, OrderNotifications, WarmEffects};
use voelgoed_app::payments::resolve_attempts;
use voelgoed_app::scanning::gate_signals::GateWatch;
use voelgoed_app::slices::Slices;
use voelgoed_app::ticketing::sweep_holds::sweep_expired_holds;
use voelgoed_cold::Cold;
use voelgoed_hot::fanout::Fanout;
use voelgoed_jobs::{Relay, RelaySettings, Runner, RunnerSettings};
use voelgoed_telemetry::metrics::ticketing::{HoldEnd, holds_ended};

use super::cluster_bus_listener::ClusterBusListener;
use super::{dependency_recovery, until};
use crate::role::Role;
use crate::wiring::{Runtime, registry};

/// Charges that are sent to providers at once.
const CONCURRENT_SENDS_MAX: usize = 64;
/// Between checks for ended sales.
const SALE_END_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Between checks of the sizes of cold tables.
const ANALYZE_INTERVAL: Duration = Duration::from_secs(2);
/// After a failed check; autovacuum analyzes the tables meanwhile.
const ANALYZE_RETRY_DELAY: Duration = Duration::from_secs(60);
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Starts the tasks of `role`; all of them end with `background`.
pub fn start(
    tasks: &mut JoinSet<()>,
    runtime: &Runtime,
    role: Role,
    gate_watch: &GateWatch,
    background: &CancellationToken,
) -> anyhow::Result<()> {
    let slices = &runtime.slices;
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
        tasks.spawn(until(background.clone(), end_sales(slices.clone(), Arc::clone(&runtime.fanout))));
    }
    // The node that took an order sends its charge at once; the reconciler finds charges of dead nodes.
    tasks.spawn(until(background.clone(), send_charges(slices.clone())));
    if let Some(sandbox) = runtime.sandbox.clone() {
        tasks.spawn(sandbox.keep(slices.context.environment.clone(), background.clone()));
    }
    tasks.spawn(until(background.clone(), dependency_recovery::probe_dependencies(runtime)));
    tasks.spawn(until(background.clone(), dependency_recovery::flush_filter_updates(slices.clone())));
    tasks.spawn(append_counts(slices.clone(), background.clone()));
    // These consumers receive outbox events from this node's relay and, by the cluster bus, from others.
    let local: Vec<Arc<dyn OutboxConsumer>> = vec![
        Arc::new(CacheInvalidation {
            listings: Arc::clone(&slices.catalog.listings),
            credentials: Arc::clone(&slices.accounts.credentials),
        }),
        Arc::new(OrderNotifications {
            views: Arc::clone(&slices.checkout.views),
            watch: slices.checkout.watch.clone(),
        }),
        Arc::new(GateNotifications(gate_watch.clone())),
    ];
    if let Some(cluster_bus) = runtime.cluster_bus.clone().filter(|_| role.serves()) {
        let listener = ClusterBusListener {
            cluster_bus,
            node: runtime.node,
            consumers: local.clone(),
            slices: slices.clone(),
            gate_watch: gate_watch.clone(),
        };
        tasks.spawn(until(background.clone(), listener.listen()));
    }
    if role.works() {
        start_worker(tasks, runtime, local, background)?;
    }
    Ok(())
}

fn start_worker(
    tasks: &mut JoinSet<()>,
    runtime: &Runtime,
    local: Vec<Arc<dyn OutboxConsumer>>,
    background: &CancellationToken,
) -> anyhow::Result<()> {
    let slices = &runtime.slices;
    let warm = WarmEffects {
        inventory: Arc::clone(&slices.ticketing.inventory),
        loader: Arc::clone(&slices.ticketing.loader),
    };
    let mut consumers: Vec<Arc<dyn OutboxConsumer>> = vec![Arc::new(warm)];
    consumers.extend(local);
    if let Some(cluster_bus) = runtime.cluster_bus.clone() {
        consumers.push(Arc::new(ClusterPublisher { bus: cluster_bus, node: runtime.node }));
    }
    let relay =
        Relay::new(runtime.cold.clone(), slices.context.environment.clone(), consumers, RelaySettings::default());
    tasks.spawn(relay.run(background.clone()));
    let runner = Runner::new(
        runtime.cold.clone(),
        slices.context.environment.clone(),
        registry(&slices.payments, runtime.retention())?,
        RunnerSettings::default(),
    );
    tasks.spawn(runner.run(background.clone()));
    tasks.spawn(until(background.clone(), sweep(slices.clone())));
    tasks.spawn(until(background.clone(), reconcile(slices.clone())));
    tasks.spawn(until(background.clone(), dependency_recovery::replay_offline_scans(slices.clone())));
    tasks.spawn(until(background.clone(), collect_counts(slices.clone(), runtime.node)));
    if runtime.is_shared {
        tasks.spawn(until(background.clone(), analyze_grown_tables(Arc::clone(&runtime.cold))));
    }
    Ok(())
}

/// Sends committed charges to their providers, at most [`CONCURRENT_SENDS_MAX`] at once.
async fn send_charges(slices: Slices) {
    let Some(receiver) = slices.payments.send_queue.take_receiver() else { return };
    let queue =
        futures::stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    queue
        .for_each_concurrent(CONCURRENT_SENDS_MAX, |(organization, payment)| {
            slices.payments.send_and_log(organization, payment)
        })
        .await;
}

/// Appends this node's counts to the warm tier, for the last time when the node stops.
async fn append_counts(slices: Slices, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(collect_counts::COLLECT_INTERVAL) => {}
        }
        // A warm tier that hangs must not delay the stop of a node.
        if tokio::time::timeout(collect_counts::COLLECT_INTERVAL, slices.analytics.append_counts()).await.is_err() {
            tracing::debug!(slice = "analytics", "appending counts to the warm tier timed out");
        }
    }
}

/// Moves the counts of all nodes from warm to cold.
async fn collect_counts(slices: Slices, reader: Uuid) {
    loop {
        tokio::time::sleep(collect_counts::COLLECT_INTERVAL).await;
        if let Err(fault) = slices.analytics.collect_counts(reader).await {
            tracing::debug!(%fault, slice = "analytics", "counts were not collected; they stay in the warm tier");
        }
    }
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
async fn end_sales(slices: Slices, fanout: Arc<Fanout>) {
    loop {
        tokio::time::sleep(SALE_END_CHECK_INTERVAL).await;
        for scope in fanout.watched_events() {
            // Without its listing a sale is not known to be over.
            let Ok(listing) = slices.catalog.listings.listing(scope).await else { continue };
            if listing.is_sale_over(slices.context.now()) {
                fanout.end(scope).await;
            }
        }
    }
}

/// Frees the places of lapsed holds.
async fn sweep(slices: Slices) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        match sweep_expired_holds(&*slices.ticketing.inventory).await {
            Ok(lapsed) => holds_ended(HoldEnd::Expired, lapsed as u64),
            Err(fault) => tracing::warn!(%fault, slice = "ticketing", "lapsed holds were not swept"),
        }
    }
}

/// Resolves payment attempts and expires unpaid orders.
async fn reconcile(slices: Slices) {
    loop {
        tokio::time::sleep(resolve_attempts::RECONCILE_INTERVAL).await;
        if let Err(error) = slices.payments.resolve_attempts().await {
            tracing::warn!(%error, slice = "payments", "unresolved attempts were not reconciled");
        }
        if let Err(error) = slices.payments.expire_orders().await {
            tracing::warn!(%error, slice = "payments", "overdue orders were not expired");
        }
    }
}
