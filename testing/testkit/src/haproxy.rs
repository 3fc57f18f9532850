//! Runs HAProxy with the shipped configuration in front of the nodes that serve people.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::process::Process;

/// The variables of the configuration for each node: its public address, and the port of its health checks.
const BACKENDS: [(&str, &str); 3] = [
    ("VOELGOED_NODE_1", "VOELGOED_NODE_1_INTERNAL_PORT"),
    ("VOELGOED_NODE_2", "VOELGOED_NODE_2_INTERNAL_PORT"),
    ("VOELGOED_NODE_3", "VOELGOED_NODE_3_INTERNAL_PORT"),
];
/// All clients of a test share one address.
const MANY_CONNECTIONS: (&str, &str) = ("VOELGOED_CONNECTIONS_PER_ADDRESS_MAX", "100000");
/// No server listens there.
const UNUSED: (&str, &str) = ("127.0.0.1:1", "127.0.0.1:1");

/// Starts HAProxy on `port` of loopback and waits until it accepts connections; `nodes` are their public and internal addresses.
///
/// # Errors
/// There are more nodes than the configuration has backends, or HAProxy does not come up.
pub async fn start(config: &Path, directory: &Path, port: u16, nodes: &[(String, String)]) -> anyhow::Result<Process> {
    start_with(config, directory, port, nodes, &[MANY_CONNECTIONS]).await
}

/// The same with further settings.
///
/// # Errors
/// As [`start`].
pub async fn start_with(
    config: &Path,
    directory: &Path,
    port: u16,
    nodes: &[(String, String)],
    environment: &[(&str, &str)],
) -> anyhow::Result<Process> {
    let address = format!("127.0.0.1:{port}");
    let command = command(config, directory, &address, nodes, environment)?;
    let mut haproxy = Process::spawn("haproxy", &address, &command, directory)?;
    haproxy.accepts_connections().await?;
    Ok(haproxy)
}

/// Starts a new process at the address of `before`, which accepts no more connections and ends with its last request.
///
/// # Errors
/// As [`start`].
pub async fn reload(
    config: &Path,
    directory: &Path,
    mut before: Process,
    nodes: &[(String, String)],
) -> anyhow::Result<Process> {
    let mut command = command(config, directory, &before.address, nodes, &[MANY_CONNECTIONS])?;
    command.arg("-sf").arg(before.pid().context("HAProxy is down")?.to_string());
    let mut haproxy = Process::spawn("haproxy", &before.address, &command, directory)?;
    // The new process ends the old one once it accepts connections itself.
    before.wait().await?;
    haproxy.accepts_connections().await?;
    Ok(haproxy)
}

fn command(
    config: &Path,
    directory: &Path,
    address: &str,
    nodes: &[(String, String)],
    environment: &[(&str, &str)],
) -> anyhow::Result<Command> {
    ensure!(nodes.len() <= BACKENDS.len(), "the configuration has {} backends", BACKENDS.len());
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(config).env("VOELGOED_BIND", address).current_dir(directory);
    command.envs(environment.iter().copied());
    let nodes = nodes.iter().map(|(public, internal)| (public.as_str(), internal.as_str()));
    for ((backend, check), (public, internal)) in BACKENDS.iter().zip(nodes.chain(std::iter::repeat(UNUSED))) {
        command.env(backend, public).env(check, internal.rsplit(':').next().unwrap_or_default());
    }
    Ok(command)
}
