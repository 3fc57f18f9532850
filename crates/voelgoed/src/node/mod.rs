//! Runs a node of a role: starts its servers and background tasks together, and stops them in order.
//!
//! | step of a stop | effect |
//! |---|---|
//! | 1. readiness ends | load balancers send no new requests |
//! | 2. streams end, requests finish | viewers resume at other nodes |
//! | 3. relay, jobs and membership end | the lease is given back |
//! | 4. the cold tier closes | |

mod background_tasks;
mod cluster_bus_listener;
mod dependency_recovery;
mod membership;
mod open_files;
mod presence_exchange;
mod web_state;

use std::future::Future;
use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::nodes::ports::MemberNode;
use voelgoed_telemetry::Exporter;
use voelgoed_web::router;
use voelgoed_web::serve::{ConnectionLimits, serve};
use voelgoed_web::state::Web;

use crate::role::Role;
use crate::settings::{ServerSettings, Settings};
use crate::wiring::Runtime;

/// Connections that wait for `accept`; the start of a sale opens thousands at once.
const ACCEPT_BACKLOG: u32 = 4096;

/// The sockets of a node.
pub struct Listeners {
    /// For buyers, organizers, devices and providers; none on a worker.
    pub public: Option<TcpListener>,
    /// For operators and health checks.
    pub internal: TcpListener,
}

impl Listeners {
    /// Binds the addresses of the settings.
    pub fn bind(settings: &Settings, role: Role) -> anyhow::Result<Self> {
        let public = role.serves().then(|| bind(settings.server.listen)).transpose()?;
        Ok(Self { public, internal: bind(settings.server.internal_listen)? })
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address).with_context(|| {
        format!("cannot listen on {address}; choose another address with --listen (port 0 takes any free one)")
    })?;
    Ok(socket.listen(ACCEPT_BACKLOG)?)
}

/// The signals of the first two steps of a stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Readiness ends; everything else continues.
    pub leaving: CancellationToken,
    /// No new connection is accepted; running requests finish.
    pub stopping: CancellationToken,
}

/// Runs until `stop`, or until a task ends by itself.
pub async fn run(
    runtime: Runtime,
    settings: &Settings,
    role: Role,
    listeners: Listeners,
    exporter: &'static Exporter,
    stop: Stop,
) -> anyhow::Result<()> {
    if !runtime.is_shared {
        runtime.cold.reclaim_leases().await.context("cannot reclaim the job leases of the data directory")?;
    }
    let node = MemberNode {
        id: runtime.node,
        role: role.to_string(),
        address: listeners.public.as_ref().unwrap_or(&listeners.internal).local_addr()?.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: runtime.slices.context.now(),
    };
    // Cancelled after the public server has drained.
    let background = CancellationToken::new();
    let web = web_state::web_state(&runtime, settings, exporter, &stop);
    let mut tasks = JoinSet::new();
    background_tasks::start(&mut tasks, &runtime, role, &background)?;
    tasks.spawn(membership::keep_membership(membership::Membership::of(&runtime, node), background.clone()));
    let shed = web.clone();
    tasks.spawn(until(background.clone(), async move { shed.load_shed.measure_delay().await }));
    tasks.spawn(until(background.clone(), async move {
        loop {
            tokio::time::sleep(voelgoed_telemetry::UPKEEP_INTERVAL).await;
            exporter.run_upkeep();
        }
    }));
    let server = serve_requests(&mut tasks, listeners, web, &settings.server, &stop, &background);
    let mut server = std::pin::pin!(server);
    let broken = tokio::select! {
        () = &mut server => None,
        // Tasks end only on request: without its relay or reconcilers a shop must stop selling.
        ended = tasks.join_next() => ended,
    };
    if let Some(ended) = &broken {
        tracing::error!(?ended, "a task of the node ended by itself; stopping");
        stop.leaving.cancel();
        stop.stopping.cancel();
        server.await;
    }
    tracing::info!("the public server has drained");
    background.cancel();
    while let Some(ended) = tasks.join_next().await {
        ended.context("a task of the node failed")?;
    }
    runtime.cold.close().await;
    match broken {
        None => Ok(()),
        Some(ended) => {
            ended.context("a task of the node failed").and_then(|()| anyhow::bail!("a task of the node ended"))
        }
    }
}

/// Serves operators as a task of the node; the returned future serves everybody else.
fn serve_requests(
    tasks: &mut JoinSet<()>,
    listeners: Listeners,
    web: Web,
    server: &ServerSettings,
    stop: &Stop,
    background: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let all = |connections_max| ConnectionLimits {
        connections_max,
        per_address_max: connections_max,
        write_timeout: server.write_timeout,
        drain: server.drain,
    };
    // Responds until the public server has drained, so that load balancers see the node leave.
    let internal = router::internal_router(web.clone());
    let limits = all(server.internal_connections_max);
    tasks.spawn(serve(listeners.internal, internal, web.clone(), limits, background.clone()));
    let most = open_files::connections_that_fit(server.most_connections, server.internal_connections_max);
    // One address never has more than half of the connections.
    let per_address_max = server.connections_per_address_max.min((most / 2).max(1));
    let limits = ConnectionLimits { per_address_max, ..all(most) };
    let stopping = stop.stopping.clone();
    async move {
        match listeners.public {
            Some(public) => serve(public, router::public_router(web.clone()), web, limits, stopping).await,
            None => stopping.cancelled().await,
        }
    }
}

/// Runs `work` until `stop`.
async fn until(stop: CancellationToken, work: impl Future<Output = ()> + Send) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}
