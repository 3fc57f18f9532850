//! Reads the configuration of every master for the operator, and names settings that could lose granted holds or refuse writes.
//!
//! Never: a change of a setting, a call on the path of a sale.

use redis::{Value, cmd};
use voelgoed_app::error::{Dependency, Fault, StoreResult};

use super::RedisWarm;
use super::server::Server;

/// The configuration and state of one master; a value that the server hides (as managed servers do) is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterState {
    /// `host:port`.
    pub address: String,
    /// The setting `maxmemory-policy`.
    pub policy: String,
    /// The number of connected replicas.
    pub replicas: String,
    /// The setting `min-replicas-to-write`.
    pub replicas_min: String,
    /// `cluster_state` of `CLUSTER INFO`; empty for a single server.
    pub cluster_state: String,
}

impl MasterState {
    /// A sentence per wrong setting or state.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !matches!(self.policy.as_str(), "noeviction" | "") {
            problems.push(format!("maxmemory-policy is {}: holds may be evicted; set noeviction", self.policy));
        }
        let has_replicas = !matches!(self.replicas.as_str(), "0" | "");
        if has_replicas && self.replicas_min == "0" {
            problems.push("min-replicas-to-write is 0: a partitioned master keeps granting; set 1".to_owned());
        }
        if !has_replicas && !matches!(self.replicas_min.as_str(), "0" | "") {
            problems.push(format!(
                "no replica is connected and min-replicas-to-write is {}: it refuses writes",
                self.replicas_min
            ));
        }
        if !matches!(self.cluster_state.as_str(), "ok" | "") {
            problems.push(format!("cluster_state is {}", self.cluster_state));
        }
        problems
    }
}

impl RedisWarm {
    /// Reads the state of every master.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] if a master does not answer, or none is known.
    pub async fn topology(&self) -> StoreResult<Vec<MasterState>> {
        let masters = self.router.masters().await;
        if masters.is_empty() {
            return Err(Fault::unavailable(Dependency::Warm, "no server is known"));
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
                replicas_min: setting(&master, "min-replicas-to-write").await,
                replicas: field(&replication, "connected_slaves"),
                cluster_state: field(&cluster, "cluster_state"),
                address: master.address.clone(),
            });
        }
        Ok(states)
    }
}

async fn text(server: &std::sync::Arc<Server>, command: &redis::Cmd) -> StoreResult<String> {
    Ok(match server.send_command(command).await? {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::VerbatimString { text, .. } => text,
        _ => String::new(),
    })
}

fn field(info: &str, name: &str) -> String {
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

/// A value of `CONFIG GET`; empty if the server hides it.
async fn setting(server: &std::sync::Arc<Server>, name: &str) -> String {
    let bytes = |value: Value| if let Value::BulkString(bytes) = value { Some(bytes) } else { None };
    let value = match server.send_command(cmd("CONFIG").arg("GET").arg(name)).await {
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
    fn each_wrong_setting_is_one_problem() {
        let state = |policy: &str, replicas: &str, replicas_min: &str, cluster_state: &str| MasterState {
            address: "h:1".to_owned(),
            policy: policy.to_owned(),
            replicas: replicas.to_owned(),
            replicas_min: replicas_min.to_owned(),
            cluster_state: cluster_state.to_owned(),
        };
        for (found, words) in [
            (state("noeviction", "0", "0", ""), vec![]),
            (state("noeviction", "1", "1", "ok"), vec![]),
            (state("", "", "", ""), vec![]),
            (state("allkeys-lru", "0", "0", ""), vec!["maxmemory-policy"]),
            (state("noeviction", "2", "0", "ok"), vec!["keeps granting"]),
            (state("noeviction", "0", "1", "ok"), vec!["refuses writes"]),
            (state("volatile-ttl", "1", "0", "fail"), vec!["maxmemory-policy", "min-replicas", "cluster_state"]),
        ] {
            let problems = found.problems();
            assert_eq!(problems.len(), words.len(), "{found:?}: {problems:?}");
            for (problem, word) in problems.iter().zip(words) {
                assert!(problem.contains(word), "{problem}");
            }
        }
    }
}
