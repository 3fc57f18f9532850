//! HAProxy by the configuration that ships, in front of the nodes that serve people.

use std::path::Path;

use anyhow::ensure;
use tokio::process::Command;

use crate::cluster::Daemon;

/// Places for nodes in the configuration: where each serves people, and the port of its health checks.
const PLACES: [(&str, &str); 3] = [
    ("VOELGOED_NODE_1", "VOELGOED_NODE_1_INTERNAL_PORT"),
    ("VOELGOED_NODE_2", "VOELGOED_NODE_2_INTERNAL_PORT"),
    ("VOELGOED_NODE_3", "VOELGOED_NODE_3_INTERNAL_PORT"),
];
/// Nobody listens there.
const NOBODY: (&str, &str) = ("127.0.0.1:1", "127.0.0.1:1");

/// Starts it on `port` of loopback and waits until it listens; of each node it is told the public and the internal address.
///
/// # Errors
/// Where there are more nodes than places, or it does not come up.
pub async fn start(config: &Path, directory: &Path, port: u16, nodes: &[(String, String)]) -> anyhow::Result<Daemon> {
    // One address is everybody here.
    start_with(config, directory, port, nodes, &[("VOELGOED_CONNECTIONS_PER_ADDRESS_MAX", "100000")]).await
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
    ensure!(nodes.len() <= PLACES.len(), "the configuration has {} places for nodes", PLACES.len());
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(config).env("VOELGOED_BIND", &address).current_dir(directory);
    command.envs(environment.iter().copied());
    let nodes = nodes.iter().map(|(public, internal)| (public.as_str(), internal.as_str()));
    for ((place, check), (public, internal)) in PLACES.iter().zip(nodes.chain(std::iter::repeat(NOBODY))) {
        command.env(place, public).env(check, internal.rsplit(':').next().unwrap_or_default());
    }
    let mut haproxy = Daemon::start("haproxy", &address, command, directory)?;
    haproxy.listens().await?;
    Ok(haproxy)
}
