//! Runs a Redis Cluster of three masters with a replica each, with a node timeout of one second.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::timeout;

use super::process::RedisServer;
use crate::free_port::free_port;
use crate::until::until;

/// Each master has one replica.
const MASTERS: usize = 3;
/// For joining, and for a failover.
const AGREEMENT_TIMEOUT: Duration = Duration::from_secs(30);
const HANDSHAKES_MAX: usize = 3;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A cluster whose servers can be killed, paused and failed over.
#[derive(Debug)]
pub struct RedisCluster {
    servers: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts six servers below `root` and waits until they agree.
    ///
    /// # Errors
    /// A server does not start, or they do not agree.
    pub async fn start(root: &Path) -> anyhow::Result<Self> {
        let mut servers = vec![];
        let mut buses = vec![];
        for _ in 0..2 * MASTERS {
            let bus = free_port()?;
            let bus_text = bus.to_string();
            let arguments = [
                "--cluster-enabled",
                "yes",
                "--cluster-config-file",
                "nodes.conf",
                "--cluster-node-timeout",
                "1000",
                "--cluster-require-full-coverage",
                "no",
                "--cluster-replica-validity-factor",
                "0",
                "--repl-diskless-sync-delay",
                "0",
                "--cluster-port",
                &bus_text,
            ];
            servers.push(RedisServer::start_with(root, &arguments.map(str::to_owned)).await?);
            buses.push(bus);
        }
        let cluster = Self { servers };
        cluster.join(&buses).await?;
        Ok(cluster)
    }

    async fn join(&self, buses: &[u16]) -> anyhow::Result<()> {
        let (masters, replicas) = self.servers.split_at(MASTERS);
        for (at, server) in self.servers.iter().enumerate() {
            server.execute(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]).await?;
        }
        for (at, server) in masters.iter().enumerate() {
            let (first, end) = (16_384 * at / MASTERS, 16_384 * (at + 1) / MASTERS);
            server.execute(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &(end - 1).to_string()]).await?;
        }
        self.meet(buses).await?;
        for (master, replica) in masters.iter().zip(replicas) {
            let id = master.execute(&["CLUSTER", "MYID"]).await?;
            until("the replica knows its master", AGREEMENT_TIMEOUT, || async {
                Ok(replica.execute(&["CLUSTER", "REPLICATE", &id]).await.ok())
            })
            .await?;
        }
        for replica in replicas {
            until("the replica follows", AGREEMENT_TIMEOUT, || async {
                let link = replica.field(&["INFO", "replication"], "master_link_status").await?;
                Ok((link == "up").then_some(()))
            })
            .await?;
        }
        self.all_report("cluster_state", "ok").await?;
        self.all_report("cluster_slots_ok", "16384").await
    }

    /// Introduces the servers to each other. A handshake that takes longer than the node timeout is dropped by Redis, so it is repeated.
    async fn meet(&self, buses: &[u16]) -> anyhow::Result<()> {
        let count = self.servers.len().to_string();
        for _ in 0..HANDSHAKES_MAX {
            for (server, bus) in self.servers.iter().zip(buses).skip(1) {
                let address = server.address();
                let (host, port) = address.split_once(':').context("host:port")?;
                self.servers[0].execute(&["CLUSTER", "MEET", host, port, &bus.to_string()]).await?;
            }
            if let Ok(known) = timeout(HANDSHAKE_TIMEOUT, self.all_report("cluster_known_nodes", &count)).await {
                return known;
            }
        }
        bail!("the servers of a cluster did not meet in {HANDSHAKES_MAX} handshakes")
    }

    async fn all_report(&self, field: &str, value: &str) -> anyhow::Result<()> {
        for server in &self.servers {
            until(&format!("{field} is {value}"), AGREEMENT_TIMEOUT, || async {
                Ok((server.field(&["CLUSTER", "INFO"], field).await? == value).then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    /// All six servers, the first three of them masters at the start.
    #[must_use]
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// `redis+cluster://host:port,…` with all of them.
    #[must_use]
    pub fn url(&self) -> String {
        let addresses: Vec<_> = self.servers.iter().map(RedisServer::address).collect();
        format!("redis+cluster://{}", addresses.join(","))
    }

    /// The master that has a key now.
    ///
    /// # Errors
    /// No server has it.
    pub async fn master_of(&self, key: &str) -> anyhow::Result<&RedisServer> {
        for server in &self.servers {
            // A server replies `MOVED` to a key of another slot, and so does a replica to its own.
            if server.execute(&["ROLE"]).await.is_ok_and(|role| role.starts_with("master"))
                && server.execute(&["EXISTS", key]).await.is_ok()
            {
                return Ok(server);
            }
        }
        bail!("no server has {key}")
    }

    /// Waits until a master other than `old` has the key.
    ///
    /// # Errors
    /// No failover happens in time.
    pub async fn wait_for_failover(&self, key: &str, old: &RedisServer) -> anyhow::Result<&RedisServer> {
        let old = old.address();
        until("another master has the key", AGREEMENT_TIMEOUT, || async {
            for server in self.servers.iter().filter(|server| server.address() != old) {
                if server.execute(&["ROLE"]).await.is_ok_and(|role| role.starts_with("master"))
                    && server.execute(&["EXISTS", key]).await.is_ok()
                {
                    return Ok(Some(server));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Moves the slot of a key with all its keys to another master.
    ///
    /// # Errors
    /// A server refuses.
    pub async fn move_slot(&self, key: &str) -> anyhow::Result<()> {
        let from = self.master_of(key).await?;
        let mut masters = vec![];
        for server in &self.servers {
            if server.execute(&["ROLE"]).await.is_ok_and(|role| role.starts_with("master")) {
                masters.push(server);
            }
        }
        let to = masters.iter().find(|server| server.address() != from.address()).context("another master")?;
        let slot = from.execute(&["CLUSTER", "KEYSLOT", key]).await?;
        let (source, target) = (from.execute(&["CLUSTER", "MYID"]).await?, to.execute(&["CLUSTER", "MYID"]).await?);
        to.execute(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source]).await?;
        from.execute(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target]).await?;
        let keys = from.execute(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]).await?;
        let address = to.address();
        let (host, port) = address.split_once(':').context("host:port")?;
        let mut migrate = vec!["MIGRATE", host, port, "", "0", "5000", "KEYS"];
        migrate.extend(keys.split_whitespace());
        from.execute(&migrate).await?;
        // The target first, so that no client is redirected to a server that does not have the slot yet.
        to.execute(&["CLUSTER", "SETSLOT", &slot, "NODE", &target]).await?;
        for server in masters {
            server.execute(&["CLUSTER", "SETSLOT", &slot, "NODE", &target]).await?;
        }
        Ok(())
    }

    /// Deletes all data at every master.
    ///
    /// # Errors
    /// A master does not reply.
    pub async fn flush_all(&self) -> anyhow::Result<()> {
        for server in &self.servers {
            if server.execute(&["ROLE"]).await.is_ok_and(|role| role.starts_with("master")) {
                server.flush_all().await?;
            }
        }
        Ok(())
    }
}
