//! A cluster of six servers on this machine: three masters with a replica each, a node timeout of one second.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::timeout;

use super::process::RedisServer;
use crate::port::free_port;
use crate::until::until;

/// Masters; there are as many replicas.
const MASTERS: usize = 3;
/// Joining, and a failover, take at most this.
const AGREES: Duration = Duration::from_secs(30);
/// So many times servers are told of each other.
const HANDSHAKES: usize = 3;
/// A handshake is over by then.
const MEETS: Duration = Duration::from_secs(10);

/// A cluster that can be broken in every way.
#[derive(Debug)]
pub struct RedisCluster {
    servers: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts six servers below `root` and waits until they agree.
    ///
    /// # Errors
    /// Where a server does not start or they do not agree.
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
            server.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]).await?;
        }
        for (at, server) in masters.iter().enumerate() {
            let (first, end) = (16_384 * at / MASTERS, 16_384 * (at + 1) / MASTERS);
            server.ask(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &(end - 1).to_string()]).await?;
        }
        self.meet(buses).await?;
        for (master, replica) in masters.iter().zip(replicas) {
            let id = master.ask(&["CLUSTER", "MYID"]).await?;
            until("the replica knows its master", AGREES, || async {
                Ok(replica.ask(&["CLUSTER", "REPLICATE", &id]).await.ok())
            })
            .await?;
        }
        for replica in replicas {
            until("the replica follows", AGREES, || async {
                let link = replica.field(&["INFO", "replication"], "master_link_status").await?;
                Ok((link == "up").then_some(()))
            })
            .await?;
        }
        self.all_say("cluster_state", "ok").await?;
        self.all_say("cluster_slots_ok", "16384").await
    }

    /// Makes all known to all. A handshake that takes longer than the node timeout is forgotten, so it is begun again.
    async fn meet(&self, buses: &[u16]) -> anyhow::Result<()> {
        let everyone = self.servers.len().to_string();
        for _ in 0..HANDSHAKES {
            for (server, bus) in self.servers.iter().zip(buses).skip(1) {
                let address = server.address();
                let (host, port) = address.split_once(':').context("host:port")?;
                self.servers[0].ask(&["CLUSTER", "MEET", host, port, &bus.to_string()]).await?;
            }
            if let Ok(known) = timeout(MEETS, self.all_say("cluster_known_nodes", &everyone)).await {
                return known;
            }
        }
        bail!("the servers of a cluster did not meet in {HANDSHAKES} handshakes")
    }

    async fn all_say(&self, field: &str, value: &str) -> anyhow::Result<()> {
        for server in &self.servers {
            until(&format!("{field} is {value}"), AGREES, || async {
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
    /// Where no server knows.
    pub async fn master_of(&self, key: &str) -> anyhow::Result<&RedisServer> {
        for server in &self.servers {
            // A read with a foreign key is answered `MOVED`, by its own replica too.
            if server.ask(&["ROLE"]).await.is_ok_and(|role| role.starts_with("master"))
                && server.ask(&["EXISTS", key]).await.is_ok()
            {
                return Ok(server);
            }
        }
        bail!("no server has {key}")
    }

    /// Waits until a master other than `old` has the key.
    ///
    /// # Errors
    /// Where no failover happens in time.
    pub async fn failed_over(&self, key: &str, old: &RedisServer) -> anyhow::Result<&RedisServer> {
        let old = old.address();
        until("another master has the key", AGREES, || async {
            for server in self.servers.iter().filter(|server| server.address() != old) {
                if server.ask(&["ROLE"]).await.is_ok_and(|role| role.starts_with("master"))
                    && server.ask(&["EXISTS", key]).await.is_ok()
                {
                    return Ok(Some(server));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Moves the slot of a key, with all that is in it, to another master.
    ///
    /// # Errors
    /// Where a server refuses.
    pub async fn move_slot(&self, key: &str) -> anyhow::Result<()> {
        let from = self.master_of(key).await?;
        let mut masters = vec![];
        for server in &self.servers {
            if server.ask(&["ROLE"]).await.is_ok_and(|role| role.starts_with("master")) {
                masters.push(server);
            }
        }
        let to = masters.iter().find(|server| server.address() != from.address()).context("another master")?;
        let slot = from.ask(&["CLUSTER", "KEYSLOT", key]).await?;
        let (giver, taker) = (from.ask(&["CLUSTER", "MYID"]).await?, to.ask(&["CLUSTER", "MYID"]).await?);
        to.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &giver]).await?;
        from.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &taker]).await?;
        let keys = from.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]).await?;
        let address = to.address();
        let (host, port) = address.split_once(':').context("host:port")?;
        let mut migrate = vec!["MIGRATE", host, port, "", "0", "5000", "KEYS"];
        migrate.extend(keys.split_whitespace());
        from.ask(&migrate).await?;
        // The taker first, so that nobody is sent to a server that does not have it yet.
        to.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &taker]).await?;
        for server in masters {
            server.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &taker]).await?;
        }
        Ok(())
    }

    /// Forgets everything, at every master.
    ///
    /// # Errors
    /// Where one does not answer.
    pub async fn flush_all(&self) -> anyhow::Result<()> {
        for server in &self.servers {
            if server.ask(&["ROLE"]).await.is_ok_and(|role| role.starts_with("master")) {
                server.flush_all().await?;
            }
        }
        Ok(())
    }
}
