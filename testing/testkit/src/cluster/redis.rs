//! Redis: one server, or a cluster of three masters with a replica each.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use tokio::process::Command;

use super::daemon::{Daemon, output};
use crate::port::free_port;
use crate::until::until;

/// Masters of a cluster; each has a replica.
const MASTERS: usize = 3;
/// A cluster that was just made agrees within this.
const AGREES: Duration = Duration::from_secs(60);

/// The warm tier's servers.
#[derive(Debug)]
pub struct Redis {
    /// One, or all of the cluster.
    pub servers: Vec<Daemon>,
    cluster: bool,
}

impl Redis {
    /// Starts it, empty.
    ///
    /// # Errors
    /// Where a server does not come up, or the cluster does not agree.
    pub async fn start(directory: &Path, cluster: bool) -> anyhow::Result<Self> {
        if directory.exists() {
            std::fs::remove_dir_all(directory)?;
        }
        let mut servers = Vec::new();
        for number in 1..=if cluster { MASTERS * 2 } else { 1 } {
            servers.push(server(directory, number, cluster).await?);
        }
        for server in &mut servers {
            server.listens().await?;
        }
        let redis = Self { servers, cluster };
        if cluster {
            redis.make_cluster().await?;
        }
        Ok(redis)
    }

    /// What nodes are told.
    #[must_use]
    pub fn url(&self) -> String {
        let addresses: Vec<&str> = self.servers.iter().map(|server| server.address.as_str()).collect();
        format!("{}://{}", if self.cluster { "redis+cluster" } else { "redis" }, addresses.join(","))
    }

    async fn make_cluster(&self) -> anyhow::Result<()> {
        let mut command = Command::new("redis-cli");
        command.args(["--cluster", "create"]).args(self.servers.iter().map(|server| server.address.as_str()));
        command.args(["--cluster-replicas", "1", "--cluster-yes"]);
        output(command).await?;
        until("the cluster agrees and every master has its replica", AGREES, || async {
            let mut replicas = 0;
            for server in &self.servers {
                if !ask(server, &["cluster", "info"]).await?.contains("cluster_state:ok") {
                    return Ok(None);
                }
                let replication = ask(server, &["info", "replication"]).await?;
                replicas += usize::from(replication.contains("master_link_status:up"));
            }
            Ok((replicas == MASTERS).then_some(()))
        })
        .await
    }
}

async fn server(directory: &Path, number: usize, cluster: bool) -> anyhow::Result<Daemon> {
    let name = format!("redis-{number}");
    let home = directory.join(&name);
    std::fs::create_dir_all(&home)?;
    let port = free_port()?;
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.args(["--maxmemory-policy", "noeviction"]).arg("--dir").arg(&home).current_dir(&home);
    if cluster {
        command.args(["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"]);
        command.args(["--cluster-port", &free_port()?.to_string(), "--min-replicas-to-write", "1"]);
    }
    Daemon::start(&name, &format!("127.0.0.1:{port}"), command, directory)
}

async fn ask(server: &Daemon, question: &[&str]) -> anyhow::Result<String> {
    let port = server.address.rsplit(':').next().unwrap_or_default();
    ensure!(!port.is_empty(), "{} has no port", server.address);
    let mut command = Command::new("redis-cli");
    command.args(["-p", port]).args(question);
    output(command).await
}
