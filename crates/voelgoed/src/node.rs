//! A node of role `all`: the surface and everything that goes on behind it, started together and stopped in order.
//!
//! Stopping: readiness ends, streams end (viewers resume elsewhere), requests finish, then the relay and the jobs, then the store.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::outbox::reader::FactReader;
use voelgoed_app::outbox::readers::{Caches, Gates, OrderWatchers, Warm};
use voelgoed_app::payments::{expire, resolve, send};
use voelgoed_app::platform::Platform;
use voelgoed_app::scanning::watch::GateWatch;
use voelgoed_app::token::fingerprint;
use voelgoed_jobs::{Relay, RelaySettings, Runner, RunnerSettings};
use voelgoed_resilience::{LoadShed, LoadShedLimit, RateLimit, RateLimiter};
use voelgoed_telemetry::Exporter;
use voelgoed_telemetry::metrics::ticketing::{HoldEnd, holds_ended};
use voelgoed_web::serve::serve;
use voelgoed_web::state::{Shared, Web, WebSettings};

use crate::settings::Settings;
use crate::wiring::{Wired, registry};

/// Connections that wait to be accepted; a sale opens thousands at once.
const BACKLOG: u32 = 4096;
/// Charges on their way to providers at once.
const SENDS_AT_ONCE: usize = 64;
/// Lapsed holds freed in one sweep of an event.
const SWEPT_AT_ONCE: usize = 100;
/// Work that begins this late sheds what is least critical.
const LATE_BY: Duration = Duration::from_millis(500);
/// Between two sweeps.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Keys that a rate limiter remembers; beyond it they share one allowance.
const LIMITED_KEYS: usize = 200_000;

/// Binds the address of the settings.
pub fn bind(settings: &Settings) -> anyhow::Result<TcpListener> {
    let address = settings.server.listen;
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address).with_context(|| format!("cannot listen on {address}"))?;
    Ok(socket.listen(BACKLOG)?)
}

/// Runs until `stopping`.
pub async fn run(
    wired: Wired,
    settings: &Settings,
    listener: TcpListener,
    exporter: &'static Exporter,
    stopping: CancellationToken,
) -> anyhow::Result<()> {
    wired.cold.take_over().await.context("cannot take the data directory over")?;
    // Behind the surface: goes on until the surface has drained.
    let behind = CancellationToken::new();
    let gate_watch = GateWatch::default();
    let web = surface(&wired, settings, exporter, gate_watch.clone(), stopping.clone());
    let mut tasks = JoinSet::new();
    start_background(&mut tasks, &wired, gate_watch, &behind)?;
    let shed = web.clone();
    let watch = async move { shed.load_shed.watch().await };
    tasks.spawn(until(behind.clone(), watch));
    tasks.spawn(until(behind.clone(), async move {
        loop {
            tokio::time::sleep(voelgoed_telemetry::UPKEEP_EVERY).await;
            exporter.run_upkeep();
        }
    }));
    let router = voelgoed_web::assembly::router(web);
    let surface = serve(listener, router, settings.server.most_connections, stopping.clone(), settings.server.drain);
    let mut surface = std::pin::pin!(surface);
    let broken = tokio::select! {
        () = &mut surface => None,
        // None of them ends before it is told to: a shop without its relay or reconcilers must not go on selling.
        ended = tasks.join_next() => ended,
    };
    if let Some(ended) = &broken {
        tracing::error!(?ended, "a task of the node ended by itself; stopping");
        stopping.cancel();
        surface.await;
    }
    tracing::info!("the surface has drained");
    behind.cancel();
    while let Some(ended) = tasks.join_next().await {
        ended.context("a task of the node failed")?;
    }
    wired.cold.close().await;
    match broken {
        None => Ok(()),
        Some(ended) => {
            ended.context("a task of the node failed").and_then(|()| anyhow::bail!("a task of the node ended"))
        }
    }
}

fn surface(
    wired: &Wired,
    settings: &Settings,
    exporter: &'static Exporter,
    gate_watch: GateWatch,
    stopping: CancellationToken,
) -> Web {
    let limits = &settings.limits;
    let rate = |name, burst, per| RateLimit { name, burst, per, keys: LIMITED_KEYS };
    let session_rate = rate("session_writes", limits.session_burst, limits.session_per);
    let address_rate = rate("address_writes", limits.address_burst, limits.address_per);
    let login_rate = rate("logins", limits.login_burst, limits.login_per);
    let operator_key = (!settings.secrets.operator.is_empty()).then(|| fingerprint(&settings.secrets.operator));
    Web::new(Shared {
        platform: Arc::clone(&wired.platform),
        fanout: Arc::clone(&wired.fanout),
        gate_watch,
        capabilities: wired.capabilities.clone(),
        load_shed: LoadShed::new(LoadShedLimit { in_flight: settings.server.most_in_flight, delay: LATE_BY }),
        exporter,
        settings: WebSettings {
            largest_body: limits.body,
            largest_layout: limits.layout,
            request_deadline: settings.server.request_deadline,
            trusted_proxies: settings.server.trusted_proxies.clone(),
            secure_cookies: settings.server.secure_cookies,
            operator_key,
        },
        session_limiter: RateLimiter::new(session_rate),
        address_limiter: RateLimiter::new(address_rate),
        login_limiter: RateLimiter::new(login_rate),
        stopping,
    })
}

fn start_background(
    tasks: &mut JoinSet<()>,
    wired: &Wired,
    gate_watch: GateWatch,
    behind: &CancellationToken,
) -> anyhow::Result<()> {
    let platform = &wired.platform;
    let fanout = Arc::clone(&wired.fanout);
    let stop = behind.clone();
    tasks.spawn(async move { fanout.run(stop.cancelled()).await });

    let readers: Vec<Arc<dyn FactReader>> = vec![
        Arc::new(Warm(Arc::clone(platform))),
        Arc::new(Caches(Arc::clone(&platform.listings))),
        Arc::new(OrderWatchers(platform.order_watch.clone())),
        Arc::new(Gates(gate_watch)),
    ];
    let relay = Relay::new(platform.outbox.clone(), platform.environment.clone(), readers, RelaySettings::default());
    tasks.spawn(relay.run(behind.clone()));

    let runner = Runner::new(
        platform.jobs.clone(),
        platform.environment.clone(),
        registry(platform)?,
        RunnerSettings::default(),
    );
    tasks.spawn(runner.run(behind.clone()));

    tasks.spawn(until(behind.clone(), send_charges(Arc::clone(platform))));
    tasks.spawn(until(behind.clone(), sweep(Arc::clone(platform))));
    tasks.spawn(until(behind.clone(), reconcile(Arc::clone(platform))));
    if let Some((sandbox, gateway)) = &wired.sandbox {
        tasks.spawn(sandbox.clone().keep(Arc::clone(gateway), platform.environment.clone(), behind.clone()));
    }
    Ok(())
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()> + Send) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
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

/// Frees lapsed holds.
async fn sweep(platform: Arc<Platform>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        // Many holds lapse together when a sale began for all at once; none waits for the next round (P4).
        loop {
            match platform.inventory.sweep(SWEPT_AT_ONCE).await {
                Ok(lapsed) => {
                    holds_ended(HoldEnd::Expired, lapsed as u64);
                    if lapsed < SWEPT_AT_ONCE {
                        break;
                    }
                }
                Err(fault) => {
                    tracing::warn!(%fault, slice = "ticketing", "lapsed holds were not swept");
                    break;
                }
            }
            tokio::task::yield_now().await;
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
