//! HAProxy by the configuration that ships, in front of the nodes that serve people.

use std::path::Path;

use anyhow::ensure;
use tokio::process::Command;

use crate::cluster::Daemon;

/// Places for nodes in the configuration.
const PLACES: [&str; 3] = ["VOELGOED_NODE_1", "VOELGOED_NODE_2", "VOELGOED_NODE_3"];
/// Nobody listens there.
const NOBODY: &str = "127.0.0.1:1";

/// Starts it on `port` of loopback and waits until it listens.
///
/// # Errors
/// Where there are more nodes than places, or it does not come up.
pub async fn start(config: &Path, directory: &Path, port: u16, nodes: &[String]) -> anyhow::Result<Daemon> {
    ensure!(nodes.len() <= PLACES.len(), "the configuration has {} places for nodes", PLACES.len());
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(config).env("VOELGOED_BIND", &address).current_dir(directory);
    for (place, node) in PLACES.iter().zip(nodes.iter().map(String::as_str).chain(std::iter::repeat(NOBODY))) {
        command.env(place, node);
    }
    let mut haproxy = Daemon::start("haproxy", &address, command, directory)?;
    haproxy.listens().await?;
    Ok(haproxy)
}
