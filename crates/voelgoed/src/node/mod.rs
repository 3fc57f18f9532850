//! A node: the surface and what goes on behind it, as far as its role asks for it, started together and stopped in order.
//!
//! Stopping: readiness ends (whoever balances sends nothing new), then streams end (viewers resume elsewhere), requests finish, then the
//! relay and the jobs, then the membership, then the store.

mod background;
mod hearsay;
mod membership;
mod open_files;
mod presence;
mod surface;

use std::future::Future;
use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use voelgoed_app::nodes::ports::Node;
use voelgoed_telemetry::Exporter;
use voelgoed_web::assembly;
use voelgoed_web::serve::{ConnectionLimits, serve};
use voelgoed_web::state::Web;

use crate::role::Role;
use crate::settings::{Server, Settings};
use crate::wiring::Wired;

/// Connections that wait to be accepted; a sale opens thousands at once.
const BACKLOG: u32 = 4096;

/// Where a node is reached.
pub struct Listeners {
    /// By people, devices and providers; none where the role serves nobody.
    pub public: Option<TcpListener>,
    /// By operators and health checks.
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
    Ok(socket.listen(BACKLOG)?)
}

/// The two steps of stopping.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Readiness ends; everything else goes on.
    pub leaving: CancellationToken,
    /// Nobody new is let in; what is under way is finished.
    pub stopping: CancellationToken,
}

/// Runs until it is stopped.
pub async fn run(
    wired: Wired,
    settings: &Settings,
    role: Role,
    listeners: Listeners,
    exporter: &'static Exporter,
    stop: Stop,
) -> anyhow::Result<()> {
    if !wired.is_shared {
        wired.cold.take_over().await.context("cannot take the data directory over")?;
    }
    let node = Node {
        id: wired.node,
        role: role.to_string(),
        address: listeners.public.as_ref().unwrap_or(&listeners.internal).local_addr()?.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: wired.platform.environment.now(),
    };
    // Behind the surface: goes on until the surface has drained.
    let behind = CancellationToken::new();
    let web = surface::of(&wired, settings, exporter, &stop);
    let mut tasks = JoinSet::new();
    background::start(&mut tasks, &wired, role, &web.gate_watch, &behind)?;
    tasks.spawn(membership::keep(membership::Membership::of(&wired, node), behind.clone()));
    let shed = web.clone();
    tasks.spawn(until(behind.clone(), async move { shed.load_shed.watch().await }));
    tasks.spawn(until(behind.clone(), async move {
        loop {
            tokio::time::sleep(voelgoed_telemetry::UPKEEP_EVERY).await;
            exporter.run_upkeep();
        }
    }));
    let surface = listen(&mut tasks, listeners, web, &settings.server, &stop, &behind);
    let mut surface = std::pin::pin!(surface);
    let broken = tokio::select! {
        () = &mut surface => None,
        // None of them ends before it is told to: a shop without its relay or reconcilers must not go on selling.
        ended = tasks.join_next() => ended,
    };
    if let Some(ended) = &broken {
        tracing::error!(?ended, "a task of the node ended by itself; stopping");
        stop.leaving.cancel();
        stop.stopping.cancel();
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

/// Serves operators as a task of the node, and people by the future that it returns.
fn listen(
    tasks: &mut JoinSet<()>,
    listeners: Listeners,
    web: Web,
    server: &Server,
    stop: &Stop,
    behind: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let all = |most| ConnectionLimits {
        most,
        per_address_max: most,
        write_timeout: server.write_timeout,
        drain: server.drain,
    };
    // Answers until the surface has drained, so that a balancer sees that the node leaves.
    let internal = assembly::internal_router(web.clone());
    let limits = all(server.internal_connections_max);
    tasks.spawn(serve(listeners.internal, internal, web.clone(), limits, behind.clone()));
    let most = open_files::connections_that_fit(server.most_connections, server.internal_connections_max);
    // However few there are, one address never has all of them.
    let per_address_max = server.connections_per_address_max.min((most / 2).max(1));
    let limits = ConnectionLimits { per_address_max, ..all(most) };
    let stopping = stop.stopping.clone();
    async move {
        match listeners.public {
            Some(public) => serve(public, assembly::router(web.clone()), web, limits, stopping).await,
            None => stopping.cancelled().await,
        }
    }
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()> + Send) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}
