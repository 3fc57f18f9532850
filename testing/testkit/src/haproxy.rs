//! HAProxy by the configuration that ships, in front of the nodes that serve people.

use std::path::Path;

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::cluster::Daemon;

/// Places for nodes in the configuration: where each serves people, and the port of its health checks.
const PLACES: [(&str, &str); 3] = [
    ("VOELGOED_NODE_1", "VOELGOED_NODE_1_INTERNAL_PORT"),
    ("VOELGOED_NODE_2", "VOELGOED_NODE_2_INTERNAL_PORT"),
    ("VOELGOED_NODE_3", "VOELGOED_NODE_3_INTERNAL_PORT"),
];
/// One address is everybody here.
const MANY_CONNECTIONS: (&str, &str) = ("VOELGOED_CONNECTIONS_PER_ADDRESS_MAX", "100000");
/// Nobody listens there.
const NOBODY: (&str, &str) = ("127.0.0.1:1", "127.0.0.1:1");

/// Starts it on `port` of loopback and waits until it listens; of each node it is told the public and the internal address.
///
/// # Errors
/// Where there are more nodes than places, or it does not come up.
pub async fn start(config: &Path, directory: &Path, port: u16, nodes: &[(String, String)]) -> anyhow::Result<Daemon> {
    start_with(config, directory, port, nodes, &[MANY_CONNECTIONS]).await
}

/// The same with settings of its own.
///
/// # Errors
/// As [`start`].
pub async fn start_with(
    config: &Path,
    directory: &Path,
    port: u16,
    nodes: &[(String, String)],
    environment: &[(&str, &str)],
) -> anyhow::Result<Daemon> {
    let address = format!("127.0.0.1:{port}");
    let command = command(config, directory, &address, nodes, environment)?;
    let mut haproxy = Daemon::start("haproxy", &address, command, directory)?;
    haproxy.listens().await?;
    Ok(haproxy)
}

/// A new process at the address of `before`, which takes no more connections and ends once its requests are answered.
///
/// # Errors
/// As [`start`].
pub async fn reload(
    config: &Path,
    directory: &Path,
    mut before: Daemon,
    nodes: &[(String, String)],
) -> anyhow::Result<Daemon> {
    let mut command = command(config, directory, &before.address, nodes, &[MANY_CONNECTIONS])?;
    command.arg("-sf").arg(before.pid().context("HAProxy is down")?.to_string());
    let mut haproxy = Daemon::start("haproxy", &before.address, command, directory)?;
    // The new process signals it once it listens itself.
    before.ended().await?;
    haproxy.listens().await?;
    Ok(haproxy)
}

fn command(
    config: &Path,
    directory: &Path,
    address: &str,
    nodes: &[(String, String)],
    environment: &[(&str, &str)],
) -> anyhow::Result<Command> {
    ensure!(nodes.len() <= PLACES.len(), "the configuration has {} places for nodes", PLACES.len());
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(config).env("VOELGOED_BIND", address).current_dir(directory);
    command.envs(environment.iter().copied());
    let nodes = nodes.iter().map(|(public, internal)| (public.as_str(), internal.as_str()));
    for ((place, check), (public, internal)) in PLACES.iter().zip(nodes.chain(std::iter::repeat(NOBODY))) {
        command.env(place, public).env(check, internal.rsplit(':').next().unwrap_or_default());
    }
    Ok(command)
}
