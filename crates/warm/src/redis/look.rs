//! How the servers are set up, for the operator: what would lose holds that somebody was told of, or refuse writes when it matters.
//!
//! Never: a change of a setting, or a call on the path of a sale.

use redis::{Value, cmd};
use voelgoed_app::error::{Dependency, Fault, StoreResult};

use super::inventory::RedisWarm;
use super::server::Server;

/// One master as it says it is; what it does not tell (a managed server may hide its settings) is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterState {
    /// Where it is.
    pub address: String,
    /// `maxmemory-policy`.
    pub policy: String,
    /// Replicas that are connected.
    pub replicas: String,
    /// `min-replicas-to-write`.
    pub min_replicas: String,
    /// `cluster_state`, where it is of a cluster.
    pub cluster_state: String,
}

impl MasterState {
    /// What is wrong with it, in words.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if !matches!(self.policy.as_str(), "noeviction" | "") {
            complaints.push(format!("maxmemory-policy is {}: holds may vanish; set noeviction", self.policy));
        }
        let has_replicas = !matches!(self.replicas.as_str(), "0" | "");
        if has_replicas && self.min_replicas == "0" {
            complaints.push("min-replicas-to-write is 0: a master that is cut off goes on granting; set 1".to_owned());
        }
        if !has_replicas && !matches!(self.min_replicas.as_str(), "0" | "") {
            complaints.push(format!(
                "no replica is connected and min-replicas-to-write is {}: it refuses writes",
                self.min_replicas
            ));
        }
        if !matches!(self.cluster_state.as_str(), "ok" | "") {
            complaints.push(format!("cluster_state is {}", self.cluster_state));
        }
        complaints
    }
}

impl RedisWarm {
    /// Asks every master how it is set up.
    ///
    /// # Errors
    /// [`Fault::Away`] where one does not answer, or none is known.
    pub async fn look(&self) -> StoreResult<Vec<MasterState>> {
        let masters = self.router.masters().await;
        if masters.is_empty() {
            return Err(Fault::away(Dependency::Warm, "no server is known"));
        }
        let mut states = Vec::new();
        for master in masters {
            let replication = text(&master, cmd("INFO").arg("replication")).await?;
            let cluster = match self.settings.cluster {
                true => text(&master, cmd("CLUSTER").arg("INFO")).await?,
                false => String::new(),
            };
            states.push(MasterState {
                policy: setting(&master, "maxmemory-policy").await,
                min_replicas: setting(&master, "min-replicas-to-write").await,
                replicas: field(&replication, "connected_slaves"),
                cluster_state: field(&cluster, "cluster_state"),
                address: master.address.clone(),
            });
        }
        Ok(states)
    }
}

async fn text(server: &std::sync::Arc<Server>, command: &redis::Cmd) -> StoreResult<String> {
    Ok(match server.ask(command).await? {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::VerbatimString { text, .. } => text,
        _ => String::new(),
    })
}

fn field(info: &str, name: &str) -> String {
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

/// Empty where the server keeps it to itself.
async fn setting(server: &std::sync::Arc<Server>, name: &str) -> String {
    let bytes = |value: Value| if let Value::BulkString(bytes) = value { Some(bytes) } else { None };
    let value = match server.ask(cmd("CONFIG").arg("GET").arg(name)).await {
        Ok(Value::Map(pairs)) => pairs.into_iter().next().and_then(|(_, value)| bytes(value)),
        Ok(Value::Array(pair)) => pair.into_iter().nth(1).and_then(bytes),
        _ => None,
    };
    String::from_utf8(value.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_complained_about() {
        let state = |policy: &str, replicas: &str, min_replicas: &str, cluster_state: &str| MasterState {
            address: "h:1".to_owned(),
            policy: policy.to_owned(),
            replicas: replicas.to_owned(),
            min_replicas: min_replicas.to_owned(),
            cluster_state: cluster_state.to_owned(),
        };
        for (found, words) in [
            (state("noeviction", "0", "0", ""), vec![]),
            (state("noeviction", "1", "1", "ok"), vec![]),
            (state("", "", "", ""), vec![]),
            (state("allkeys-lru", "0", "0", ""), vec!["maxmemory-policy"]),
            (state("noeviction", "2", "0", "ok"), vec!["goes on granting"]),
            (state("noeviction", "0", "1", "ok"), vec!["refuses writes"]),
            (state("volatile-ttl", "1", "0", "fail"), vec!["maxmemory-policy", "min-replicas", "cluster_state"]),
        ] {
            let complaints = found.complaints();
            assert_eq!(complaints.len(), words.len(), "{found:?}: {complaints:?}");
            for (complaint, word) in complaints.iter().zip(words) {
                assert!(complaint.contains(word), "{complaint}");
            }
        }
    }
}
