//! What goes on behind the surface, by role. Any number of nodes may do each of it at once: rows are leased (`skip locked`), schedules are
//! claimed, sweeps and reconcilers find nothing where another one was.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use voelgoed_app::analytics::collect;
use voelgoed_app::analytics::counters::hand_on;
use voelgoed_app::outbox::cluster_bus::ClusterPublisher;
use voelgoed_app::outbox::consumer::OutboxConsumer;
use voelgoed_app::outbox::consumers::{Caches, Gates, OrderWatchers, Warm};
use voelgoed_app::payments::{expire, resolve, send};
use voelgoed_app::platform::Platform;
use voelgoed_app::scanning::watch::GateWatch;
use voelgoed_app::ticketing::sweep::sweep_round;
use voelgoed_cold::Cold;
use voelgoed_hot::fanout::Fanout;
use voelgoed_jobs::{Relay, RelaySettings, Runner, RunnerSettings};
use voelgoed_telemetry::metrics::ticketing::{HoldEnd, holds_ended};

use super::hearsay::Hearsay;
use super::until;
use crate::health;
use crate::role::Role;
use crate::wiring::{Wired, registry};

/// Charges on their way to providers at once.
const SENDS_AT_ONCE: usize = 64;
/// Between two looks at which sales are over.
const LOOK_AT_SALES_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at how large the tables of cold have become.
const LOOK_AT_SIZES_EVERY: Duration = Duration::from_secs(2);
/// Before the next look where one failed: by then autovacuum has been there.
const AFTER_A_FAULT: Duration = Duration::from_secs(60);
/// Between two sweeps.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Starts what `role` asks for; all of it ends with `behind`.
pub fn start(
    tasks: &mut JoinSet<()>,
    wired: &Wired,
    role: Role,
    gate_watch: &GateWatch,
    behind: &CancellationToken,
) -> anyhow::Result<()> {
    let platform = &wired.platform;
    // On a worker nobody watches, but a late capture may look for seats.
    let fanout = Arc::clone(&wired.fanout);
    let stop = behind.clone();
    tasks.spawn(async move { fanout.run(stop.cancelled()).await });
    let viewers = super::presence::keep(Arc::clone(&wired.presence), wired.node, Arc::clone(&wired.fanout));
    tasks.spawn(until(behind.clone(), viewers));
    if role.serves() {
        tasks.spawn(until(behind.clone(), end_sales(Arc::clone(platform), Arc::clone(&wired.fanout))));
    }
    // Whoever took an order sends its charge at once; the reconciler finds what a dead node left.
    tasks.spawn(until(behind.clone(), send_charges(Arc::clone(platform))));
    if let Some(sandbox) = wired.sandbox.clone() {
        tasks.spawn(sandbox.keep(platform.environment.clone(), behind.clone()));
    }
    tasks.spawn(until(behind.clone(), health::watch(wired)));
    tasks.spawn(until(behind.clone(), health::tell_untold(Arc::clone(platform))));
    tasks.spawn(hand_counts_on(Arc::clone(platform), behind.clone()));
    // Those who hear of facts on this node, from its own relay and from others'.
    let local: Vec<Arc<dyn OutboxConsumer>> = vec![
        Arc::new(Caches { listings: Arc::clone(&platform.listings), credentials: Arc::clone(&platform.credentials) }),
        Arc::new(OrderWatchers { views: Arc::clone(&platform.order_views), watch: platform.order_watch.clone() }),
        Arc::new(Gates(gate_watch.clone())),
    ];
    if let Some(bulletin) = wired.bulletin.clone().filter(|_| role.serves()) {
        let hearsay = Hearsay {
            bulletin,
            node: wired.node,
            readers: local.clone(),
            platform: Arc::clone(platform),
            gate_watch: gate_watch.clone(),
        };
        tasks.spawn(until(behind.clone(), hearsay.follow()));
    }
    if role.works() {
        work(tasks, wired, local, behind)?;
    }
    Ok(())
}

fn work(
    tasks: &mut JoinSet<()>,
    wired: &Wired,
    local: Vec<Arc<dyn OutboxConsumer>>,
    behind: &CancellationToken,
) -> anyhow::Result<()> {
    let platform = &wired.platform;
    let mut readers: Vec<Arc<dyn OutboxConsumer>> = vec![Arc::new(Warm(Arc::clone(platform)))];
    readers.extend(local);
    if let Some(bulletin) = wired.bulletin.clone() {
        readers.push(Arc::new(ClusterPublisher { bulletin, node: wired.node }));
    }
    let relay = Relay::new(platform.outbox.clone(), platform.environment.clone(), readers, RelaySettings::default());
    tasks.spawn(relay.run(behind.clone()));
    let runner = Runner::new(
        platform.jobs.clone(),
        platform.environment.clone(),
        registry(platform, wired.cold.clone(), wired.retention)?,
        RunnerSettings::default(),
    );
    tasks.spawn(runner.run(behind.clone()));
    tasks.spawn(until(behind.clone(), sweep(Arc::clone(platform))));
    tasks.spawn(until(behind.clone(), reconcile(Arc::clone(platform))));
    tasks.spawn(until(behind.clone(), health::settle_kept_scans(Arc::clone(platform))));
    tasks.spawn(until(behind.clone(), collect_counts(Arc::clone(platform), wired.node)));
    if wired.is_shared {
        tasks.spawn(until(behind.clone(), look_at_sizes(Arc::clone(&wired.cold))));
    }
    Ok(())
}

/// Sends committed charges to their providers, some at a time.
async fn send_charges(platform: Arc<Platform>) {
    let Some(receiver) = platform.dispatch.take_receiver() else { return };
    let queue =
        futures::stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    queue
        .for_each_concurrent(SENDS_AT_ONCE, |(organization, payment)| {
            send::send_quietly(&platform, organization, payment)
        })
        .await;
}

/// Hands on what this node counted, for the last time when the node stops.
async fn hand_counts_on(platform: Arc<Platform>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(collect::EVERY) => {}
        }
        // A warm tier that stands still must not hold up a node that stops.
        if tokio::time::timeout(collect::EVERY, hand_on(&platform)).await.is_err() {
            tracing::debug!(slice = "analytics", "the warm tier takes no counts in time");
        }
    }
}

/// Brings to cold what all nodes counted.
async fn collect_counts(platform: Arc<Platform>, reader: Uuid) {
    loop {
        tokio::time::sleep(collect::EVERY).await;
        if let Err(fault) = collect::collect(&platform, reader).await {
            tracing::debug!(%fault, slice = "analytics", "counts wait in their streams");
        }
    }
}

/// Keeps the planner of a shared cold tier up to date where a sale has just begun.
async fn look_at_sizes(cold: Arc<Cold>) {
    loop {
        tokio::time::sleep(LOOK_AT_SIZES_EVERY).await;
        if let Err(fault) = cold.look_at_sizes().await {
            tracing::warn!(%fault, slice = "operations", "the planner was not told how large the tables are");
            tokio::time::sleep(AFTER_A_FAULT).await;
        }
    }
}

/// Tells viewers that a sale is over, be it by its organizer or by its window.
async fn end_sales(platform: Arc<Platform>, fanout: Arc<Fanout>) {
    loop {
        tokio::time::sleep(LOOK_AT_SALES_EVERY).await;
        for scope in fanout.watched_events() {
            // Where the listing cannot be read nothing is known to be over.
            let Ok(listing) = platform.listings.listing(scope).await else { continue };
            if listing.is_over(platform.environment.now()) {
                fanout.end(scope).await;
            }
        }
    }
}

/// Frees lapsed holds.
async fn sweep(platform: Arc<Platform>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        match sweep_round(&*platform.inventory).await {
            Ok(lapsed) => holds_ended(HoldEnd::Expired, lapsed as u64),
            Err(fault) => tracing::warn!(%fault, slice = "ticketing", "lapsed holds were not swept"),
        }
    }
}

/// Looks after unpaid orders and unresolved attempts.
async fn reconcile(platform: Arc<Platform>) {
    loop {
        tokio::time::sleep(resolve::EVERY).await;
        if let Err(error) = resolve::resolve(&platform).await {
            tracing::warn!(%error, slice = "payments", "unresolved attempts were not looked at");
        }
        if let Err(error) = expire::expire(&platform).await {
            tracing::warn!(%error, slice = "payments", "overdue orders were not looked at");
        }
    }
}
