//! Runs one Redis server, or a Redis Cluster of three masters with a replica each.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use crate::free_port::free_port;
use crate::process::{Process, run_to_end};
use crate::until::until;

/// Each master of a cluster has a replica.
const MASTERS: usize = 3;
const AGREEMENT_TIMEOUT: Duration = Duration::from_secs(60);

/// The warm tier's servers.
#[derive(Debug)]
pub struct RedisTier {
    /// The one server, or all of the cluster.
    pub servers: Vec<Process>,
    cluster: bool,
}

impl RedisTier {
    /// Starts the servers with empty data.
    ///
    /// # Errors
    /// A server does not come up, or the cluster does not agree on its slots.
    pub async fn start(directory: &Path, cluster: bool) -> anyhow::Result<Self> {
        if directory.exists() {
            std::fs::remove_dir_all(directory)?;
        }
        let mut servers = Vec::new();
        for number in 1..=if cluster { MASTERS * 2 } else { 1 } {
            servers.push(server(directory, number, cluster).await?);
        }
        for server in &mut servers {
            server.accepts_connections().await?;
        }
        let redis = Self { servers, cluster };
        if cluster {
            redis.make_cluster().await?;
        }
        Ok(redis)
    }

    /// The URL with all addresses.
    #[must_use]
    pub fn url(&self) -> String {
        let addresses: Vec<&str> = self.servers.iter().map(|server| server.address.as_str()).collect();
        format!("{}://{}", if self.cluster { "redis+cluster" } else { "redis" }, addresses.join(","))
    }

    async fn make_cluster(&self) -> anyhow::Result<()> {
        let mut command = Command::new("redis-cli");
        command.args(["--cluster", "create"]).args(self.servers.iter().map(|server| server.address.as_str()));
        command.args(["--cluster-replicas", "1", "--cluster-yes"]);
        run_to_end(command).await?;
        until("the cluster agrees and every master has its replica", AGREEMENT_TIMEOUT, || async {
            let mut replicas = 0;
            for server in &self.servers {
                if !execute(server, &["cluster", "info"]).await?.contains("cluster_state:ok") {
                    return Ok(None);
                }
                let replication = execute(server, &["info", "replication"]).await?;
                replicas += usize::from(replication.contains("master_link_status:up"));
            }
            Ok((replicas == MASTERS).then_some(()))
        })
        .await
    }
}

async fn server(directory: &Path, number: usize, cluster: bool) -> anyhow::Result<Process> {
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
    Process::spawn(&name, &format!("127.0.0.1:{port}"), &command, directory)
}

async fn execute(server: &Process, arguments: &[&str]) -> anyhow::Result<String> {
    let port = server.address.rsplit(':').next().unwrap_or_default();
    ensure!(!port.is_empty(), "{} has no port", server.address);
    let mut command = Command::new("redis-cli");
    command.args(["-p", port]).args(arguments);
    run_to_end(command).await
}
